"""SQL: INSERT statements of many rows, in the literals and quotes of one dialect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import numpy as np
from sqlalchemy import Dialect, Table

from dbplan.seeding.loading.encode import any_text, python_values
from dbplan.seeding.loading.files.content import Content, server_texts
from dbplan.seeding.loading.statements import listed, quoter
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Frame

DIALECTS = ("postgresql", "sqlite", "mariadb", "mysql")
BATCH = 500
"""Rows of a statement at most."""
LONGEST = 250_000
"""Characters of a statement about which it ends: SQLite's parser takes a million bytes."""


def write(out: IO[bytes], content: Content) -> None:
    """Write rows as INSERT statements, or as the UPDATE statements that set their references afterwards."""
    statements = _updates if content.closes else _inserts
    for statement in statements(content):
        out.write(statement.encode())


def _inserts(content: Content) -> Iterator[str]:
    table, quote = content.source.table, quoter(content.dialect)
    if not content.columns:
        words = "() VALUES ()" if content.dialect.name in ("mariadb", "mysql") else "DEFAULT VALUES"
        yield from (f"INSERT INTO {quote.format_table(table)} {words};\n" * len(f) for f in content.frames)
        return
    always = content.dialect.name == "postgresql" and any(_is_always(table, name) for name in content.columns)
    head = f"INSERT INTO {listed(table, content.columns, quote)}{' OVERRIDING SYSTEM VALUE' * always} VALUES\n"
    for frame in content.frames:
        fields = [
            ["NULL"] * len(frame) if name in content.blank else literals(frame, name, content.dialect)
            for name in content.columns
        ]
        for rows in _batches(f"({', '.join(row)})" for row in zip(*fields, strict=True)):
            yield f"{head}{rows};\n"


def _is_always(table: Table, name: str) -> bool:
    identity = table.columns[name].identity
    return identity is not None and bool(identity.always)


def _batches(rows: Iterable[str]) -> Iterator[str]:
    """Yield rows for one statement at a time."""
    held: list[str] = []
    length = 0
    for row in rows:
        if held and (len(held) == BATCH or length + len(row) > LONGEST):
            yield ",\n".join(held)
            held, length = [], 0
        held.append(row)
        length += len(row)
    if held:
        yield ",\n".join(held)


def _updates(content: Content) -> Iterator[str]:
    table, quote = content.source.table, quoter(content.dialect)
    keys = [column.name for column in table.primary_key.columns]
    names = [quote.quote(name) for name in content.closes]
    for frame in content.frames:
        values = [literals(frame, name, content.dialect) for name in content.closes]
        places = [literals(frame, name, content.dialect) for name in keys]
        for row, place in zip(zip(*values, strict=True), zip(*places, strict=True), strict=True):
            if set(row) != {"NULL"}:
                given = ", ".join(f"{name} = {value}" for name, value in zip(names, row, strict=True))
                where = " AND ".join(f"{quote.quote(key)} = {value}" for key, value in zip(keys, place, strict=True))
                yield f"UPDATE {quote.format_table(table)} SET {given} WHERE {where};\n"  # noqa: S608 - literals


def literals(frame: Frame, name: str, dialect: Dialect) -> list[str]:
    """Return a column as literals of the dialect."""
    cells, kind = frame[name], frame.source.kind(name)
    if dialect.name == "postgresql":
        return _postgresql(cells, kind)
    said = _SAID[dialect.name]
    return [said(value) for value in python_values(cells, kind, dialect)]


def _postgresql(cells: Cells, kind: Any) -> list[str]:
    """Return the texts that COPY would read, as literals that the server reads by the column's own type."""
    texts, null = server_texts(cells, kind)
    if cells.values.dtype.kind not in "iu":
        texts = list(map(_e_quoted, texts))
    for at in null.tolist():
        texts[at] = "NULL"
    return texts


def _e_quoted(text: str) -> str:
    """Return PostgreSQL's literal of a text, without U+0000, which it has not."""
    text = text.replace("'", "''").replace("\0", "")
    if "\\" not in text:
        return f"'{text}'"
    return "E'" + text.replace("\\", "\\\\") + "'"


def _sqlite(value: Any) -> str:
    if isinstance(value, str):
        return _sqlite_text(value)
    if isinstance(value, float) and not np.isfinite(value):
        return "NULL" if np.isnan(value) else f"{'-' * (value < 0)}9e999"
    return _common(value, _sqlite_text)


def _sqlite_text(text: str) -> str:
    if "\0" in text:
        return f"CAST(X'{text.encode().hex()}' AS TEXT)"
    return "'" + text.replace("'", "''") + "'"


_ESCAPES = str.maketrans({"'": "''", "\\": "\\\\", "\0": "\\0", "\x1a": "\\Z"})


def _mariadb(value: Any) -> str:
    return _common(value, lambda text: f"'{text.translate(_ESCAPES)}'")


def _common(value: Any, quoted: Callable[[str], str]) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return f"X'{bytes(value).hex()}'"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dt.datetime):
        return quoted(value.replace(tzinfo=None).isoformat(" ", "microseconds"))
    return quoted(any_text(value))


_SAID: dict[str, Callable[[Any], str]] = {"sqlite": _sqlite, "mariadb": _mariadb, "mysql": _mariadb}
