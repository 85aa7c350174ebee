"""The binary form of PostgreSQL's values, as its receive functions read them, type by type.

A writer returns the pieces of a column: for every cell its length in four bytes and the value, or -1 for NULL. What it
writes is what the server makes of the text of `encode.plain_texts`; a value of which it does not know that is
`Uncovered`.
"""

from __future__ import annotations

import datetime as dt
import socket
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

import numpy as np
from sqlalchemy import Dialect
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.loading import figures
from dbplan.seeding.loading.assembly import Assembled, Bytes, Fixed, Null, Piece, Runs, assembled, stacked, width_of
from dbplan.seeding.loading.encode import (
    as_cells,
    binaries,
    bound,
    decimals,
    plain_texts,
    quiet,
    refilled,
    spread,
    uuid_texts,
)
from dbplan.seeding.loading.packing import PLAIN, listed, picked, spelled, unless
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.stream import Array, Index
from dbplan.seeding.rows.texts import Coded, Texts, UuidTexts

ABSENT = b"\xff\xff\xff\xff"
EPOCH = np.datetime64("2000-01-01", "us")


class Uncovered(NotCovered):
    """A value whose binary form is not known here; the text form may take it, or say what is wrong with it."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column as the server has it (`server`, see `server_types`) and as the plan has it."""

    name: str
    server: str
    kind: Any
    dialect: Dialect

    def uncovered(self, values: Iterable[Any]) -> Uncovered:
        """Return the error for values of another form."""
        found = next((type(value).__name__ for value in values), "value")
        return Uncovered(f"column {self.name}: no binary form is known of a {found} as {self.server}; use text COPY")


Writer = Callable[[Column, Cells, Null], list[Piece]]


def written(column: Column, cells: Cells) -> list[Piece]:
    """Return the pieces of a column; Uncovered for a value whose form is not known."""
    cells, kind = bound(cells, column.kind, column.dialect)
    null = cells.null if cells.null.any() else None
    if null is not None and null.all():
        return [ABSENT]
    return _writer(column.server)(replace(column, kind=kind), cells, null)


def covers(server: str) -> bool:
    """Whether values of a type of the server can be written."""
    family, _, rest = server.partition(":")
    element = rest.partition(":")[0]
    return family in WRITERS and (family != "array" or (element != "array" and covers(element)))


def _writer(server: str) -> Writer:
    return WRITERS[server.partition(":")[0]]


def _fixed(payload: Bytes, null: Null) -> list[Piece]:
    """Return values of one width."""
    width = payload.shape[1]
    length = struct.pack(">i", width)
    if null is None:
        return [length, Fixed(payload)]
    whole = np.empty((len(payload), 4 + width), dtype=np.uint8)
    whole[:, :4] = np.frombuffer(length, dtype=np.uint8)
    whole[:, 4:] = payload
    whole[null, :4] = 255
    starts = np.arange(len(payload), dtype=np.int64) * (4 + width)
    return [Runs(whole.reshape(-1), starts, np.where(null, 4, 4 + width))]


def _sized(pieces: list[Piece], rows: int, null: Null) -> list[Piece]:
    """Return values of many lengths, in pieces that take no room under a NULL, with their lengths before them."""
    lengths = np.zeros(rows, dtype=np.int64)
    for piece in pieces:
        lengths += piece.lengths if isinstance(piece, Runs) else width_of(piece)
    if null is not None:
        lengths[null] = -1
    return [Fixed(big_endian(lengths, "i4")), *pieces]


def big_endian(values: Array, code: str) -> Bytes:
    """Return numbers as rows of bytes."""
    made = values.astype(f">{code}")
    return made.view(np.uint8).reshape(len(values), made.itemsize)


def _there(cells: Cells, null: Null) -> list[Any]:
    """Return the values that are not NULL."""
    values = cells.values if null is None else cells.values[~null]
    return list(values.tolist() if values.dtype.kind not in "Mm" else values.astype(object).tolist())


def _integers(code: str) -> Writer:
    limits = np.iinfo(code)

    def write(column: Column, cells: Cells, null: Null) -> list[Piece]:
        values = _whole(column, cells, null)
        if len(values) and (values.min() < limits.min or values.max() > limits.max):
            raise Uncovered(f"column {column.name}: {column.server} holds {limits.min} to {limits.max} only")
        return _fixed(big_endian(values, code), null)

    return write


def _whole(column: Column, cells: Cells, null: Null) -> Array:
    """Return whole numbers."""
    if cells.values.dtype.kind in "iu":
        return quiet(cells.values, null)
    values = _there(cells, null)
    if cells.values.dtype != object or not all(type(v) is int or isinstance(v, np.integer) for v in values):
        raise column.uncovered(v for v in values if type(v) is not int)
    try:
        return spread(np.array(values, dtype=np.int64), null)
    except OverflowError as error:
        raise column.uncovered(values) from error


