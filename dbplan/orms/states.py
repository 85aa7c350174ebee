"""States: what the tables that a scenario touches hold afterwards, compared between databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import JSON, Column, Numeric, Table

from dbplan.orms.relations import is_stamped, key_of, kind_of
from dbplan.orms.scenarios import Link, Scenario
from dbplan.plan import Plan

Connection = psycopg.Connection[tuple[Any, ...]]
Fingerprint = Mapping[str, tuple[int, int]]
"""By table: its rows, and a sum that is the same for the same rows in any order."""

MOST = 200_000
"""Rows up to which a difference is looked for row by row."""
_SHOWN = 120
_MOMENTS = frozenset({"timestamp", "timestamptz"})


@dataclass(frozen=True)
class Compared:
    """A table and its columns that are compared: all but those that may differ with good reason."""

    table: Table
    columns: tuple[Column[Any], ...]


def compared(plan: Plan, scenario: Scenario) -> tuple[Compared, ...]:
    """Return what a scenario may change."""
    written = {scenario.table, scenario.insert.table} if scenario.insert else {scenario.table}
    names = [*sorted(written), *(name for link in scenario.cascade for name in _tables(link))]
    tables = [plan.metadata.tables[name] for name in dict.fromkeys(names)]
    return tuple(Compared(table, tuple(c for c in table.columns if _is_told(c, scenario))) for table in tables)


def _tables(link: Link) -> Iterator[str]:
    yield link.table
    if link.children is not None:
        yield from _tables(link.children)


def _is_told(column: Column[Any], scenario: Scenario) -> bool:
    """Return whether a column's value follows from the parameters: no number, moment or id that each makes anew."""
    if is_stamped(column):
        return False
    given = scenario.insert.columns if scenario.insert and scenario.insert.table == key_of(column.table) else None
    if given is None and scenario.name in ("insert_one", "bulk_insert"):
        given = scenario.columns
    if given is not None:
        return column.name in given
    has_default = column.default is not None or column.server_default is not None
    return not (has_default and kind_of(column) is None) and not (
        scenario.name == "upsert" and (column.identity is not None or column.computed is not None)
    )


def fingerprint(connection: Connection, tables: Sequence[Compared], since: str) -> Fingerprint:
    """Return what the tables hold; moments after `since` count as one, for they are of this run."""
    found = {}
    for each in tables:
        query = sql.SQL("SELECT count(*), coalesce(sum(hashtextextended({}::text, 0)), 0) FROM {}")
        row = connection.execute(query.format(_row(each, since), _name(each.table))).fetchone()
        assert row is not None
        found[key_of(each.table)] = (int(row[0]), int(row[1]))
    return found


def difference(
    ours: Connection, theirs: Connection, tables: Sequence[Compared], found: Fingerprint, due: Fingerprint, since: str
) -> str:
    """Return the first difference between two databases in words: `theirs` is as it should be."""
    each = next(one for one in tables if found[key_of(one.table)] != due[key_of(one.table)])
    name = key_of(each.table)
    rows, wanted = found[name][0], due[name][0]
    if rows != wanted:
        return f"{name} holds {rows:,} rows afterwards instead of {wanted:,}"
    if rows > MOST:
        return f"{name} holds other values afterwards"
    mine, other = _rows(ours, each, since), _rows(theirs, each, since)
    wrong, right = sorted(mine - other), sorted(other - mine)
    if not wrong:
        return f"{name} holds some rows more than once"
    return f"{name} holds {wrong[0][:_SHOWN]} afterwards instead of {right[0][:_SHOWN] if right else 'nothing'}"


def _rows(connection: Connection, each: Compared, since: str) -> set[str]:
    query = sql.SQL("SELECT {}::text FROM {}").format(_row(each, since), _name(each.table))
    return {str(row[0]) for row in connection.execute(query)}


def _row(each: Compared, since: str) -> sql.Composable:
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(_value(column, since) for column in each.columns))


def _value(column: Column[Any], since: str) -> sql.Composable:
    name = sql.Identifier(column.name)
    kind = kind_of(column)
    if kind in _MOMENTS:
        words = "CASE WHEN {0} BETWEEN {1}::timestamptz AND clock_timestamp() THEN 'now' ELSE {0}::text END"
        return sql.SQL(words).format(name, sql.Literal(since))
    if isinstance(column.type, JSON):
        return sql.SQL("{}::jsonb").format(name)
    if kind == "decimal" and isinstance(column.type, Numeric):
        return sql.SQL("trim_scale({}::numeric)").format(name)
    return name


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(*filter(None, (table.schema, table.name)))
