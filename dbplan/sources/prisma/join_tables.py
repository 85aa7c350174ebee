"""Join tables: what Prisma makes of a relation of many to many that has no model of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint

from dbplan.sources.prisma import names
from dbplan.sources.prisma.placing import free_name, options
from dbplan.sources.prisma.relations import Join, draw_only, name_of
from dbplan.sources.prisma.scope import Scope
from dbplan.sources.prisma.syntax import Field, Model
from dbplan.sources.prisma.tables import key_fields
from dbplan.sources.prisma.types import column_type


@dataclass(frozen=True)
class Side:
    """A column of a join table: its name, the model that it leads to, the field there that leads to the others."""

    column: str
    model: Model
    back: Field


def add_join_table(join: Join, scope: Scope, tables: Mapping[str, Table], metadata: MetaData) -> None:
    """Make the table of a relation of many to many, with its key, index and foreign keys."""
    sides = Side("A", join.one, join.field), Side("B", join.other, join.back)
    name = names.join_table(name_of(join.field), join.one.name, join.other.name, scope.dialect)
    home = tables[join.one.name].schema
    columns = [Column(side.column, _type(side.model, scope), nullable=False) for side in sides]
    table = Table(free_name(name, home, scope, metadata), metadata, *columns, schema=home, **options(scope))
    _add_unique(table, name, scope.dialect)
    Index(names.of_join_table(name, "_B_index", scope.dialect), table.columns["B"])
    # SQL Server refuses two ways of cascading from one row to another.
    action = "NO ACTION" if scope.dialect == "mssql" and join.one is join.other else "CASCADE"
    for side in sides:
        key = ForeignKeyConstraint(
            [table.columns[side.column]],
            [next(iter(tables[side.model.name].primary_key.columns))],
            name=names.of_join_table(name, f"_{side.column}_fkey", scope.dialect),
            ondelete=action,
            onupdate=action,
            info={"relation": name_of(join.field), "field": "", "back": side.back.name},
        )
        if not scope.enforced:
            draw_only(key)
        table.append_constraint(key)


def _type(model: Model, scope: Scope) -> Any:
    key = key_fields(model)[0]
    return column_type(next(field for field in model.fields if field.name == key), scope)


def _add_unique(table: Table, name: str, dialect: str) -> None:
    """Let no pair stand twice: PostgreSQL's join tables have a primary key, the others a unique index."""
    pair = table.columns["A"], table.columns["B"]
    unique = names.of_join_table(name, "_AB_unique", dialect)
    if dialect == "postgresql":
        table.append_constraint(PrimaryKeyConstraint(*pair, name=names.of_join_table(name, "_AB_pkey", dialect)))
    elif dialect == "mssql":
        table.append_constraint(UniqueConstraint(*pair, name=unique, mssql_clustered=False))
    else:
        Index(unique, *pair, unique=True)
