"""Renewing: the tables that a scenario writes as they were before, in the database that a process is connected to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Table

from dbplan.orms.relations import key_of
from dbplan.orms.scenarios import WRITES, Scenario
from dbplan.orms.states import compared
from dbplan.plan import Plan
from dbplan.sandbox import Stage

Connection = psycopg.Connection[tuple[Any, ...]]

Rows = list[bytes]
"""As COPY gives them."""

PATIENCE = "5s"
"""How long a table may be held by a contestant that failed."""


@dataclass(frozen=True)
class Renewal:
    """The template's rows of tables, read when they are first asked for."""

    stage: Stage
    _rows: dict[str, Rows] = field(default_factory=dict)

    def rows(self, tables: Sequence[Table]) -> list[tuple[Table, Rows]]:
        """Return tables with their rows; nobody stays connected to the template."""
        for table in (table for table in tables if key_of(table) not in self._rows):
            with self.stage.engine.connect() as own:
                raw: Any = own.connection.driver_connection
                self._rows[key_of(table)] = _read(raw, table)
        self.stage.engine.dispose()
        return [(table, self._rows[key_of(table)]) for table in tables]


def _read(connection: Connection, table: Table) -> Rows:
    query = sql.SQL("COPY {} ({}) TO STDOUT BINARY").format(_name(table), _columns(table))
    with connection.cursor() as cursor, cursor.copy(query) as found:
        return [bytes(part) for part in found]


def renew(connection: Connection, given: Sequence[tuple[Table, Rows]]) -> None:
    """Give a database's tables these rows alone; raises psycopg.Error where somebody holds one of them."""
    connection.execute("SET session_replication_role = replica")  # neither triggers nor foreign keys stand between
    connection.execute(f"SET lock_timeout = '{PATIENCE}'")
    with connection.transaction():
        for table, _ in given:
            connection.execute(sql.SQL("DELETE FROM {}").format(_name(table)))
    for table, _ in given:
        connection.execute(sql.SQL("VACUUM {}").format(_name(table)))
    with connection.transaction(), connection.cursor() as cursor:
        for table, rows in given:
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN BINARY").format(_name(table), _columns(table))) as to:
                for part in rows:
                    to.write(part)


def may_renew(connection: Connection) -> bool:
    """Return whether a role may write past triggers and foreign keys."""
    return connection.execute("SHOW is_superuser").fetchone() == ("on",)


def written(plan: Plan, scenario: Scenario) -> list[Table]:
    """Return the tables that a scenario may change: its own, and what a delete reaches by foreign keys."""
    if scenario.name not in WRITES:
        return []
    found = {key_of(each.table): each.table for each in compared(plan, scenario)}
    if scenario.name == "delete_cascade":
        for table in _reached(plan, list(found.values())):
            found[key_of(table)] = table
    return list(found.values())


def _reached(plan: Plan, tables: list[Table]) -> Iterator[Table]:
    """Yield the tables whose rows the server changes when rows of these are deleted, theirs included."""
    reached, waiting = set(tables), list(tables)
    while waiting:
        gone = waiting.pop()
        for table in plan.tables:
            keys = (key for key in table.foreign_key_constraints if key.referred_table is gone and key.ondelete)
            if table not in reached and next(keys, None) is not None:
                reached.add(table)
                waiting.append(table)
                yield table


def _columns(table: Table) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns if column.computed is None)


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(*filter(None, (table.schema, table.name)))
