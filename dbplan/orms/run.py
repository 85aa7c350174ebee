"""`compare_orms`: prepare, gather, judge."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random

from dbplan.encryption import rehearsal
from dbplan.errors import NotCovered, UsageError
from dbplan.evidence import OrmFeature
from dbplan.orms import installing
from dbplan.orms.contestants import CONTESTANTS, Contestant
from dbplan.orms.counting import Meter, meter
from dbplan.orms.deriving import Derived
from dbplan.orms.entrants import entrants, wanted
from dbplan.orms.facts import Gathered
from dbplan.orms.gathering import Gathering, Progress, cold_starts, scenarios, taking, volumes
from dbplan.orms.judging import judge
from dbplan.orms.load import CLIENTS
from dbplan.orms.measuring import Effort
from dbplan.orms.referee import Referee
from dbplan.orms.renewing import Renewal, may_renew
from dbplan.orms.scoring import weights
from dbplan.orms.sqlite_referee import SETTING, UNCOUNTED, FileReferee
from dbplan.orms.trial import Seats
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.sandbox import Stage, sandbox
from dbplan.seeding import seed

FULL = Effort(
    rounds=20, seconds=4.5, warm=12, checks=5, parents=(1, 10, 100), load=0.4, load_runs=5, writes=200, starts=3,
    shared=False,
)  # fmt: skip
QUICK = Effort(
    rounds=8, seconds=1.0, warm=6, checks=3, parents=(1, 10), load=0.1, load_runs=3, writes=60, starts=1, shared=True
)
LARGEST = 20_000
"""Rows of the largest table: every contestant gets several databases of its own."""
ALTOGETHER = 200_000
"""Rows that a plan without row counts gets over all its tables."""


@rehearsal()
def compare_orms(
    plan: Plan,
    orms: Sequence[str] | str | None = None,
    *,
    on: str | None = None,
    rows: int | None = None,
    quick: bool = False,
    random_state: int = 7,
    install: bool = False,
    progress: Callable[[float, str], None] | None = None,
) -> Report:
    """Compare ORMs on the plan's own tables: every result checked, timed beside the raw driver, statements counted.

    `orms` are names of contestants, or one name, all without; the raw drivers of their languages always take part.
    `on` is "postgresql" (the embedded server), the URL of a PostgreSQL server that may create databases, or "sqlite",
    where nobody counts statements and no features are probed. `rows` is the number for the table planned largest.
    `quick` measures fewer rounds and probes no features. `install` fetches Node's packages first. A contestant that is
    not installed, cannot express the plan, answers wrong rows, crashes or hangs is named with the reason, and the
    others go on. `progress` is called with a fraction and what is being done.
    Raises UnknownName, UsageError, NotCovered, NotInstalled, and what `sandbox` and `seed` raise.
    """
    if rows is not None and rows < 1:
        raise UsageError(f"rows is {rows}; a comparison wants at least 1")
    server = on or "postgresql"
    if server.startswith(("mysql", "mariadb")):
        raise NotCovered(
            'ORMs are compared on PostgreSQL and SQLite; leave `on` out, or write on="sqlite", or a URL of PostgreSQL'
        )
    dialect = "sqlite" if server == "sqlite" else "postgresql"
    names = [orms] if isinstance(orms, str) else orms
    contestants, tell = wanted(names, dialect), progress or (lambda _fraction, _doing: None)
    weights(plan.priorities)  # a wrong one is refused before anything is measured
    if install and any(contestant.is_node for contestant in contestants):
        installing.install(lambda doing: tell(0.0, doing))
    tell(0.0, "starting the server")
    with sandbox(plan, on=server) as stage, _meter(server) as counts:
        tell(0.05, "seeding")
        seed(stage, rows=rows or volume(plan, quick=quick), random_state=random_state)
        gathered = _gather(stage, counts, contestants, quick, random_state, tell)
    if not quick and dialect == "postgresql":
        gathered = replace(gathered, features=_features(gathered, tell))
    tell(1.0, "judging")
    return judge(plan.name, gathered, plan.priorities)


def _meter(server: str) -> AbstractContextManager[Meter]:
    """Return what counts statements; on SQLite nobody does."""
    return nullcontext(Meter(None, UNCOUNTED)) if server == "sqlite" else meter(server)


def _features(gathered: Gathered, tell: Progress) -> tuple[OrmFeature, ...]:
    """Probe what the ORMs that took part can do, on a schema of dbplan's own."""
    from dbplan.orms.features import probe_features

    names = [taker.orm for taker in gathered.entrants if not (taker.twin_of or CONTESTANTS[taker.orm].is_driver)]
    unknown = [name for name in names if name not in _PROBED]
    for one in probe_features(unknown, tell=lambda doing: tell(0.95, f"features of {doing}")) if unknown else ():
        _PROBED.setdefault(one.orm, []).append(one)
    return tuple(one for name in names for one in _PROBED.get(name, ()))


_PROBED: dict[str, list[OrmFeature]] = {}
"""What ORMs have answered in this process: it is the same whatever plan they are compared on."""


def volume(plan: Plan, *, quick: bool) -> int:
    """Return the rows that a comparison is measured with: as planned up to LARGEST, else an equal share each."""
    part = 4 if quick else 1
    if plan.rows:
        return max(1, min(LARGEST // part, max(plan.rows.values())))
    return max(10, min(LARGEST // part, ALTOGETHER // part // max(1, len(plan.tables))))


def _referee(stage: Stage, counts: Meter, derived: Derived) -> Referee:
    """Return the referee of PostgreSQL, which puts tables back where its role may."""
    return Referee(stage, counts, derived.tables, Renewal(stage) if may_renew(counts.connection) else None)


def _gather(
    stage: Stage, counts: Meter, contestants: Sequence[Contestant], quick: bool, random_state: int, tell: Progress
) -> Gathered:
    effort = QUICK if quick else FULL
    tell(0.1, "drawing parameters")
    derived, drawn = scenarios(stage, random_state)
    referee = (
        FileReferee(stage, counts, derived.tables) if stage.dialect == "sqlite" else _referee(stage, counts, derived)
    )
    with (
        tempfile.TemporaryDirectory(prefix="dbplan-orms-") as folder,
        Seats(referee, Path(folder), effort.shared) as seats,
    ):
        tell(0.12, "writing models")
        able, absent = entrants(contestants, stage.plan, Path(folder))
        tell(0.15, "starting each alone")
        starts, lost = cold_starts(seats, able, effort)
        gone = {one.orm for one in lost}
        able = [entrant for entrant in able if entrant.contestant.name not in gone]
        gathering = Gathering(seats, effort, Random(random_state))
        gathering.run(able, derived, drawn, lambda share, doing: tell(0.2 + 0.75 * share, doing))
    found = gathering.found
    return Gathered(
        entrants=tuple(taking(entrant) for entrant in able),
        scenarios=derived.scenarios,
        missing=derived.missing,
        outcomes=tuple(found.outcomes),
        statements=tuple(found.statements),
        starts=tuple(starts),
        loads=tuple(found.loads),
        violations=tuple(found.violations),
        absent=(*absent, *lost),
        left_out=derived.left_out,
        notes=(*drawn.notes, *found.notes),
        rows=volumes(stage, derived),
        refused=stage.refused,
        uncounted=counts.why,
        one_core=found.one_core,
        runtimes=installing.runtimes(entrant.contestant for entrant in able),
        setting=SETTING if isinstance(referee, FileReferee) else "",
        forms=referee.forms(),
        server=referee.server,
        random_state=random_state,
        quick=quick,
        warm=effort.warm,
        clients=CLIENTS,
    )
