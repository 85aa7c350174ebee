"""The command line: one command a verb. What a command needs is imported when it runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dbplan.cli.anonymising import anonymise
from dbplan.cli.comparing import compare_orms
from dbplan.cli.options import On, Output, PlanName, Production, RandomState, Rows, To, given
from dbplan.cli.seeding import seed
from dbplan.cli.showing import progress, read, server_of, show
from dbplan.errors import DbplanError, UsageError, mask

if TYPE_CHECKING:
    from dbplan.report import Report

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="A design review for databases that runs: schema in, evidence out.")  # fmt: skip
migrate = typer.Typer(no_args_is_help=True, help="Rehearse and run the revisions of a plan.")
db = typer.Typer(no_args_is_help=True, help="Run the embedded PostgreSQL.")
notebook = typer.Typer(no_args_is_help=True, help="Run and check the workbook's notebooks.")
app.add_typer(migrate, name="migrate")
app.add_typer(db, name="db")
app.add_typer(notebook, name="notebook")

_INTERRUPTED = 130
"""What Typer makes of Ctrl-C in a command."""


def main() -> None:
    """Run a command and leave with its exit code: 0 when ok, 1 when findings fail it, 2 for wrong use."""
    if os.environ.get("DBPLAN_TRACEBACK"):
        app()
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False, prog_name="dbplan")
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        raise SystemExit(code)
    except (KeyboardInterrupt, typer.Abort):
        _leave("interrupted; nothing was left behind", 1)
    except BrokenPipeError:
        # The reader of the pipe has seen enough; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except DbplanError as error:
        _leave(str(error), error.exit_code)
    except Exception as error:  # the last line of defence: one line, never a traceback
        _leave(_one_line(error), 2)


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    shown = getattr(error, "format_message", None)  # a wrong option, as the parser words it
    if callable(shown) and str(shown()).startswith("Usage:"):  # a group without a command shows its help
        return str(shown())
    if callable(shown):
        return f"{str(shown()).rstrip('.')}; see dbplan --help"
    said = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {said[0]}; DBPLAN_TRACEBACK=1 shows where"


def _leave(message: str, code: int) -> None:
    typer.echo(message if message.startswith("Usage:") else f"dbplan: {mask(message)}", err=True)
    raise SystemExit(code)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Say which dbplan this is.")] = False) -> None:
    if version:
        from dbplan import __version__

        typer.echo(f"dbplan {__version__}")
        raise typer.Exit


@app.command()
def plans() -> None:
    """List the plans known here."""
    from dbplan.sources import known

    for name, where in known().items():
        typer.echo(f"{name:<16} {where}")


@app.command()
def review(
    plan: PlanName,
    on: On = None,
    rows: Rows = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: build/PLAN/review.html.")
    ] = None,
    random_state: RandomState = 7,
) -> None:
    """Run every study of a plan and write one page."""
    from dbplan.report.text import print_report
    from dbplan.review import review as run

    subject = read(plan)
    with progress("Reviewing") as tick:
        report = run(subject, on=server_of(subject, on), rows=rows, random_state=random_state, progress=tick)
    path = report.save(output or Path("build") / subject.name / "review.html")
    print_report(report, folded=False)
    typer.echo(path)
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def erd(
    plans: Annotated[
        list[str] | None, typer.Argument(metavar="[PLAN]…", help="Default: the plans of pyproject.toml, else all.")
    ] = None,
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the images go.")] = Path("erd"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a committed image is stale.")
    ] = False,
    focus: Annotated[
        str | None, typer.Option("--focus", metavar="TABLE", help="Only this table and its neighbours.")
    ] = None,
) -> None:
    """Draw the entity-relationship diagram of plans as SVG, PNG and Mermaid."""
    from dbplan.diagram import erd as draw
    from dbplan.diagram import files
    from dbplan.sources import own

    subjects = [read(name) for name in (plans or own())]
    if check:
        _fail_on([path for subject in subjects for path in files.stale(subject, folder)])
    for subject in subjects:
        if focus is None:
            written = files.write(subject, folder)
        else:
            drawn = draw(subject, focus=focus)
            written = [drawn.save(folder / f"{subject.name}.{focus}.{suffix}") for suffix in files.SUFFIXES]
        for path in written:
            typer.echo(path)


def _fail_on(stale: list[Path]) -> None:
    for path in stale:
        typer.echo(f"{'stale' if path.exists() else 'missing'}: {path}")
    typer.echo(f"{len(stale)} stale images" + ("; dbplan erd draws them anew" if stale else ""))
    raise typer.Exit(1 if stale else 0)


@app.command()
def dictionary(plan: PlanName, output: Output = None) -> None:
    """Say what every table and column means, holds and is bound by."""
    from dbplan.diagram import dictionary as run

    show(run(read(plan)), output)


@app.command()
def lint(
    plan: PlanName,
    output: Output = None,
    fix: Annotated[Path | None, typer.Option("--fix", metavar="FILE", help="Write every mend as one SQL file.")] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="FILE", help="Findings known and accepted.")
    ] = None,
    write_baseline: Annotated[
        Path | None, typer.Option("--write-baseline", metavar="FILE", help="Accept what is found now: write it there.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="RULE", help="A rule or finding to leave out.")
    ] = None,
) -> None:
    """Find faults of the schema, each with why it hurts and its mend."""
    from dbplan.linting import lint as run
    from dbplan.linting import write_baseline as accept
    from dbplan.linting import write_fixes

    subject, ignored = read(plan), tuple(ignore or ())
    report = run(subject, ignore=ignored, baseline=baseline)
    if write_baseline is not None:
        typer.echo(accept(report, write_baseline))
        report = run(subject, ignore=ignored, baseline=write_baseline)
    if fix is not None:
        typer.echo(write_fixes(report, fix))
    show(report, output)


@app.command()
def export(
    plan: PlanName,
    target: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="TARGET",
            help="ddl, prisma, drizzle, typeorm, models, sqlmodel, django, peewee, pony, tortoise, piccolo, dbml or "
            "mongodb.",
        ),
    ],
    dialect: Annotated[
        str | None,
        typer.Option(
            "--dialect",
            metavar="SERVER",
            help="postgresql, mysql, mariadb, sqlite, mssql, cockroachdb; default: the plan's own.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="A file or folder; without it the text is printed."),
    ] = None,
) -> None:
    """Write a plan for another tool, and say what that tool cannot."""
    from dbplan.evidence import Finding
    from dbplan.exports import export as run

    report = run(read(plan), target, dialect=dialect)
    _hand_over(report, output)
    for finding in (fact for fact in report.evidence if isinstance(fact, Finding)):
        message = " ".join(finding.message.split())
        typer.echo(": ".join(filter(None, (finding.severity, str(finding.place), message))), err=True)
    typer.echo(f"{report.title}: {report.verdict}", err=True)


def _hand_over(report: Report, output: Path | None) -> None:
    """Print the files that a report holds, or write them to a file or into a folder."""
    from dbplan.report.files import listings, save_all

    first, *others = listings(report)
    if output is None:
        typer.echo(first.source, nl=False)
    elif output.suffix and not output.is_dir():
        paths = [report.save(output), *save_all(report, output.parent, others)]
        typer.echo("\n".join(map(str, paths)))
    else:
        typer.echo("\n".join(map(str, save_all(report, output))))
    if output is None and others:
        typer.echo(f"not printed: {', '.join(code.file for code in others)}; -o FOLDER writes all", err=True)


@app.command()
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="What is meant: any PLAN.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What is compared with it: any PLAN.")],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when they differ.")] = False,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="SERVER", callback=given, help="Who judges: postgresql, sqlite, mariadb."),
    ] = None,
    output: Output = None,
) -> None:
    """Compare two sources of any kind: drift, handover."""
    from dbplan.comparison import diff as run

    try:
        show(run(a, b, on=on), output)
    except typer.Exit as done:
        raise typer.Exit(done.exit_code if exit_code else 0) from None


app.command()(seed)
app.command()(anonymise)


@app.command()
def profile(plan: PlanName, to: To = None, output: Output = None) -> None:
    """Say what the tables of a database hold: rows, violations, NULLs, fan-out, rows over time."""
    from dbplan.seeding import profile as run

    show(run(_target(to), read(plan)), output)


@app.command()
def benchmark(
    plan: PlanName, on: On = None, rows: Rows = None, output: Output = None, random_state: RandomState = 7
) -> None:
    """Time the plan's queries on a real server, with their plans and the indexes they use."""
    from dbplan.benchmarking import benchmark as run
    from dbplan.sandbox import sandbox
    from dbplan.seeding import seed as fill

    subject = read(plan)
    with progress("Benchmarking") as tick, sandbox(subject, on=server_of(subject, on)) as stage:
        tick(0.1, "seeding")
        fill(stage, rows=rows, random_state=random_state)
        tick(0.4, "measuring")
        report = run(stage, random_state=random_state, progress=tick)
    show(report, output)


