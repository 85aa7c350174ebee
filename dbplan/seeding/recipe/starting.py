"""The recipe in force as a file: given back it yields the same rows, and it says what the schema alone decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbplan.plan import Plan
from dbplan.seeding.recipe import profiles, toml
from dbplan.seeding.recipe.reading import read
from dbplan.seeding.recipe.reasons import because, values

if TYPE_CHECKING:
    from dbplan.seeding.rows.frames import Source
    from dbplan.seeding.rows.world import World

Data = Mapping[str, Any]


def in_force(plan: Plan, profile: str | None) -> dict[str, Any]:
    """Return what a plan's recipe holds in a profile, as TOML has it."""
    if plan.recipe is None:
        return {}
    layer, data = read(Path(plan.recipe), "the recipe {name}")
    base = {name: item for name, item in data.items() if name != "profiles"}
    if profile is None:
        return base
    _, over = profiles._named(plan, layer, data.get("profiles", {}), profile)
    return profiles._merged(base, over)


def written(made: World, data: Data) -> str:
    """Return a recipe that yields the rows of `made`; what the schema decides stands in it as comments.

    Every table has the number of its rows; of a table without any, which a recipe cannot say, a comment tells. Rules
    of a table whose rows are all fixed decide nothing and are left out.
    """
    lines = [
        f"# The seed recipe of {made.plan.name} as it is in force. Comments say what the schema decides;",
        "# a rule in such a place decides instead, and a recipe without the rest would do as well.",
        "",
    ]
    lines += [f"{name} = {toml.value(data[name])}" for name in ("locale",) if name in data]
    lines += [f"random_state = {made.random_state}", "", "[time]"]
    lines += [f"{name} = {toml.value(getattr(made.recipe, name))}" for name in ("start", "end")]
    for name, source in sorted(made.sources.items()):
        lines += ["", *_table(made, source, data.get("tables", {}).get(name, {}))]
    return "\n".join(lines) + "\n"


def _table(made: World, source: Source, said: Data) -> Iterator[str]:
    name, known = str(source.table.key), {"rows", "columns", "fixed"}
    rows = 0 if source.given else source.rows
    yield toml.header("tables", name)
    yield f"rows = {rows}" if rows or source.given else "# no rows, which a recipe says by a profile alone: rows = 0"
    rules = [f"{key} = {toml.value(item)}" for key, item in said.items() if key not in known]
    if rows:
        yield from (*rules, *_inferred(source, said), *_columns(made, source, said.get("columns", {})))
    for row in said.get("fixed", ()):
        yield from ("", toml.header("tables", name, "fixed", each=True))
        yield from (f"{toml.key(column)} = {toml.value(item)}" for column, item in row.items())


def _inferred(source: Source, said: Data) -> Iterator[str]:
    """Say as comments how children are counted where the recipe does not."""
    if source.lead is not None and "per" not in said:
        yield f"# per = {toml.value(source.lead.own[0])}"
    if source.lead is not None and "children" not in said:
        yield '# children = { shape = "skewed" }'


def _columns(made: World, source: Source, said: Data) -> Iterator[str]:
    yield from ("", toml.header("tables", str(source.table.key), "columns"))
    for column in source.table.columns:
        name = toml.key(column.name)
        if column.name in said:
            yield f"{name} = {toml.value(said[column.name])}"
        else:
            why = because(made, source, column)
            yield f"# {name}: {_line(values(source, column))}{f' ({why})' if why else ''}"


def _line(words: str) -> str:
    return " ".join(words.split())
