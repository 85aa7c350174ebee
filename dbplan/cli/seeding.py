"""`dbplan seed`."""

from __future__ import annotations

from typing import Annotated

import typer

from dbplan.cli.options import Output, PlanName, Rows
from dbplan.cli.showing import read, show
from dbplan.errors import UsageError

Profile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME", help="Scale: dev, test, load, or a profile of the recipe; --rows counts."
    ),
]
Chance = Annotated[
    int | None, typer.Option("--random-state", help="Another number gives other rows; the recipe's, else 7.")
]


def seed(
    plan: PlanName,
    to: Annotated[str | None, typer.Option("--to", metavar="URL", help="The database to fill.")] = None,
    rows: Rows = None,
    profile: Profile = None,
    random_state: Chance = None,
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
        show(say(subject, rows=rows, profile=profile), output)
    if to is None:
        raise UsageError("seed writes to the database that you name: --to URL, for instance --to sqlite:///dev.db")
    show(run(to, subject, rows=rows, profile=profile, random_state=random_state), output, folded=False)
