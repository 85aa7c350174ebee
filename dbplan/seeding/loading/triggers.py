"""Triggers: what they do is done for rows that an application writes, not for rows that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, MetaData, Table

from dbplan.seeding.loading.statements import quoter


@contextmanager
def without_triggers(connection: Connection, metadata: MetaData) -> Iterator[None]:
    """Let the triggers of a plan read from PostgreSQL rest meanwhile; foreign keys and CHECKs do not."""
    armed = disable_triggers(connection, metadata)
    yield
    if armed:
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks cannot be altered
    for statements in armed.values():
        for sql in statements:
            _run(connection, sql)


def disable_triggers(connection: Connection, metadata: MetaData) -> dict[str, list[str]]:
    """Disable the triggers of a plan read from PostgreSQL; return by table what enables them again."""
    if connection.dialect.name != "postgresql" or metadata.info.get("dialect") != "postgresql":
        return {}
    tables = [t for t in metadata.tables.values() if t.info.get("triggers") and not t.info.get("is_view")]
    for table in tables:
        _run(connection, f"ALTER TABLE {quoter(connection.dialect).format_table(table)} DISABLE TRIGGER USER")
    return {str(table.key): _enabling(connection, table) for table in tables}


def _enabling(connection: Connection, table: Table) -> list[str]:
    altered = [sql for sql in table.info["triggers"] if sql.startswith("ALTER TABLE ")]  # not simply enabled
    return [f"ALTER TABLE {quoter(connection.dialect).format_table(table)} ENABLE TRIGGER USER", *altered]


def _run(connection: Connection, sql: str) -> None:
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
