"""Relations: what foreign keys say about how many rows stand on either side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.exc import SQLAlchemyError


@dataclass(frozen=True, order=True)
class Relation:
    """A foreign key as an edge: tables by key, columns by name.

    `optional`: a child row may stand without a parent (0..1 at the parent's end, else exactly 1).
    `single`: a parent has one child row at most (0..1 at the child's end, else 0..N).
    """

    child: str
    columns: tuple[str, ...]
    parent: str
    referred: tuple[str, ...]
    optional: bool
    single: bool

    @property
    def reflexive(self) -> bool:
        """Whether the table refers to itself."""
        return self.child == self.parent

    def __str__(self) -> str:
        """Return `orders.user_id → users.id`."""
        return f"{_dotted(self.child, self.columns)} → {_dotted(self.parent, self.referred)}"


@dataclass(frozen=True, order=True)
class Dangling:
    """A foreign key whose target is not in the plan."""

    child: str
    columns: tuple[str, ...]
    target: str

    def __str__(self) -> str:
        """Return `orders.user_id → auth.users.id`."""
        return f"{_dotted(self.child, self.columns)} → {self.target}"


def relations(tables: Iterable[Table]) -> tuple[tuple[Relation, ...], tuple[Dangling, ...]]:
    """Return the foreign keys among `tables`, each once and sorted, and those that lead out of them."""
    chosen = {table.key: table for table in tables}
    found: set[Relation] = set()
    lost: set[Dangling] = set()
    for table in chosen.values():
        for constraint in table.foreign_key_constraints:
            edge = _relation(table, constraint)
            if isinstance(edge, Relation) and edge.parent not in chosen:
                edge = Dangling(edge.child, edge.columns, _dotted(edge.parent, edge.referred))
            found.add(edge) if isinstance(edge, Relation) else lost.add(edge)
    return tuple(sorted(found)), tuple(sorted(lost))


def _relation(table: Table, constraint: ForeignKeyConstraint) -> Relation | Dangling:
    columns = list(constraint.columns)
    names = tuple(column.name for column in columns)
    try:
        referred = [element.column for element in constraint.elements]
    except SQLAlchemyError:  # the table or the column that it names is not in this MetaData
        targets = ", ".join(".".join(filter(None, element.target_tokens)) for element in constraint.elements)
        return Dangling(table.key, names, targets)
    return Relation(
        child=table.key,
        columns=names,
        parent=referred[0].table.key,
        referred=tuple(column.name for column in referred),
        optional=_optional(columns, constraint),
        single=any(key <= set(names) for key in unique_keys(table)),
    )


def _optional(columns: list[Column[object]], constraint: ForeignKeyConstraint) -> bool:
    """Whether a row may refer to nobody: one NULL is enough, except under MATCH FULL, which wants all of them."""
    nullable = [bool(column.nullable) and not column.primary_key for column in columns]
    full = (constraint.match or "").upper() == "FULL"
    return all(nullable) if full else any(nullable)


def unique_keys(table: Table) -> tuple[frozenset[str], ...]:
    """Return the sets of columns that no two rows share: primary key, unique constraints, whole unique indexes."""
    keys = [[column.name for column in table.primary_key.columns]]
    keys += [[c.name for c in u.columns] for u in table.constraints if isinstance(u, UniqueConstraint)]
    keys += [_plain_columns(index) for index in table.indexes if index.unique and not is_partial(index)]
    distinct = {frozenset(key) for key in keys if key}
    return tuple(sorted(distinct, key=sorted))


def is_partial(index: Index) -> bool:
    """Whether the index leaves rows out (WHERE)."""
    return any(index.dialect_kwargs.get(f"{d}_where") is not None for d in ("postgresql", "sqlite", "mssql"))


def _plain_columns(index: Index) -> list[str]:
    """Return the index's columns, or none when one of its parts is an expression other than a column."""
    plain = [expression.name for expression in index.expressions if isinstance(expression, Column)]
    return plain if len(plain) == len(index.expressions) else []


def _dotted(table: str, columns: tuple[str, ...]) -> str:
    return f"{table}.{columns[0]}" if len(columns) == 1 else f"{table} ({', '.join(columns)})"
