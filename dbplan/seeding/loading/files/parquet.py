"""Parquet through pyarrow, with the types that the columns have.

Instants are timestamps in UTC, decimals decimals, UUIDs the type of 16 bytes, enums dictionaries, documents the JSON of
Parquet over text, arrays lists. What Parquet has no type for is the text that PostgreSQL reads.
"""

from __future__ import annotations

import json
import uuid
from typing import IO, Any

import numpy as np
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.loading.encode import any_text, decimals, decorated
from dbplan.seeding.loading.files.content import Content, aware, plain
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Source
from dbplan.seeding.rows.texts import Chars, Coded, Number, Texts, UuidTexts
from dbplan.seeding.values.infer import generic

PROBE = 16
"""First rows that say whether a type of the user's own stores what its base type does."""


def require() -> None:
    """Refuse to begin where pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise NotCovered('parquet needs pyarrow, which is not installed; pip install "dbplan[parquet]"') from None


def write(out: IO[bytes], content: Content) -> None:
    """Write rows, a row group a frame."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [(name, arrow_type(content.source, name)) for name in content.columns]
    with pq.ParquetWriter(out, pa.schema(fields), compression="zstd") as writer:
        for frame in content.frames:
            arrays = [array(frame[name], frame.source.kind(name), kind, name) for name, kind in fields]
            writer.write_table(pa.Table.from_arrays(arrays, schema=writer.schema))


def arrow_type(source: Source, name: str) -> Any:
    """Return the type of a column; it follows from the table, so that all parts have the same."""
    import pyarrow as pa

    kind = source.kind(name)
    found = _type_of(generic(kind), aware(kind))
    if decorated(kind) and not pa.types.is_string(found) and name in source.makers:
        cells = source.frame(np.arange(min(PROBE, source.rows), dtype=np.int64))[name]
        try:
            _from_objects(plain(cells, kind), found)
        except (pa.ArrowException, TypeError, ValueError, AttributeError):
            return pa.string()
    return found


def _type_of(base: Any, is_aware: bool) -> Any:
    import pyarrow as pa

    if isinstance(base, sa.DateTime):
        return pa.timestamp("us", "UTC" if is_aware else None)
    if isinstance(base, sa.Enum):
        return pa.dictionary(pa.int32(), pa.string())
    if isinstance(base, sa.ARRAY):
        found = _type_of(base.item_type, aware(base.item_type))
        for _ in range(base.dimensions or 1):
            found = pa.list_(found)
        return found
    if isinstance(base, sa.Numeric) and not isinstance(base, sa.Float):
        return _decimal(base.precision, base.scale)
    return next((make(pa) for family, make in _TYPES.items() if isinstance(base, family)), pa.string())


def _decimal(precision: int | None, scale: int | None) -> Any:
    """Return a decimal type; one without a precision gets as much as 16 bytes hold."""
    import pyarrow as pa

    if precision is None:
        return pa.decimal128(38, 9)
    wide = max(precision, scale or 0)
    return (
        pa.decimal128(wide, scale or 0)
        if wide <= 38
        else pa.decimal256(wide, scale or 0)
        if wide <= 76
        else pa.string()
    )


_TYPES: dict[Any, Any] = {
    sa.Uuid: lambda pa: pa.uuid(),
    sa.Boolean: lambda pa: pa.bool_(),
    sa.Integer: lambda pa: pa.int64(),
    sa.Float: lambda pa: pa.float64(),
    sa.Date: lambda pa: pa.date32(),
    sa.Time: lambda pa: pa.time64("us"),
    sa.Interval: lambda pa: pa.duration("us"),
    sa.LargeBinary: lambda pa: pa.binary(),
    sa.JSON: lambda pa: pa.json_(),
}


def array(cells: Cells, kind: Any, wanted: Any, name: str) -> Any:
    """Return cells as an Arrow array; NotCovered for a value that its type does not hold."""
    import pyarrow as pa

    try:
        found = None if decorated(kind) else _quick(cells, generic(kind), wanted)
        return found if found is not None else _from_objects(plain(cells, kind), wanted)
    except (pa.ArrowException, OverflowError) as error:
        said = " ".join(str(error).split())
        raise NotCovered(
            f"{name}: Parquet's {wanted} does not hold what is in it ({said}); take csv or jsonl"
        ) from None


