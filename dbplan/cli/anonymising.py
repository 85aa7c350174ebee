"""`dbplan anonymise`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dbplan.cli.options import Output, PlanName, RandomState, given
from dbplan.cli.showing import progress, read, show
from dbplan.errors import UsageError


def anonymise(
    plan: PlanName,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", callback=given, help="The database to copy; it is only read."),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="URL", callback=given, help="The database to fill.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="TABLE.COLUMN=KIND", help="keep, drop, email, scramble …; see --explain."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", help='TOML: [table], then column = "kind".')
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what becomes of each column, and why; read and write nothing.")
    ] = False,
    truncate: Annotated[bool, typer.Option("--truncate", help="Empty the tables of the plan first.")] = False,
    random_state: RandomState = 7,
    output: Output = None,
) -> None:
    """Copy a database into another one with what is personal replaced, every key intact."""
    from dbplan.seeding.anonymising import anonymise as run
    from dbplan.seeding.anonymising import explain as say
    from dbplan.seeding.anonymising.rules import read_rules

    said = (read_rules(rules) if rules is not None else {}) | dict(_rule(text) for text in columns or ())
    subject = read(plan)
    if explain:
        show(say(subject, said), output)
    if source is None or to is None:
        raise UsageError("anonymise copies the database that you name into the one that you name: --from URL --to URL")
    with progress("Copying") as tick:
        report = run(source, to, subject, columns=said, random_state=random_state, truncate=truncate, progress=tick)
    show(report, output, folded=False)


def _rule(text: str) -> tuple[str, str]:
    name, equals, kind = text.partition("=")
    if not equals or "." not in name:
        raise UsageError(f'"{text}" is no rule; write TABLE.COLUMN=KIND, for instance users.bio=drop')
    return name, kind
