"""Numbering: sequences moved on to where the copied rows end, so that an application's next row has a free number."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import Connection, Integer, Table, func, inspect, select, text

from dbplan.seeding.loading.statements import quoter
from dbplan.seeding.values.infer import generic

_DRAWN = re.compile(r"nextval\('(?P<sequence>(?:[^']|'')+)'")


def move_on(connection: Connection, tables: Iterable[Table]) -> None:
    """Let every counting column of PostgreSQL tables go on after its largest number; other servers do so themselves."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for name, sequence in _sequences(connection, table).items():
            top = connection.execute(select(func.max(table.columns[name]))).scalar()
            if top is not None and top > 0:
                connection.execute(text("SELECT setval(CAST(:sequence AS regclass), :top)"), _values(sequence, top))


def _values(sequence: str, top: int) -> dict[str, object]:
    return {"sequence": sequence, "top": top}


def _sequences(connection: Connection, table: Table) -> dict[str, str]:
    """Return the sequence that each counting column draws from, quoted: its own, or that of its default."""
    qualified, found = quoter(connection.dialect).format_table(table), {}
    defaults = {c["name"]: str(c["default"] or "") for c in inspect(connection).get_columns(table.name, table.schema)}
    for column in table.columns:
        if not isinstance(generic(column.type), Integer) or column.name not in defaults:
            continue
        own = connection.execute(select(func.pg_get_serial_sequence(qualified, column.name))).scalar()
        drawn = _DRAWN.search(defaults[column.name])
        sequence = own or (drawn["sequence"].replace("''", "'") if drawn is not None else None)
        if sequence:
            found[column.name] = sequence
    return found
