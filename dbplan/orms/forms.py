"""Forms: how values without a type of their own in SQLite stand in its files, by contestant.

SQLite has no UUIDs, moments, decimals or documents: each library stores them in its own way, and finds only what is
stored so. A contestant's files therefore hold every value in the form that it writes itself; whether it does is seen
from the rows that it has inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULTS = {
    "uuid": "32 characters",
    "timestamp": "text, 6 digits",
    "timestamptz": "text, 6 digits",
}
"""What SQLAlchemy writes, and with it the rows that a plan is seeded with."""


def _spaced(value: datetime) -> str:
    return _naive(value).isoformat(" ")


def _naive(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _milliseconds(value: datetime) -> int:
    return (_aware(value) - _EPOCH) // timedelta(milliseconds=1)


WRITERS: Mapping[str, Callable[[Any], Any]] = {
    "32 characters": lambda value: value.hex,
    "36 characters": str,
    "16 bytes": lambda value: value.bytes,
    "text, 6 digits": lambda value: _naive(value).isoformat(" ", "microseconds"),
    "text": _spaced,
    "text, +00:00": lambda value: _aware(value).isoformat(" "),
    "text, T, milliseconds, Z": lambda value: _naive(value).isoformat("T", "milliseconds") + "Z",
    "text, T, milliseconds, +00:00": lambda value: _aware(value).isoformat("T", "milliseconds"),
    "text, milliseconds": lambda value: _naive(value).isoformat(" ", "milliseconds"),
    "milliseconds since 1970": _milliseconds,
    "seconds since 1970": lambda value: _milliseconds(value) // 1000,
}
"""From Python's own value, by the name of the form."""


def found(value: Any, kind: str) -> Any:
    """Return Python's own value of what stands in a file, or of what a library makes of it, in whatever form."""
    return value if value is None else _READERS.get(kind, _same)(value)


def compared(value: Any, kind: str) -> Any:
    """Return a value as results and states are compared by: decimals to 12 digits.

    What SQLite keeps of a decimal is a float, and floats are what it adds up.
    """
    return f"{float(value):.12g}" if kind == "decimal" and value is not None else found(value, kind)


def _same(value: Any) -> Any:
    return value


def _uuid(value: Any) -> UUID:
    if isinstance(value, UUID):
        return value
    return UUID(bytes=bytes(value)) if isinstance(value, bytes | memoryview) else UUID(str(value))


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, int | float):  # of seconds or milliseconds; the year 5138 in seconds
        return _EPOCH + (timedelta(milliseconds=value) if abs(value) > 1e11 else timedelta(seconds=value))
    return datetime.fromisoformat(str(value))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "uuid": _uuid,
    "timestamp": lambda value: _naive(_moment(value)),
    "timestamptz": lambda value: _aware(_moment(value)),
    "date": lambda value: value if isinstance(value, date) else date.fromisoformat(str(value)[:10]),
    "time": lambda value: (value if isinstance(value, time) else time.fromisoformat(str(value))).replace(tzinfo=None),
    "bool": bool,
    "bytes": bytes,
}


def forms_of(value: Any, kind: str) -> tuple[str, ...]:
    """Return the forms in which a value may stand in a file as it does; else what type it is of there.

    A moment without fractions of a second looks alike in several.
    """
    own = found(value, kind)
    names = UUIDS if kind == "uuid" else [name for name in WRITERS if name not in UUIDS]
    return tuple(name for name in names if WRITERS[name](own) == value) or (f"as {type(value).__name__}",)


UUIDS = ("32 characters", "36 characters", "16 bytes")
"""The forms of UUIDs."""
