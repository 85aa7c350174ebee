"""Plans that a user's own pyproject.toml names under `[tool.dbplan.plans]`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dbplan.errors import SourceError, UnknownName
from dbplan.plan import Plan, Query

KEYS = ("source", "rows", "migrations", "recipe", "summary", "queries", "priorities")


def plans() -> Mapping[str, Mapping[str, Any]]:
    """Return the entries of the nearest pyproject.toml at or above the current folder: name → entry."""
    path = _pyproject()
    if path is None:
        return {}
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("dbplan", {}).get("plans", {})
    except tomllib.TOMLDecodeError as error:
        raise SourceError(f"{path.name}: {error}") from None
    return {name: {"source": entry} if isinstance(entry, str) else entry for name, entry in entries.items()}


def load(name: str, read: Callable[[str], Plan]) -> Plan:
    """Return the plan of an entry: its source read, with the entry's own rows, migrations, recipe and queries."""
    entry = plans()[name]
    path = _pyproject()
    folder = path.parent if path else Path()
    for key in entry:
        if key not in KEYS:
            raise UnknownName("key", key, KEYS, where=f"[tool.dbplan.plans.{name}]")
    if not isinstance(entry.get("source"), str) or entry["source"] == name:
        raise SourceError(f'[tool.dbplan.plans.{name}] needs a source = "module:attr" or a database URL')
    for key in ("rows", "priorities"):
        if not _holds_numbers(entry.get(key, {})):
            raise SourceError(f"[tool.dbplan.plans.{name}] {key} = {entry[key]!r}: a table of numbers is due there")
    plan = read(entry["source"])
    changes: dict[str, Any] = {key: entry[key] for key in ("rows", "summary", "priorities") if key in entry}
    changes |= {key: folder / entry[key] for key in ("migrations", "recipe") if key in entry}
    if "queries" in entry:
        changes["queries"] = (*plan.queries, *_queries(entry["queries"]))
    return beside(replace(plan, name=name, **changes), folder)


def _holds_numbers(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, int | float) for one in value.values())


def beside(plan: Plan, folder: Path | None = None) -> Plan:
    """Return a plan that has no recipe with that of `seeds/NAME.toml` in a folder, the current one, where it is there.

    A plan whose recipe is said keeps it.
    """
    path = (folder or Path()) / "seeds" / f"{plan.name}.toml"
    return replace(plan, recipe=path.resolve()) if plan.recipe is None and path.is_file() else plan


def _queries(target: str) -> tuple[Query, ...]:
    from dbplan.sources import models

    module_name, _, attribute = target.rpartition(":")
    value = models.attribute_of(module_name, attribute)
    if not isinstance(value, tuple | list) or not all(isinstance(query, Query) for query in value):
        raise SourceError(f'"{target}" is not a sequence of dbplan Query objects')
    return tuple(value)


def _pyproject() -> Path | None:
    here = Path.cwd()
    found = (folder / "pyproject.toml" for folder in (here, *here.parents))
    return next((path for path in found if path.is_file()), None)
