"""Boxes: what the diagram says of each table and enum, measured but not yet placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Column, Enum, Index, Table, UniqueConstraint

from dbplan.diagram.lettering import cut, cut_middle, printable, width
from dbplan.diagram.relations import is_partial, unique_keys
from dbplan.diagram.wording import enum_of, index_words, short_type_name, type_name
from dbplan.report.cells import show

UNIT = 18
"""Every line of a box is so many pixels high: then a line's middle can be told from its number."""
HEADER = 2
AIR = 6
PAD = 10
NAME_SIZE, TEXT_SIZE, SMALL_SIZE = 13.0, 12.0, 10.5
MARK_SIZE = 9.5
NARROWEST = 132

MOST_COLUMNS = 40
MOST_FOOTER = 6
MOST_MEMBERS = 8
LONGEST_NAME, LONGEST_TYPE = 40, 28

Kind = Literal["table", "view", "enum"]


@dataclass(frozen=True)
class Row:
    """One line of a box: the key mark before it, its name, its type, and what a reader sees on pointing at it."""

    name: str
    type: str = ""
    mark: str = ""
    nullable: bool = False
    hint: str = ""
    faint: bool = False


@dataclass(frozen=True)
class Box:
    """A table, view or enum as lines of text. `lines` maps a column's name to the number of its row."""

    key: str
    kind: Kind
    name: str
    schema: str = ""
    count: str = ""
    hint: str = ""
    rows: tuple[Row, ...] = ()
    footer: tuple[Row, ...] = ()
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def units(self) -> int:
        """The height in lines."""
        return HEADER + len(self.rows) + len(self.footer)

    @property
    def height(self) -> int:
        """The height in pixels, with a little air below the last line."""
        return self.units * UNIT + AIR

    @property
    def mark_width(self) -> float:
        """The pixels that the key marks take, with the gap after them."""
        widest = max((width(row.mark, MARK_SIZE) for row in self.rows), default=0.0)
        return widest + 8 if widest else 0.0

    @property
    def width(self) -> int:
        """The width in pixels, by what stands in the header and the rows; the footer is cut to fit."""
        names = max((width(row.name, TEXT_SIZE) for row in self.rows), default=0.0)
        types = max((width(row.type + "?" * row.nullable, TEXT_SIZE) for row in self.rows), default=0.0)
        body = self.mark_width + names + (16 + types if types else 0)
        head = width(self.name, NAME_SIZE) + (18 + width(self.count, SMALL_SIZE) if self.count else 0)
        return 2 * ceil((max(body, head, width(self.schema, SMALL_SIZE), NARROWEST - 2 * PAD) + 2 * PAD) / 2)

    def unit_of(self, column: str) -> int:
        """Return the line, counted from the top of the box, where a column stands, or where the rest is summed up."""
        return HEADER + self.lines.get(column, max(len(self.rows) - 1, 0)) if self.rows else HEADER - 1


def table_box(table: Table, *, planned: int | None = None, keys_only: bool = False, default_schema: str = "") -> Box:
    """Return a table's box; one with many columns, or any where `keys_only`, shows its keys and counts the rest."""
    marks = key_marks(table)
    columns = list(table.columns)
    brief = keys_only or len(columns) > MOST_COLUMNS
    chosen = [column for column in columns if marks[column.name]][:MOST_COLUMNS] if brief else columns
    rows = [column_row(column, marks[column.name]) for column in chosen]
    if left := len(columns) - len(chosen):
        rows.append(Row(f"+ {left} more column{'s' * (left > 1)}", faint=True))
    schema = table.schema if table.schema and table.schema != default_schema else ""
    view = bool(table.info.get("is_view"))
    return Box(
        key=table.key,
        kind="view" if view else "table",
        name=cut_middle(table.name, LONGEST_NAME),
        schema=cut_middle(schema, LONGEST_NAME),
        count="view" if view else f"{show(planned, 'count')} rows" if planned else "",
        hint=_hint(table.key, table.comment),
        rows=tuple(rows),
        footer=() if keys_only else tuple(_footer(table)),
        lines=MappingProxyType({column.name: number for number, column in enumerate(chosen)}),
    )


def column_row(column: Column[Any], mark: str) -> Row:
    """Return a column's line; what is cut short is whole in its hint."""
    kind = type_name(column.type)
    optional = bool(column.nullable) and not column.primary_key
    hint = _hint(f"{column.name} {kind}{' or NULL' if optional else ''}", column.comment)
    return Row(
        cut_middle(column.name, LONGEST_NAME), cut(short_type_name(column.type), LONGEST_TYPE), mark, optional, hint
    )


def key_marks(table: Table) -> dict[str, str]:
    """Return each column's marks: PK, FK, and U where its values are unique by themselves."""
    alone = {next(iter(key)) for key in unique_keys(table) if len(key) == 1}
    primary = {column.name for column in table.primary_key.columns}
    foreign = {column.name for constraint in table.foreign_key_constraints for column in constraint.columns}
    return {
        name: " ".join(
            mark
            for mark, holds in (("PK", name in primary), ("FK", name in foreign), ("U", name in alone - primary))
            if holds
        )
        for name in (column.name for column in table.columns)
    }


def _footer(table: Table) -> Iterable[Row]:
    """Yield one line for each key of several columns and each index, few of them."""
    lines = [*_unique_lines(table), *_index_lines(table)]
    shown = lines if len(lines) <= MOST_FOOTER else lines[: MOST_FOOTER - 1]
    for line in shown:
        yield Row(line, hint=line, faint=True)
    if left := lines[len(shown) :]:
        yield Row(f"+ {len(left)} more", hint=printable(" · ".join(left)), faint=True)


def _unique_lines(table: Table) -> list[str]:
    constraints = (c for c in table.constraints if isinstance(c, UniqueConstraint))
    keys = [[column.name for column in constraint.columns] for constraint in constraints]
    return sorted(f"unique ({', '.join(key)})" for key in keys if len(key) > 1)


def _index_lines(table: Table) -> list[str]:
    return sorted(f"{'unique' if i.unique else 'index'} {index_words(i)}" for i in table.indexes if not _is_mark(i))


def _is_mark(index: Index) -> bool:
    """Whether the index says no more than the U beside its one column."""
    return bool(index.unique) and len(index.expressions) == 1 and not is_partial(index)


def enum_boxes(tables: Iterable[Table]) -> list[Box]:
    """Return a box for every enum that a column of `tables` is of, by name; unnamed ones after their column."""
    found: dict[str, Enum] = {}
    for table in tables:
        for column in table.columns:
            kind = enum_of(column.type)
            if kind is not None:
                found.setdefault(kind.name or f"{table.key}.{column.name}", kind)
    return [_enum_box(name, found[name]) for name in sorted(found)]


def _enum_box(name: str, kind: Enum) -> Box:
    members = [str(member) for member in kind.enums]
    shown = members if len(members) <= MOST_MEMBERS else members[: MOST_MEMBERS - 1]
    rows = [Row(cut(member, LONGEST_NAME), hint=printable(member)) for member in shown]
    if left := members[len(shown) :]:
        rows.append(Row(f"+ {len(left)} more", hint=printable(", ".join(left[:50])), faint=True))
    return Box(
        f"enum {name}", "enum", cut_middle(name, LONGEST_NAME), count="enum", hint=printable(name), rows=tuple(rows)
    )


def _hint(name: str, comment: str | None) -> str:
    return printable(f"{name}: {comment}" if comment else name)
