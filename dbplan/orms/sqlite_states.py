"""States of SQLite files: what the tables that a scenario touches hold afterwards, whatever form it is stored in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column

from dbplan.orms.forms import compared as in_one_form
from dbplan.orms.forms import found as own_value
from dbplan.orms.kinds import travelling
from dbplan.orms.relations import key_of, kind_of
from dbplan.orms.states import Compared, Fingerprint

_SHOWN = 120
_SUM = 2**64
_MOMENTS = frozenset({"timestamp", "timestamptz"})
Row = tuple[Any, ...]


def quoted(name: str) -> str:
    """Return a name as SQLite reads it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def fingerprint(connection: sqlite3.Connection, tables: Sequence[Compared], since: datetime) -> Fingerprint:
    """Return what the tables hold; moments after `since` count as one, for they are of this run."""
    made = {}
    for each in tables:
        hashes = [hash(row) for row in rows(connection, each, since)]
        made[key_of(each.table)] = (len(hashes), sum(hashes) % _SUM)
    return made


def difference(
    ours: sqlite3.Connection,
    theirs: sqlite3.Connection,
    tables: Sequence[Compared],
    found: Fingerprint,
    due: Fingerprint,
    since: datetime,
) -> str:
    """Return the first difference between two files in words: `theirs` is as it should be."""
    each = next(one for one in tables if found[key_of(one.table)] != due[key_of(one.table)])
    name = key_of(each.table)
    if found[name][0] != due[name][0]:
        return f"{name} holds {found[name][0]:,} rows afterwards instead of {due[name][0]:,}"
    mine, other = (set(rows(connection, each, since)) for connection in (ours, theirs))
    wrong, right = sorted(map(str, mine - other)), sorted(map(str, other - mine))
    if not wrong:
        return f"{name} holds some rows more than once"
    return f"{name} holds {wrong[0][:_SHOWN]} afterwards instead of {right[0][:_SHOWN] if right else 'nothing'}"


def rows(connection: sqlite3.Connection, each: Compared, since: datetime) -> Iterator[Row]:
    """Yield the rows of a table in the form that is compared."""
    now = datetime.now(UTC)
    read = [_reader(column, since, now) for column in each.columns]
    names = ", ".join(quoted(column.name) for column in each.columns) or "NULL"
    for row in connection.execute(f"SELECT {names} FROM {quoted(each.table.name)}"):  # noqa: S608
        yield tuple(one(value) for one, value in zip(read, row, strict=False))


def _reader(column: Column[Any], since: datetime, now: datetime) -> Callable[[Any], Any]:
    kind = kind_of(column)
    if kind is None:
        return _same
    if isinstance(column.type, JSON) or kind == "json":
        return _document
    if kind in _MOMENTS:
        return lambda value: _moment(value, kind, since, now)

    def read(value: Any) -> Any:
        try:
            return travelling(in_one_form(value, kind), kind)
        except (TypeError, ValueError):  # it holds what is none of its kind: told as it is
            return value

    return read


def _same(value: Any) -> Any:
    return value


def _document(value: Any) -> Any:
    if value is None:
        return None
    try:
        return json.dumps(json.loads(value), sort_keys=True)
    except (TypeError, ValueError):
        return value


def _moment(value: Any, kind: str, since: datetime, now: datetime) -> Any:
    try:
        own = own_value(value, kind)
    except ValueError:
        return value
    if own is None:
        return None
    aware = own if own.tzinfo else own.replace(tzinfo=UTC)
    return "now" if since <= aware <= now else travelling(own, kind)
