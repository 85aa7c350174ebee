"""Children given to their parents by hand, for those who read each level with a statement of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def keys_of(rows: Sequence[Row], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return what children of the rows may refer to, each once; what holds NULL has no children."""
    found = dict.fromkeys(tuple(row[name] for name in columns) for row in rows)
    return [key for key in found if None not in key]


def attach(rows: Sequence[Row], columns: Sequence[str], children: Sequence[Row], own: Sequence[str]) -> None:
    """Give each row its children, in the order in which they were read."""
    of: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for child in children:
        of[tuple(child[name] for name in own)].append(child)
    for row in rows:
        row["children"] = of.get(tuple(row[name] for name in columns), [])


def needed(columns: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Return columns with others that joining wants."""
    return tuple(dict.fromkeys((*columns, *others)))
