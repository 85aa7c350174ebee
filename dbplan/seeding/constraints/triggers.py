"""Triggers: what they do is done for rows that an application writes, not for rows that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, MetaData, Table


@contextmanager
def without_triggers(connection: Connection, metadata: MetaData) -> Iterator[None]:
    """Let the triggers of a plan read from PostgreSQL rest meanwhile; foreign keys and CHECKs do not."""
    armed = [
        table for table in metadata.tables.values() if table.info.get("triggers") and not table.info.get("is_view")
    ]
    if connection.dialect.name != "postgresql" or metadata.info.get("dialect") != "postgresql":
        armed = []
    for table in armed:
        connection.exec_driver_sql(f"ALTER TABLE {_name(connection, table)} DISABLE TRIGGER USER")
    yield
    if armed:
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks cannot be altered
    for table in armed:
        connection.exec_driver_sql(f"ALTER TABLE {_name(connection, table)} ENABLE TRIGGER USER")
        for sql in table.info["triggers"]:
            if sql.startswith("ALTER TABLE "):  # one that was not simply enabled
                connection.execution_options(no_parameters=True).exec_driver_sql(sql)
                connection.execution_options(no_parameters=False)


def _name(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table).replace("%", "%%")
