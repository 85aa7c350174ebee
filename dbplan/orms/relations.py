"""Tables and foreign keys of a plan as scenarios need them: keys, kinds, links both ways, rows that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf, log
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, ForeignKeyConstraint, Table, UniqueConstraint, func, select
from sqlalchemy.types import TypeDecorator

from dbplan.columns import Encrypted
from dbplan.orms.kinds import kind
from dbplan.orms.scenarios import Link, TableFacts
from dbplan.plan import Plan

COMPARABLE = frozenset({"int", "text", "uuid", "timestamp", "timestamptz", "date", "enum", "decimal"})
"""Kinds that a key may have."""
PARENT, CHILDREN = "parent", "children"
"""What results call the rows at other ends, so no column of a row that has some."""


@dataclass(frozen=True)
class Reference:
    """A foreign key from a child table to a parent."""

    child: Table
    parent: Table
    pairs: tuple[tuple[str, str], ...]
    """Child column, parent column."""
    on_delete: str
    is_deferred: bool

    def to_parent(self, schema: Schema) -> Link:
        """Return the parent as a child's row shows it."""
        return Link(key_of(self.parent), schema.columns(self.parent), self.pairs)

    def to_children(self, schema: Schema, children: Link | None = None, *, by_database: bool = False) -> Link:
        """Return the children as a parent's row shows them."""
        pairs = tuple((parent, child) for child, parent in self.pairs)
        columns = tuple(c for c in schema.columns(self.child) if children is None or c != CHILDREN)
        return Link(key_of(self.child), columns, pairs, schema.key(self.child), children, by_database)


def key_of(table: Table) -> str:
    """Return the name of a table in its metadata."""
    return str(table.key)


@dataclass(frozen=True)
class Schema:
    """The tables of a plan that take part, how many rows each holds, and what leads where."""

    plan: Plan
    rows: Mapping[str, int]

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Tables with a key of known kinds, by name; the largest first, of those of like size the most joined."""
        found = {key_of(t): t for t in self.plan.tables if not t.info.get("is_view") and self._has_key(t)}
        return dict(sorted(found.items(), key=lambda item: (self.size(item[0]), -self.joined[item[0]], item[0])))

    def size(self, name: str) -> float:
        """Return how much smaller than the largest a table is, in steps of a quarter: few rows tell nothing."""
        largest, own = max(self.rows.values(), default=0), self.rows.get(name, 0)
        return round(log(largest / own, 1.25)) if own else inf

    @cached_property
    def joined(self) -> Counter[str]:
        """How many foreign keys lead from or to a table, by name."""
        ends = [(key.table, key.referred_table) for key in self._keys]
        return Counter(key_of(table) for both in ends for table in both)

    @cached_property
    def _keys(self) -> list[ForeignKeyConstraint]:
        """Every foreign key of the plan that leads to a table of the plan."""
        return [key for table in self.plan.tables for key in _foreign_keys(table) if _reference(key) is not None]

    def _has_key(self, table: Table) -> bool:
        columns = table.primary_key.columns
        return bool(columns) and all(kind_of(column) in COMPARABLE for column in columns)

    def key(self, table: Table) -> tuple[str, ...]:
        """Return the columns of a table's key."""
        return tuple(column.name for column in table.primary_key.columns)

    def columns(self, table: Table) -> tuple[str, ...]:
        """Return the columns that take part."""
        return tuple(column.name for column in table.columns if kind_of(column) is not None)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every foreign key between two tables that take part, whose columns all do; no table's to itself."""
        every = (_reference(key) for table in self.tables.values() for key in _foreign_keys(table))
        return tuple(
            one
            for one in every
            if one is not None
            and key_of(one.parent) in self.tables
            and one.parent is not one.child
            and all(a in self.columns(one.child) and b in self.columns(one.parent) for a, b in one.pairs)
        )

    def parents(self, table: Table) -> list[Reference]:
        """Return the foreign keys of a table."""
        return [one for one in self.references if one.child is table]

    def children(self, table: Table) -> list[Reference]:
        """Return the foreign keys that lead to a table."""
        return [one for one in self.references if one.parent is table]

    def inbound(self, table: Table) -> list[ForeignKeyConstraint]:
        """Return every foreign key that leads to a table, also those of tables that do not take part."""
        return [key for key in self._keys if key.referred_table is table]

    def count(self, table: Table) -> int:
        """Return the rows of a table."""
        return self.rows.get(key_of(table), 0)

    def facts(self) -> dict[str, TableFacts]:
        """Return the tables as contestants see them."""
        return {name: _facts(self, table) for name, table in self.tables.items()}


def schema_of(plan: Plan, connection: Connection) -> Schema:
    """Return the schema of a plan with the rows that its tables hold."""
    tables = [table for table in plan.tables if not table.info.get("is_view")]
    count = select(func.count())
    return Schema(plan, {key_of(t): connection.execute(count.select_from(t)).scalar_one() for t in tables})


