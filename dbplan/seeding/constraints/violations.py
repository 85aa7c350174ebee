"""Violations, counted by the server over what was written."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Connection,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Table,
    TextClause,
    and_,
    exists,
    func,
    literal_column,
    not_,
    select,
)
from sqlalchemy.sql import ColumnElement

from dbplan.sandbox.schema import makes_boolean
from dbplan.seeding.constraints.checks import check_constraints
from dbplan.seeding.constraints.references import unique_sets

UNIQUE_LIMIT = 2_000_000
"""Rows up to which duplicates are counted; beyond, the server's own unique index is relied upon."""


def violations(connection: Connection, table: Table, rows: int) -> int:
    """Return how many rows of `table` break a foreign key, a CHECK or a unique."""
    found = sum(_orphans(connection, table, constraint) for constraint in table.foreign_key_constraints)
    found += sum(_broken(connection, table, c) for c in check_constraints(table) if _is_there(c, connection.dialect))
    if rows <= UNIQUE_LIMIT:
        sets = {(names, _where(index, connection.dialect)) for names, index in unique_sets(table) if names}
        found += sum(_duplicates(connection, table, names, where) for names, where in sets)
    return found


def _is_there(check: CheckConstraint, dialect: Dialect) -> bool:
    """Whether a CHECK is meant for this server; one that makes a boolean of an integer is SQLite's alone."""
    wanted = getattr(check._ddl_if, "dialect", None) or dialect.name
    meant = dialect.name == wanted if isinstance(wanted, str) else dialect.name in wanted
    return meant and (dialect.name == "sqlite" or not makes_boolean(check))


def _orphans(connection: Connection, table: Table, constraint: ForeignKeyConstraint) -> int:
    parent = constraint.referred_table.alias("parent")
    pairs = [(table.columns[e.parent.name], parent.columns[e.column.name]) for e in constraint.elements]
    whole = and_(*(child.is_not(None) for child, _ in pairs))
    there = exists().where(and_(*(child == other for child, other in pairs)))
    return _count(connection, table, and_(whole, not_(there)))


def _broken(connection: Connection, table: Table, constraint: CheckConstraint) -> int:
    clause: Any = constraint.sqltext
    # a text's colons and percent signs are SQL, not parameters
    condition = literal_column(f"({clause.text})", Boolean()) if isinstance(clause, TextClause) else clause
    return _count(connection, table, not_(condition))


def _count(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one())


def _where(index: Index | None, dialect: Dialect) -> str:
    """Return the SQL of the rows that an index asks to differ, "" for all; a copied index holds another table's."""
    where = index.dialect_options[dialect.name].get("where") if index is not None else None
    if where is None:
        return ""
    return str(where.compile(dialect=dialect, compile_kwargs={"literal_binds": True, "include_table": False}))


def _duplicates(connection: Connection, table: Table, names: frozenset[str], where: str) -> int:
    columns = [table.columns[name] for name in sorted(names)]
    groups = select(func.count().label("n")).select_from(table).where(*(c.is_not(None) for c in columns))
    groups = groups.where(literal_column(f"({where})", Boolean())) if where else groups
    twice = groups.group_by(*columns).having(func.count() > 1).subquery()
    return int(connection.execute(select(func.count()).select_from(twice)).scalar_one())
