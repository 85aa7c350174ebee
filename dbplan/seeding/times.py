"""Columns of time: when a row came to be, and what follows from that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.seeding import makers
from dbplan.seeding.frames import Maker
from dbplan.seeding.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.world import Builder

CREATED = (
    "created_at", "createdat", "created", "created_on", "creation_date", "inserted_at", "occurred_at", "logged_at",
    "recorded_at", "ordered_at", "placed_at", "posted_at", "sent_at", "registered_at", "joined_at", "timestamp",
)  # fmt: skip
LATER = re.compile(
    r"(updated|modified|changed|touched|edited|expir|ends?_|end$|until|due|finish|complet|clos|last_|deleted|cancel|paid|shipped|deliver|revoked|archived|resolved|read_at|seen)",
    re.IGNORECASE,
)
FUTURE = re.compile(r"(expir|until|due|renew)", re.IGNORECASE)


def place_in_time(builder: Builder, column: Column[Any], rule: Mapping[str, Any]) -> tuple[Maker, str] | None:
    """Return the maker of a time that the row's own history decides."""
    kind, source = generic(column.type), builder.source
    if not isinstance(kind, sa.DateTime) or rule:
        return None
    state, span = builder.world.random_state, builder.world.span
    if column.name == source.timed:
        lead = source.lead
        parent = builder.world.sources[lead.parent] if lead is not None else None
        place = source.references.index(lead) if lead is not None else 0
        maker = makers.timeline(state, builder.name, column.name, span, parent, place)
        return maker, f"ascending from the {lead.parent} row's own time" if lead is not None else "ascending"
    limits = builder.facts.limit(column.name)
    if source.timed and LATER.search(column.name) and limits.low is None and limits.high is None:
        within = np.timedelta64(30, "D") if FUTURE.search(column.name) else None
        null = builder.null_share(column)
        maker = makers.after(state, builder.name, column.name, source.timed, within, span, null)
        return maker, f"after {source.timed}"
    return None
