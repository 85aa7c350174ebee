"""Partial uniques as a database has them: what is written for one server is over all rows on another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from sqlalchemy import Connection, Engine, Index, Table, inspect
from sqlalchemy.exc import NoSuchTableError

from dbplan.connection import connect
from dbplan.plan import Plan
from dbplan.seeding.constraints.uniques import SPEAKERS, condition_of


def as_there(engine: Engine, plan: Plan) -> Plan:
    """Return the plan with those partial uniques over all rows that are so in the database."""
    if not any(True for _ in _partial(plan)):
        return plan
    plan = replace(plan)
    with connect(engine) as connection:
        full_in = _full_in_sqlite if connection.dialect.name == "sqlite" else _full
        for table, indexes in groupby(_partial(plan), key=lambda index: index.table):
            full = full_in(connection, table) if table is not None else set()
            for index in (index for index in indexes if index.name in full):
                for server in SPEAKERS:
                    index.dialect_options[server]["where"] = None
    return plan


def _partial(plan: Plan) -> Iterator[Index]:
    for table in plan.tables:
        yield from (index for index in table.indexes if index.unique and condition_of(index) is not None)


def _full(connection: Connection, table: Table) -> set[str | None]:
    """Return the unique indexes over all rows; in MySQL, all are."""
    where = f"{connection.dialect.name}_where"
    try:
        found = inspect(connection).get_indexes(table.name, table.schema)
    except NoSuchTableError:
        return set()
    return {each["name"] for each in found if each["unique"] and not each.get("dialect_options", {}).get(where)}


def _full_in_sqlite(connection: Connection, table: Table) -> set[str | None]:
    """Return them from SQLite's own list, which has those over expressions as well."""
    quoted = connection.dialect.identifier_preparer.quote
    schema = f"{quoted(table.schema)}." if table.schema else ""
    found = connection.exec_driver_sql(f"PRAGMA {schema}index_list({quoted(table.name)})").mappings()
    return {each["name"] for each in found if each["unique"] and not each["partial"]}
