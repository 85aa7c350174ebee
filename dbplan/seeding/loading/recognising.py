"""Recognising: whether the rows in a database are those that would be written, told from counts and some rows."""

from __future__ import annotations

import datetime as dt
import math
import re
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import Boolean, Connection, Enum, Integer, String, Table, Text, and_, func, literal, select, type_coerce
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType

from dbplan.seeding.constraints.heirs import own_rows
from dbplan.seeding.loading.encode import objects, python_values
from dbplan.seeding.loading.statements import columns_of
from dbplan.seeding.rows.frames import Frame, Source
from dbplan.seeding.rows.world import World

_UUID = re.compile("[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
SOME = 5
"""Rows of each part of a table that are looked up beside the first and the last."""


def is_there(connection: Connection, made: World) -> bool:
    """Whether every table holds as many rows as would be written, and some of them as they would be."""
    for source in made.sources.values():
        if connection.execute(own_rows(source.table, func.count())).scalar_one() != source.total:
            return False
    parts = (part for source in made.sources.values() for part in source.parts if part.rows)
    return all(_holds(connection, part) for part in parts)


def _holds(connection: Connection, part: Source) -> bool:
    chance = np.random.default_rng(part.rows).integers(0, part.rows, SOME)
    rows = np.unique(np.concatenate([[0, part.rows - 1], chance])).astype(np.int64)
    frames = [part.frame(rows[at : at + 1]) for at in range(len(rows))] if part.given else [part.frame(rows)]
    return all(_is_found(connection, frame) for frame in frames)


def _is_found(connection: Connection, frame: Frame) -> bool:
    """Look every row of a frame up by its key, and compare the other columns; without a key, by what is plain."""
    table, names = frame.source.table, columns_of(frame)
    keys = [column.name for column in table.primary_key.columns]
    keyed = bool(keys) and set(keys) <= set(names)
    keys = keys if keyed else [name for name in names if _is_plain(frame, name)]
    compared = names if keyed else []
    bound = {name: python_values(frame[name], frame.source.kind(name), connection.dialect) for name in compared}
    own = {name: objects(frame[name], table.columns[name].type) for name in keys}
    shown = [type_coerce(table.columns[name], NullType()).label(f"c{n}") for n, name in enumerate(compared)]
    for at in range(len(frame)) if keys else ():
        same = [_equals(table, name, own[name][at]) for name in keys]
        found = connection.execute(select(literal(1), *shown).where(and_(*same)).limit(1)).first()
        if found is None:
            return False
        if not all(alike(bound[name][at], there) for name, there in zip(compared, found[1:], strict=True)):
            return False
    return True


def has_row(connection: Connection, frame: Frame) -> bool:
    """Whether the one row of a frame stands in its table, by its key."""
    table, names = frame.source.table, columns_of(frame)
    keys = [column.name for column in table.primary_key.columns] or [n for n in names if _is_plain(frame, n)]
    if not set(keys) <= set(names):
        return False
    own = {name: objects(frame[name], table.columns[name].type)[0] for name in keys}
    same = [_equals(table, name, value) for name, value in own.items()]
    return connection.execute(select(literal(1)).select_from(table).where(and_(*same)).limit(1)).first() is not None


def _is_plain(frame: Frame, name: str) -> bool:
    """Whether a column can be compared in a WHERE on any server."""
    kind = frame.source.table.columns[name].type
    text = isinstance(kind, String) and not isinstance(kind, Enum | Text)
    return text or (isinstance(kind, Integer | Boolean) and frame[name].values.dtype.kind in "iub")


def _equals(table: Table, name: str, value: Any) -> ColumnElement[bool]:
    column = table.columns[name]
    return column.is_(None) if value is None else column == value


def alike(meant: Any, there: Any) -> bool:
    """Whether what is written and what stands there can be the same; kinds that servers rewrite are let pass."""
    if meant is None or there is None:
        return meant is there
    a, b = _plain(meant), _plain(there)
    if isinstance(a, dt.datetime) and isinstance(b, dt.datetime):
        return abs((a - b).total_seconds()) <= 1  # a column may keep no fractions
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-6)
    return a == b if type(a) is type(b) else True


def _plain(value: Any) -> Any:
    """Return a value as text, number or time; what is none of them as itself."""
    if isinstance(value, bool | int | float | Decimal):
        return float(value)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, str):
        is_uuid = _UUID.fullmatch(value)
        return value.replace("-", "").lower() if is_uuid else value.rstrip().lower()
    return bytes(value) if isinstance(value, bytearray | memoryview) else value
