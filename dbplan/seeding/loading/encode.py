"""Cells on their way to a server: as Python values for a driver, or as the text of PostgreSQL's COPY."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Dialect
from sqlalchemy import types as sa
from sqlalchemy.dialects import postgresql as pg

from dbplan.columns import Key, Money, UtcDateTime
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.rows.texts import Spelled, UuidTexts
from dbplan.seeding.values.infer import generic

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})
_SPECIAL = frozenset("\\\n\t\r\0")
NULL = "\\N"
T = TypeVar("T")
_NATIVE: Mapping[type, tuple[type, str]] = MappingProxyType(
    {
        sa.Boolean: (bool, "?"),
        sa.Integer: (int, "i8"),
        sa.Numeric: (float, "f8"),
        sa.Float: (float, "f8"),
        sa.DateTime: (dt.datetime, "M8[us]"),
        sa.Date: (dt.date, "M8[D]"),
    }
)
"""The plain Python type of a column's values, and that of their array."""


def copy_texts(cells: Cells, kind: Any, dialect: Dialect) -> list[str]:
    """Return cells as fields of COPY's text format (times in UTC: the session's zone must be UTC)."""
    cells, kind = bound(cells, kind, dialect)
    texts = plain_texts(cells, kind)
    joined = "".join(texts)
    if any(char in joined for char in _SPECIAL):
        texts = list(map(escaped, texts))
    for at in np.flatnonzero(cells.null).tolist():
        texts[at] = NULL
    return texts


def bound(cells: Cells, kind: Any, dialect: Dialect) -> tuple[Cells, Any]:
    """Return cells as their type's own bind function makes them, and the type that is left to write them by."""
    made = native(cells, generic(kind))
    only_checked = type(kind) is Money and made.values.dtype.kind in "if"  # by servers with decimals as well
    if not decorated(kind) or (only_checked and dialect.name != "sqlite"):
        return made, generic(kind)
    return as_cells(python_values(cells, kind, dialect)), sa.NullType()


def native(cells: Cells, kind: Any) -> Cells:
    """Return objects that are all of the one plain type that a column has as an array of it, others as they are."""
    values, code = cells.values, next((code for family, code in _NATIVE.items() if isinstance(kind, family)), None)
    uuids = isinstance(kind, sa.Uuid)
    if not (code or uuids) or isinstance(values, Spelled) or values.dtype != object or cells.null.all():
        return cells
    there = (values[~cells.null] if cells.null.any() else values).tolist()
    if code is None:
        found = uuid_texts(there, cells.null)
        return cells if found is None else Cells(found, cells.null)
    if set(map(type, there)) != {code[0]} or (code[0] is dt.datetime and any(value.tzinfo for value in there)):
        return cells
    try:
        made = np.array(there, dtype=code[1])
    except OverflowError:
        return cells
    return Cells(spread(made, cells.null), cells.null)


def uuid_texts(there: list[Any], null: Array | None) -> UuidTexts | None:
    """Return UUIDs, or their digits, as numbers at the rows that are not NULL; None where a value is something else."""
    if not set(map(type, there)) <= {str, uuid.UUID}:
        return None
    try:
        texts = [value if isinstance(value, str) else value.hex for value in there]
        if any(len(text) != 32 for text in texts):
            texts = [uuid.UUID(text).hex for text in texts]
        raw = bytes.fromhex("".join(texts))
    except ValueError:
        return None
    if len(raw) != 16 * len(texts):  # white space among the digits
        return None
    halves = spread(np.frombuffer(raw, dtype=">u8").astype(np.uint64).reshape(-1, 2), null)
    return UuidTexts(halves[:, 0], halves[:, 1])


def as_cells(values: list[Any]) -> Cells:
    """Return Python values as cells, None as NULL."""
    null = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    return Cells(np.fromiter(values, dtype=object, count=len(values)), null)


def spread(values: Array, null: Array | None) -> Array:
    """Return values at their rows, zeros under NULL."""
    if null is None:
        return values
    out = np.zeros((len(null), *values.shape[1:]), dtype=values.dtype)
    out[~null] = values
    return out


