"""`dbplan compare-orms`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dbplan.cli.options import Output, PlanNames, RandomState, Rows, given, within_reach
from dbplan.cli.showing import progress, read, show
from dbplan.errors import UsageError

if TYPE_CHECKING:
    from dbplan.report import Report

Orms = Annotated[
    str | None,
    typer.Option("--orms", metavar="NAMES", help="Some of them, as in prisma,peewee; raw drivers always take part."),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="SERVER", callback=given, help="sqlite, or the URL of a PostgreSQL server; else the embedded."
    ),
]


def compare_orms(
    plans: PlanNames = None,
    orms: Orms = None,
    on: Server = None,
    rows: Rows = None,
    quick: Annotated[bool, typer.Option("--quick", help="All scenarios in fewer rounds; no features.")] = False,
    install: Annotated[
        bool, typer.Option("--install", help="First, or alone, install Node, where there is none, and its packages.")
    ] = False,
    selection: Annotated[
        Path | None,
        typer.Option(
            "--selection",
            metavar="FILE",
            callback=told_in_words,
            help="Also write which to take and why: md, html, txt, json.",
        ),
    ] = None,
    output: Output = None,
    random_state: RandomState = 7,
) -> None:
    """Compare ORMs on plans' own tables: rows checked, statements counted, time beside the raw driver's."""
    from dbplan.orms import compare_orms as run
    from dbplan.orms.selecting import selection as chosen

    if not plans:
        set_up(install)
        return
    subjects = [read(plan) for plan in plans]
    names = None if orms is None else [name.strip() for name in orms.split(",") if name.strip()]
    if names == []:
        raise UsageError('--orms names none; write names with commas between, as in: --orms "prisma, sqlalchemy"')
    reports = []
    for subject in subjects:
        with progress(f"Comparing on {subject.name}") as tick:
            report = run(
                subject, names, on=on, rows=rows, quick=quick, random_state=random_state, install=install, progress=tick
            )
        reports.append((subject.name, report))
    if selection is not None:
        decided = [(plan.name, chosen(plan, report)) for plan, (_, report) in zip(subjects, reports, strict=True)]
        typer.echo(_whole("Which ORM", decided).save(selection))
    show(_whole("ORMs", reports), output, folded=False)


def set_up(install: bool) -> None:
    """Install what Node's contestants need, and say what is there; without a plan that is all there is to do."""
    from dbplan.orms import installing

    if not install:
        raise UsageError("compare-orms wants a PLAN, as in: dbplan compare-orms store; or --install alone")
    with progress("Installing") as tick:
        versions = installing.install(lambda doing: tick(0.0, doing))
    typer.echo("\n".join(f"{name} {version}" for name, version in versions.items()))


def told_in_words(path: Path | None) -> Path | None:
    """Refuse a suffix that holds tables alone, for a decision is in words, and a file that cannot be written."""
    if path is not None and path.suffix.lower() not in (".md", ".html", ".txt", ".json"):
        raise UsageError(f'cannot write "{path}": a decision is written as md, html, txt or json; say which')
    return within_reach(path)


def _whole(title: str, reports: list[tuple[str, Report]]) -> Report:
    """Return the report of one plan as it is, those of several as one."""
    from dbplan.report import Report

    return reports[0][1] if len(reports) == 1 else Report.of(title, reports)
