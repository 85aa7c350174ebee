"""The review: every study of one plan, on one page."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from dbplan.benchmarking import benchmark
from dbplan.diagram import dictionary, erd
from dbplan.errors import ConnectionFailed, DbplanError, UsageError, mask
from dbplan.evidence import Finding, Place, Severity
from dbplan.linting import lint
from dbplan.migration import dry_run
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Section, Text
from dbplan.sandbox import Stage, sandbox
from dbplan.seeding import seed

Progress = Callable[[float, str], None]

LARGEST = 100_000
"""Rows of the largest table, so that the server's choice of an index means something; half a minute to measure."""
ALTOGETHER = 400_000
"""Rows that a plan without row counts gets over all its tables."""


def review(
    plan: Plan,
    *,
    on: str = "postgresql",
    rows: int | None = None,
    random_state: int = 7,
    progress: Progress | None = None,
) -> Report:
    """Return all studies of a plan as one Report, measured on the server that `on` names.

    `rows` is the row count of the table planned largest, or of each table where none is planned.
    `progress` is called with a fraction from 0 to 1 and what is being done.
    A study that cannot run says why in its own section; the others go on.
    """
    if rows is not None and rows < 1:
        raise UsageError(f"rows is {rows}; a review wants at least 1")
    tell = progress or (lambda _fraction, _doing: None)
    tell(0.0, "drawing")
    diagram = _study("Diagram", lambda: erd(plan))
    tell(0.05, "reading the schema")
    schema = _study("Schema", lambda: lint(plan))
    tell(0.1, f"starting {on.split(':')[0]}")
    measured = _measured(plan, on, rows or volume(plan), random_state, tell)
    tell(0.6, "rehearsing migrations")
    migrations = _study("Migrations", lambda: dry_run(plan, on=on, progress=_within(tell, 0.6, 0.95)))
    tell(0.95, "writing the dictionary")
    meaning = _study("Dictionary", lambda: dictionary(plan))
    tell(1.0, "done")
    return judge(plan, diagram, [schema, *measured, migrations, meaning])


def _within(tell: Progress, start: float, end: float) -> Progress:
    """Return a Progress for a study that fills the part of the whole from `start` to `end`."""
    return lambda fraction, doing: tell(start + fraction * (end - start), doing)


def volume(plan: Plan) -> int:
    """Return the rows that a review measures with: as planned up to LARGEST, else an equal share for each table."""
    if plan.rows:
        return max(1, min(LARGEST, max(plan.rows.values())))
    return max(10, min(LARGEST, ALTOGETHER // max(1, len(plan.tables))))


def _measured(plan: Plan, on: str, rows: int, random_state: int, tell: Progress) -> list[Report]:
    """Seed one sandbox and benchmark it; a sandbox that cannot be had fails both in words."""
    try:
        with sandbox(plan, on=on) as stage:
            tell(0.15, "seeding")
            return _on_stage(stage, rows, random_state, tell)
    except ConnectionFailed:
        raise  # a server that does not answer is wrong use, and every study would say the same
    except Exception as error:
        return [_not_run("Queries and indexes", error, known=True), _not_run("Seed data", error)]


def _on_stage(stage: Stage, rows: int, random_state: int, tell: Progress) -> list[Report]:
    try:
        seeded = seed(stage, rows=rows, random_state=random_state)
    except Exception as error:
        queries = _not_run("Queries and indexes", "there is no data to measure on", known=True)
        return [queries, _not_run("Seed data", error)]
    tell(0.3, "measuring queries")
    tick = _within(tell, 0.3, 0.6)
    queries = _study("Queries and indexes", lambda: benchmark(stage, random_state=random_state, progress=tick))
    return [queries, replace(seeded, title="Seed data")]


def _study(title: str, run: Callable[[], Report]) -> Report:
    try:
        return replace(run(), title=title)
    except Exception as error:
        return _not_run(title, error)


def _not_run(title: str, why: Exception | str, *, known: bool = False) -> Report:
    """Return a failed study that says why; a fault of dbplan's own must not cost the reader the other studies.

    A `known` cause is told by another study: it gives no action of its own.
    """
    if isinstance(why, Exception) and not isinstance(why, DbplanError):
        if os.environ.get("DBPLAN_TRACEBACK"):
            raise why
        first = next(iter(str(why).splitlines()), "")
        why = mask(f"{type(why).__name__}: {first}; DBPLAN_TRACEBACK=1 shows where")
    said = f"Not run: {str(why).rstrip('.')}."
    finding = Finding("study-not-run", Severity.ERROR, Place(statement=title), f"{title}: {said}")
    told = () if known else (finding,)
    return Report(title, said, ok=False, evidence=told, actions=told)


def judge(plan: Plan, diagram: Report, studies: list[Report]) -> Report:
    """Return the page: the verdict, what to do about it, the diagram, then each study."""
    actions = sorted((a for study in studies for a in study.actions), key=lambda finding: finding.severity.rank)
    failed = [study for study in studies if not study.ok]
    server = next((study.server for study in studies if study.server), None)
    intro = (Text(plan.summary),) if plan.summary else ()
    return Report(
        title=f"Design review: {plan.name}",
        verdict=_verdict(len(studies), failed, actions),
        ok=not failed,
        blocks=(*intro, *diagram.blocks, *(_section(study, server) for study in studies), *_not_covered(plan)),
        evidence=tuple(fact for study in studies for fact in study.evidence),
        actions=tuple(actions),
        server=server,
    )


def _section(study: Report, server: object) -> Section:
    """Return a study as a section; the page says once where its figures were measured."""
    elsewhere = None if study.server == server else study.server
    return replace(study, server=elsewhere, verdict=study.verdict.rstrip(".") + ".").section()


def _not_covered(plan: Plan) -> tuple[Section, ...]:
    lines = tuple(str(line) for line in plan.metadata.info.get("not_covered", ()))
    if not lines:
        return ()
    verdict = f"{len(lines)} things that the source holds are not in this review."
    return (Section("Not covered", verdict, True, tuple(Text(line) for line in lines), folded=True),)


def _verdict(studies: int, failed: list[Report], actions: list[Finding]) -> str:
    warnings = sum(action.severity is Severity.WARNING for action in actions)
    if failed:
        names = "; ".join(study.title for study in failed)
        fail = "fails" if len(failed) == 1 else "fail"
        return f"Not ready: {len(failed)} of {studies} studies {fail} ({names})."
    if warnings:
        return f"Sound, with {warnings} thing{'s' if warnings > 1 else ''} to mend first; every study passes."
    return "Ready to build: every study passes and nothing needs mending."
