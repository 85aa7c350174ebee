"""Literals: values as a recipe writes them, turned into cells of a column."""

from __future__ import annotations

import datetime as dt
import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import Enum
from typing import Any

import numpy as np
from sqlalchemy import types as sa
from sqlalchemy.dialects import postgresql, sqlite

from dbplan.encryption import rehearsal
from dbplan.errors import NotCovered
from dbplan.seeding.constraints.intervals import interval
from dbplan.seeding.loading.encode import decorated, python_values
from dbplan.seeding.rows.cells import Cells, absent
from dbplan.seeding.values.accepting import enums
from dbplan.seeding.values.domains import as_array
from dbplan.seeding.values.infer import generic

EXACT = 15
"""Digits of a decimal that a float holds."""


def cell(value: Any, kind: Any) -> Any:
    """Return a value of a recipe as a cell of a column of that type; ValueError says what the type wants."""
    if not decorated(kind):
        return _plain(value, generic(kind))
    said = ""
    for read in (_plain, _member, _raw):
        try:
            found = read(value, generic(kind) if read is not _member else kind)
            _bind(found, kind)
        except Exception as error:  # a stranger's type may raise anything
            said = said or " ".join(str(error).split())
        else:
            return found
    raise ValueError(said or "is not what its type takes")


def _member(value: Any, kind: Any) -> Enum:
    """Return the member of that value or name of an enumeration that a type holds on to."""
    return next(m for members in enums(kind) for m in members if value in (m.value, m.name))


def _raw(value: Any, base: Any) -> Any:
    """Return a value as it is; a number that its column does not hold is not rounded by its type either."""
    if isinstance(value, int | float) and isinstance(base, sa.Numeric | sa.Integer):
        raise _wanted("what its type takes")
    return value


def _bind(value: Any, kind: Any) -> None:
    length = getattr(generic(kind), "length", None)
    for dialect in (postgresql.dialect(), sqlite.dialect()):  # type: ignore[no-untyped-call]
        with rehearsal():
            written = python_values(column_cells([value]), kind, dialect)[0]
        if isinstance(written, str) and length is not None and len(written) > length:
            raise ValueError(f"{written!r} has more than {length} characters")


def column_cells(values: Sequence[Any]) -> Cells:
    """Return cells of one column; None is NULL."""
    known = next((value for value in values if value is not None), None)
    if known is None:
        return absent(len(values))
    filled = [known if value is None else value for value in values]
    null = np.array([value is None for value in values], dtype=bool)
    return Cells(as_array(filled), null)


def _plain(value: Any, kind: Any) -> Any:
    for family, read in READERS.items():
        if isinstance(kind, family):
            return read(value, kind)
    return value


def _wanted(what: str) -> ValueError:
    return ValueError(f"is not {what}")


