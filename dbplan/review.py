"""The review: every study of one plan, on one page."""

from __future__ import annotations

from collections.abc import Callable

from dbplan.benchmarking import benchmark
from dbplan.diagram import dictionary, erd
from dbplan.errors import DbplanError
from dbplan.evidence import Finding, Severity
from dbplan.linting import lint
from dbplan.migration import dry_run
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Section, Text
from dbplan.sandbox import sandbox
from dbplan.seeding import seed

Progress = Callable[[float, str], None]


def review(
    plan: Plan,
    *,
    on: str = "postgresql",
    rows: int | None = None,
    random_state: int = 7,
    progress: Progress | None = None,
) -> Report:
    """Return all studies of a plan as one Report, measured on the server `on` names.

    `rows` is the row count of the table planned largest. `progress` is called with a fraction from 0 to 1 and
    what is being done. A study that cannot run says why in its own section; the others go on.
    """
    tell = progress or (lambda _fraction, _doing: None)
    studies: list[Report] = []
    tell(0.02, "drawing")
    diagram = _study("Diagram", lambda: erd(plan))
    tell(0.08, "linting")
    studies.append(_study("Schema findings", lambda: lint(plan)))
    tell(0.12, f"starting {on}")
    studies += _measured(plan, on, rows, random_state, tell)
    tell(0.7, "rehearsing migrations")
    studies.append(_study("Migrations", lambda: dry_run(plan, on=on)))
    tell(0.95, "writing the dictionary")
    studies.append(_study("Dictionary", lambda: dictionary(plan)))
    tell(1.0, "done")
    return judge(plan, diagram, studies)


def _measured(plan: Plan, on: str, rows: int | None, random_state: int, tell: Progress) -> list[Report]:
    """Seed one sandbox and benchmark it; a sandbox that cannot be had fails both in words."""
    try:
        with sandbox(plan, on=on) as stage:
            tell(0.2, "seeding")
            seeded = _study("Seed data", lambda: seed(stage, rows=rows, random_state=random_state))
            if not seeded.evidence:
                return [_not_run("Queries and indexes", "there is no data to measure on"), seeded]
            tell(0.35, "measuring queries")
            return [_study("Queries and indexes", lambda: benchmark(stage, random_state=random_state)), seeded]
    except DbplanError as error:
        return [_not_run("Queries and indexes", str(error)), _not_run("Seed data", str(error))]


def _study(title: str, run: Callable[[], Report]) -> Report:
    try:
        return run()
    except DbplanError as error:
        return _not_run(title, str(error))


def _not_run(title: str, why: str) -> Report:
    return Report(title, f"Not run: {why}.".replace("..", "."), ok=False)


def judge(plan: Plan, diagram: Report, studies: list[Report]) -> Report:
    """Return the page: the verdict, what to do about it, the diagram, then each study."""
    actions = sorted((a for study in studies for a in study.actions), key=lambda finding: finding.severity.rank)
    failed = [study for study in studies if not study.ok]
    intro = (Text(plan.summary),) if plan.summary else ()
    uncovered = tuple(plan.metadata.info.get("not_covered", ()))
    notes = (Section("Not covered", f"{len(uncovered)} things in the source are not in this review.",
                     blocks=tuple(Text(line) for line in uncovered), folded=True),) if uncovered else ()  # fmt: skip
    return Report(
        title=f"Design review: {plan.name}",
        verdict=_verdict(failed, actions),
        ok=not failed,
        blocks=(*intro, *diagram.blocks, *(study.section() for study in studies), *notes),
        evidence=tuple(fact for study in studies for fact in study.evidence),
        actions=tuple(actions),
        server=next((study.server for study in studies if study.server), None),
    )


def _verdict(failed: list[Report], actions: list[Finding]) -> str:
    errors = sum(action.severity is Severity.ERROR for action in actions)
    warnings = sum(action.severity is Severity.WARNING for action in actions)
    if failed:
        names = " and ".join(study.title.lower() for study in failed)
        return f"Not ready: {names} fail{'s' if len(failed) == 1 else ''}" + (
            f", {errors} errors in all." if errors else "."
        )
    if warnings:
        return f"Sound, with {warnings} thing{'s' if warnings > 1 else ''} to mend first; every study passes."
    return "Ready to build: every study passes and nothing needs mending."