def _floats(code: str) -> Writer:
    def write(column: Column, cells: Cells, null: Null) -> list[Piece]:
        values = _doubles(column, cells, null)
        with np.errstate(over="ignore"):
            made = values.astype(code)
        if (np.isinf(made) & ~np.isinf(values)).any():
            raise Uncovered(f"column {column.name}: a number is out of the range of {column.server}")
        return _fixed(big_endian(made, code), null)

    return write


def _doubles(column: Column, cells: Cells, null: Null) -> Array:
    rounded = isinstance(column.kind, sa.Numeric) and not isinstance(column.kind, sa.Float)
    if cells.values.dtype.kind in ("iu" if rounded else "iuf"):
        return quiet(cells.values, null).astype(np.float64)
    values = _there(cells, null)
    if cells.values.dtype.kind == "f":
        values = [float(text) for text in plain_texts(cells.take(~cells.null), column.kind)]
    if not all(isinstance(v, float | Decimal) or type(v) is int for v in values):
        raise column.uncovered(v for v in values if not isinstance(v, float | Decimal))
    return spread(np.array([float(v) for v in values], dtype=np.float64), null)


def _booleans(column: Column, cells: Cells, null: Null) -> list[Piece]:
    values = cells.values
    if values.dtype != bool:
        found = _there(cells, null)
        if not all(v is True or v is False for v in found):
            raise column.uncovered(v for v in found if not isinstance(v, bool))
        values = spread(np.array(found, dtype=bool), null)
    return _fixed(values.view(np.uint8).reshape(-1, 1), null)


def _texts(lead: bytes) -> Writer:
    """Return the writer of what is read as text, with a version before it or nothing."""

    def write(column: Column, cells: Cells, null: Null) -> list[Piece]:
        values = cells.values if not isinstance(column.kind, sa.JSON) else None
        if isinstance(values, Texts) and values.coded is not None:
            return [_words(values.coded, lead, null)]
        if isinstance(values, Texts):
            pieces = spelled(values, PLAIN, null)
        elif isinstance(values, UuidTexts) and null is None:
            pieces = [figures.hexadecimal(values)]
        else:
            pieces = [listed(_plain(column, cells, null), PLAIN)]
        return _sized([unless(lead, null), *pieces] if lead else pieces, len(cells), null)

    return write


def _words(coded: Coded, lead: bytes, null: Null) -> Runs:
    """Return words of a pool, each with its length before it."""

    def write(word: str) -> bytes:
        text = lead + PLAIN.written(word)
        return struct.pack(">i", len(text)) + text

    return picked(coded, ("binary", lead), write, ABSENT, null)


def _plain(column: Column, cells: Cells, null: Null) -> list[str]:
    """Return texts, nothing under a NULL."""
    texts = plain_texts(cells if null is None else cells.take(np.flatnonzero(~null)), column.kind)
    return refilled(texts, null, "")


def _uuids(column: Column, cells: Cells, null: Null) -> list[Piece]:
    values = cells.values
    if not isinstance(values, UuidTexts):
        values = uuid_texts(_there(cells, null), null)
    if values is None:
        raise column.uncovered(_there(cells, null))
    return _fixed(values.raw, null)


def _micros(column: Column, cells: Cells, null: Null) -> Index:
    """Return points in time in µs since the year 2000, in UTC or in no zone at all, as the type has it."""
    values = cells.values
    if values.dtype.kind != "M":
        plain = np.array([_moment(column, v) for v in _there(cells, null)], dtype="datetime64[us]")
        values = spread(plain, null)
    if isinstance(column.kind, sa.Date):
        values = values.astype("datetime64[D]")
    if null is not None:
        values = np.where(null, EPOCH, values)
    if np.isnat(values).any():
        raise Uncovered(f"column {column.name}: NaT is no {column.server}")
    return np.asarray((values.astype("datetime64[us]") - EPOCH).astype(np.int64))


