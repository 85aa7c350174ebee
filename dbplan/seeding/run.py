"""The verb: a recipe and a plan in, rows in a database and a Report out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbplan.encryption import rehearsal
from dbplan.errors import CannotWrite, ConnectionFailed, ProductionRefused, Unsatisfiable, UsageError
from dbplan.plan import Plan
from dbplan.report import Report

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from dbplan.seeding.rows.world import World


@rehearsal()
def seed(
    target: Any,
    plan: Plan | None = None,
    *,
    rows: int | Mapping[str, int] | None = None,
    random_state: int = 7,
) -> Report:
    """Fill the empty tables of a database with believable rows that hold every constraint.

    `target` is a Stage, an Engine or a URL (the latter two need the `plan`). `rows` is the number for the table
    planned largest, the others in proportion, or a mapping of table to rows; without it the recipe's, else 100.
    Everything happens in one transaction: an error or Ctrl-C leaves nothing behind. The same plan, recipe, rows
    and random state give the same rows on every server. Secrets are sealed with the key that is set, else with the
    development key.
    Raises UsageError, UnknownName, RecipeError, Unsatisfiable and NotCovered before the first row is written.
    """
    engine, plan, server = _target(target, plan)
    _refuse_production(engine)
    made, notes = prepare(plan, rows, random_state)
    return _run(engine, made, notes, server)


def _target(target: Any, plan: Plan | None) -> tuple[Engine, Plan, Any]:
    from sqlalchemy import Engine

    from dbplan.connection import engine

    found = target if isinstance(target, Engine) else getattr(target, "engine", None)
    if found is None:
        if not isinstance(target, str):
            raise UsageError(f"cannot seed {type(target).__name__}; give a sandbox's stage, an Engine or a URL")
        found = engine(target)
    intended = plan or getattr(target, "plan", None)
    if intended is None:
        raise UsageError("seed needs to know the plan: seed(target, plan)")
    return found, intended, getattr(target, "server", None)


def _refuse_production(engine: Engine) -> None:
    from dbplan.connection import normalise, settings

    current = settings()
    if not current.production:
        return
    urls = [u.get_secret_value() for u in (current.database_url, current.direct_url) if u is not None]
    here = engine.url
    for url in map(normalise, urls):
        if (url.host, url.port, url.database) == (here.host, here.port, here.database):
            raise ProductionRefused(
                f"{here.render_as_string()} is the production database (DBPLAN_ENVIRONMENT=production); "
                "invented rows do not belong there: name another database"
            )


@rehearsal()
def prepare(plan: Plan, rows: int | Mapping[str, int] | None, random_state: int) -> tuple[World, tuple[str, ...]]:
    """Return the sources of all rows, with a sentence for every table that gets fewer than its share."""
    from dbplan.seeding.constraints.counts import counts
    from dbplan.seeding.constraints.views import without_views
    from dbplan.seeding.recipe.reading import recipe_of
    from dbplan.seeding.rows.world import span_of, world
    from dbplan.seeding.values.infer import Span

    plan = without_views(plan)
    recipe = recipe_of(plan)
    span: Span = span_of(recipe)
    wanted = counts(plan, recipe, rows, span)
    return world(plan, recipe, wanted.rows, random_state), wanted.notes


def _run(engine: Engine, made: World, notes: tuple[str, ...], server: Any) -> Report:
    from dbplan.connection import connect, is_missing
    from dbplan.seeding.loading.emptiness import how_to_create
    from dbplan.seeding.reporting import judge

    if is_missing(engine.url):
        raise UsageError(f"no file {engine.url.database}; create the tables first: {how_to_create(made.plan, engine)}")
    try:
        with connect(engine.execution_options(sqlite_begin="IMMEDIATE")) as connection, connection.begin():
            gathered = gather(connection, made)
        _analyze(engine, made)
    except _refusals(engine) as error:
        raise _explained(error) from None
    return judge(made, gathered, notes, server)


def _refusals(engine: Engine) -> tuple[type[Exception], ...]:
    """Return what a server's refusal arrives as: through SQLAlchemy, or from the driver's own COPY."""
    from sqlalchemy.exc import DBAPIError

    driver = getattr(engine.dialect.dbapi, "Error", DBAPIError)
    return DBAPIError, driver


def gather(connection: Connection, made: World) -> Any:
    """Write the rows and measure: seconds, violations, samples."""
    from dbplan.seeding.constraints.order import order
    from dbplan.seeding.constraints.triggers import without_triggers
    from dbplan.seeding.constraints.violations import violations
    from dbplan.seeding.loading.emptiness import filled, refuse_filled, require_tables
    from dbplan.seeding.loading.writing import load
    from dbplan.seeding.reporting import Gathered, samples

    require_tables(connection, made.plan)
    refuse_filled(connection, filled(connection, made.plan))
    sequence = order(made.sources, defers=connection.dialect.name == "sqlite")
    began = time.perf_counter()
    with without_triggers(connection, made.plan.metadata):
        seconds = load(connection, made, sequence)
    took = time.perf_counter() - began
    broken = {name: violations(connection, s.table, s.total) for name, s in made.sources.items()}
    if sum(broken.values()):
        names = ", ".join(f"{count} in {name}" for name, count in broken.items() if count)
        raise Unsatisfiable(
            f"rows that break constraints were generated ({names}) and not kept; please report this schema"
        )
    return Gathered(seconds, took, broken, samples(connection, made), sequence.tables)


def _analyze(engine: Engine, made: World) -> None:
    """Let PostgreSQL's planner know the new rows, as autovacuum would a minute later."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        quote = connection.dialect.identifier_preparer
        for table in made.plan.tables:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {quote.format_table(table)}")


def _explained(error: Any) -> Exception:
    said = " ".join(str(getattr(error, "orig", error)).split())[:300]
    if any(word in said.lower() for word in ("full", "no space", "readonly", "read-only", "disk i/o", "locked")):
        return CannotWrite(f"the database could not be written, and nothing was kept: {said}")
    if "foreign key mismatch" in said.lower():
        return Unsatisfiable(
            f"nothing was kept: {said}; that key leads to columns that are not unique, which dbplan lint names"
        )
    if "connection" in said.lower() and "constraint" not in said.lower():
        return ConnectionFailed(f"the database went away, and nothing was kept: {said}; has its disk room?")
    for row in getattr(error, "__notes__", ()):
        return Unsatisfiable(f"the database refused {row}, and nothing was kept: {said}")
    return Unsatisfiable(
        f"the database refused a generated row, and nothing was kept: {said}; give the column a rule in the recipe"
    )
