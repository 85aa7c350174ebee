"""Partial uniques as a database has them: what is written for one server is over all rows on another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Engine, Index, Inspector, Table, inspect
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
        catalog = inspect(connection)
        for table, index in _partial(plan):
            if _is_full(catalog, table, index):
                for server in SPEAKERS:
                    index.dialect_options[server]["where"] = None
    return plan


def _partial(plan: Plan) -> Iterator[tuple[Table, Index]]:
    for table in plan.tables:
        yield from ((table, index) for index in table.indexes if index.unique and condition_of(index) is not None)


def _is_full(catalog: Inspector, table: Table, index: Index) -> bool:
    """Whether the database has an index of that name over all rows; in MySQL, all are."""
    try:
        there = catalog.get_indexes(table.name, table.schema)
    except NoSuchTableError:
        return False
    found = next((each for each in there if each["name"] == index.name and each["unique"]), None)
    where = f"{catalog.dialect.name}_where"
    return found is not None and found.get("dialect_options", {}).get(where) is None
