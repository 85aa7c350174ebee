"""Rows as PostgreSQL's binary COPY: `COPY … FROM STDIN (FORMAT binary)`.

    types = server_types(connection, table)            # once a table
    made = encoder(table, names, types, kinds, dialect)  # None: a column has no binary form here, use `copy_texts`
    copy.write(HEADER); copy.write(made.rows(frame, blank)); …; copy.write(TRAILER)

`rows` raises `Uncovered` for a value whose binary form is not known, which is rare: that frame goes as text.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Table, text

from dbplan.seeding.loading.assembly import Piece, assembled, blocks
from dbplan.seeding.loading.wire import ABSENT, Column, Uncovered, covers, written
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Frame

__all__ = ["HEADER", "TRAILER", "Encoder", "Uncovered", "encoder", "server_types"]
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
"""What comes before the rows."""
TRAILER = b"\xff\xff"
"""What comes after them."""
_COLUMNS = text("""
    SELECT attname::text, atttypid FROM pg_attribute
    WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped
""")
_TYPES = text("""
    WITH RECURSIVE known AS (
        SELECT t.oid, typname::text, typtype::text, typbasetype, typelem, typarray FROM pg_type t
        WHERE t.oid = ANY(:oids)
        UNION
        SELECT t.oid, t.typname::text, t.typtype::text, t.typbasetype, t.typelem, t.typarray
        FROM known k JOIN pg_type t ON t.oid IN (k.typbasetype, k.typelem)
    )
    SELECT * FROM known
""")


def server_types(connection: Connection, table: Table) -> dict[str, str]:
    """Return the server's own type of every column, for `encoder`.

    A type stands as its name, that beneath a domain as the domain's, any enum as `enum`, and an array as
    `array:<type of its elements>:<oid of that type>`; a composite or a range as no type that is written.
    """
    name = connection.dialect.identifier_preparer.format_table(table)
    columns = {column: oid for column, oid in connection.execute(_COLUMNS, {"name": name})}  # noqa: C416
    found = connection.execute(_TYPES, {"oids": sorted(set(columns.values()))}).all()
    known = {row.oid: row for row in found}
    return {column: _described(oid, known) for column, oid in columns.items()}


def _described(oid: int, known: Mapping[int, Any]) -> str:
    kind = known[oid]
    if kind.typtype == "d":
        return _described(kind.typbasetype, known)
    if kind.typtype == "e":
        return "enum"
    if kind.typelem and known[kind.typelem].typarray == oid:
        return f"array:{_described(kind.typelem, known)}:{kind.typelem}"
    return str(kind.typname) if kind.typtype == "b" else f"{kind.typtype} {kind.typname}"


@dataclass(frozen=True)
class Encoder:
    """Rows of one table as tuples of binary COPY."""

    columns: tuple[Column, ...]

    def rows(self, frame: Frame, blank: AbstractSet[str]) -> bytes:
        """Return the rows of a frame, without header and trailer, NULL in the columns of `blank`.

        Raises Uncovered for a value whose binary form is not known.
        """
        cells = {column: frame[column.name] for column in self.columns if column.name not in blank}
        return b"".join(self._block(cells, rows) for rows in blocks(len(frame)))

    def _block(self, cells: Mapping[Column, Cells], rows: slice) -> memoryview:
        pieces: list[Piece] = [struct.pack(">h", len(self.columns))]
        for column in self.columns:
            own = cells.get(column)
            pieces += [ABSENT] if own is None else written(column, own.take(rows))
        return assembled(pieces, rows.stop - rows.start).data.data


def encoder(
    table: Table, names: Sequence[str], types: Mapping[str, str], kinds: Mapping[str, Any], dialect: Dialect
) -> Encoder | None:
    """Return what writes those columns of a table; None where one of them has a type without a binary form here."""
    columns = tuple(Column(name, types.get(name, ""), kinds[name], dialect) for name in names)
    return Encoder(columns) if columns and all(covers(column.server) for column in columns) else None
