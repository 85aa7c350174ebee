"""What throwaway databases are called: names that prove themselves to be dbplan's."""

from __future__ import annotations

import re
from hashlib import blake2b

_NAME = re.compile(r"dbplan_(?P<slug>[a-z0-9_]{1,32})_(?P<random>[0-9a-f]{8})(?P<check>[0-9a-f]{8})")


def slug(name: str) -> str:
    """Return what of a plan's name can stand in a database's name."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:24].strip("_") or "plan"


def name_for(plan: str, number: int, token: str) -> str:
    """Return the name of the numbered database of a token."""
    return f"dbplan_{slug(plan)}_{number}_{token}{_check(token)}"


def token_of(database: str) -> str | None:
    """Return the random part of a name that dbplan has made, None for every other name.

    The name proves itself: half of its last part is a digest of the other half, so that the mark stands
    from the moment of creation and no chosen name carries it by accident.
    """
    found = _NAME.fullmatch(database)
    return found["random"] if found and found["check"] == _check(found["random"]) else None


def _check(random: str) -> str:
    return blake2b(random.encode(), digest_size=4, person=b"dbplan").hexdigest()