app.command("compare-orms")(compare_orms)


@migrate.command("dry-run")
def dry_run(plan: PlanName, on: On = None, rows: Rows = None, output: Output = None) -> None:
    """Rehearse each revision up, down and up on seeded data."""
    from dbplan.migration import dry_run as run

    subject = read(plan)
    with progress("Rehearsing") as tick:
        report = run(subject, on=server_of(subject, on), rows=rows, progress=tick)
    show(report, output)


@migrate.command()
def status(plan: PlanName, to: To = None, output: Output = None) -> None:
    """Say which revisions a database has and which wait."""
    from dbplan.migration import status as run

    show(run(read(plan), _target(to)), output)


@migrate.command()
def up(
    plan: PlanName,
    revision: Annotated[str, typer.Argument(metavar="[REVISION]")] = "head",
    to: To = None,
    production: Production = False,
) -> None:
    """Upgrade a database to a revision."""
    from dbplan.migration import up as run

    show(run(read(plan), _target(to), revision, allow_production=production))


@migrate.command()
def down(
    plan: PlanName,
    revision: Annotated[str, typer.Argument(metavar="[REVISION]")] = "-1",
    to: To = None,
    production: Production = False,
) -> None:
    """Downgrade a database to a revision; by default one step."""
    from dbplan.migration import down as run

    show(run(read(plan), _target(to), revision, allow_production=production))


