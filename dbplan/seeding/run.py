"""The verb: a recipe and a plan in, rows in a database and a Report out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbplan.encryption import rehearsal
from dbplan.errors import ProductionRefused, Unsatisfiable, UsageError
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.seeding.filing import seed_files

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sqlalchemy import Engine

    from dbplan.evidence import Server
    from dbplan.seeding.appending import There
    from dbplan.seeding.loading.writing import Watch
    from dbplan.seeding.rows.world import World

RANDOM_STATE = 7
"""What chance begins with where nobody says it."""


@rehearsal()
def seed(
    target: Any,
    plan: Plan | None = None,
    *,
    rows: int | Mapping[str, int] | None = None,
    profile: str | None = None,
    random_state: int | None = None,
    fast: bool = False,
    truncate: bool = False,
    append: bool = False,
    dry_run: bool = False,
    executor: Executor | None = None,
    workers: int | None = None,
    dask: str | None = None,
    format: str | None = None,
    dialect: str | None = None,
    progress: Watch | None = None,
) -> Report:
    """Fill the empty tables of a database with believable rows that hold every constraint.

    `target` is a Stage, an Engine or a URL (the latter two need the `plan`). `rows` is the number for the table
    planned largest, the others in proportion, or a mapping of table to rows; without it the recipe's, else 100.
    `profile` names what the recipe says for that scale: dev, test, load, or one of its own. Without a random state the
    recipe's counts, else 7. The same plan, recipe, rows and random state give the same rows on every server; where
    they are there already, nothing is done. Secrets are sealed with the key that is set, else with the development
    key.

    Up to a million rows come in one transaction: an error or Ctrl-C leaves nothing behind. More of them, or `fast`,
    or several processes (`executor`, `workers` or the address of a `dask` scheduler), come in chunks: what was
    written stays, and the same call goes on after whatever ended the last one. `fast` drops keys and indexes of empty
    PostgreSQL tables first and builds them again after the rows; `truncate` empties the tables of the plan first;
    `append` adds other rows to those that are there, in one transaction, clear of what is unique. With `dry_run`
    nothing is written: the Report says how many rows would be, of what size, and which would be removed.
    `progress` is told of rows written, of how many, and what is being done.

    With a `format`, parquet, csv, jsonl or sql (in a `dialect`), `target` is a folder for files: see `seed_files`.

    Raises UsageError, UnknownName, RecipeError, Unsatisfiable and NotCovered before the first row is written.
    """
    if format is not None:
        if plan is None or fast or append:
            raise UsageError("files need the plan, and know no fast and no append: seed(folder, plan, format=…)")
        return seed_files(
            target, plan, format=format, dialect=dialect, rows=rows, profile=profile, random_state=random_state,
            truncate=truncate, dry_run=dry_run, executor=executor, workers=workers, dask=dask, progress=progress,
        )  # fmt: skip
    from dbplan.seeding.constraints.partial import as_there
    from dbplan.seeding.estimating import estimate
    from dbplan.seeding.filling import fill, refuse_together
    from dbplan.seeding.loading.longrun import Wish
    from dbplan.seeding.loading.workers import executor_of
    from dbplan.seeding.reporting import judge

    refuse_production(target)
    engine, plan, server = _target(target, plan)
    refuse_missing(engine, plan)
    plan = as_there(engine, plan)
    wish = Wish(fast, truncate, append)
    refuse_together(wish, executor or workers or dask)
    made, notes = (
        _added(engine, plan, rows, random_state, profile) if append else prepare(plan, rows, random_state, profile)
    )
    if dry_run:
        return estimate(engine, made, wish, notes, server)
    with executor_of(executor, workers, dask) as pool:
        filled = fill(engine, made, wish, pool, progress)
    if filled.gathered is None:
        return unchanged(made, server)
    return judge(made, filled.gathered, (*filled.notes, *notes), server)


def _target(target: Any, plan: Plan | None) -> tuple[Engine, Plan, Any]:
    from sqlalchemy import Engine

    from dbplan.connection import engine

    found = target if isinstance(target, Engine) else getattr(target, "engine", None)
    if found is None:
        if not isinstance(target, str):
            raise UsageError(
                f"cannot seed {type(target).__name__}; give a stage, an Engine, a URL, or a folder and a format"
            )
        found = engine(target)
    intended = plan or getattr(target, "plan", None)
    if intended is None:
        raise UsageError("seed needs to know the plan: seed(target, plan)")
    return found, intended, getattr(target, "server", None)


def refuse_production(target: Any) -> None:
    """Refuse to write invented rows in a production environment, whatever the database; a stage is no one's.

    One database has many spellings of its URL, and a wrong guess would cost its rows.
    """
    if in_production(target):
        raise ProductionRefused(
            "the environment is production (DBPLAN_ENVIRONMENT), where no database is filled or emptied; if this "
            "one is not the production database, say so: DBPLAN_ENVIRONMENT=development in front of the command"
        )


def in_production(target: Any) -> bool:
    """Return whether the environment is production, and the target more than a stage of a sandbox."""
    from sqlalchemy import Engine

    from dbplan.connection import settings

    return isinstance(target, (str, Engine)) and settings().production


def refuse_missing(engine: Engine, plan: Plan) -> None:
    """Refuse a SQLite file that is not there: to connect would create it, empty."""
    from dbplan.connection import is_missing
    from dbplan.seeding.loading.emptiness import how_to_create

    if is_missing(engine.url):
        raise UsageError(f"no file {engine.url.database}; create the tables first: {how_to_create(plan, engine)}")


@rehearsal()
def prepare(
    plan: Plan,
    rows: int | Mapping[str, int] | None,
    random_state: int | None,
    profile: str | None = None,
    added: tuple[There, int] | None = None,
) -> tuple[World, tuple[str, ...]]:
    """Return the sources of all rows, with a sentence for every table that gets fewer than its share.

    Those that are `added` to standing ones keep clear of them, at an attempt, from 0.
    """
    from dbplan.seeding.constraints.counts import counts
    from dbplan.seeding.constraints.views import without_views
    from dbplan.seeding.recipe.reading import recipe_of
    from dbplan.seeding.rows.world import span_of, world
    from dbplan.seeding.values.infer import Span

    plan = without_views(plan)
    recipe = recipe_of(plan, profile)
    span: Span = span_of(recipe)
    wanted = counts(plan, recipe, rows, span)
    said = recipe.random_state if random_state is None else random_state
    state = RANDOM_STATE if said is None else said
    if added is None:
        return wanted.built(lambda counted: world(plan, recipe, counted, state))
    found, attempt = added
    return wanted.built(lambda counted: world(plan, recipe, counted, found.state(state, attempt), found.standing))


@rehearsal()
def _added(
    engine: Engine, plan: Plan, rows: int | Mapping[str, int] | None, random_state: int | None, profile: str | None
) -> tuple[World, tuple[str, ...]]:
    """Return the sources of rows to add to those that are there; Unsatisfiable where none is found that is clear."""
    from dbplan.connection import connect
    from dbplan.seeding.appending import ATTEMPTS, clash, leave_fixed, there
    from dbplan.seeding.constraints.views import without_views
    from dbplan.seeding.loading.emptiness import require_tables

    met = ""
    with connect(engine) as connection:
        require_tables(connection, without_views(plan))
        found = there(connection, without_views(plan))
        for attempt in range(ATTEMPTS):
            made, notes = prepare(plan, rows, random_state, profile, (found, attempt))
            leave_fixed(connection, made, found)
            met = clash(connection, made, found)
            if not met:
                return made, notes
    raise Unsatisfiable(f"{met}, in {ATTEMPTS} attempts; add fewer rows, or give a column of these more values")


def unchanged(made: World, server: Server | None) -> Report:
    """Return the report on a run that found its own rows."""
    from dbplan.evidence import RowCount

    rows = {name: source.total for name, source in sorted(made.sources.items())}
    facts = tuple(RowCount(name, count, 0.0, 0) for name, count in rows.items())
    verdict = f"nothing to do, the same {sum(rows.values()):,} rows are there"
    return Report(title="Seed data", verdict=verdict, evidence=facts, server=server)
