"""What an SQL expression of a recipe may read beside the row: its parents' columns, and how many children it has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import Table

from dbplan.seeding.constraints.predicate import Expression, expression
from dbplan.seeding.constraints.references import Reference, key_of, references
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.taken import of_parent

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from dbplan.seeding.rows.builder import Builder
    from dbplan.seeding.rows.frames import Frame, Maker


@lru_cache(maxsize=1024)
def readable(table: Table) -> tuple[str, ...]:
    """Return the names that an expression over a table's rows may have."""
    return (*table.columns.keys(), *dict.fromkeys(_far(table)))


def _far(table: Table) -> Iterator[str]:
    found, tables = references(table), table.metadata.tables
    for ref in found:
        alone = [ref.parent] if sum(other.parent == ref.parent for other in found) == 1 else []
        for before in (*ref.columns, *alone):
            yield from (f"{before}.{column.name}" for column in tables[ref.parent].columns)
    for other in sorted(tables):
        if any(key.column.table is table for key in tables[other].foreign_keys if key.column is not None):
            yield counting(other)


def counting(child: str) -> str:
    """Return the name under which a row's children of a table are counted."""
    return f"count({child})"


def counted(name: str) -> str:
    """Return the table whose children a name counts, "" for a name of another kind."""
    return name[len("count(") : -1] if name.startswith("count(") else ""


def parents(table: Table, name: str) -> Reference | None:
    """Return the reference along which a name reads the parent."""
    before = name.rpartition(".")[0]
    found = references(table)
    by_key = next((ref for ref in found if before in ref.columns), None)
    return by_key or next((ref for ref in found if before and before == ref.parent), None)


def expressed(builder: Builder, text: str, fail: Callable[[str], NoReturn]) -> Expression:
    """Return a parsed expression; what it reads beside the row is there from now on."""
    found = expression(text, readable(builder.table))
    for name in sorted(found.columns - set(builder.table.columns.keys())):
        reach(builder, name, fail)
    return found


def reach(builder: Builder, name: str, fail: Callable[[str], NoReturn]) -> None:
    """Let a frame of the table read a parent's column, or the number of children, by its name."""
    if name not in builder.source.generated:
        child = counted(name)
        made = _children(builder, child, fail) if child else of_parent(builder, name, fail)
        builder.source.generated[name] = made


def _children(builder: Builder, child: str, fail: Callable[[str], NoReturn]) -> Maker:
    source = builder.world.sources.get(child)
    if source is None:
        fail(f"counts {child}, which is no table with rows here")
    if source.rows and not source.given and (source.lead is None or source.lead.parent != key_of(builder.table)):
        fail(f"counts {child}, which is not led by {builder.name}; say per = … there")

    def make(frame: Frame) -> Cells:
        return present(source.fan.counts[frame.rows] if source.fan is not None else frame.rows * 0)

    return make
