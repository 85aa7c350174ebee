"""`statements`: everything that creates a plan on one server, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, SetColumnComment

from dbplan.ddl.compilers import compiler_dialect
from dbplan.ddl.extensions import extensions
from dbplan.ddl.recording import Recorder, in_order, kind_of, place_of
from dbplan.ddl.statement import Statement
from dbplan.errors import SourceError
from dbplan.evidence import Place
from dbplan.plan import Plan

_ORDER = ("setting", "schema", "extension", "type", "sequence", "body", "attachment", "unique index", "index", "key")
_LAST = ("alteration", "rule", "trigger", "policy", "statistics", "comment")
_RANK = {kind: rank for rank, kind in enumerate((*_ORDER, *_LAST))}
_POSTGRESQL = frozenset({"postgresql", "cockroachdb"})


def statements(plan: Plan, dialect: str) -> tuple[Statement, ...]:
    """Return the statements that create a plan on a server of `dialect`, in order.

    What a plan holds as SQL text (views, routines, triggers) is taken as it stands where it was written for that
    server or for any; to another one it says nothing.
    Raises SourceError for a model that cannot be written: a key that leads nowhere, a type that server has no word for.
    """
    try:
        return tuple(statements_of(plan.metadata, dialect))
    except SQLAlchemyError as error:
        said = " ".join(str(error).split())
        raise SourceError(f'plan "{plan.name}" cannot be written for {dialect}: {said}; mend the model') from None


def statements_of(metadata: MetaData, name: str) -> list[Statement]:
    """Return the statements of a MetaData; raises what SQLAlchemy raises for one that cannot be written."""
    dialect = compiler_dialect(name)
    own = metadata.info.get("dialect") in (None, name)
    found = [*_outside(metadata, dialect), *_recorded(metadata, dialect, own)]
    return sorted(found, key=lambda statement: _RANK.get(statement.kind, _RANK["body"]))


def _outside(metadata: MetaData, dialect: Dialect) -> Iterator[Statement]:
    """Yield schemas and extensions."""
    if dialect.name == "sqlite":
        return
    for schema in sorted(schemas(metadata)):
        made = CreateSchema(schema, if_not_exists=dialect.name == "postgresql")
        yield Statement(Place(table=schema), "schema", _sql(made, dialect))
    if dialect.name == "postgresql":
        for name, place in extensions(metadata).items():
            quoted = dialect.identifier_preparer.quote_identifier(name)
            yield Statement(place, "extension", f"CREATE EXTENSION IF NOT EXISTS {quoted}")


def schemas(metadata: MetaData) -> set[str]:
    """Return the names of the schemas that tables, their types and sequences lie in, the default one left out."""
    own = {table.schema for table in metadata.tables.values()}
    of_objects = {getattr(known, "schema", None) for known in metadata._objects}
    return {str(name) for name in own | of_objects if name}


def _recorded(metadata: MetaData, dialect: Dialect, own: bool) -> Iterator[Statement]:
    tables = [table for table in metadata.tables.values() if not table.info.get("is_view")]
    views = [table for table in metadata.tables.values() if table.info.get("view") and own]
    elements = Recorder(metadata, dialect).record(in_order(tables))
    first = next((i for i, made in enumerate(elements) if isinstance(made, CreateTable)), len(elements))
    yield from _written(elements[:first], dialect)
    yield from _texts(metadata, own)
    yield from _written(elements[first:], dialect)
    for view in views:
        yield from _view(view, dialect)
    for table in tables if own else ():
        yield from _followers(table)
    yield from (Statement(Place(), "event", _stripped(sql)) for sql in metadata.info.get("events", ()) if own)


def _texts(metadata: MetaData, own: bool) -> Iterator[Statement]:
    """Yield composite and range types and routines, which a plan holds as SQL."""
    if own:
        yield from (Statement(Place(), "type", _stripped(sql)) for sql in metadata.info.get("types", ()))
        yield from (Statement(Place(), "routine", _stripped(sql)) for sql in metadata.info.get("routines", ()))


def _followers(table: Table) -> Iterator[Statement]:
    """Yield the triggers and policies of a table."""
    place = Place(table=str(table.key))
    yield from (Statement(place, "trigger", _stripped(sql)) for sql in table.info.get("triggers", ()))
    yield from (Statement(place, "policy", _stripped(sql)) for sql in table.info.get("policies", ()))


def _stripped(sql: str) -> str:
    return sql.strip().removesuffix(";").rstrip()


def _written(elements: Iterable[Any], dialect: Dialect) -> Iterator[Statement]:
    for element in elements:
        if sql := _sql(element, dialect):  # "" for an index that stands inside its table
            yield Statement(place_of(element), kind_of(element), sql)


def _view(view: Table, dialect: Dialect) -> Iterator[Statement]:
    name = dialect.identifier_preparer.format_table(view)
    words = "MATERIALIZED VIEW" if view.info.get("materialized") else "VIEW"
    place = Place(table=str(view.key))
    head = " ".join(("CREATE", *view._prefixes, words))
    yield Statement(place, "view", f"{head} {name} AS\n{_stripped(view.info['view'])}")
    indexes = sorted(view.indexes, key=lambda index: str(index.name))
    yield from _written((CreateIndex(index) for index in indexes), dialect)
    if dialect.supports_comments and not dialect.inline_comments:
        yield from _view_comments(view, words, name, dialect)


def _view_comments(view: Table, words: str, name: str, dialect: Dialect) -> Iterator[Statement]:
    if view.comment is not None:
        text = _literal(view.comment)
        yield Statement(Place(table=str(view.key)), "comment", f"COMMENT ON {words} {name} IS {text}")
    for column in view.columns:
        if column.comment is not None:
            place = Place(table=str(view.key), column=column.name)
            yield Statement(place, "comment", _sql(SetColumnComment(column), dialect))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sql(element: Any, dialect: Dialect) -> str:
    return str(element.compile(dialect=dialect)).strip()
