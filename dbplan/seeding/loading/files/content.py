"""Content: the rows of one file, and their values as plain Python objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Dialect
from sqlalchemy import types as sa

from dbplan.columns import UtcDateTime
from dbplan.ddl.compilers import compiler_dialect
from dbplan.seeding.loading.encode import any_text, bound, decorated, objects, plain_texts, python_values
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Frame, Source
from dbplan.seeding.rows.stream import Index
from dbplan.seeding.values.infer import generic


@dataclass(frozen=True)
class Content:
    """Rows of one table with the columns that are written; `closes` are those that SQL sets after all rows."""

    source: Source
    columns: tuple[str, ...]
    frames: Iterator[Frame]
    dialect: Dialect
    blank: frozenset[str] = frozenset()
    closes: tuple[str, ...] = ()


def postgresql() -> Dialect:
    """Return the dialect whose texts stand for values where a file has no type of its own for them."""
    return compiler_dialect("postgresql")


def aware(kind: Any) -> bool:
    """Whether a type holds instants, which a file says in UTC."""
    base = generic(kind)
    return isinstance(base, sa.DateTime) and (bool(base.timezone) or isinstance(kind, UtcDateTime))


def server_texts(cells: Cells, kind: Any) -> tuple[list[str], Index]:
    """Return cells as the texts that PostgreSQL reads as values, instants with their zone, and where they are NULL."""
    cells, left = bound(cells, kind, postgresql())
    texts = plain_texts(cells, left)
    if cells.values.dtype.kind == "M" and aware(left):
        texts = [f"{text}+00:00" for text in texts]
    if isinstance(left, sa.Uuid):
        texts = [_dashed(text) if len(text) == 32 else text for text in texts]
    return texts, np.flatnonzero(cells.null)


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def plain(cells: Cells, kind: Any) -> list[Any]:
    """Return cells as Python objects, as the database would hold them: secrets are sealed. None is NULL."""
    values = python_values(cells, kind, postgresql()) if decorated(kind) else objects(cells, kind)
    return [value if value is None else _unwrapped(value) for value in values]


def _unwrapped(value: Any) -> Any:
    """Return what a driver's wrapper holds; as text where only PostgreSQL knows such values."""
    if type(value).__name__ in ("Binary", "Json", "Jsonb"):
        return value.obj
    return any_text(value) if type(value).__module__.startswith(("psycopg", "sqlalchemy")) else value
