"""Defaults: what a column holds where a row written out says nothing of it. Never the clock, never chance."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
from sqlalchemy import Column, Identity
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.checks import Limits, sql_text
from dbplan.seeding.constraints.predicate import expression
from dbplan.seeding.loading.encode import decorated
from dbplan.seeding.recipe.literals import from_python
from dbplan.seeding.rows.stream import key, permuted
from dbplan.seeding.values.domains import uuid_texts
from dbplan.seeding.values.infer import generic

_CLOCK = re.compile(r"now\(|current_(time|date)|localtime|_timestamp\(|sysdate|strftime|datetime\(", re.IGNORECASE)


class Left:
    """What stands for a value that only the server knows."""


LEFT = Left()


class Counted:
    """What stands for the next whole number of a key that counts up."""


COUNTED = Counted()


def default(column: Column[Any], row: int, start: np.datetime64) -> Any:
    """Return the cell of a column in a row that leaves it out: its default's, else None for NULL.

    Times are `start`; UUIDs follow from the table, the column and the number of the row. A default that only the
    server can compute is LEFT to it, a key that counts up is COUNTED. ValueError for one that cannot be called here.
    """
    if column.computed is not None:
        return LEFT
    if column.default is not None:
        return _from_python(column, row, start)
    if column.identity is not None or _is_serial(column):
        return COUNTED
    if column.server_default is None:
        return None
    argument: Any = getattr(column.server_default, "arg", None)
    if argument is None:
        return LEFT
    if isinstance(argument, str):
        return _spelled(argument, column)
    return _from_sql(sql_text(argument), column, row, start)


def _is_serial(column: Column[Any]) -> bool:
    text = str(getattr(column.server_default, "arg", ""))
    return column is column.table.autoincrement_column or "nextval(" in text


def _from_python(column: Column[Any], row: int, start: np.datetime64) -> Any:
    made: Any = column.default
    if made.is_sequence:
        return COUNTED
    if made.is_clause_element:
        return _from_sql(sql_text(made.arg), column, row, start)
    if not made.is_callable:
        return from_python(made.arg, column.type)
    if isinstance(generic(column.type), sa.Uuid):
        return _derived(column, row, start)
    if isinstance(generic(column.type), sa.DateTime | sa.Date):
        return start
    try:
        return from_python(made.arg(None), column.type)
    except Exception as error:  # it may want a context that only an INSERT has
        raise ValueError(f"its default cannot be called here ({error})") from None


def _from_sql(text: str, column: Column[Any], row: int, start: np.datetime64) -> Any:
    kind = generic(column.type)
    if isinstance(kind, sa.DateTime | sa.Date) and _CLOCK.search(text):
        return start if re.search(r"interval|\+|-\s*'", text, re.IGNORECASE) is None else LEFT
    if isinstance(kind, sa.Uuid) and text.rstrip().endswith(")"):
        return _derived(column, row, start)
    try:
        found = expression(text, ()).cells(lambda _: _nothing(), 1)
    except (NotCovered, TypeError, ValueError):
        return LEFT
    value = None if found.null[0] else found.values[:1].tolist()[0]
    return _spelled(value, column) if isinstance(value, str) else _as_typed(value, column)


def _nothing() -> Any:
    raise NotCovered("a default reads no column")


def _spelled(text: str, column: Column[Any]) -> Any:
    """Return a literal of SQL as a cell; it is as stored, so that a type that stores something else leaves it there."""
    kind = generic(column.type)
    if decorated(column.type) and not isinstance(kind, sa.Numeric):
        return LEFT
    if isinstance(kind, sa.Boolean):
        return text.lower() in {"true", "t", "1", "yes", "on"}
    if isinstance(kind, sa.JSON):
        return json.loads(text)
    if isinstance(kind, sa.Integer):
        return int(text)
    if isinstance(kind, sa.Float):
        return float(text)
    if isinstance(kind, sa.DateTime | sa.Date):
        return np.datetime64(text.replace(" ", "T")[:26], "us")
    return from_python(text, column.type) if isinstance(kind, sa.Numeric | sa.Uuid | sa.String) else LEFT


def _as_typed(value: Any, column: Column[Any]) -> Any:
    kind = generic(column.type)
    if value is None or (isinstance(kind, sa.Boolean) and value in (0, 1)):
        return value if value is None else bool(value)
    return from_python(value, column.type) if isinstance(kind, sa.Numeric | sa.Integer) else LEFT


def _derived(column: Column[Any], row: int, start: np.datetime64) -> str:
    """Return a UUID that is the same in every run; those of version 7 sort in the order of the rows."""
    stream = key(0, "fixed", column.table.key, column.name)
    low = permuted(stream, np.array([row], dtype=np.int64), 2**62).astype(np.uint64)
    if version_of(column) != 7:
        high = permuted(stream + np.uint64(1), low.astype(np.int64), 2**62).astype(np.uint64)
        return str(uuid_texts(high, low, version=4)[0])
    millis = int(start.astype("datetime64[ms]").astype(np.int64))
    high = np.array([(millis << 16) | row], dtype=np.uint64)
    return str(uuid_texts(high, low, version=7)[0])


def version_of(column: Column[Any]) -> int:
    """Return the UUID version that a column's default gives; 4 where it has none."""
    default = column.default
    if default is not None and getattr(default, "is_callable", False):
        try:
            return int(getattr(default.arg(None), "version", None) or 4)  # type: ignore[attr-defined]
        except Exception:  # a default may want a context that only an INSERT has
            return 4
    text = str(getattr(column.server_default, "arg", ""))
    return 7 if "uuidv7" in text or "uuid_generate_v7" in text else 4


def first_number(column: Column[Any], limits: Limits) -> int:
    """Return where a key that counts up begins."""
    start = column.identity.start if isinstance(column.identity, Identity) and column.identity.start else 1
    low = limits.low if isinstance(limits.low, int) else None
    return max(start, low + limits.low_open) if low is not None else start
