"""CHECKs on what a column type writes rather than on what it is given: its own bind function holds them."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from dbplan.encryption import rehearsal
from dbplan.seeding.constraints.checks import Facts, Limits, facts
from dbplan.seeding.constraints.members import note_members
from dbplan.seeding.constraints.predicate import Expression
from dbplan.seeding.loading.encode import decorated, python_values
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.values.accepting import accepted
from dbplan.seeding.values.domains import as_array
from dbplan.seeding.values.infer import Span, domain

TRIED = 16
"""Values by which it is found out that a type holds a condition."""
SPAN = Span(np.datetime64("2024-01-01", "us"), np.datetime64("2026-01-01", "us"))


def facts_of(table: Table) -> Facts:
    """Return what the CHECKs of a table say of values before they are bound.

    A condition on a sealed text or a digest says nothing of them: the type makes it true of whatever it is given.
    """
    known, there = _read.setdefault(table, {}), frozenset(map(id, table.constraints))
    if there not in known:
        known.clear()
        known[there] = facts(table, lambda name, condition: _is_held(name, table.columns[name].type, condition))
        note_members(known[there], table)
    return known[there].copied()


_read: WeakKeyDictionary[Table, dict[frozenset[int], Facts]] = WeakKeyDictionary()
"""Facts of tables: they are asked for at many places, and reading takes a hundredth of a second."""


def _is_held(name: str, kind: Any, condition: Expression) -> bool:
    """Whether a condition on one column fails on values and holds on all that their type makes of them."""
    if not decorated(kind):
        return False
    try:
        with rehearsal():
            given = accepted(kind, domain(name, kind, Limits(), SPAN), SPAN)
            if given is None:
                return False
            cells = present(given.nth(np.arange(min(TRIED, given.capacity), dtype=np.int64)))
            written = [python_values(cells, kind, dialect) for dialect in (postgresql.dialect(), sqlite.dialect())]  # type: ignore[no-untyped-call]
        return not _holds(condition, cells) and all(_holds(condition, present(as_array(v))) for v in written)
    except Exception:  # a stranger's type may raise anything, and a condition may be more than is computed here
        return False


def _holds(condition: Expression, cells: Cells) -> bool:
    return bool(condition.holds(lambda _: cells, len(cells)).all())
