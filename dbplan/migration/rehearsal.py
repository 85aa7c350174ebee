"""Gather: every revision of a plan run up, down and up on throwaway copies, and what was seen there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace

from sqlalchemy.exc import SQLAlchemyError

from dbplan.comparison import differences
from dbplan.errors import DbplanError, MigrationError
from dbplan.evidence import Catalog, Difference, Place, Step
from dbplan.migration import contents
from dbplan.migration.contents import Content
from dbplan.migration.facts import BEFORE, SINCE, Loss, Rehearsal, Rehearsed
from dbplan.migration.history import History, NoDowngrade, Revision
from dbplan.migration.losses import back_and_there, there_and_back
from dbplan.plan import Plan
from dbplan.sandbox import Stage, sandbox
from dbplan.sources import live
from dbplan.sources.catalog import snapshot

Progress = Callable[[float, str], None]
Rows = int | Mapping[str, int] | None


@dataclass(frozen=True)
class State:
    """A database at one moment: its schema and what its tables hold."""

    catalog: Catalog
    contents: Mapping[str, Content]

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(content.rows for content in self.contents.values())


@dataclass(frozen=True)
class Rehearser:
    """One rehearsal: the history it runs, where, and on how many rows."""

    plan: Plan
    history: History
    on: str
    rows: Rows
    version_table: str
    tell: Progress

    def state(self, stage: Stage) -> State:
        """Return the state of a stage, without the table in which Alembic keeps the version."""
        with stage.engine.connect() as connection:
            catalog = snapshot(connection, ignore_tables=(self.version_table,))
            return State(catalog, contents.read(connection, catalog))

    def move(self, stage: Stage, revision: str, direction: str) -> float:
        """Run one revision; return the seconds it took."""
        with stage.engine.connect() as connection:
            started = time.perf_counter()
            self.history.step(connection, revision, direction)
            return time.perf_counter() - started

    def attempt(self, stage: Stage, revision: str, direction: str, mark: str, before: State) -> tuple[Step, State]:
        """Run one revision as a step that is measured, whatever comes of it."""
        place = Place(revision=revision, statement=mark)
        started = time.perf_counter()
        try:
            seconds, error = self.move(stage, revision, direction), ""
        except MigrationError as raised:
            # A revision that says it has no way back is not one that failed.
            seconds, error = time.perf_counter() - started, str(raised)
            if isinstance(raised, NoDowngrade):
                error = f"{NO_WAY_BACK}{error}"
        after = self.state(stage)
        changed = differences(before.catalog, after.catalog)
        return Step(place, direction, seconds, before.rows, after.rows, changed, error), after


NO_WAY_BACK = "no way back: "


def rehearse(plan: Plan, history: History, on: str, rows: Rows, tell: Progress) -> Rehearsal:
    """Run every revision of the history, each on a database at the revision before it, with seeded data."""
    with ExitStack() as stack:
        spine = stack.enter_context(sandbox(plan, on, create=False))
        with spine.engine.connect() as connection:
            _, version_table = history.current(connection)
        run = Rehearser(plan, history, on, rows, version_table, tell)
        done, left = _chain(run, spine)
        drift = None if left else _drift(run, spine)
        return Rehearsal(spine.server, history.heads, tuple(done), tuple(left), drift, history.command)


def _chain(run: Rehearser, spine: Stage) -> tuple[list[Rehearsed], list[Revision]]:
    """Rehearse base to head; return what was rehearsed, and the revisions behind one that cannot be got past."""
    done: list[Rehearsed] = []
    waiting = list(run.history.revisions)
    with ExitStack() as seeded_stages:
        seeded, unseeded = _seeded(run, spine, seeded_stages)
        while waiting:
            revision = waiting.pop(0)
            run.tell(len(done) / len(run.history.revisions), f"rehearsing {revision.id}")
            seen = replace(_forth_and_back(run, seeded, revision), unseeded=unseeded)
            try:
                run.move(spine, revision.id, "up")
            except MigrationError:
                done.append(replace(_with_sql(run, seen), fails_when_empty=True))
                break
            seeded_stages.close()
            seeded, unseeded = _seeded(run, spine, seeded_stages)
            if revision.downgrades and not seen.no_way_back and not any(step.error for step in seen.steps):
                # The next revision wants these rows as they are; behind the last one nobody does.
                with seeded.clone() if waiting else nullcontext(seeded) as stage:
                    seen = _back_and_forth(run, stage, seen)
            done.append(_with_sql(run, seen))
    return done, waiting


def _forth_and_back(run: Rehearser, stage: Stage, revision: Revision) -> Rehearsed:
    """Go up, down and up again on rows from before the upgrade."""
    before = run.state(stage)
    up, upgraded = run.attempt(stage, revision.id, "up", BEFORE, before)
    seen = Rehearsed(revision, (up,))
    if up.error:
        return seen
    if not revision.downgrades:
        return replace(seen, losses=_one_way_losses(before, upgraded), no_way_back=_missing(revision))
    down, restored = run.attempt(stage, revision.id, "down", BEFORE, upgraded)
    seen = replace(seen, steps=(up, down))
    if down.error.startswith(NO_WAY_BACK):
        return replace(seen, steps=(up,), losses=_one_way_losses(before, upgraded), no_way_back=down.error)
    if down.error:
        return seen
    losses = there_and_back(before.contents, upgraded.contents, restored.contents)
    seen = replace(seen, restored=differences(before.catalog, restored.catalog), losses=losses)
    again, repeated = run.attempt(stage, revision.id, "up", BEFORE, restored)
    seen = replace(seen, steps=(up, down, again))
    return seen if again.error else replace(seen, repeated=differences(upgraded.catalog, repeated.catalog))


def _missing(revision: Revision) -> str:
    # A revision that only joins branches has nothing to undo.
    return "its downgrade is empty" if revision.upgrades else ""


def _one_way_losses(before: State, upgraded: State) -> tuple[Loss, ...]:
    """Return what is gone after an upgrade that has no way back; a value that only changed may have been meant to."""
    return tuple(
        loss
        for loss in there_and_back(before.contents, upgraded.contents, upgraded.contents)
        if loss.during == "up" and not loss.filled
    )


def _back_and_forth(run: Rehearser, stage: Stage, seen: Rehearsed) -> Rehearsed:
    """Go down and up on rows written since the upgrade: those that a real rollback meets."""
    revision = seen.revision.id
    before = run.state(stage)
    if not before.rows:
        return seen
    down, below = run.attempt(stage, revision, "down", SINCE, before)
    if down.error:
        return replace(seen, steps=(*seen.steps, down))
    up, after = run.attempt(stage, revision, "up", SINCE, below)
    losses = () if up.error else back_and_there(before.contents, below.contents, after.contents)
    return replace(seen, steps=(*seen.steps, down, up), losses=(*seen.losses, *losses))


def _seeded(run: Rehearser, spine: Stage, stack: ExitStack) -> tuple[Stage, str]:
    """Return a copy of the spine with rows in its tables, or an empty copy and why."""
    stage = stack.enter_context(spine.clone())
    why = _seed(run, stage)
    return (stack.enter_context(spine.clone()), why) if why else (stage, "")


def _seed(run: Rehearser, stage: Stage) -> str:
    """Fill the tables of a stage by the schema that it has now; return "" or why that cannot be."""
    from dbplan.seeding import seed

    plan = _plan_of(run, stage)
    if plan is None:
        return ""
    why = ""
    for recipe in dict.fromkeys((run.plan.recipe, None)):
        try:
            seed(stage, replace(plan, recipe=recipe), rows=run.rows)
            return ""
        except (DbplanError, SQLAlchemyError) as error:
            why = str(error).splitlines()[0]
    return why


def _plan_of(run: Rehearser, stage: Stage) -> Plan | None:
    """Return the schema that a stage has now as a plan; None when it has no table."""
    with stage.engine.connect() as connection:
        catalog = snapshot(connection, ignore_tables=(run.version_table,))
    if not any(found.kind == "table" for found in catalog.objects):
        return None
    metadata = live.read(stage.url).metadata
    if run.version_table in metadata.tables:
        metadata.remove(metadata.tables[run.version_table])
    rows = {name: count for name, count in run.plan.rows.items() if name in metadata.tables}
    return Plan(run.plan.name, metadata, rows=rows)


def _with_sql(run: Rehearser, seen: Rehearsed) -> Rehearsed:
    dialect = "postgresql" if run.on != "sqlite" else "sqlite"
    try:
        return replace(seen, sql=run.history.sql(seen.revision.id, dialect))
    except MigrationError as error:
        return replace(seen, no_sql=str(error))


def _drift(run: Rehearser, spine: Stage) -> tuple[Difference, ...]:
    """Return where the migrated schema differs from what the models would create on the same server."""
    run.tell(0.95, "comparing with the models")
    with sandbox(run.plan, run.on) as modelled:
        return differences(run.state(spine).catalog, run.state(modelled).catalog)
