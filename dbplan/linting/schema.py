"""A plan as the rules look at it: everything that several rules ask for, worked out once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Table
from sqlalchemy.exc import SQLAlchemyError

from dbplan.evidence import Place
from dbplan.linting.access import Access, accesses, formatted
from dbplan.linting.pgtypes import PgType, pg_type
from dbplan.plan import Plan


@dataclass(frozen=True, eq=False)
class Reference:
    """A foreign key with its ends; `target` is None where the metadata does not hold what it points to."""

    constraint: ForeignKeyConstraint
    table: Table
    columns: tuple[Column[Any], ...]
    target: Table | None
    targets: tuple[Column[Any], ...]
    spec: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the referencing columns."""
        return tuple(column.name for column in self.columns)

    @property
    def optional(self) -> bool:
        """Whether a row may leave it open."""
        return any(column.nullable for column in self.columns)

    @property
    def place(self) -> Place:
        """Where it is: the column of a simple key, the constraint of a composite one."""
        if len(self.columns) == 1:
            return Place(self.table.fullname, self.names[0])
        return Place(self.table.fullname, constraint=formatted(self.constraint) or ", ".join(self.names))


@dataclass(frozen=True, eq=False)
class Schema:
    """The tables of a plan, what PostgreSQL makes of their columns, and what ties them together."""

    plan: Plan

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The tables that hold rows, by name; views are left out, and partitions are judged as their parent."""
        return tuple(table for table in self.plan.entities if not is_view(table))

    @cached_property
    def types(self) -> Mapping[Column[Any], PgType]:
        """What PostgreSQL makes of each column."""
        return {column: pg_type(column.type) for table in self.tables for column in table.columns}

    @cached_property
    def accesses(self) -> Mapping[Table, tuple[Access, ...]]:
        """The primary key, unique constraints and indexes of each table."""
        return {table: accesses(table) for table in self.tables}

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every foreign key, by table and columns."""
        found = [_reference(item) for table in self.tables for item in table.foreign_key_constraints]
        return tuple(sorted(found, key=lambda r: (r.table.fullname, r.names, r.spec, formatted(r.constraint))))

    @cached_property
    def resolved(self) -> tuple[tuple[Reference, Table], ...]:
        """Every foreign key whose target is known, with that target."""
        return tuple((r, r.target) for r in self.references if r.target is not None)

    @cached_property
    def referencing(self) -> Mapping[Table, tuple[Reference, ...]]:
        """The foreign keys that point to each table."""
        found: dict[Table, list[Reference]] = defaultdict(list)
        for reference, target in self.resolved:
            found[target].append(reference)
        return {table: tuple(references) for table, references in found.items()}

    @cached_property
    def relation_names(self) -> Mapping[str | None, frozenset[str]]:
        """The names of tables and indexes that each schema holds already."""
        found: dict[str | None, set[str]] = defaultdict(set)
        for table in self.plan.tables:
            found[table.schema].add(table.name)
            found[table.schema].update(a.name for a in self.accesses.get(table, ()) if a.name)
        return {name: frozenset(names) for name, names in found.items()}

    def of(self, column: Column[Any]) -> PgType:
        """Return what PostgreSQL makes of a column."""
        return self.types.get(column) or pg_type(column.type)

    def uniques(self, table: Table) -> tuple[Access, ...]:
        """Return the full unique paths of a table that are made of columns alone."""
        return tuple(a for a in self.accesses.get(table, ()) if a.unique and a.plain and not a.predicate)

    def rows(self, table: Table) -> int | None:
        """Return the planned rows of a table, None where none are planned."""
        return self.plan.rows.get(table.fullname)


def is_view(table: Table) -> bool:
    """Return whether a Table stands for a view: made by CreateView, or marked so in its info."""
    return bool(table.is_view or table.info.get("is_view") or table.info.get("view"))


def _reference(constraint: ForeignKeyConstraint) -> Reference:
    elements = list(constraint.elements)
    columns = tuple(element.parent for element in elements)
    try:
        targets = tuple(element.column for element in elements)
    except SQLAlchemyError:
        targets = ()
    target = targets[0].table if targets else None
    spec = ", ".join(dict.fromkeys(".".join(filter(None, element.target_tokens)) for element in elements))
    known = target if isinstance(target, Table) else None
    return Reference(constraint, constraint.table, columns, known, targets if known is not None else (), spec)