def kind_of(column: Column[object]) -> str | None:
    """Return the kind of a column's values; None for those that are sealed, changed by a type, or of another kind."""
    return None if isinstance(column.type, Encrypted) or _is_changed(column) else kind(column.type)


def _is_changed(column: Column[object]) -> bool:
    """Return whether a type of the application's own makes something else of what is stored, which no driver knows.

    Keys take part all the same: without them there is nothing to compare.
    """
    of = column.type
    if not isinstance(of, TypeDecorator) or column.primary_key or column.foreign_keys:
        return False
    if type(of).__module__.partition(".")[0] in ("sqlalchemy", "dbplan"):
        return False
    return type(of).process_result_value is not TypeDecorator.process_result_value


def is_made(column: Column[object]) -> bool:
    """Whether the database alone makes a column's value."""
    return column.computed is not None or (column.identity is not None and bool(column.identity.always))


def is_stamped(column: Column[object]) -> bool:
    """Whether some models set a column by themselves when its row changes."""
    by_hand = column.onupdate is not None or column.server_onupdate is not None
    return by_hand or bool(column.info.get("updated_at"))


def is_counted(column: Column[object]) -> bool:
    """Whether applications leave a key to the database, which counts it up."""
    table = column.table
    return isinstance(table, Table) and column is table.autoincrement_column and kind_of(column) == "int"


def is_insertable(table: Table) -> bool:
    """Whether a row of known kinds is a row: what has no kind may be left out."""
    return all(
        kind_of(column) is not None or column.nullable or column.server_default is not None or is_made(column)
        for column in table.columns
    )


def bound_columns(table: Table) -> set[str]:
    """Return the columns in which a value of another row may be refused: of keys, uniques, and CHECKs over several."""
    keys = {column.name for constraint in table.constraints for column in getattr(constraint, "columns", ())}
    checks = [_read(table, str(c.sqltext)) for c in table.constraints if isinstance(c, CheckConstraint)]
    alone = {name for check in checks if len(check) == 1 for name in check}
    several = {name for check in checks if len(check) > 1 for name in check}
    return (keys - alone) | several | unique_columns(table) | {key.parent.name for key in table.foreign_keys}


def _read(table: Table, text: str) -> set[str]:
    """Return the columns whose names stand in a text, perhaps a few too many."""
    return {column.name for column in table.columns if column.name.lower() in text.lower()}


def indexed_columns(table: Table) -> set[str]:
    """Return the columns of indexes."""
    return {column.name for index in table.indexes for column in index.columns}


def unique_keys(table: Table) -> set[frozenset[str]]:
    """Return the sets of columns that are unique in a table, whole and without conditions."""
    keys = [c for c in table.constraints if isinstance(c, UniqueConstraint) or c is table.primary_key]
    found = {frozenset(column.name for column in key.columns) for key in keys}
    return found | {frozenset(c.name for c in index.columns) for index in table.indexes if index.unique}


def unique_columns(table: Table) -> set[str]:
    """Return the columns that keys and uniques read, those of expressions and conditions included."""
    keys = [c for c in table.constraints if isinstance(c, UniqueConstraint) or c is table.primary_key]
    inside = {column.name for key in keys for column in key.columns}
    for index in table.indexes:
        if index.unique:
            texts = [str(e) for e in index.expressions]
            texts += [str(options.get("where", "")) for options in index.dialect_options.values()]
            inside |= {column.name for column in index.columns}.union(*(_read(table, text) for text in texts))
    return inside


def _foreign_keys(table: Table) -> list[ForeignKeyConstraint]:
    found = table.foreign_key_constraints
    return sorted(found, key=lambda key: [column.name for column in key.columns])


def _reference(key: ForeignKeyConstraint) -> Reference | None:
    try:
        pairs = tuple((element.parent.name, element.column.name) for element in key.elements)
        parent = key.referred_table
    except Exception:  # a key that leads to a table that is not in the plan
        return None
    table = key.parent
    assert isinstance(table, Table)
    return Reference(table, parent, pairs, (key.ondelete or "NO ACTION").upper(), bool(key.deferrable))


def _may_be_null(column: Column[Any]) -> bool:
    """Return whether NULL may stand in a column: its server would let it into a list of Prisma's, nobody writes it."""
    return bool(column.nullable) and not column.info.get("list")


def _facts(schema: Schema, table: Table) -> TableFacts:
    columns = {
        column.name: {"kind": kind_of(column), "nullable": _may_be_null(column), "made": is_made(column)}
        for column in table.columns
        if kind_of(column) is not None
    }
    return TableFacts(table.name, table.schema, schema.key(table), columns)
