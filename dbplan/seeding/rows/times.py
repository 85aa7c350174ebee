"""Columns of time: when a row came to be, and what follows from that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy import types as sa

from dbplan.seeding.constraints.checks import Facts
from dbplan.seeding.recipe.written import written
from dbplan.seeding.rows import makers
from dbplan.seeding.rows.frames import Maker, Source
from dbplan.seeding.rows.periods import allowed, beginning, lasting, partners, snake, usual_length
from dbplan.seeding.rows.precedence import timeline, window
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder

CREATED = (
    "created_at", "createdat", "created", "created_on", "creation_date", "inserted_at", "occurred_at", "logged_at",
    "recorded_at", "ordered_at", "placed_at", "posted_at", "sent_at", "registered_at", "joined_at", "timestamp",
)  # fmt: skip
BEGUN = (
    "booked_at", "reserved_at", "purchased_at", "enrolled_at", "applied_at", "requested_at", "submitted_at",
    "reported_at", "issued_at", "happened_at", "received_at", "paid_at",
)  # fmt: skip
"""Names that say the same of a table that has none of those: only where every row has such a time."""
LATER = re.compile(
    r"(updated|modified|changed|touched|edited|expir|ends?_|end$|until|due|finish|complet|clos|last_|deleted|cancel|paid|shipped|deliver|revoked|archived|resolved|read_at|seen)",
    re.IGNORECASE,
)
REMOVED = re.compile(r"^(delet|archiv|remov|purg|clos)")
"""What is the last that befalls a row."""
TOUCHED = re.compile(r"^(updat|modif|chang|last_)")
AHEAD = re.compile(
    r"(^|_)(check_?in|starts?|begins?|due|depart(s|ure)?|arriv(es|al)|pickup|deliver(y|s)|scheduled|appointment|renew(al|s)?"
    r"|visit|started|accepted|approved|confirmed|assigned)(_(at|on|date|time|day))?$"
)
"""What a row was made for, within weeks."""
WEEKS = np.timedelta64(45, "D")
FUTURE = re.compile(r"(expir|until|due|renew)", re.IGNORECASE)


def created(table: Table, facts: Facts, rules: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the column that says when a row came to be, or ""."""
    named = {column.name.lower(): column for column in table.columns}
    keyed = _keyed(table)
    for name in (*CREATED, *BEGUN):
        column = named.get(name)
        if name in BEGUN and column is not None and (column.nullable or column.name in keyed):
            continue
        if column is not None and set(rules.get(column.name, ())) <= {"min", "max"}:
            plain = not facts.limit(column.name).low and not facts.limit(column.name).high
            if isinstance(generic(column.type), sa.DateTime) and plain and not column.foreign_keys:
                return str(column.name)
    return ""


def _keyed(table: Table) -> set[str]:
    """Return the columns that a unique binds."""
    uniques = (c for c in table.constraints if isinstance(c, PrimaryKeyConstraint | UniqueConstraint))
    sets = [[column.name for column in unique.columns] for unique in uniques]
    sets += [[column.name for column in index.columns] for index in table.indexes if index.unique]
    return {name for names in sets for name in names} | {c.name for c in table.columns if c.unique}


def place_in_time(builder: Builder, column: Column[Any], rule: Mapping[str, Any]) -> tuple[Maker, str] | None:
    """Return the maker of a time that the row's own history decides."""
    kind, source = generic(column.type), builder.source
    state, span = builder.world.random_state, builder.world.span
    if column.name == source.timed:
        low, high = window(span, rule)
        return timeline(builder, column.name, low, high, closed="max" in rule), _ascending(source, rule)
    if not isinstance(kind, sa.DateTime | sa.Date | sa.Time) or rule:
        return None
    limits, null = builder.facts.limit(column.name), builder.null_share(column)
    if limits.low is not None or limits.high is not None:
        return None
    if begins := beginning(builder, column):
        length = usual_length(builder, column, begins)
        return lasting(builder, column, begins, length, null), f"after {begins}, which it ends"
    base, within = _base(builder, column) if not isinstance(kind, sa.Time) else ("", None)
    if not base:
        return None
    maker = makers.after(state, builder.name, column.name, base, within, span, null)
    return makers.whole_days(maker) if isinstance(kind, sa.Date) else maker, f"after {base}"


def _base(builder: Builder, column: Column[Any]) -> tuple[str, np.timedelta64 | None]:
    """Return the column that a time comes after, "" where none is known, and within how long."""
    timed, name = builder.source.timed, snake(column.name)
    whole = not isinstance(generic(column.type), sa.DateTime)
    if not timed:
        return "", None
    if AHEAD.search(name) and _is_ahead(builder, column):
        return timed, WEEKS
    if whole or not LATER.search(column.name):
        return "", None
    if REMOVED.search(name):
        return _touched(builder, column) or timed, None
    return timed, np.timedelta64(30, "D") if FUTURE.search(column.name) else None


def _is_ahead(builder: Builder, column: Column[Any]) -> bool:
    """Whether the CHECKs let a column come soon after the row: others that they compare it with end its own period."""
    ends = {other.name for other in builder.table.columns if beginning(builder, other) == column.name}
    timed = builder.source.timed
    return partners(builder, column.name) <= ends | {timed} and allowed(builder, timed, column.name)


def _touched(builder: Builder, column: Column[Any]) -> str:
    """Return the column that says when a row was last touched, before it came to its end; "" for none."""
    for other in builder.table.columns:
        touches = TOUCHED.search(snake(other.name)) and LATER.search(other.name)
        moment = isinstance(generic(other.type), sa.DateTime) and not builder.rule.columns.get(other.name)
        bound = other.nullable or other.foreign_keys or other.name in _keyed(builder.table)
        if touches and moment and not bound and allowed(builder, other.name, column.name):
            return str(other.name)
    return ""


def _ascending(source: Source, rule: Mapping[str, Any]) -> str:
    """Say what the times of a table's rows follow."""
    waits = [source.references[place].parent for place in source.waits]
    parents = ([source.lead.parent] if source.lead is not None and source.follows else []) + waits
    said = f"ascending from the {' and the '.join(f'{n} row' for n in parents)}'s own time" if parents else "ascending"
    return ", ".join((said, *(f"recipe: {key} = {written(value)}" for key, value in rule.items())))
