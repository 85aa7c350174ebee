"""`dbplan seed`."""

from __future__ import annotations

from typing import Annotated

import typer

from dbplan.cli.options import Output, PlanName, RandomState, Rows
from dbplan.cli.showing import read, show
from dbplan.errors import UsageError


def seed(
    plan: PlanName,
    to: Annotated[str | None, typer.Option("--to", metavar="URL", help="The database to fill.")] = None,
    rows: Rows = None,
    random_state: RandomState = 7,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how each column gets its values, and why; write nothing.")
    ] = False,
    output: Output = None,
) -> None:
    """Fill a database with believable rows that hold every constraint."""
    from dbplan.seeding import explain as say
    from dbplan.seeding import seed as run

    subject = read(plan)
    if explain:
        show(say(subject, rows=rows), output)
    if to is None:
        raise UsageError("seed writes to the database that you name: --to URL, for instance --to sqlite:///dev.db")
    show(run(to, subject, rows=rows, random_state=random_state), output)
