"""Fields of PostgreSQL's COPY in its text form: read as Python values where a column is replaced, and written again."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import types as sa

from dbplan.seeding.values.infer import generic

NULL = "\\N"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})
_SPECIAL = "\\\n\t\r"
_TEXTS = 1009
"""The number of the type text[]."""


def reader(kind: Any) -> Callable[[str], Any]:
    """Return the function that reads a field of a type; what it does not know stays a text."""
    read = _read(generic(kind))
    if read is str:
        return _plain
    return lambda field: read(_plain(field))


def writer(kind: Any) -> Callable[[Any], str]:
    """Return the function that writes a value of a type as text, which `escaped` makes a field of."""
    return _write(generic(kind))


def escaped(texts: list[str]) -> list[str]:
    """Return texts as fields; as most batches have nothing special, that is found out for all at once."""
    together = "".join(texts)
    if any(special in together for special in _SPECIAL):
        return [text.translate(_ESCAPES) for text in texts]
    return texts


def _plain(field: str) -> str:
    return _ESCAPED.sub(lambda found: _LETTERS.get(found[1], found[1]), field) if "\\" in field else field


def _read(base: Any) -> Callable[[str], Any]:
    if isinstance(base, sa.ARRAY):
        item = _read(generic(base.item_type))
        return lambda text: _items(item, _texts(text))
    return next((read for family, read in _READERS if isinstance(base, family)), str)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


def _date(text: str) -> Any:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return text  # infinity, and years that Python has not


def _moment(text: str) -> Any:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text


_READERS: tuple[tuple[Any, Callable[[str], Any]], ...] = (
    (sa.JSON, json.loads),
    (sa.LargeBinary, _bytes),
    (sa.DateTime, _moment),
    (sa.Date, _date),
    (sa.Integer, int),
    (sa.Float, float),
    (sa.Numeric, Decimal),
    (sa.Uuid, uuid.UUID),
)


@cache
def _loader() -> Any:
    from psycopg.adapt import Transformer
    from psycopg.pq import Format

    return Transformer().get_loader(_TEXTS, Format.TEXT)


def _texts(text: str) -> Any:
    """Return the items of an array of any depth as texts."""
    return _loader().load(text.encode())


def _items(read: Callable[[str], Any], value: Any) -> Any:
    if isinstance(value, list):
        return [_items(read, item) for item in value]
    return None if value is None else read(value)


def _write(base: Any) -> Callable[[Any], str]:
    if isinstance(base, sa.ARRAY):
        item = _write(generic(base.item_type))
        return lambda value: _list(item, value)
    if isinstance(base, sa.JSON):
        return lambda value: json.dumps(value, ensure_ascii=False)
    if isinstance(base, sa.LargeBinary):
        return lambda value: "\\x" + bytes(value).hex()
    return str


def _list(write: Callable[[Any], str], value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "{" + ",".join(_list(write, item) for item in value) + "}"
    return '"' + write(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
