"""What a rehearsal has seen: plain facts that the rules judge."""

from __future__ import annotations

from dataclasses import dataclass

from dbplan.evidence import Difference, Place, Server, Step
from dbplan.migration.history import Revision


@dataclass(frozen=True)
class Loss:
    """Rows of a table, or values of a column, that a move and its way back did not bring back.

    `during` says which move they were lost in, `up` or `down`; `lost` of `total` rows or values are gone.
    `filled`: only NULLs are gone, they have a value now. `since`: the rows were written after the upgrade.
    """

    place: Place
    during: str
    lost: int
    total: int
    filled: bool = False
    since: bool = False


@dataclass(frozen=True)
class Rehearsed:
    """One revision: its steps, and what differs after them.

    `restored` is the schema after down against the one before up; `repeated` the one after the second up against
    the first. Both are None where that was not reached. `unseeded` says why tables were empty, or "".
    """

    revision: Revision
    steps: tuple[Step, ...] = ()
    restored: tuple[Difference, ...] | None = None
    repeated: tuple[Difference, ...] | None = None
    losses: tuple[Loss, ...] = ()
    no_way_back: str = ""
    fails_when_empty: bool = False
    unseeded: str = ""
    sql: str = ""
    no_sql: str = ""


BEFORE, SINCE = "old rows", "new rows"
"""What `Step.place.statement` says of the rows that a step met: from before the upgrade, or written since."""


@dataclass(frozen=True)
class Rehearsal:
    """A whole chain: what was rehearsed, what could not be, and how models and migrated schema differ.

    `drift` is None where the head was not reached; `alembic` is how its command line is called for this plan.
    """

    server: Server
    heads: tuple[str, ...]
    revisions: tuple[Rehearsed, ...] = ()
    not_reached: tuple[Revision, ...] = ()
    drift: tuple[Difference, ...] | None = None
    alembic: str = "alembic"
