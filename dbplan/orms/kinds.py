"""Kinds of values: how they travel between processes as JSON, and in which form results are compared."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

SINGLE = 24
"""Binary digits that a number of single precision holds."""
SAFE = 2**53
"""Whole numbers from here on travel as text: a JavaScript number does not hold them."""

KINDS: tuple[tuple[str, str], ...] = (
    ("Boolean", "bool"),
    ("Integer", "int"),
    ("REAL", "real"),
    ("Float", "float"),
    ("Numeric", "decimal"),
    ("Enum", "enum"),
    ("String", "text"),
    ("Uuid", "uuid"),
    ("DateTime", "timestamp"),
    ("Date", "date"),
    ("Time", "time"),
    ("JSON", "json"),
    ("LargeBinary", "bytes"),
)
"""Kinds by SQLAlchemy's types, the first that fits."""


def kind(of: TypeEngine[Any]) -> str | None:
    """Return the kind of a column's type; None for one that does not take part."""
    from sqlalchemy import types  # not by the processes of contestants: what they import is measured

    if isinstance(of, types.Interval):  # decorates a moment, for servers without intervals
        return None
    inner = of.impl_instance if isinstance(of, types.TypeDecorator) else of
    if isinstance(inner, types.ARRAY):
        return (
            {"text": "texts", "int": "ints"}.get(kind(inner.item_type) or "") if inner.dimensions in (None, 1) else None
        )
    found = next((name for known, name in KINDS if isinstance(inner, getattr(types, known))), None)
    if found == "timestamp" and getattr(inner, "timezone", False):
        return "timestamptz"
    if found == "float" and (getattr(inner, "precision", None) or SINGLE + 1) <= SINGLE:
        return "real"
    if found == "time" and getattr(inner, "timezone", False):
        return None
    return found


def travelling(value: Any, of: str) -> Any:
    """Return a value of a kind in the JSON form in which processes exchange and compare it."""
    return None if value is None else _FORMS.get(of, _same)(value)


def _same(value: Any) -> Any:
    return value


def _int(value: Any) -> int | str:
    number = int(value)
    return number if abs(number) < SAFE else str(number)


def _float(value: Any) -> float | str:
    """Return a number that JSON holds and each language prints alike, else text."""
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number if abs(number) < SAFE else f"{Decimal(repr(number)).normalize():e}"


def _real(value: Any) -> float | str:
    """Return what four bytes hold: some drivers tell them by all digits of eight, others by the few that matter."""
    from ctypes import c_float  # by few processes: what contestants import is measured

    return _float(c_float(float(value)).value)


def _decimal(value: Any) -> str:
    """Return all digits but zeros that say nothing; normalize() would round to 28."""
    number = Decimal(str(value))
    said = f"{number:f}"
    return "0" if number == 0 else said.rstrip("0").rstrip(".") if "." in said else said


def _moment(value: datetime) -> str:
    aware = value.tzinfo is not None
    said = (value.astimezone(UTC).replace(tzinfo=None) if aware else value).isoformat(timespec="milliseconds")
    return f"{said}Z" if aware else said


def _label(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _document(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True))


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "int": _int,
    "float": _float,
    "real": _real,
    "decimal": _decimal,
    "text": str,
    "bool": bool,
    "uuid": lambda value: str(value if isinstance(value, UUID) else UUID(str(value))),
    "timestamp": _moment,
    "timestamptz": _moment,
    "date": lambda value: value.isoformat()[:10],
    "time": lambda value: value.replace(microsecond=0).isoformat(),
    "json": _document,
    "enum": _label,
    "bytes": lambda value: bytes(value).hex(),
    "texts": lambda values: [None if value is None else str(value) for value in values],
    "ints": lambda values: [None if value is None else _int(value) for value in values],
}

_NATIVES: Mapping[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "real": float,
    "decimal": Decimal,
    "uuid": UUID,
    "timestamp": datetime.fromisoformat,
    "timestamptz": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "bytes": bytes.fromhex,
    "ints": lambda values: [None if value is None else int(value) for value in values],
}


def native(value: Any, of: str) -> Any:
    """Return Python's own value of what travelled."""
    return None if value is None else _NATIVES.get(of, _same)(value)