def _target(to: str | None) -> str:
    from dbplan.connection import settings

    current = settings()
    if to is None and current.direct_url is None and current.database_url is None:
        raise UsageError("name the database: --to URL, or DIRECT_URL or DATABASE_URL in the environment or in .env")
    return to or current.migration_url


@db.command()
def start(
    port: Annotated[int | None, typer.Option("--port", metavar="N", help="Also open TCP on 127.0.0.1.")] = None,
) -> None:
    """Start the embedded PostgreSQL; it ends by itself when nobody uses it."""
    from dbplan.sandbox import postgresql

    typer.echo(postgresql.start(port=port))


@db.command()
def stop() -> None:
    """Stop the embedded PostgreSQL, and a MariaDB that sandboxes have started."""
    from dbplan.sandbox import mariadb, postgresql

    used = len(postgresql.status().databases) + len(mariadb.names())
    stopped = "stopped" + (f"; {used} sandboxes that were in use went with it" if used else "")
    ran = [postgresql.stop(), mariadb.stop()]
    typer.echo(stopped if any(ran) else "no server was running")


@db.command()
def url() -> None:
    """Print the URL of the embedded PostgreSQL; it holds no password."""
    from dbplan.sandbox import postgresql

    typer.echo(postgresql.url())


@notebook.command("run")
def run_notebook(
    notebooks: Annotated[list[Path], typer.Argument(metavar="NOTEBOOK…")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Replace a value of the parameters cell."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write there instead of in place.")
    ] = None,
) -> None:
    """Execute notebooks from their paired scripts, with other parameters where asked."""
    from dbplan.workbook import run

    for path in notebooks:
        typer.echo(run(path, dict(_pair(p) for p in parameters or ()), folder))


@notebook.command("check")
def check_notebook(notebooks: Annotated[list[Path], typer.Argument(metavar="NOTEBOOK…")]) -> None:
    """Check that notebooks are executed, free of logic, and agree with their paired scripts."""
    from dbplan.workbook import check

    show(check(notebooks))


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f'"{text}" is no parameter; write NAME=VALUE')
    return name, value
