r"""JSON Lines: an object a row, in UTF-8.

Whole numbers and floats are numbers; decimals are texts, for a reader's doubles would round them; times are ISO 8601,
instants in UTC with a Z; JSON columns are nested, arrays lists, bytes PostgreSQL's `\x…`. What the database itself
fills has no key.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from functools import partial
from json.encoder import encode_basestring
from typing import IO, Any

import numpy as np
from sqlalchemy import types as sa

from dbplan.seeding.loading.encode import any_text, decimals, decorated
from dbplan.seeding.loading.files.content import Content, aware, plain
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Frame
from dbplan.seeding.rows.texts import Texts
from dbplan.seeding.values.infer import generic


def write(out: IO[bytes], content: Content) -> None:
    """Write rows, a line each."""
    for frame in content.frames:
        out.write(lines(frame, content.columns).encode())


def lines(frame: Frame, columns: tuple[str, ...]) -> str:
    """Return the rows of a frame as lines."""
    if not columns:
        return "{}\n" * len(frame)
    marks = "{" + ",".join(encode_basestring(name).replace("%", "%%") + ":%s" for name in columns) + "}\n"
    fields = [texts(frame[name], frame.source.kind(name)) for name in columns]
    return "".join(map(marks.__mod__, zip(*fields, strict=True)))


def texts(cells: Cells, kind: Any) -> list[str]:
    """Return cells as JSON."""
    found = None if decorated(kind) else _quick(cells.values, kind, generic(kind))
    if found is None:
        return list(map(_encoded, plain(cells, kind)))
    for at in np.flatnonzero(cells.null).tolist():
        found[at] = "null"
    return found


def _quick(values: Any, kind: Any, base: Any) -> list[str] | None:
    """Return many values of one kind at once; None for those that are taken one by one."""
    dtype = values.dtype.kind
    if isinstance(values, Texts) and isinstance(base, sa.String):
        return _words(values)
    if dtype == "M" and isinstance(base, sa.DateTime):
        end = "Z" if aware(kind) else ""
        return [f'"{text}{end}"' for text in np.datetime_as_string(values, unit="us").tolist()]
    if dtype == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if dtype in "iu" and isinstance(base, sa.Integer):
        return list(map(str, values.tolist()))
    if dtype == "f" and isinstance(base, sa.Numeric) and not isinstance(base, sa.Float):
        return list(map(f'"{{:.{decimals(base)}f}}"'.format, values.tolist()))
    return None


def _words(values: Texts) -> list[str]:
    coded = values.coded
    if coded is None:
        return list(map(_text, values.tolist()))
    words = coded.pool.packed.get(_words)
    if words is None:
        words = coded.pool.packed[_words] = np.array([_text(word) for word in coded.pool.words], dtype=object)
    return list(words[coded.index].tolist())


def _text(value: Any) -> str:
    return encode_basestring(value) if isinstance(value, str) else _encoded(value)


def _encoded(value: Any) -> str:
    if isinstance(value, float) and not np.isfinite(value):
        return json.dumps(any_text(value))
    return _dumps(value)


def _other(value: Any) -> Any:
    """Return what JSON has no word for as what it has."""
    for family, say in SAID.items():
        if isinstance(value, family):
            return say(value)
    return any_text(value)


def _instant(value: dt.datetime) -> str:
    text = value.isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z") if value.tzinfo is not None else text


def _duration(value: dt.timedelta) -> str:
    """Return a length of time as ISO 8601 has it, in seconds."""
    micros = value // dt.timedelta(microseconds=1)
    return f"{'-' if micros < 0 else ''}PT{abs(micros) // 10**6}.{abs(micros) % 10**6:06}S"


SAID: dict[Any, Callable[[Any], Any]] = {
    Enum: lambda value: value.value,
    dt.datetime: _instant,
    dt.date: dt.date.isoformat,
    dt.time: partial(dt.time.isoformat, timespec="microseconds"),
    dt.timedelta: _duration,
    Decimal: lambda value: f"{value:f}",
    bytes | bytearray | memoryview: any_text,
    set | frozenset: sorted,
}
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_other).encode
