"""Periods: a column that says when something ends, beside one that says when it begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.seeding.rows import makers
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.rows.frames import Frame, Maker
from dbplan.seeding.rows.stream import Array, bits, key, unit
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
    "left": ("hired", "joined"),
    "terminated": ("hired", "started"),
    "finished": ("started",),
    "out": ("in",),
    "stop": ("start",),
    "stopped": ("started",),
    "till": ("from",),
    "to": ("from",),
    "until": ("from", "since"),
}
"""Words for an end, each with those for the beginning that it goes with."""


@dataclass(frozen=True)
class Length:
    """How long something lasts: up to `most`, in whole steps, of which it is at least one."""

    most: np.timedelta64
    step: np.timedelta64

    def lasts(self, share: Array, attempt: int) -> Array:
        """Return lengths by their share of the longest; tried again, also far shorter and longer ones."""
        most = int(self.most // self.step)
        if not attempt:
            return np.asarray((1 + (share * most).astype(np.int64)) * self.step.astype("timedelta64[us]"))
        micros = share * (self.most.astype("timedelta64[us]").astype(np.int64) * (1 / 60, 30, 300)[attempt % 3])
        day = np.timedelta64(1, "D")
        whole = day if self.step >= day else np.timedelta64(1, "us")
        unit_of = whole.astype("timedelta64[us]")
        return np.asarray((1 + (micros // unit_of.astype(np.int64)).astype(np.int64)) * unit_of)


HOURS = Length(np.timedelta64(8 * 60, "m"), np.timedelta64(15, "m"))
DAYS = Length(np.timedelta64(14, "D"), np.timedelta64(1, "D"))
MONTHS = Length(np.timedelta64(360, "D"), np.timedelta64(30, "D"))
MORNING, MIDNIGHT = np.timedelta64(9 * 3600 * 10**6, "us"), np.timedelta64((86_400 - 1) * 10**6, "us")
COURSES = re.compile(r"(^|_| )(course|class|classe|project|campaign|programme|program|opened|closed|hired)s?(_|$| )")
"""What lasts for months where its ends are days."""
LONG = re.compile(
    r"(^|_)(valid|contract|membership|subscription|licen[cs]e|lease|employ(ment|ee)|warrant(y|ie)|polic(y|ie)|term|season"
    r"|semester|tenanc(y|ie)|enrol?lment|insurance|open)s?(_|$)"
)
"""What lasts for months."""
SHORT = re.compile(
    r"(^|_)(shift|visit|meeting|appointment|event|class|classe|lesson|session|slot|call|exam|lecture|consultation)s?(_|$)"
)
"""What lasts for hours."""
STAY = re.compile(
    r"check_?(in|out)|(^|_)(stay|rental|trip|tour|holiday|vacation|leave|absence|loan|campaign|project)s?(_|$| )"
)
"""What lasts for days even where its ends are told to the second."""
AT_WORK = re.compile(r"(^|_)(finished|completed|ended|stopped)(_|$)")
PLAIN = frozenset({"min", "max", "values", "weights", "value", "null"})


def beginning(builder: Builder, column: Column[Any]) -> str:
    """Return the column with whose time a column's own period begins, "" where there is none.

    Both are of one kind of time, and no CHECK says more of the end than that it is later: that is held otherwise.
    """
    own = _words(column.name)
    others = {_words(other.name): other for other in builder.table.columns if _free(builder, other)}
    for at, word in enumerate(own):
        for first in BEGINNINGS.get(word, ()):
            other = others.get((*own[:at], first, *own[at + 1 :]))
            if other is not None and _kind(other) is not None and _kind(other) is _kind(column):
                alone = partners(builder, column.name) <= {other.name} and allowed(builder, other.name, column.name)
                return str(other.name) if alone else ""
    return ""


def allowed(builder: Builder, first: str, second: str) -> bool:
    """Whether the CHECKs let one column always come before another: where they compare them, they say just that."""
    ordered = any((low, high) == (first, second) for low, high, _ in builder.facts.orders)
    return ordered or (first, second) not in builder.facts.compared


def partners(builder: Builder, name: str) -> set[str]:
    """Return the columns that a CHECK compares a column with."""
    return {other for one, other in builder.facts.compared if one == name}


def usual_length(builder: Builder, column: Column[Any], begins: str) -> Length:
    """Return how long a column's own period usually is, by the words of its ends and of its table."""
    name, table, kind = snake(f"{column.name} {begins}"), snake(builder.table.name), _kind(column)
    if kind is sa.Time:
        return HOURS
    if (
        (kind is sa.Date and COURSES.search(f"{name} {table}"))
        or LONG.search(name.replace(" ", "_"))
        or LONG.search(table)
    ):
        return MONTHS
    if kind is sa.Date or (not SHORT.search(table) and STAY.search(f"{name} {table}")):
        return DAYS
    return (
        HOURS if SHORT.search(table) or re.search(r"(_at|_time)$", snake(column.name)) or AT_WORK.search(name) else DAYS
    )


def lasting(builder: Builder, column: Column[Any], begins: str, length: Length, null: float) -> Maker:
    """Return a maker of times that end what another column of the row begins."""
    state, table, name, none = builder.world.random_state, builder.name, column.name, builder.world.span.start

    def make(frame: Frame) -> Cells:
        attempt, cells = frame.attempt(name), frame[begins]
        random = unit(bits(key(state, table, name, attempt), frame.rows))
        lasts = length.lasts(random**2, attempt)
        share = null if not attempt or null in (0.0, 1.0) else 0.5
        absent = makers.emptied(state, table, name, frame.rows, share, attempt)
        if cells.values.dtype.kind == "m":
            start = np.where(cells.null, MORNING, cells.values).astype(MORNING.dtype)
            return Cells(np.minimum(start + lasts, MIDNIGHT), absent)
        return Cells(np.where(cells.null, none, cells.values).astype("datetime64[us]") + lasts, absent)

    return make


def snake(name: str) -> str:
    """Return a name in small letters, its words apart: valid_from for validFrom."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _words(name: str) -> tuple[str, ...]:
    return tuple(snake(name).split("_"))


def _kind(column: Column[Any]) -> type[Any] | None:
    return next((kind for kind in (sa.DateTime, sa.Date, sa.Time) if isinstance(generic(column.type), kind)), None)


def _free(builder: Builder, column: Column[Any]) -> bool:
    """Whether a column's values follow from none that its rule names."""
    rule = builder.rule.columns.get(column.name, {})
    return set(rule) <= PLAIN or (rule.get("after") == builder.source.timed and "only_when" not in rule)
