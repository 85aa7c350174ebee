"""`statements`: everything that creates a plan on one server, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, SetColumnComment

from dbplan.ddl import postgresql
from dbplan.ddl.compilers import compiler_dialect
from dbplan.ddl.recording import Recorder, in_order, kind_of, place_of
from dbplan.ddl.statement import Statement
from dbplan.ddl.views import views_in_order
from dbplan.errors import SourceError
from dbplan.evidence import Place
from dbplan.plan import Plan, copy_metadata

_FIRST = ("setting", "schema", "search path", "extension", "type", "sequence", "body")
_THEN = ("virtual table", "attachment", "unique index", "index", "key")
_LAST = ("alteration", "rule", "trigger", "policy", "statistics", "event", "comment", "reset")
_RANK = {kind: rank for rank, kind in enumerate((*_FIRST, *_THEN, *_LAST))}
_Found = tuple[tuple[str, Any] | None, Statement]


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
    metadata = _uncommented(metadata) if metadata.info.get("uncommented") else metadata
    found = [*_outside(metadata, dialect, own), *_recorded(metadata, dialect, own), *_around(metadata, dialect, own)]
    body = [(node, statement) for node, statement in found if node is not None]
    place = {node: number for number, node in enumerate(metadata.info.get("order", ()) if own else ())}
    ranked = [(_RANK["body"], 0, made) for _, made in sorted(body, key=lambda pair: place.get(pair[0], -1))]
    ranked += [(_RANK[made.kind], _height(made, metadata), made) for node, made in found if node is None]
    return [made for _, _, made in sorted(ranked, key=lambda ranks: ranks[:2])]


def _uncommented(metadata: MetaData) -> MetaData:
    """Return a copy without what its source says of tables and columns and its own database does not."""
    copy = copy_metadata(metadata)
    for table in copy.tables.values():
        table.comment = None
        for column in table.columns:
            column.comment = None
    return copy


def _height(made: Statement, metadata: MetaData) -> int:
    """Return a rank by which indexes of partitions come before those of what they are parts of, which take them in."""
    table = metadata.tables.get(made.place.table) if made.kind.endswith("index") else None
    return 0 if table is None else -postgresql.depth(table)


def _outside(metadata: MetaData, dialect: Dialect, own: bool) -> Iterator[_Found]:
    """Yield settings, schemas and extensions."""
    if dialect.name == "sqlite":
        return
    for schema in sorted(schemas(metadata, own)):
        made = CreateSchema(schema, if_not_exists=dialect.name == "postgresql")
        yield None, Statement(Place(table=schema), "schema", _sql(made, dialect))
    if dialect.name == "postgresql":
        yield from ((None, statement) for statement in postgresql.before(metadata, dialect, own))


def schemas(metadata: MetaData, own: bool = True) -> set[str]:
    """Return the names of the schemas that tables, their types and sequences lie in, the default one left out."""
    of_tables = {table.schema for table in metadata.tables.values()}
    of_objects = {getattr(known, "schema", None) for known in metadata._objects}
    named = metadata.info.get("schemas", ()) if own else ()
    return {str(name) for name in (*of_tables, *of_objects, *named) if name}


def _recorded(metadata: MetaData, dialect: Dialect, own: bool) -> Iterator[_Found]:
    """Yield what SQLAlchemy makes of tables and types, and between them what the plan holds as SQL."""
    tables = [table for table in metadata.tables.values() if not table.info.get("is_view")]
    given = [key for kind, key in metadata.info.get("order", ()) if kind == "tables"] if own else []
    elements = Recorder(metadata, dialect).record(in_order(tables, given))
    first = next((i for i, made in enumerate(elements) if isinstance(made, CreateTable)), len(elements))
    yield from _noded(_written(elements[:first], dialect))
    yield from _texts(metadata, own)
    yield from _noded(_written(elements[first:], dialect))


def _noded(found: Iterable[Statement]) -> Iterator[_Found]:
    """Yield with each statement which object of the plan it makes, None for what has its place by its kind."""
    for statement in found:
        yield (None if statement.kind in _RANK else ("tables", statement.place.table)), statement


def _around(metadata: MetaData, dialect: Dialect, own: bool) -> Iterator[_Found]:
    """Yield views, and what follows the tables."""
    if not own:
        return
    tables = [metadata.tables[key] for key in sorted(metadata.tables)]
    views = (view for view in views_in_order(metadata) if view.info.get("view"))
    yield from (found for view in views for found in _noded(_view(view, dialect)))
    if dialect.name == "postgresql":
        yield from ((None, statement) for statement in postgresql.after(metadata, dialect))
    yield from ((None, statement) for table in tables for statement in _followers(table))
    virtual = metadata.info.get("virtual_tables", ())
    yield from ((None, Statement(Place(), "virtual table", _stripped(sql))) for sql in virtual)
    yield from ((None, Statement(Place(), "event", _stripped(sql))) for sql in metadata.info.get("events", ()))


def _texts(metadata: MetaData, own: bool) -> Iterator[_Found]:
    """Yield composite and range types and routines, which a plan holds as SQL."""
    for key, kind in (("types", "type"), ("routines", "routine")):
        for number, sql in enumerate(metadata.info.get(key, ()) if own else ()):
            yield (key, number), Statement(Place(), kind, _stripped(sql))


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
    options = _options(view) if dialect.name == "postgresql" else ""
    data = "\nWITH NO DATA" if view.info.get("populated") is False else ""
    made = f"{head} {name}{options} AS\n{_stripped(view.info['view'])}{data}"
    yield Statement(place, "view", view.info.get("definition", made))
    indexes = sorted(view.indexes, key=lambda index: str(index.name))
    yield from _written((CreateIndex(index) for index in indexes), dialect)
    if dialect.supports_comments and not dialect.inline_comments:
        yield from _view_comments(view, words, name, dialect)


def _options(view: Table) -> str:
    said = view.dialect_options["postgresql"]["with"] or {}
    return f" WITH ({', '.join(f'{name}={value}' for name, value in said.items())})" if said else ""


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
