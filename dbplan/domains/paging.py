"""Pages by cursor: each starts where the last one ended, and costs the same however far down it is."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, Table, bindparam
from sqlalchemy import tuple_ as row

from dbplan.domains.calls import whole

NEWEST = dt.datetime.max.replace(tzinfo=dt.UTC)
LAST_ID = uuid.UUID(int=2**128 - 1)
"""What no row comes after: a page below them is the first."""

FIRST_ID = uuid.UUID(int=0)
"""What no row comes before."""

LIMIT = bindparam("limit", type_=Integer)


class Cursor(NamedTuple):
    """The place in a newest-first list that a page starts below."""

    created_at: dt.datetime
    id: uuid.UUID

    @classmethod
    def of(cls, entry: Any) -> Cursor:
        """Return the cursor that continues after `entry`, the last one of a page."""
        return cls(entry.created_at, entry.id)

    def page(self, limit: int) -> dict[str, Any]:
        """Return what a statement cut by `newest_first` is to be run with; UsageError for a senseless limit."""
        return {"before": self.created_at, "before_id": self.id, "limit": bounded(limit)}


TOP = Cursor(NEWEST, LAST_ID)
"""The cursor of a first page."""


def newest_first(statement: Select[Any], table: Table) -> Select[Any]:
    """Return the statement cut to the `limit` newest rows written before the cursor `before`, `before_id`.

    The key of a row tells apart what was written in the same instant.
    """
    place = row(table.c.created_at, table.c.id)
    cursor = row(bindparam("before", type_=table.c.created_at.type), bindparam("before_id", type_=table.c.id.type))
    return statement.where(place < cursor).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(LIMIT)


def bounded(limit: int, most: int = 1000) -> int:
    """Return a limit that is 1 to `most`; UsageError for another."""
    return whole("limit", limit, 1, most)
