"""The server under measurement, whatever its dialect: prepare it, count it, list its indexes, explain on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, event, func, inspect, select
from sqlalchemy.exc import DBAPIError

from dbplan.benchmarking import postgresql, sqlite
from dbplan.benchmarking.clients import fetched
from dbplan.benchmarking.facts import Explained, Index, TableSize

_EXPLAINERS = {"postgresql": postgresql.explain, "sqlite": sqlite.explain}


def explains(dialect: str) -> bool:
    """Return whether the plans of this dialect can be read."""
    return dialect in _EXPLAINERS


def preparations(connection: Connection) -> Mapping[str, postgresql.Preparation]:
    """Return what became of the connection's prepared statements; nothing where the server does not tell."""
    return postgresql.preparations(connection) if connection.dialect.name == "postgresql" else {}


numbered = postgresql.numbered


def settle(engine: Engine, tables: Sequence[Table]) -> None:
    """Gather statistics and clear dead rows, as a server that has been running for a while would have."""
    if not tables:
        return
    quote = engine.dialect.identifier_preparer.format_table
    names = ", ".join(quote(table) for table in tables)
    words = {"postgresql": f"VACUUM (ANALYZE) {names}", "sqlite": "ANALYZE"}
    statement = words.get(engine.dialect.name, f"ANALYZE TABLE {names}")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
        connection.commit()  # on SQLite a transaction is open even so


def present(connection: Connection, tables: Sequence[Table]) -> tuple[Table, ...]:
    """Return the tables that the database really has."""
    catalog = inspect(connection)
    by_schema = {schema: set(catalog.get_table_names(schema=schema)) for schema in {t.schema for t in tables}}
    return tuple(table for table in tables if table.name in by_schema[table.schema])


def sizes(connection: Connection, tables: Sequence[Table]) -> tuple[TableSize, ...]:
    """Return the rows of each table, counted, and its pages."""
    pages: Mapping[str, int] = {}
    if connection.dialect.name == "postgresql":
        pages = postgresql.pages(connection)
    elif connection.dialect.name == "sqlite":
        pages = sqlite.pages(connection)
    counts = {table.fullname: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    return tuple(TableSize(name, rows, pages.get(name)) for name, rows in counts.items())


def indexes(connection: Connection, tables: Sequence[Table]) -> tuple[Index, ...]:
    """Return every index of the tables, those behind constraints too."""
    names = {table.fullname for table in tables}
    if connection.dialect.name == "postgresql":
        return tuple(index for index in postgresql.indexes(connection) if index.table in names)
    if connection.dialect.name == "sqlite":
        return sqlite.indexes(connection, sorted(names))
    return tuple(index for table in tables for index in _reflected(connection, table))


def _reflected(connection: Connection, table: Table) -> list[Index]:
    catalog = inspect(connection)
    found = catalog.get_indexes(table.name, schema=table.schema)
    key = catalog.get_pk_constraint(table.name, schema=table.schema)
    indexes = [
        Index(
            table.fullname,
            each["name"] or "",
            tuple(column for column in each["column_names"] if column),
            bool(each["unique"]),
            "unique" if each["unique"] else "",
        )
        for each in found
    ]
    columns = tuple(key["constrained_columns"])
    return [Index(table.fullname, "PRIMARY", columns, True, "primary key"), *indexes] if columns else indexes


def explain(connection: Connection, statement: Any, values: Mapping[str, Any]) -> tuple[str, Explained | None]:
    """Return the statement's SQL as the driver gets it, and how the server runs it; the caller rolls back.

    The statement is run once to learn its SQL and bound values, then explained with the same.
    """
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        sent.append((sql, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        with connection.begin_nested() as point:
            result = connection.execute(statement, values)
            if result.returns_rows:
                fetched(result)
            point.rollback()
    finally:
        event.remove(connection, "before_cursor_execute", note)
    sql, parameters = next((s, p) for s, p in reversed(sent) if not s.startswith(("ROLLBACK", "RELEASE", "SAVEPOINT")))
    explainer = _EXPLAINERS.get(connection.dialect.name)
    if explainer is None:
        return sql, None
    try:
        with connection.begin_nested() as point:
            explained = explainer(connection, sql, parameters)
            if connection.dialect.name == "sqlite":
                explained = sqlite.until_limit(connection, explained, statement, values)
            point.rollback()
    except DBAPIError:  # CALL, SET and their like run, but have no plan
        return sql, None
    return sql, explained