def refilled(there: Sequence[T], null: Array | None, absent: T) -> list[T]:
    """Return a list of values at their rows, `absent` under NULL."""
    if null is None:
        return list(there)
    rest = iter(there)
    return [absent if gone else next(rest) for gone in null.tolist()]


def quiet(values: Array, null: Array | None) -> Array:
    """Return values with zeros under NULL, where anything may stand."""
    return values if null is None else np.where(null, np.zeros(1, dtype=values.dtype), values)


def plain_texts(cells: Cells, kind: Any) -> list[str]:
    """Return cells of a type without decorators as the texts that PostgreSQL reads as values; any text for NULL."""
    values = cells.values
    if isinstance(kind, sa.Date):
        return [str(v) for v in values.astype("datetime64[D]")]
    if values.dtype.kind == "M":
        return list(np.datetime_as_string(values, unit="us").tolist())
    if values.dtype.kind == "m":
        return [_clock(v) if isinstance(kind, sa.Time) else f"{v / 1e6:.6f} s" for v in values.astype(int).tolist()]
    if isinstance(kind, sa.Numeric) and values.dtype.kind == "f" and not isinstance(kind, sa.Float):
        return list(map(f"{{:z.{decimals(kind)}f}}".format, values.tolist()))
    if isinstance(kind, sa.JSON):
        return documents(values.tolist())
    if values.dtype.kind == "b":
        return ["t" if v else "f" for v in values.tolist()]
    if values.dtype.kind in "iuf":
        return list(map(repr, values.tolist()))
    if isinstance(kind, sa.String | pg.HSTORE) and not isinstance(kind, sa.Uuid):
        return [v if isinstance(v, str) else str(v) for v in values.tolist()]
    return [any_text(v) for v in values.tolist()]


def decimals(kind: Any) -> int:
    """Return how many decimals the numbers of a Numeric are written with."""
    return min(kind.scale if kind.scale is not None else 2, 9)


def documents(values: list[Any]) -> list[str]:
    """Return JSON texts; a document that comes again as the same object is written once."""
    known: dict[int, str] = {}
    return [known.get(id(v)) or known.setdefault(id(v), json.dumps(v)) for v in values]


def escaped(text: str) -> str:
    """Return a text with COPY's special characters written out; U+0000, which PostgreSQL has not, is left out."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if _SPECIAL.isdisjoint(text) else text.translate(_ESCAPES)


def binaries(values: list[Any]) -> list[bytes] | None:
    """Return values as bytes, without the driver's wrapper; None where one is something else."""
    if all(type(value) is bytes for value in values):
        return values
    if values and isinstance(values[0], str):
        return None
    values = [value.obj if type(value).__name__ == "Binary" else value for value in values]
    if not all(isinstance(value, bytes | bytearray | memoryview) for value in values):
        return None
    return list(map(bytes, values))


def any_text(value: Any) -> str:
    """Return one value as the text that PostgreSQL reads."""
    if type(value).__name__ == "Binary":  # the driver's wrapper
        value = value.obj
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    if isinstance(value, list | tuple):
        return _list_text(list(value))
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, bool):
        return "t" if value else "f"
    return _adapted(value) if type(value).__module__.startswith("psycopg") else str(value)


def _adapted(value: Any) -> str:
    """Return as text what a type has wrapped for the driver: a document, a range."""
    from psycopg.adapt import PyFormat, Transformer

    return bytes(Transformer().get_dumper(value, PyFormat.TEXT).dump(value) or b"").decode()


def _list_text(items: list[Any]) -> str:
    parts = (_list_text(item) if isinstance(item, list) else _quoted(item) for item in items)
    return "{" + ",".join(parts) + "}"


def _quoted(item: Any) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, bytes):
        return f'"\\\\x{item.hex()}"'
    return '"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _clock(micros: int) -> str:
    return str((dt.datetime(2000, 1, 1) + dt.timedelta(microseconds=micros)).time())  # noqa: DTZ001 - a time of day


