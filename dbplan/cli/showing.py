"""What every command does with its plan, its report and its progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from dbplan.plan import Plan
    from dbplan.report import Report


def read(name: str) -> Plan:
    """Return the plan of that name."""
    from dbplan.sources import read as find

    return find(name)


def server_of(plan: Plan, on: str | None) -> str:
    """Return the server that was asked for, else one of the kind that the plan was written for."""
    own = {"sqlite": "sqlite", "mysql": "mariadb", "mariadb": "mariadb"}
    return on or own.get(str(plan.metadata.info.get("dialect")), "postgresql")


def show(report: Report, output: Path | None = None, *, folded: bool = True) -> None:
    """Print the report, or write it where asked, and leave with its exit code.

    Without `folded`, what a page folds is not printed.
    """
    from dbplan.report.blocks import Section
    from dbplan.report.text import print_report

    if output is None:
        print_report(report, folded=folded)
        if not folded and any(isinstance(block, Section) and block.folded for block in report.blocks):
            typer.echo("The rest, with its plots: -o FILE.html")
    else:
        typer.echo(f"{report.title}: {report.verdict}")
        typer.echo(report.save(output))
    raise typer.Exit(0 if report.ok else 1)


@contextmanager
def progress(title: str) -> Iterator[Callable[[float, str], None]]:
    """Draw a bar on a terminal's stderr; say nothing anywhere else."""
    if not sys.stderr.isatty():
        yield lambda _fraction, _doing: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda fraction, doing: bar.update(task, completed=fraction, description=f"{title}: {doing}")
