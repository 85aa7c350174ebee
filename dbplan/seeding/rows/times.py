"""Columns of time: when a row came to be, and what follows from that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column, Table
from sqlalchemy import types as sa

from dbplan.seeding.constraints.checks import Facts
from dbplan.seeding.recipe.written import written
from dbplan.seeding.rows import makers
from dbplan.seeding.rows.frames import Maker, Source
from dbplan.seeding.rows.periods import beginning
from dbplan.seeding.rows.precedence import timeline, window
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder

CREATED = (
    "created_at", "createdat", "created", "created_on", "creation_date", "inserted_at", "occurred_at", "logged_at",
    "recorded_at", "ordered_at", "placed_at", "posted_at", "sent_at", "registered_at", "joined_at", "timestamp",
)  # fmt: skip
LATER = re.compile(
    r"(updated|modified|changed|touched|edited|expir|ends?_|end$|until|due|finish|complet|clos|last_|deleted|cancel|paid|shipped|deliver|revoked|archived|resolved|read_at|seen)",
    re.IGNORECASE,
)
PERIOD = np.timedelta64(90, "D")
"""How long a period is at most, of which only the names of its ends are known."""
FUTURE = re.compile(r"(expir|until|due|renew)", re.IGNORECASE)


def created(table: Table, facts: Facts, rules: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the column that says when a row came to be, or ""."""
    named = {column.name.lower(): column for column in table.columns}
    for name in CREATED:
        column = named.get(name)
        if column is not None and set(rules.get(column.name, ())) <= {"min", "max"}:
            plain = not facts.limit(column.name).low and not facts.limit(column.name).high
            if isinstance(generic(column.type), sa.DateTime) and plain and not column.foreign_keys:
                return str(column.name)
    return ""


def place_in_time(builder: Builder, column: Column[Any], rule: Mapping[str, Any]) -> tuple[Maker, str] | None:
    """Return the maker of a time that the row's own history decides."""
    kind, source = generic(column.type), builder.source
    state, span = builder.world.random_state, builder.world.span
    if column.name == source.timed:
        low, high = window(span, rule)
        return timeline(builder, column.name, low, high, closed="max" in rule), _ascending(source, rule)
    if not isinstance(kind, sa.DateTime | sa.Date) or rule:
        return None
    limits, null = builder.facts.limit(column.name), builder.null_share(column)
    if limits.low is not None or limits.high is not None:
        return None
    if begins := beginning(builder, column):
        maker = makers.after(state, builder.name, column.name, begins, PERIOD, span, null)
        return makers.whole_days(maker) if isinstance(kind, sa.Date) else maker, f"after {begins}, which it ends"
    if isinstance(kind, sa.DateTime) and source.timed and LATER.search(column.name):
        within = np.timedelta64(30, "D") if FUTURE.search(column.name) else None
        maker = makers.after(state, builder.name, column.name, source.timed, within, span, null)
        return maker, f"after {source.timed}"
    return None


def _ascending(source: Source, rule: Mapping[str, Any]) -> str:
    """Say what the times of a table's rows follow."""
    waits = [source.references[place].parent for place in source.waits]
    parents = ([source.lead.parent] if source.lead is not None and source.follows else []) + waits
    said = f"ascending from the {' and the '.join(f'{n} row' for n in parents)}'s own time" if parents else "ascending"
    return ", ".join((said, *(f"recipe: {key} = {written(value)}" for key, value in rule.items())))
