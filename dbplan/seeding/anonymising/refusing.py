"""What a server refuses while rows are copied, in words that hold no value of a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from dbplan.errors import CannotWrite, ConnectionFailed, Unsatisfiable, UsageError


@contextmanager
def told(source: Engine, target: Engine) -> Iterator[None]:
    """Raise what either server refuses as an error of dbplan."""
    drivers = tuple(getattr(engine.dialect.dbapi, "Error", DBAPIError) for engine in (source, target))
    try:
        yield
    except (DBAPIError, *drivers) as error:
        raise _explained(error) from None


def _explained(error: Any) -> Exception:
    said, where = _said(error), " ".join(getattr(error, "__notes__", ()))
    where = f" at {where}" if where else ""
    low = said.lower()
    if "permission denied" in low or "row-level security" in low or "row security" in low:
        return UsageError(f"nothing was kept{where}: {said}; read as a role that may see every row of every table")
    if any(word in low for word in ("disk full", "no space", "readonly", "read-only", "disk i/o", "locked")):
        return CannotWrite(f"nothing was kept{where}: {said}")
    if "connection" in low and "constraint" not in low:
        return ConnectionFailed(f"a database went away{where}, and nothing was kept: {said}")
    if "unique" in low or "duplicate" in low:
        mend = 'where it is a replaced column, another random state or the rule "scramble" keeps apart what became one'
        return Unsatisfiable(f"values that are unique in the target met{where}, and nothing was kept: {said}; {mend}")
    return Unsatisfiable(
        f"the target refused a row{where}, and nothing was kept: {said}; "
        'give the column a rule such as "scramble", which keeps the shape of a text, "drop" or "keep"'
    )


def _said(error: Any) -> str:
    """Return a server's own sentence without values: those stand in its details, or after a colon or in quotes."""
    origin = getattr(error, "orig", None) or error
    diagnosis = getattr(origin, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    if primary:
        state = str(getattr(diagnosis, "sqlstate", "") or "")
        return re.sub(r": \".*", "", primary, flags=re.DOTALL) if state.startswith("22") else str(primary)
    last = origin.args[-1] if getattr(origin, "args", ()) else origin
    return re.sub(r"'[^']*' for (key|column)", r"a value for \1", " ".join(str(last).split()))[:300]