def _moment(column: Column, value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            return value
        return (value.astimezone(dt.UTC) if column.server == "timestamptz" else value).replace(tzinfo=None)
    if type(value) is dt.date:
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - midnight in the session's zone, UTC
    raise column.uncovered([value])


def _timestamps(column: Column, cells: Cells, null: Null) -> list[Piece]:
    return _fixed(big_endian(_micros(column, cells, null), "i8"), null)


def _dates(column: Column, cells: Cells, null: Null) -> list[Piece]:
    return _fixed(big_endian(_micros(column, cells, null) // figures.DAY, "i4"), null)


def _times(column: Column, cells: Cells, null: Null) -> list[Piece]:
    if cells.values.dtype.kind == "m" and isinstance(column.kind, sa.Time):
        micros = quiet(cells.values, null).astype("timedelta64[us]").astype(np.int64) % figures.DAY
    else:
        values = _there(cells, null)
        if not all(isinstance(v, dt.time) and v.tzinfo is None for v in values):
            raise column.uncovered(values)
        made = [((v.hour * 60 + v.minute) * 60 + v.second) * 1_000_000 + v.microsecond for v in values]
        micros = spread(np.array(made, dtype=np.int64), null)
    return _fixed(big_endian(micros, "i8"), null)


def _intervals(column: Column, cells: Cells, null: Null) -> list[Piece]:
    """Return microseconds, days and months; a timedelta of Python is written with its days, as its text is."""
    fields = np.zeros(len(cells), dtype=[("micros", ">i8"), ("days", ">i4"), ("months", ">i4")])
    if cells.values.dtype.kind == "m" and not isinstance(column.kind, sa.Time):
        fields["micros"] = quiet(cells.values, null).astype("timedelta64[us]").astype(np.int64)
    else:
        values = _there(cells, null)
        if not all(isinstance(v, dt.timedelta) for v in values):
            raise column.uncovered(values)
        micros = [v.seconds * 1_000_000 + v.microseconds for v in values]
        fields["micros"] = spread(np.array(micros, dtype=np.int64), null)
        fields["days"] = spread(np.array([v.days for v in values], dtype=np.int64), null)
    return _fixed(fields.view(np.uint8).reshape(-1, 16), null)


def _bytes(column: Column, cells: Cells, null: Null) -> list[Piece]:
    values = _there(cells, null)
    raw = binaries(values)
    if raw is None:
        raise column.uncovered(v for v in values if not isinstance(v, bytes | bytearray | memoryview))
    return _each(raw, null)


def _each(values: Sequence[bytes], null: Null) -> list[Piece]:
    """Return values made one by one."""
    made = refilled(values, null, b"")
    return _sized([stacked(made)], len(made), null)


def _addresses(column: Column, cells: Cells, null: Null) -> list[Piece]:
    values = _there(cells, null)
    try:
        return _each([_address(str(value), column.server == "cidr") for value in values], null)
    except (ValueError, OSError) as error:
        raise column.uncovered(values) from error


def _address(text: str, network: bool) -> bytes:
    """Return family, bits of the mask, whether it is a network, and the bytes of an address written in full."""
    host, _, mask = text.partition("/")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    raw = socket.inet_pton(family, host)
    bits = int(mask) if mask.isdecimal() or (not mask and "/" in text) else 8 * len(raw)
    if (mask and not mask.isdecimal()) or bits > 8 * len(raw):
        raise ValueError
    return bytes([2 if family == socket.AF_INET else 3, bits, network, len(raw)]) + raw


def _hardware(column: Column, cells: Cells, null: Null) -> list[Piece]:
    values, width = _there(cells, null), 6 if column.server == "macaddr" else 8
    try:
        made = [bytes.fromhex(value.replace(":", "").replace("-", "")) for value in values]
    except (ValueError, AttributeError) as error:
        raise column.uncovered(values) from error
    if not all(len(value) == width for value in made):
        raise column.uncovered(values)
    return _each(made, null)


def _numerics(column: Column, cells: Cells, null: Null) -> list[Piece]:
    kind, values, scale = column.kind, cells.values, 0
    if values.dtype.kind in "iu":
        return _scaled(quiet(values, null), 0, null) or _decimals(column, cells, null)
    if values.dtype.kind == "f" and isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        scale = decimals(kind)
        units = figures.rounded(quiet(values, null), scale)
        if units is not None:
            return _scaled(units, scale, null) or _decimals(column, cells, null)
    return _decimals(column, cells, null)


def _scaled(units: Index, scale: int, null: Null) -> list[Piece] | None:
    """Return whole numbers of 10^-scale, all with as many digits to the base 10,000 as the longest; None past 64 bits.

    The server strips the zeros at both ends.
    """
    after = -(-scale // 4)
    factor = 10 ** (4 * after - scale)
    top = max(int(units.max(initial=0)), -int(units.min(initial=0)))
    if top * factor >= 2**63:
        return None
    count = max(-(-len(str(top * factor)) // 4), after, 1)
    out = np.empty((len(units), 4 + count), dtype=">i2")
    out[:, 0], out[:, 1], out[:, 3] = count, count - after - 1, scale
    out[:, 2] = np.where(units < 0, 0x4000, 0)
    rest = np.abs(units).astype(np.int64) * factor
    for place in range(count - 1, 0, -1):
        above = rest // 10_000
        out[:, 4 + place] = rest - above * 10_000
        rest = above
    out[:, 4] = rest
    return _fixed(out.view(np.uint8).reshape(len(units), -1), null)


def _decimals(column: Column, cells: Cells, null: Null) -> list[Piece]:
    texts = plain_texts(cells if null is None else cells.take(np.flatnonzero(~null)), column.kind)
    try:
        return _each([_decimal(Decimal(text)) for text in texts], null)
    except InvalidOperation as error:
        raise column.uncovered(_there(cells, null)) from error


def _decimal(value: Decimal) -> bytes:
    """Return the header of a numeric (digits, weight, sign, scale) and its digits to the base 10,000."""
    sign, figures, exponent = value.as_tuple()
    if str(value) in ("-NaN", "sNaN", "-sNaN"):
        raise InvalidOperation
    if not isinstance(exponent, int):
        return struct.pack(">hhHh", 0, 0, 0xC000 if value.is_nan() else 0xF000 if sign else 0xD000, 0)
    text = "".join(map(str, figures)) + "0" * (exponent % 4)
    groups = -(-len(text) // 4)
    text = text.rjust(4 * groups, "0")
    parts = [int(text[4 * n : 4 * n + 4]) for n in range(groups)]
    weight = groups + exponent // 4 - 1
    return struct.pack(f">hhHh{groups}h", groups, weight, 0x4000 if sign else 0, max(0, -exponent), *parts)


def _arrays(column: Column, cells: Cells, null: Null) -> list[Piece]:
    """Return lists of one dimension: each with its element type, its size, and its elements as a column has them."""
    values = _there(cells, null)
    if not all(isinstance(value, list | tuple) for value in values):
        raise column.uncovered(value for value in values if not isinstance(value, list | tuple))
    items = [item for value in values for item in value]
    _, server, oid = column.server.split(":")
    inner = replace(column, server=server, kind=sa.NullType())
    if any(isinstance(item, list | tuple) or (server in TEXTS and not isinstance(item, str | None)) for item in items):
        raise column.uncovered(values)
    elements = assembled(written(inner, as_cells(items)), len(items))
    sizes = spread(np.fromiter(map(len, values), dtype=np.int64, count=len(values)), null)
    bodies = _sections(elements, sizes)
    return _sized([_heads(sizes, int(oid), None in items, null), bodies], len(cells), null)


def _sections(rows: Assembled, sizes: Index) -> Runs:
    """Return so many rows each as one piece."""
    edges = np.concatenate([np.zeros(1, dtype=np.int64), rows.ends])
    last = np.cumsum(sizes)
    starts, lengths = edges[last - sizes], edges[last] - edges[last - sizes]
    return Runs(np.concatenate([rows.data, np.zeros(int(lengths.max(initial=0)), dtype=np.uint8)]), starts, lengths)


def _heads(sizes: Index, oid: int, nulls: bool, null: Null) -> Runs:
    """Return what stands before the elements: dimensions, whether one is NULL, their type, and size and lower bound."""
    fields = np.empty((len(sizes), 5), dtype=">i4")
    fields[:, 0], fields[:, 1], fields[:, 3], fields[:, 4] = sizes > 0, nulls, sizes, 1
    fields[:, 2] = np.array([oid], dtype=np.uint32).view(np.int32)
    lengths = np.where(sizes > 0, 20, 12)
    starts = np.arange(len(sizes), dtype=np.int64) * 20
    return Runs(fields.view(np.uint8).reshape(-1), starts, lengths if null is None else np.where(null, 0, lengths))


TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext", "xml", "enum", "json", "jsonb"})
"""Types that are received as text, a version before it or none."""
WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        **dict.fromkeys(TEXTS, _texts(b"")),
        "jsonb": _texts(b"\x01"),
        "int2": _integers("i2"),
        "int4": _integers("i4"),
        "int8": _integers("i8"),
        "oid": _integers("u4"),
        "float4": _floats("f4"),
        "float8": _floats("f8"),
        "numeric": _numerics,
        "bool": _booleans,
        "uuid": _uuids,
        "timestamp": _timestamps,
        "timestamptz": _timestamps,
        "date": _dates,
        "time": _times,
        "interval": _intervals,
        "bytea": _bytes,
        "inet": _addresses,
        "cidr": _addresses,
        "macaddr": _hardware,
        "macaddr8": _hardware,
        "array": _arrays,
    }
)
"""Writers by the server's name of the type."""
