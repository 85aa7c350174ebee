"""Periods: a column that says when something ends, beside one that says when it begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder

BEGINNINGS: Mapping[str, tuple[str, ...]] = {
    "closed": ("opened",),
    "closes": ("opens",),
    "completed": ("started",),
    "end": ("start", "begin"),
    "ended": ("started", "began"),
    "ends": ("starts", "begins"),
    "finish": ("start",),
    "finished": ("started",),
    "out": ("in",),
    "stop": ("start",),
    "stopped": ("started",),
    "till": ("from",),
    "to": ("from",),
    "until": ("from", "since"),
}
"""Words for an end, each with those for the beginning that it goes with."""
PLAIN = frozenset({"min", "max", "values", "weights", "value", "null"})


def beginning(builder: Builder, column: Column[Any]) -> str:
    """Return the column with whose time a column's own period begins, "" where there is none.

    Both are of one kind of time, and no CHECK compares them: what it says is held otherwise.
    """
    own = _words(column.name)
    others = {_words(other.name): other for other in builder.table.columns if _free(builder, other)}
    for at, word in enumerate(own):
        for first in BEGINNINGS.get(word, ()):
            other = others.get((*own[:at], first, *own[at + 1 :]))
            if other is not None and _kind(other) is not None and _kind(other) is _kind(column):
                tied = {frozenset(pair) for pair in builder.facts.compared}
                return "" if frozenset({column.name, other.name}) in tied else str(other.name)
    return ""


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name: valid_from, validFrom."""
    return tuple(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def _kind(column: Column[Any]) -> type[Any] | None:
    return next((kind for kind in (sa.DateTime, sa.Date) if isinstance(generic(column.type), kind)), None)


def _free(builder: Builder, column: Column[Any]) -> bool:
    """Whether a column's values follow from none that its rule names."""
    rule = builder.rule.columns.get(column.name, {})
    return set(rule) <= PLAIN or (rule.get("after") == builder.source.timed and "only_when" not in rule)
