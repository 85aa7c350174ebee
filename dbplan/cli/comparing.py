"""`dbplan compare-orms`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbplan.cli.options import Output, PlanName, RandomState, Rows, given, writable
from dbplan.cli.showing import progress, read, show

Orms = Annotated[
    str | None,
    typer.Option("--orms", metavar="NAMES", help="Some of them, with commas between; raw drivers always take part."),
]
Server = Annotated[
    str | None,
    typer.Option("--on", metavar="SERVER", callback=given, help="The URL of a PostgreSQL server; else the embedded."),
]


def compare_orms(
    plan: PlanName,
    orms: Orms = None,
    on: Server = None,
    rows: Rows = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds, all scenarios.")] = False,
    install: Annotated[
        bool, typer.Option("--install", help="First install Node, where there is none, and its packages.")
    ] = False,
    selection: Annotated[
        Path | None,
        typer.Option(
            "--selection",
            metavar="FILE",
            callback=writable,
            help="Also write which to take and why: md, html, txt, json.",
        ),
    ] = None,
    output: Output = None,
    random_state: RandomState = 7,
) -> None:
    """Compare ORMs on the plan's own tables: rows checked, statements counted, time beside the raw driver's."""
    from dbplan.orms import compare_orms as run

    subject = read(plan)
    names = None if orms is None else [name.strip() for name in orms.split(",") if name.strip()]
    with progress("Comparing") as tick:
        report = run(
            subject, names, on=on, rows=rows, quick=quick, random_state=random_state, install=install, progress=tick
        )
    if selection is not None:
        from dbplan.orms.selecting import selection as chosen

        chosen(subject, report).save(selection)
    show(report, output, folded=False)
