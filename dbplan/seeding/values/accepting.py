"""A project's own column types: which of the values known here its bind function takes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from enum import Enum
from typing import Any

import numpy as np
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite

from dbplan.seeding.loading.encode import decorated, python_values
from dbplan.seeding.rows.cells import present
from dbplan.seeding.values.domains import Choice, Domain, Integers, Moments, Uuids
from dbplan.seeding.values.infer import Respelled, Span, generic

TRIED = 3
"""Values of a domain that are handed to the bind function before it is trusted with all of them."""


def accepted(kind: Any, made: Domain | None, span: Span) -> Domain | None:
    """Return the domain, or the first other one whose values the type's own bind function takes; None for none.

    A type says in SQL what it is kept as, not what it is given: a UUID kept as CHAR(32), a document kept as TEXT.
    """
    if not decorated(kind):
        return made
    return next((d for d in (made, *_others(kind, span)) if d is not None and _takes(kind, d)), None)


def _others(kind: Any, span: Span) -> Iterator[Domain]:
    for members in enums(kind):
        yield Choice(members)
    yield Uuids()
    yield Respelled(Uuids(), uuid.UUID)
    yield Choice(({},))
    yield Choice(([],))
    yield Integers(1, 10_000)
    yield Moments(span.start, span.end)
    yield Choice((False, True))


def enums(kind: Any) -> Iterator[tuple[Enum, ...]]:
    """Yield the members of enumerations that a type holds on to."""
    for value in vars(kind).values():
        if isinstance(value, type) and issubclass(value, Enum) and len(value):
            yield tuple(value)


def _takes(kind: Any, domain: Domain) -> bool:
    count = min(TRIED, domain.capacity)
    cells = present(domain.nth(np.arange(count, dtype=np.int64)))
    return count > 0 and all(_written(kind, cells, dialect) for dialect in _dialects())


def _written(kind: Any, cells: Any, dialect: Dialect) -> bool:
    """Say whether the bind function takes the cells and what it makes of them fits the column."""
    try:
        values = python_values(cells, kind, dialect)
    except Exception:  # a stranger's type may raise anything
        return False
    length = getattr(generic(kind), "length", None)
    texts = [value for value in values if isinstance(value, str)]
    return None not in values and (length is None or all(len(text) <= length for text in texts))


def _dialects() -> tuple[Dialect, ...]:
    return postgresql.dialect(), sqlite.dialect()  # type: ignore[no-untyped-call]
