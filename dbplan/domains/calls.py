"""What every data-access function does: look at what it was handed, run a statement, and miss a row with a name."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import CursorResult, Executable
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dbplan.columns import WrongValue, exact, new_id
from dbplan.errors import DbplanError, UsageError

_HASH = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[^$]+\$[^$]+|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")

LARGEST = 2**63 - 1
"""The largest number that a column of integers holds."""


class NotThere(DbplanError):
    """A row that was asked for by its key and does not exist."""


def text(what: str, value: str, most: int) -> str:
    """Return `value` without the space around it; UsageError where nothing or more than `most` characters are left."""
    value = value.strip()
    if not 1 <= len(value) <= most:
        raise UsageError(f"the {what} has {len(value)} characters; it has 1 to {most}")
    return value


def whole(what: str, value: int, least: int, most: int = LARGEST) -> int:
    """Return a number that is `least` to `most`; UsageError for another, for a fraction, and for True and False.

    SQLite would keep a fraction in a column of integers, PostgreSQL would round it, and Python counts True as 1.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UsageError(f"the {what} is {_shown(value)}; it is a whole number, {least} to {most}")
    return value


def price(what: str, value: Decimal | None) -> Decimal | None:
    """Return a price as an exact number, None for none; UsageError for what is none, a third decimal included."""
    if value is None:
        return None
    mend = "it is 0 to 99999999.99 with at most two decimals; give a Decimal, as in Decimal('12.50')"
    with suppress(WrongValue):
        if (amount := exact(value)) >= 0:
            return amount
    raise UsageError(f"the {what} is {_shown(value)}; {mend}")


def email(value: str) -> str:
    """Return an address in lower case; UsageError where it cannot be one."""
    value = text("e-mail address", value.lower(), 254)
    name, _, host = value.rpartition("@")
    if not name or not host:
        raise UsageError(f'"{value}" is no e-mail address; one has an @ with something on both sides')
    return value


def password_hash(value: str) -> str:
    """Return what a password hasher made; UsageError for anything else, such as a password."""
    if not _HASH.fullmatch(value) or len(value) > 255:
        raise UsageError("that is no Argon2id or bcrypt hash; hash the password first, it is never kept")
    return value


def changed(session: Session, statement: Executable, values: Mapping[str, Any]) -> int:
    """Run a statement that writes, and return how many rows it touched."""
    # Of an INSERT SQLAlchemy keeps the count only where it is asked to.
    result = session.execute(statement, values, execution_options={"preserve_rowcount": True})
    return cast("CursorResult[Any]", result).rowcount


def only(session: Session, statement: Executable, values: Mapping[str, Any], missing: DbplanError) -> Any:
    """Return the one row of a statement; raise `missing` where there is none."""
    found = session.execute(statement, values).one_or_none()
    if found is None:
        raise missing
    return found


def _shown(value: object) -> str:
    """Return a number as it is, and of anything else, which may be a secret, only what it is."""
    return str(value) if isinstance(value, int | float | Decimal) else f"of type {type(value).__name__}"


@contextmanager
def refused_as(session: Session, error: DbplanError) -> Iterator[None]:
    """Raise `error` where a constraint refuses what the block writes; the work before it stays, on every server."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError:
        raise error from None


def upsert(
    session: Session, change: Executable, add: Executable, values: Mapping[str, Any], taken: DbplanError
) -> uuid.UUID:
    """Change a row, or add it where there is none, and return its id; raise `taken` where another row is in the way.

    `change` returns the id of what it changed, `add` takes a `new_id` besides. It wants no server's own ON CONFLICT: of
    two who add at once the second is refused by the unique constraint, and then finds the row of the first to change.
    """
    fresh = new_id()
    try:
        with session.begin_nested():
            return _changed_or_added(session, change, add, values, fresh)
    except IntegrityError:
        pass
    with refused_as(session, taken):
        found = session.scalar(change, values)
    if found is None:
        raise taken
    return cast("uuid.UUID", found)


def _changed_or_added(
    session: Session, change: Executable, add: Executable, values: Mapping[str, Any], fresh: uuid.UUID
) -> uuid.UUID:
    found = session.scalar(change, values)
    if found is None:
        session.execute(add, {**values, "new_id": fresh})
    return found or fresh
