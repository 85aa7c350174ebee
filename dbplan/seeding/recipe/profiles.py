"""Profiles: the same recipe at the scale of a desk, of a test, of a load; each says what is otherwise there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dbplan.errors import UnknownName
from dbplan.plan import Plan
from dbplan.seeding.recipe.places import Layer
from dbplan.seeding.recipe.reading import Reader, Recipe, read
from dbplan.seeding.recipe.vocabulary import PROFILE

BUILT_IN = ("dev", "test", "load")
"""Profiles that every plan has: as the recipe says it, a small set for tests, a million rows of the largest table."""
FEW, MANY = 10, 1_000_000


def in_profile(plan: Plan, layer: Layer, data: Mapping[str, Any], profile: str | None) -> Recipe:
    """Return a recipe in a profile: what the profile says stands over what the recipe says."""
    reader = Reader(plan, (layer,))
    said = data.get("profiles", {})
    reader.a_table(said, ("profiles",))
    for name, one in said.items():
        _checked(reader, one, ("profiles", name))
    base = {key: value for key, value in data.items() if key != "profiles"}
    if profile is None:
        return reader.recipe(base)
    over, one = _named(plan, layer, said, profile)
    before = {name: len(table["fixed"]) for name, table in _tables(base).items() if _has_fixed(table)}
    layers = (layer, replace(over, before=before))
    if over.name != layer.name:
        _checked(Reader(plan, (over,)), one, ())
    merged = _merged(base, one)
    merged.update(_scale(profile, one, merged))
    reader.recipe(base)  # a slip in the recipe itself is told as one
    made = Reader(plan, layers).recipe({key: value for key, value in merged.items() if key != "rows"})
    return replace(made, rows=merged.get("rows"), exact=_exact(one), profile=profile)


def _checked(reader: Reader, one: Any, path: tuple[str, ...]) -> None:
    """Refuse a profile with keys that it does not have."""
    if path:
        reader.a_table(one, path)
    reader.keys(one, PROFILE, path)
    reader.a_table(one.get("tables", {}), (*path, "tables"))
    for name, table in one.get("tables", {}).items():
        reader.known("table", name, reader.plan.metadata.tables, (*path, "tables", name))
        reader.a_table(table, (*path, "tables", name))


def _named(plan: Plan, layer: Layer, said: Mapping[str, Any], profile: str) -> tuple[Layer, dict[str, Any]]:
    """Return what a profile says: in the recipe, in a file of its own beside it, or nothing where it is built in."""
    files = _files(plan)
    names = {*BUILT_IN, *said, *files}
    if profile not in names:
        raise UnknownName("profile", profile, sorted(names), where=f'plan "{plan.name}"')
    if profile in said and profile in files:
        reader = Reader(plan, (layer,))
        reader.fail(("profiles", profile), f"the profile {profile} stands in {files[profile].name} as well; keep one")
    if profile in files:
        return read(files[profile], "the profile {name}")
    return replace(layer, above=("profiles", profile)), dict(said.get(profile, {}))


def _files(plan: Plan) -> dict[str, Path]:
    """Return the files of profiles by name: credits.test.toml beside credits.toml."""
    if plan.recipe is None:
        return {}
    path = Path(plan.recipe)
    stem = f"{path.name.removesuffix('.toml')}."
    beside = sorted(path.parent.glob("*.toml")) if path.parent.is_dir() else []
    return {one.name[len(stem) : -len(".toml")]: one for one in beside if one.name.startswith(stem) and one != path}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe with a profile over it: tables and columns by name, fixed rows after the recipe's own."""
    tables = {**_tables(base)}
    for name, table in _tables(over).items():
        there = tables.get(name, {})
        columns = {**there.get("columns", {}), **table.get("columns", {})}
        fixed = [*there.get("fixed", ()), *table.get("fixed", ())] if _has_fixed(table) else there.get("fixed")
        joined = {**there, **table, "columns": columns, "fixed": fixed}
        tables[name] = {key: value for key, value in joined.items() if value not in (None, {})}
    time = {**base.get("time", {}), **over.get("time", {})}
    return {**base, **over, "time": time, "tables": tables}


def _tables(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = data.get("tables", {})
    return found


def _has_fixed(table: Any) -> bool:
    return isinstance(table, Mapping) and isinstance(table.get("fixed"), list)


def _exact(one: Mapping[str, Any]) -> dict[str, int]:
    """Return the rows that a profile gives to tables."""
    return {name: table["rows"] for name, table in _tables(one).items() if "rows" in table}


def _scale(profile: str, one: Mapping[str, Any], merged: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows of a built-in profile that says none: tests have the fixed rows alone, where there are some."""
    if "rows" in one or _exact(one):
        return {}
    if profile == "test":
        return {"rows": 0 if any(map(_has_fixed, _tables(merged).values())) else FEW}
    return {"rows": MANY} if profile == "load" else {}