def _quick(cells: Cells, base: Any, wanted: Any) -> Any:
    """Return many values at once, by what they are kept as; None for those that are taken one by one."""
    import pyarrow as pa

    values, null, dtype = cells.values, cells.null, cells.values.dtype.kind
    if isinstance(values, UuidTexts) and isinstance(wanted, pa.UuidType):
        return _uuids(values, null)
    if isinstance(values, Texts):
        return _texts(values, null, wanted)
    if dtype == "M":
        return pa.array(
            values.astype("datetime64[D]" if pa.types.is_date(wanted) else "datetime64[us]"), mask=null
        ).cast(wanted)
    if dtype == "f" and pa.types.is_decimal128(wanted):
        return _decimals(values, null, wanted, decimals(base))
    if (dtype == "b" and pa.types.is_boolean(wanted)) or (dtype in "iuf" and pa.types.is_integer(wanted)):
        return pa.array(values, mask=null).cast(wanted)
    return pa.array(values, wanted, mask=null) if dtype in "iuf" and pa.types.is_floating(wanted) else None


def _uuids(values: UuidTexts, null: Any) -> Any:
    import pyarrow as pa

    raw = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(values), [_valid(null), pa.py_buffer(values.raw)])
    return pa.ExtensionArray.from_storage(pa.uuid(), raw)


def _valid(null: Any) -> Any:
    """Return Arrow's bitmap of the cells that are there."""
    import pyarrow as pa

    return pa.py_buffer(np.packbits(~null, bitorder="little")) if null.any() else None


def _decimals(values: Any, null: Any, wanted: Any, places: int) -> Any:
    """Return floats as decimals of `places`, rounded as their text would be; None where that is close to a tie."""
    import pyarrow as pa

    scaled = np.where(null, 0.0, values) * 10.0**places
    whole = np.rint(scaled)
    if wanted.scale < places or not (np.abs(scaled) < 2**52).all() or (np.abs(scaled - whole) > 0.49).any():
        return None
    halves = np.stack([whole.astype(np.int64), whole.astype(np.int64) >> 63], axis=1) * 1
    narrow = pa.Decimal128Array.from_buffers(
        pa.decimal128(wanted.precision, places), len(values), [_valid(null), pa.py_buffer(np.ascontiguousarray(halves))]
    )
    return narrow.cast(wanted)


def _texts(values: Texts, null: Any, wanted: Any) -> Any:
    """Return texts, put together from their parts by Arrow."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(wanted) or pa.types.is_dictionary(wanted)):
        return None
    coded = values.coded
    if coded is not None:
        found = pa.DictionaryArray.from_arrays(pa.array(coded.index, pa.int32(), mask=null), _words(coded))
        return found if pa.types.is_dictionary(wanted) else found.cast(pa.string())
    pieces = [_piece(part) for part in values.parts]
    if any(piece is None for piece in pieces):
        return None
    joined = pc.binary_join_element_wise(*pieces, "")
    return pc.if_else(pa.array(null), None, joined).cast(wanted)


def _words(coded: Coded) -> Any:
    import pyarrow as pa

    words = coded.pool.packed.get(_words)
    if words is None:
        words = coded.pool.packed[_words] = pa.array(coded.pool.words.tolist(), pa.string())
    return words


def _piece(part: Any) -> Any:
    """Return a part of texts as an Arrow array or scalar; None for a part that Arrow does not spell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(part, str):
        return pa.scalar(part)
    if isinstance(part, Coded):
        return _words(part).take(pa.array(part.index))
    if isinstance(part, Number):
        digits = pc.utf8_lpad(pa.array(part.values, pa.int64()).cast(pa.string()), max(part.width, 1), "0")
        return digits if part.blank is None else pc.if_else(pa.array(part.values == part.blank), "", digits)
    if isinstance(part, Chars) and part.lengths is None:
        width = part.matrix.shape[1]
        fixed = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(width), len(part), [None, pa.py_buffer(np.ascontiguousarray(part.matrix))]
        )
        return fixed.cast(pa.binary()).cast(pa.string())
    return None


def _from_objects(values: list[Any], wanted: Any) -> Any:
    """Return Python objects as an Arrow array, one by one."""
    import pyarrow as pa

    if isinstance(wanted, pa.UuidType):
        raw = [None if v is None else (v if isinstance(v, uuid.UUID) else uuid.UUID(str(v))).bytes for v in values]
        return pa.ExtensionArray.from_storage(wanted, pa.array(raw, pa.binary(16)))
    if isinstance(wanted, pa.JsonType):
        return pa.ExtensionArray.from_storage(
            wanted, pa.array([None if v is None else json.dumps(v) for v in values], pa.string())
        )
    if pa.types.is_string(wanted) or pa.types.is_dictionary(wanted):
        texts = pa.array([v if v is None or isinstance(v, str) else any_text(v) for v in values], pa.string())
        return texts.cast(wanted)
    return pa.array(values, wanted)