def decorated(kind: Any) -> bool:
    """Whether a type turns values into others before they are written."""
    if isinstance(kind, sa.PickleType):
        return True
    own = isinstance(kind, sa.TypeDecorator) and not isinstance(kind, Key | UtcDateTime)
    return own and type(kind).process_bind_param is not sa.TypeDecorator.process_bind_param


def python_values(cells: Cells, kind: Any, dialect: Dialect) -> list[Any]:
    """Return cells as values that the driver of `dialect` takes, None for NULL."""
    if dialect.name == "sqlite" and not decorated(kind):
        quick = _sqlite(cells, generic(kind))
        if quick is not None:
            return _with_nulls(quick, cells)
    digits = _digits(cells, kind, dialect)
    if digits is not None:
        return _with_nulls(digits, cells)
    values = objects(cells, kind)
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return values
    taken = [None if v is None else bind(v) for v in values]
    if dialect.name == "sqlite" and isinstance(generic(kind), sa.Numeric) and cells.values.dtype.kind == "f":
        return [_computed(v, own) for v, own in zip(taken, cells.values.tolist(), strict=True)]
    return taken


def _digits(cells: Cells, kind: Any, dialect: Dialect) -> list[Any] | None:
    """Return UUIDs as digits for a server that keeps them so; None for other values and servers."""
    base = generic(kind)
    if not isinstance(base, sa.Uuid) or decorated(kind) or (dialect.supports_native_uuid and base.native_uuid):
        return None
    return cells.values.tolist() if isinstance(cells.values, UuidTexts) else None


def _computed(taken: Any, own: float) -> Any:
    """Return what SQLite itself computes for a decimal, which has the same digits: a CHECK compares doubles."""
    return own if isinstance(taken, float) and abs(taken - own) < 1e-9 else taken


def _sqlite(cells: Cells, kind: Any) -> list[Any] | None:
    values = cells.values
    if isinstance(kind, sa.DateTime) and values.dtype.kind == "M":
        return [text.replace("T", " ") for text in np.datetime_as_string(values, unit="us").tolist()]
    if isinstance(kind, sa.JSON):
        return documents(values.tolist())
    if isinstance(kind, sa.Uuid | sa.String | sa.Enum) or values.dtype.kind in "ibf":
        plain = values.dtype.kind != "M" and not isinstance(kind, sa.Date)
        return list(values.tolist()) if plain else None
    return None


def objects(cells: Cells, kind: Any) -> list[Any]:
    """Return cells as the Python objects that SQLAlchemy's type takes, None for NULL."""
    base = generic(kind)
    make = _maker(base, cells.values.dtype.kind, kind)
    values = cells.values.tolist() if cells.values.dtype.kind not in "Mm" else cells.values.astype(object).tolist()
    # under a NULL may stand anything, such as None
    return _with_nulls([None if v is None else make(v) for v in values] if make is not None else list(values), cells)


def _maker(base: Any, dtype: str, kind: Any) -> Callable[[Any], Any] | None:
    if isinstance(base, sa.Uuid):
        return uuid.UUID if base.as_uuid else str
    if isinstance(base, sa.Date):
        return lambda v: v.date() if isinstance(v, dt.datetime) else v
    if isinstance(base, sa.DateTime) and (base.timezone or isinstance(kind, UtcDateTime)):
        return lambda v: v.replace(tzinfo=dt.UTC) if isinstance(v, dt.datetime) and v.tzinfo is None else v
    if isinstance(base, sa.Time) and dtype == "m":
        return lambda v: (dt.datetime(2000, 1, 1) + v).time()  # noqa: DTZ001 - a time of day
    if isinstance(base, sa.Numeric) and dtype == "f" and base.asdecimal:
        scale = decimals(base)
        return lambda v: Decimal(f"{v:z.{scale}f}")
    return None


def _with_nulls(values: list[Any], cells: Cells) -> list[Any]:
    for at in np.flatnonzero(cells.null).tolist():
        values[at] = None
    return values
