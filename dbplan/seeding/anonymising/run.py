"""The verb: a live database's rows into a development database, with what is personal replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dbplan.encryption import rehearsal
from dbplan.errors import UsageError
from dbplan.plan import Plan
from dbplan.report import Report

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from dbplan.seeding.anonymising.choosing import Choices
    from dbplan.seeding.anonymising.transfer import Copied

Progress = Callable[[float, str], None]


@rehearsal()
def anonymise(
    source: Any,
    target: Any,
    plan: Plan | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    random_state: int = 7,
    truncate: bool = False,
    progress: Progress = lambda _fraction, _doing: None,
) -> Report:
    """Copy a database's rows into another one's empty tables, with what is personal replaced and every key intact.

    `source` and `target` are URLs, Engines or Stages; without a `plan` the source is read as one. `columns` maps
    `table.column` to what is done with it, "keep", "drop" or a kind of replacement; `truncate` empties the target's
    tables first. A replacement follows from the value that it replaces, its kind, the random state and the key in
    DBPLAN_ANONYMISE_KEY: the same value is replaced alike in every table and every run.
    The source is read in one snapshot and never written to; the target's rows come in one transaction.
    Raises UsageError for a target that is the source, holds rows or lacks tables, ProductionRefused in a production
    environment, Unsatisfiable for rows that the target refuses; nothing is kept then.
    """
    from dbplan.seeding.anonymising.choosing import choices, refuse_undecided
    from dbplan.seeding.anonymising.refusing import told
    from dbplan.seeding.anonymising.reporting import judge
    from dbplan.seeding.run import refuse_missing, refuse_production

    refuse_production(target)
    reads, writes = _engine(source), _engine(target)
    plan = tables_of(plan or getattr(source, "plan", None) or _read(reads))
    refuse_missing(writes, plan)
    chosen = choices(plan, columns or {})
    refuse_undecided(chosen)
    with told(reads, writes):
        done = _copy(reads, writes, chosen, random_state, truncate, progress)
    return judge(chosen, done)


def explain(plan: Plan, columns: Mapping[str, str] | None = None) -> Report:
    """Say what `anonymise` does with every column of a plan, and why; read and write nothing."""
    from dbplan.seeding.anonymising.choosing import choices
    from dbplan.seeding.anonymising.reporting import explained

    return explained(choices(tables_of(plan), columns or {}))


def tables_of(plan: Plan) -> Plan:
    """Return a plan with the tables that hold rows of their own."""
    from dbplan.seeding.constraints.views import without_views

    return without_views(plan)


def _engine(side: Any) -> Engine:
    from sqlalchemy import Engine

    from dbplan.connection import engine

    found = side if isinstance(side, Engine) else getattr(side, "engine", None)
    if found is None and not isinstance(side, str):
        raise UsageError(f"cannot anonymise with {type(side).__name__}; give a URL, an Engine or a sandbox's stage")
    return found if found is not None else engine(side)


def _read(engine: Engine) -> Plan:
    from dbplan.sources import read

    return read(engine.url.render_as_string(hide_password=False))


def _copy(
    reads: Engine, writes: Engine, chosen: Choices, random_state: int, truncate: bool, progress: Progress
) -> Copied:
    """Copy everything in one transaction, look at what came, and only then keep it."""
    from dbplan.connection import connect
    from dbplan.seeding.anonymising.sides import alike, refuse_same, snapshot
    from dbplan.seeding.anonymising.transfer import Transfer

    with (
        snapshot(reads) as source,
        connect(writes.execution_options(sqlite_begin="IMMEDIATE")) as target,
        target.begin(),
    ):
        refuse_same(source, target)
        if target.dialect.name == "postgresql":
            alike(target)
        done = Transfer(source, target, chosen, random_state, progress)(truncate)
    _analyze(writes)
    return done


def _analyze(engine: Engine) -> None:
    """Let PostgreSQL's planner know the new rows, as autovacuum would a minute later."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