def _enum(value: Any, kind: Any) -> str:
    if value in kind.enums:
        return str(value)
    near = get_close_matches(str(value), kind.enums, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise _wanted(f"one of its values, which are {', '.join(kind.enums)}{hint}")


def _boolean(value: Any, _kind: Any) -> bool:
    if not isinstance(value, bool):
        raise _wanted("true or false")
    return value


def _integer(value: Any, kind: Any) -> int:
    most = 2**15 if isinstance(kind, sa.SmallInteger) else 2**63 if isinstance(kind, sa.BigInteger) else 2**31
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wanted("a whole number")
    if not -most <= value < most:
        raise _wanted(f"a whole number from {-most:,} to {most - 1:,}")
    return value


def _float(value: Any, _kind: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _wanted("a number")
    return float(value)


def _numeric(value: Any, kind: Any) -> float | Decimal:
    """Return a decimal: as a float where that holds all its digits, so that CHECKs compute with it."""
    if isinstance(kind, sa.Float):
        return _float(value, kind)
    try:
        exact = Decimal(str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except InvalidOperation:
        exact = None
    if exact is None or not exact.is_finite():
        raise _wanted('a number, or one in quotes such as "12.50"')
    scale = kind.scale if kind.scale is not None else (0 if kind.precision is not None else None)
    if scale is not None and _decimals(exact) > scale:
        raise ValueError(f"has more than {scale} decimals")
    if kind.precision is not None and abs(exact) >= Decimal(10) ** (kind.precision - (scale or 0)):
        raise ValueError(f"has more than {kind.precision - (scale or 0)} digits before the point")
    return float(exact) if kind.precision is not None and kind.precision <= EXACT else exact


def _decimals(exact: Decimal) -> int:
    text = f"{exact:f}"
    return len(text.partition(".")[2].rstrip("0"))


def _uuid(value: Any, _kind: Any) -> str:
    try:
        return uuid.UUID(value).hex
    except (AttributeError, TypeError, ValueError):
        raise _wanted('a UUID such as "0190a000-0000-7000-8000-000000000001"') from None


def instant(value: Any, _kind: Any = None) -> np.datetime64:
    """Return a time in UTC, which a time without a zone is taken for."""
    if not isinstance(value, dt.date):
        raise _wanted("a time such as 2025-01-31T12:00:00Z")
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")


def _date(value: Any, _kind: Any) -> np.datetime64:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise _wanted("a date such as 2025-01-31")
    return np.datetime64(value, "us")


def time_of_day(value: Any, _kind: Any = None) -> np.timedelta64:
    """Return a time of day, or the text of one, as what has gone by since midnight."""
    if isinstance(value, str):
        value = clock(value)
    if not isinstance(value, dt.time) or value.tzinfo is not None:
        raise _wanted('a time of day such as 12:30:00 or "12:30"')
    midnight = dt.datetime.combine(dt.date.min, dt.time())
    return np.timedelta64(dt.datetime.combine(dt.date.min, value) - midnight, "us")


def clock(text: str) -> dt.time | None:
    """Return the time of day that a text is, None for any other."""
    try:
        return dt.time.fromisoformat(text) if ":" in text else None
    except ValueError:
        return None


def _interval(value: Any, _kind: Any) -> Any:
    try:
        return interval(value)
    except (AttributeError, NotCovered):
        raise _wanted('a length of time such as "24 hours"') from None


def _document(value: Any, _kind: Any) -> Any:
    try:
        json.dumps(value)
    except TypeError as error:
        raise ValueError(f"cannot be JSON ({error}); write a time as text") from None
    return value


def _list(value: Any, kind: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _wanted("a list")
    return [_list(item, kind) if isinstance(item, list) else _plain(item, generic(kind.item_type)) for item in value]


def _bytes(value: Any, _kind: Any) -> bytes:
    if not isinstance(value, str):
        raise _wanted("a text, kept as its UTF-8 bytes")
    return value.encode()


def _text(value: Any, kind: Any) -> str:
    if not isinstance(value, str):
        raise _wanted("a text")
    if kind.length is not None and len(value) > kind.length:
        raise ValueError(f"has {len(value)} characters, and the column has room for {kind.length}")
    return value


READERS: Mapping[Any, Callable[[Any, Any], Any]] = {
    sa.Enum: _enum,
    sa.Boolean: _boolean,
    sa.Integer: _integer,
    sa.Float: _float,
    sa.Numeric: _numeric,
    sa.Uuid: _uuid,
    sa.Interval: _interval,
    postgresql.INTERVAL: _interval,
    sa.DateTime: instant,
    sa.Date: _date,
    sa.Time: time_of_day,
    sa.JSON: _document,
    sa.ARRAY: _list,
    sa.LargeBinary: _bytes,
    sa.String: _text,
}


def from_python(value: Any, kind: Any) -> Any:
    """Return a default's Python value as a cell."""
    base = generic(kind)
    if isinstance(base, sa.Enum) and isinstance(value, Enum):
        lookup = dict(zip(base.enum_class, base.enums, strict=True)) if base.enum_class is not None else {}
        return lookup.get(value, value.name)
    if isinstance(value, uuid.UUID) and isinstance(base, sa.Uuid):
        return value.hex
    if isinstance(value, Decimal | Enum) and not decorated(kind):
        return cell(str(value) if isinstance(value, Decimal) else value.value, kind)
    return cell(value, kind)
