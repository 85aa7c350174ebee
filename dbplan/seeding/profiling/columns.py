"""One column by its values: NULLs, different values, ends, lengths, the most common ones."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Hashable, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from dbplan.evidence import ColumnProfile, Place

COMMON = 3
"""So many of the most common values are kept."""
WIDEST = 40
"""Characters of a value that are shown."""
NUMBERS = (int, float, Decimal)


def column_profile(
    place: Place, values: Sequence[Any], asked: float | None = None, *, sealed: bool = False
) -> ColumnProfile:
    """Return what a column's values tell; of a sealed one, of secrets or keys, no value is shown."""
    n, present = len(values), [value for value in values if value is not None]
    counted = Counter(map(_key, present))
    low, high = (None, None) if sealed else _ends(present)
    lengths = [len(value) for value in present if isinstance(value, str)]
    return ColumnProfile(
        place,
        n,
        (n - len(present)) / n if n else None,
        asked,
        len(counted) if n else None,
        low,
        high,
        min(lengths, default=None),
        max(lengths, default=None),
        () if sealed else _common(counted, len(present)),
    )


def _key(value: Any) -> Hashable:
    """Return what tells values apart: documents, lists and a type's own objects by what they hold."""
    try:
        hash(value)
    except TypeError:
        return shown(value, None)
    return value  # type: ignore[no-any-return]


def _ends(values: Sequence[Any]) -> tuple[str | None, str | None]:
    """Return the least and the largest number or time; none of anything else."""
    kinds = {type(value) for value in values}
    if not kinds or not all(issubclass(kind, (*NUMBERS, dt.date, dt.time, dt.timedelta)) for kind in kinds):
        return None, None
    if bool in kinds:
        return None, None
    try:
        return shown(min(values)), shown(max(values))
    except TypeError:  # of kinds that do not compare
        return None, None


def _common(counted: Counter[Hashable], n: int) -> tuple[tuple[str, float], ...]:
    often = [(value, count) for value, count in counted.items() if count > 1]
    often.sort(key=lambda item: (-item[1], str(item[0])))
    return tuple((shown(value), count / n) for value, count in often[:COMMON])


def shown(value: Any, widest: int | None = WIDEST) -> str:
    """Return a value as a report shows it: as the database has it, on one line, cut where it is long."""
    text = " ".join(_written(value).split())
    return text if widest is None or len(text) <= widest else f"{text[: widest - 1]}…"


def _written(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, Enum):
        return _written(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    if isinstance(value, dict | list):
        return json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)
    return str(value)
