"""`dbplan seed`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dbplan.cli.options import PlanName, Rows, given, writable
from dbplan.cli.rows import rows_written
from dbplan.cli.showing import read, show
from dbplan.errors import UsageError

if TYPE_CHECKING:
    from dbplan.plan import Plan

Profile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME", help="Scale: dev, test, load, or a profile of the recipe; --rows counts."
    ),
]
Chance = Annotated[
    int | None, typer.Option("--random-state", help="Another number gives other rows; the recipe's, else 7.")
]

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="With --format the folder; else the report: html, md, …"),
]
Format = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="Write files to -o: parquet, csv, jsonl, sql.")
]
Dialect = Annotated[
    str | None, typer.Option("--dialect", metavar="NAME", help="Of sql: postgresql, sqlite, mariadb, mysql.")
]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", help="Write with that many processes.")]
Dask = Annotated[
    str | None, typer.Option("--dask", metavar="ADDRESS", help="Write with the workers of that Dask scheduler.")
]


def seed(
    plan: PlanName,
    to: Annotated[str | None, typer.Option("--to", metavar="URL", callback=given, help="The database to fill.")] = None,
    rows: Rows = None,
    profile: Profile = None,
    random_state: Chance = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how each column gets its values, and why; write nothing.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="PostgreSQL: build keys and indexes after the rows; of many, twice as quick.")
    ] = False,
    truncate: Annotated[
        bool, typer.Option("--truncate", help="Empty the tables of the plan first, or replace another run's files.")
    ] = False,
    append: Annotated[
        bool, typer.Option("--append", help="Add other rows to those that are there, clear of what is unique.")
    ] = False,
    create: Annotated[
        bool, typer.Option("--create", help="Create the tables of the plan first, where there are none of them.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many rows, of what size, what would go; write nothing.")
    ] = False,
    workers: Workers = None,
    dask: Dask = None,
    format: Format = None,
    dialect: Dialect = None,
    output: Output = None,
) -> None:
    """Fill a database, or a folder with files, with believable rows that hold every constraint."""
    from dbplan.seeding import explain as say
    from dbplan.seeding import seed as run

    page = None if format is not None else writable(output)
    subject = read(plan)
    if explain:
        show(say(subject, rows=rows, profile=profile, random_state=random_state), page, folded=False)
    target = _target(to, format, output)
    if create:
        _create(subject, to, dry_run=dry_run)
    with rows_written("Seeding") as progress:
        report = run(
            target,
            subject,
            rows=rows,
            profile=profile,
            random_state=random_state,
            fast=fast,
            truncate=truncate,
            append=append,
            dry_run=dry_run,
            workers=workers,
            dask=dask,
            format=format,
            dialect=dialect,
            progress=progress,
        )
    show(report, page, folded=False)


def _create(plan: Plan, to: str | None, *, dry_run: bool) -> None:
    """Create the tables of a plan in the database that was named."""
    from dbplan.connection import engine
    from dbplan.sandbox.schema import create
    from dbplan.seeding.loading.emptiness import create_tables
    from dbplan.seeding.run import refuse_production

    if to is None or dry_run:
        raise UsageError("--create makes tables in the database of --to; it goes without --format and --dry-run")
    refuse_production(to)
    if create_tables(engine(to), plan, create):
        typer.echo(f"{len(plan.tables)} tables were created.")


def _target(to: str | None, form: str | None, folder: Path | None) -> str | Path:
    """Return the database, or the folder of files, that was named."""
    if form is not None and to is not None:
        raise UsageError("--to fills a database, --format writes files; ask for one of them at a time")
    if form is not None and folder is None:
        raise UsageError(f"seed writes files to the folder that you name: -o DIR, for instance -o build/{form}")
    target = to if form is None else folder
    if target is None:
        raise UsageError("seed writes to the database that you name: --to URL, for instance --to sqlite:///dev.db")
    return target
