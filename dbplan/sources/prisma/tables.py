"""Tables: a model's columns, keys and indexes, as Prisma's DDL would make them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Identity, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from dbplan.sources.prisma import mysql, names
from dbplan.sources.prisma.defaults import Filling, clause, filling
from dbplan.sources.prisma.indexes import columns_of, index_of
from dbplan.sources.prisma.placing import free_name, options
from dbplan.sources.prisma.scope import Scope, argument, every, find, mapped, text
from dbplan.sources.prisma.syntax import Attribute, Call, Field, Model
from dbplan.sources.prisma.types import BIGSERIAL, COUNTED, SERIAL, SMALLSERIAL, bson_type, column_type

_SERIALS: dict[str, type[TypeEngine[Any]]] = {"INTEGER": SERIAL, "BIGINT": BIGSERIAL, "SMALLINT": SMALLSERIAL}
_NUMBERS = {
    "start": "start",
    "increment": "increment",
    "minValue": "minvalue",
    "maxValue": "maxvalue",
    "cache": "cache",
}


def add_table(model: Model, scope: Scope, metadata: MetaData) -> Table:
    """Make the table of a model or view."""
    key = key_fields(model)
    schema = scope.namespace(model)
    table = Table(
        free_name(mapped(model), schema, scope, metadata),
        metadata,
        *(_column(field, model, key, scope) for field in scope.columns(model)),
        schema=schema,
        comment=model.comment or None,
        info=_info(model),
        **options(scope),
    )
    if model.kind == "view":
        if unique := tuple(tuple(_name(model, name, scope) for name, _ in fields) for _, fields in _indexes(model)):
            table.info["unique"] = unique
        return table
    if scope.dialect == "sqlite" and _is_counted(model, key):
        table.dialect_kwargs["sqlite_autoincrement"] = True
    _add_primary_key(table, model, scope)
    for attribute, fields in _indexes(model):
        index_of(table, attribute, fields, model, scope)
    if scope.dialect == "mysql":
        mysql.tell_columns(table)
    return table


def _info(model: Model) -> dict[str, Any]:
    info: dict[str, Any] = {"model": model.name}
    if model.kind == "view":
        info |= {"is_view": True, "view": ""}
    if find(model, "ignore"):
        info["ignore"] = True
    return info


def key_fields(model: Model) -> tuple[str, ...]:
    """Return the fields of the primary key."""
    single = tuple(field.name for field in model.fields if find(field, "id"))
    return single or tuple(name for name, _ in columns_of(find(model, "id")))


def _is_counted(model: Model, key: tuple[str, ...]) -> bool:
    """Say whether SQLite numbers the rows: every key of one whole number."""
    return len(key) == 1 and next(field for field in model.fields if field.name == key[0]).type == "Int"


def mend_counting(table: Table) -> None:
    """Have SQLite count a key that refers to another table: SQLAlchemy writes AUTOINCREMENT for no such key."""
    key = next(iter(table.primary_key.columns), None)
    if key is not None and key.foreign_keys and table.dialect_options["sqlite"]["autoincrement"]:
        table.dialect_kwargs["sqlite_autoincrement"] = False
        key.type = COUNTED()
        table.primary_key.ddl_if(callable_=_elsewhere)


def _elsewhere(*_: Any, dialect: Dialect, **__: Any) -> bool:
    return dialect.name != "sqlite"


def _column(field: Field, model: Model, key: tuple[str, ...], scope: Scope) -> Column[Any]:
    kind = column_type(field, scope)
    fill = filling(field, kind, scope)
    counted = _counted(field, key, model, kind, scope) if fill.counts else {"autoincrement": False}
    arguments: dict[str, Any] = {"type_": kind} | counted
    if fill.sql:
        arguments["server_default"] = clause(fill.sql)
    if fill.sequence is not None:
        arguments |= {"identity": Identity(always=False, **_numbers(fill.sequence)), "autoincrement": True}
    identity = arguments.pop("identity", None)
    return Column(
        names.cut(mapped(field), names.LONGEST[scope.dialect]),
        arguments.pop("type_"),
        *((identity,) if identity else ()),
        nullable=field.arity != "",
        comment=field.comment or None,
        info=_about(field, model, fill, scope),
        **arguments,
    )


def _counted(field: Field, key: tuple[str, ...], model: Model, kind: TypeEngine[Any], scope: Scope) -> dict[str, Any]:
    """Return how the server numbers the rows by that column."""
    if scope.dialect == "mssql":
        return {"identity": Identity(start=1, increment=1), "autoincrement": True}
    counting = [f.name for f in model.fields if f.name in key and filling(f, kind, scope).counts]
    if scope.dialect == "postgresql" and counting[:1] != [field.name]:
        return {"type_": _SERIALS[kind.__visit_name__](), "autoincrement": field.name not in key}
    return {"autoincrement": True}


def _numbers(call: Call) -> dict[str, Any]:
    """Return the options of CockroachDB's `sequence()`, which makes an identity."""
    return {_NUMBERS[a.name]: int(text(a.value)) for a in call.arguments if a.name in _NUMBERS}


def _about(field: Field, model: Model, fill: Filling, scope: Scope) -> dict[str, Any]:
    """Return what SQLAlchemy has no place for."""
    info: dict[str, Any] = {"field": field.name}
    if fill.client:
        info["default"] = fill.client
    if fill.sql and scope.dialect == "mssql":
        info["default_name"] = fill.name or names.default(mapped(model), mapped(field), scope.dialect)
    if find(field, "updatedAt"):
        info["updated_at"] = True
    if find(field, "ignore"):
        info["ignore"] = True
    if bson := bson_type(field, scope):
        info |= {"bson": bson} | ({"many": True} if field.arity == "[]" else {})
    elif field.arity == "[]":
        info["list"] = True  # the column may be NULL, but Prisma writes an empty list and reads NULL as one
    if field.type in scope.models:
        info["composite"] = field.type
    return info


def _add_primary_key(table: Table, model: Model, scope: Scope) -> None:
    attribute = find(model, "id") or next((a for field in model.fields if (a := find(field, "id"))), None)
    if attribute is None:
        return
    columns = [table.columns[_name(model, name, scope)] for name in key_fields(model)]
    named = scope.dialect not in ("mysql", "sqlite", "mongodb")
    name = text(argument(attribute, "map")) or names.primary_key(mapped(model), scope.dialect)
    clustered: dict[str, Any] = {"mssql_clustered": False} if text(argument(attribute, "clustered")) == "false" else {}
    table.append_constraint(PrimaryKeyConstraint(*columns, name=name if named else None, **clustered))
    if scope.dialect == "mysql":
        said = [(c, s) for c, (_, s) in zip(columns, columns_of(attribute), strict=False)] or [(columns[0], attribute)]
        mysql.tell_primary_key(table.primary_key, said)


def _name(model: Model, name: str, scope: Scope) -> str:
    field = next(field for field in model.fields if field.name == name)
    return names.cut(mapped(field), names.LONGEST[scope.dialect])


def _indexes(model: Model) -> Iterator[tuple[Attribute, tuple[tuple[str, Attribute | Any], ...]]]:
    """Yield the attributes that make an index, with their fields and what is said of each."""
    for field in model.fields:
        for attribute in every(field, "unique"):
            yield attribute, ((field.name, attribute),)
    for attribute in every(model, "unique", "index", "fulltext"):
        yield attribute, columns_of(attribute)
