"""Run revisions on a real database: say where it stands, what waits, and move it one revision at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dbplan.connection import connect, is_missing, new_engine, normalise, settings
from dbplan.errors import MigrationError, NotCovered, ProductionRefused, UsageError
from dbplan.evidence import Catalog, Difference, Place, Step
from dbplan.migration.history import History, Revision, load, shown
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Block, Table, Text, table

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_DONE = {"up": "applied", "down": "rolled back"}


def status(plan: Plan, url: str) -> Report:
    """Return where a database stands and which revisions wait; nothing is changed.

    Raises MigrationError for revisions that do not load, ConnectionFailed for a database out of reach.
    """
    history = load(plan)
    with _engine(url) as engine:
        current = _current(history, engine)
        waiting = history.path(current, "heads", "up") if _known(history, current) else ()
        where = engine.url.render_as_string()
        # To look into a SQLite file that is not there would create it.
        strange = "" if is_missing(engine.url) else _unversioned(history, current, _catalog(engine))
    unknown = [name for name in current if name not in {r.id for r in history.revisions}]
    states = {revision.id: "waits" for revision in waiting}
    rows = [(r.id, r.title, states.get(r.id, "unknown" if unknown else "applied")) for r in history.revisions]
    listing = table({"revision": "code", "what it does": "text", "state": "text"}, rows, "Revisions, oldest first")
    blocks = (Text(f"{strange[0].upper()}{strange[1:]}."), listing) if strange and waiting else (listing,)
    return Report(f"Migrations of {plan.name} on {where}", _standing(current, waiting, unknown), not unknown, blocks)


def pending(plan: Plan, url: str, revision: str = "head", *, direction: str = "up") -> tuple[Revision, ...]:
    """Return the revisions that `up` (or `down`) to `revision` would run, in that order; nothing is changed.

    Raises MigrationError that lists the revisions for one that is not there.
    """
    history = load(plan)
    with _engine(url) as engine:
        return history.path(_current(history, engine), revision, direction)


def up(plan: Plan, url: str, revision: str = "head", *, allow_production: bool = False) -> Report:
    """Upgrade a database to `revision`, one revision at a time, each in its own transaction.

    Raises MigrationError with the revision, the server's message and what is left of it in the database;
    ProductionRefused, with the revisions that wait, for the production database unless that is allowed.
    """
    return _move(plan, url, revision, "up", allow_production)


def down(plan: Plan, url: str, revision: str = "-1", *, allow_production: bool = False) -> Report:
    """Downgrade a database to `revision`: an id, base, or -1 for one step; the report says which data went with it.

    Raises as `up` does.
    """
    return _move(plan, url, revision, "down", allow_production)


def _move(plan: Plan, url: str, target: str, direction: str, allow_production: bool) -> Report:
    history = load(plan)
    with _engine(url) as engine:
        todo = history.path(_current(history, engine), target, direction)
        if not allow_production and todo and _is_production(engine.url):
            raise ProductionRefused(_refusal(direction, todo, engine.url))
        steps = [_run(history, engine, revision, direction) for revision in todo]
        now, where = shown(_current(history, engine)), engine.url.render_as_string()
    return Report(
        title=f"Migrations of {plan.name} on {where}",
        verdict=_verdict(steps, direction, now),
        blocks=tuple(_blocks(todo, steps)),
        evidence=tuple(steps),
    )


def _run(history: History, engine: Engine, revision: Revision, direction: str) -> Step:
    """Run one revision; tell what changed, or raise with what is left of it."""
    before = _catalog(engine)
    held = _tables_with_rows(engine, before) if direction == "down" else frozenset()
    started = time.perf_counter()
    try:
        with connect(engine) as connection:
            history.step(connection, revision.id, direction)
    except MigrationError as error:
        word = "upgrade" if direction == "up" else "downgrade"
        raise MigrationError(
            f"{word} of revision {revision.id} ({revision.title}) failed: {error}; {_left(history, engine, before)}"
        ) from None
    seconds = time.perf_counter() - started
    changed = _changes(before, _catalog(engine))
    lost = tuple(d for d in changed if direction == "down" and _took_data(d, held))
    return Step(Place(revision=revision.id), direction, seconds, 0, 0, lost)


def _left(history: History, engine: Engine, before: Catalog | None) -> str:
    """Say where a failed revision has left the database, as seen there."""
    at = f"the database stands at {shown(_current(history, engine))}"
    if strange := _unversioned(history, _current(history, engine), before):
        return f"{at}; {strange}"
    after = _catalog(engine)
    if before is None or after is None:
        return f"{at}; this server commits every DDL statement, so look for what the revision had done by then"
    changed = _changes(before, after)
    if not changed:
        return f"{at}, its schema is as before"
    first = ", ".join(f"{d.what} {d.place}" for d in changed[:3])
    return f"{at}, and part of the revision is in the schema ({len(changed)} differences: {first}); mend that by hand"


def _unversioned(history: History, current: tuple[str, ...], catalog: Catalog | None) -> str:
    """Return what to do with a database that has tables and no revision, or ""."""
    tables = [found for found in catalog.objects if found.kind == "table"] if catalog else []
    if current or not tables:
        return ""
    count = f"{len(tables)} table{'s' if len(tables) > 1 else ''}"
    return (
        f"the database has {count} and no recorded revision: when they are those of a revision already, record it "
        f"with: {history.command} stamp REVISION"
    )


def _catalog(engine: Engine) -> Catalog | None:
    """Return the schema, where it can be read."""
    from dbplan.sources.catalog import snapshot

    with connect(engine) as connection, suppress(NotCovered):
        return snapshot(connection)
    return None


def _changes(before: Catalog | None, after: Catalog | None) -> tuple[Difference, ...]:
    from dbplan.comparison import differences

    return differences(before, after, column_order=False) if before and after else ()


def _tables_with_rows(engine: Engine, catalog: Catalog | None) -> frozenset[str]:
    """Return the tables that hold at least one row."""
    from dbplan.migration.contents import occupied

    if catalog is None:
        return frozenset()
    with connect(engine) as connection:
        return occupied(connection, catalog)


def _took_data(found: Difference, held: frozenset[str]) -> bool:
    return found.what in ("table", "column") and not found.right and found.place.table in held


def _current(history: History, engine: Engine) -> tuple[str, ...]:
    if is_missing(engine.url):  # to look would create the file
        return ()
    with connect(engine) as connection:
        return history.current(connection)[0]


def _known(history: History, current: tuple[str, ...]) -> bool:
    return {revision.id for revision in history.revisions}.issuperset(current)


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = new_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _is_production(url: URL) -> bool:
    """Say whether this is the production environment and one of its databases, whoever connects."""
    current = settings()
    if not current.production:
        return False
    urls = []
    with suppress(UsageError):
        urls = [current.url, current.migration_url]
    return any(_same_database(url, normalise(known)) for known in urls)


def _same_database(one: URL, other: URL) -> bool:
    def place(url: URL) -> tuple[object, ...]:
        port = url.port or {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}.get(url.get_backend_name())
        return (url.get_backend_name(), url.host or url.query.get("host") or "localhost", port, url.database)

    return place(one) == place(other)


def _refusal(direction: str, todo: tuple[Revision, ...], url: URL) -> str:
    names = ", ".join(f"{revision.id} ({revision.title})" for revision in todo)
    return (
        f"{url.render_as_string()} is the production database; {direction} would run {len(todo)}: {names}; "
        "take a backup, then allow it: --production, or allow_production=True"
    )


def _standing(current: tuple[str, ...], waiting: tuple[Revision, ...], unknown: list[str]) -> str:
    if unknown:
        return f"The database stands at {shown(current)}, which these revisions do not know"
    if not waiting:
        return f"The database stands at {shown(current)}; nothing waits"
    count = len(waiting)
    return (
        f"The database stands at {shown(current)}; {count} revision{'s' if count > 1 else ''} wait{'s' * (count == 1)}"
    )


def _verdict(steps: list[Step], direction: str, now: str) -> str:
    if not steps:
        return f"Nothing to do: the database stands at {now}"
    count = len(steps)
    return f"{count} revision{'s' if count > 1 else ''} {_DONE[direction]}; the database stands at {now}"


def _blocks(todo: tuple[Revision, ...], steps: list[Step]) -> Iterator[Block]:
    if steps:
        yield _listing(todo, steps)
    if lost := [str(found.place) for step in steps for found in step.differences]:
        yield Text(f"Gone with their data: {', '.join(lost)}. Only a backup brings it back.")


def _listing(todo: tuple[Revision, ...], steps: list[Step]) -> Table:
    rows = [(r.id, r.title, s.direction, s.seconds) for r, s in zip(todo, steps, strict=True)]
    headings = {"revision": "code", "what it does": "text", "direction": "text", "seconds": "seconds"}
    return table(headings, rows, "What ran")  # type: ignore[arg-type]
