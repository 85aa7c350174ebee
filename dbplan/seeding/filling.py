"""Filling: which way a database is filled, in one transaction or in chunks, and what is done when rows are there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, Table

from dbplan.connection import connect
from dbplan.errors import NotCovered, Unsatisfiable, UsageError
from dbplan.seeding.constraints import violations as counting
from dbplan.seeding.constraints.held import held_by_server, relied_upon
from dbplan.seeding.constraints.order import Order, order
from dbplan.seeding.loading import chunked, ledger, longrun
from dbplan.seeding.loading.blueprint import fingerprint
from dbplan.seeding.loading.emptiness import filled, refuse_filled, require_tables
from dbplan.seeding.loading.emptying import counts, empty, refuse_referred
from dbplan.seeding.loading.ledger import Ledger
from dbplan.seeding.loading.longrun import Wish
from dbplan.seeding.loading.recognising import is_there
from dbplan.seeding.loading.refusals import NOTHING, PART, explained
from dbplan.seeding.loading.statements import quoter, run_sql
from dbplan.seeding.loading.triggers import without_triggers
from dbplan.seeding.loading.writing import Watch, load, opened
from dbplan.seeding.reporting import Gathered, samples
from dbplan.seeding.rows.world import World

LARGE = 1_000_000
"""Rows up to which all come in one transaction."""


SHOWN = 3
"""Tables of those that were emptied that a sentence names."""


@dataclass(frozen=True)
class Filled:
    """What was done, None for nothing; and sentences on it."""

    gathered: Gathered | None
    notes: tuple[str, ...] = ()


def fill(engine: Engine, made: World, wish: Wish, pool: Executor | None, watch: Watch | None = None) -> Filled:
    """Write the rows, go on with a run that was broken off, or find that the rows are there."""
    if wish.fast and engine.dialect.name != "postgresql":
        raise NotCovered(f"fast sets keys and indexes of PostgreSQL aside, not of {engine.dialect.name}: leave it out")
    with (
        explained(engine, NOTHING),
        connect(engine.execution_options(sqlite_begin="IMMEDIATE", is_bulk=True)) as connection,
    ):
        said = opened(connection)
        require_tables(connection, made.plan)
        found = _found(connection, made, wish)
        if found is None and not (wish.truncate or wish.append) and (names := filled(connection, made.plan)):
            if is_there(connection, made):
                return Filled(None)
            refuse_filled(connection, names)
        emptied = _to_empty(connection, made, wish) if found is None else {}
        notes = removed(emptied)
        connection.rollback()
        total = sum(source.total for source in made.sources.values())
        steps = order(made.sources, defers=connection.dialect.name == "sqlite", commits=True)
        large = total > LARGE and not (steps.deferred or wish.append)
        if found is not None or wish.fast or pool is not None or large:
            done = _in_chunks(engine, connection, made, steps, found, wish, pool, watch or _silent)
        else:
            done = _at_once(connection, made, wish, watch or _silent)
        return replace(done, notes=(*notes, *done.notes, *said))


def removed(emptied: Mapping[str, int]) -> tuple[str, ...]:
    """Return one sentence on the rows that were removed, none where there were none."""
    if not emptied:
        return ()
    listed = ", ".join(f"{rows:,} of {name}" for name, rows in sorted(emptied.items())[:SHOWN])
    if len(emptied) == 1:
        return (f"{listed}: these rows were removed first.",)
    more = ", …" if len(emptied) > SHOWN else ""
    return (f"{sum(emptied.values()):,} rows of {len(emptied)} tables were removed first: {listed}{more}.",)


def refuse_together(wish: Wish, workers: object) -> None:
    """Refuse wishes that exclude each other."""
    asked = {"append": wish.append, "truncate": wish.truncate, "fast": wish.fast, "workers": bool(workers)}
    if wish.append and sum(asked.values()) > 1:
        others = ", ".join(name for name, wanted in asked.items() if wanted and name != "append")
        raise UsageError(f"append adds rows to tables that have some, in one transaction; it goes without {others}")


def _silent(_done: int, _total: int, _doing: str) -> None:
    pass


def _found(connection: Connection, made: World, wish: Wish) -> Ledger | None:
    """Return the ledger of this run, where one is there; another's is refused, or forgotten with the rows."""
    found = ledger.read(connection)
    if found is None or (found.run == _name(made) and not wish.append):
        return found
    ours = {entry.name for entry in found.of(ledger.ROWS)} <= made.sources.keys()
    if not (wish.truncate and ours):
        ledger.refuse_other(found, connection.engine.url.render_as_string())
    refuse_referred(connection, made.plan)
    empty(connection, _children_first(made))
    connection.commit()
    longrun.bring_back(connection, found, lambda _doing: None)
    ledger.drop(connection)
    connection.commit()
    return None


def _name(made: World) -> str:
    return fingerprint(made, chunked.TASK)


def _children_first(made: World) -> list[Table]:
    return [made.sources[name].table for name in order(made.sources, defers=True).tables][::-1]


def _to_empty(connection: Connection, made: World, wish: Wish) -> dict[str, int]:
    if not wish.truncate:
        return {}
    refuse_referred(connection, made.plan)
    return counts(connection, made.plan)


def _at_once(connection: Connection, made: World, wish: Wish, watch: Watch) -> Filled:
    """Write everything in one transaction, and measure: seconds, violations, samples."""
    with _kept("nothing was kept"), connection.begin():
        if wish.truncate:
            empty(connection, _children_first(made))
        if not wish.append:
            refuse_filled(connection, filled(connection, made.plan))
        sequence = order(made.sources, defers=connection.dialect.name == "sqlite")
        began = time.perf_counter()
        with without_triggers(connection, made.plan.metadata):
            seconds = load(connection, made, sequence, watch)
        took = time.perf_counter() - began
        broken, relied = _violations(connection, made, "and not kept")
        gathered = Gathered(seconds, took, broken, samples(connection, made), sequence.tables)
    _analyze(connection, made)
    return Filled(gathered, relied)


def _in_chunks(
    engine: Engine,
    connection: Connection,
    made: World,
    steps: Order,
    found: Ledger | None,
    wish: Wish,
    pool: Executor | None,
    watch: Watch,
) -> Filled:
    """Write in many transactions, each with its line in the ledger."""
    began = time.perf_counter()
    again = "what is written is kept; the same command goes on from there"
    with explained(engine, PART), _kept(again):
        if found is None:
            longrun.begin(connection, made, steps, _name(made), _said(made, wish), wish)
            found = ledger.read(connection)
            connection.rollback()
        assert found is not None
        seconds = longrun.fill(engine, connection, made, steps, found, pool, watch)
        total = sum(source.total for source in made.sources.values())
        watch(total, total, "statistics and violations")
        _analyze(connection, made)
        took = time.perf_counter() - began
        broken, relied = _violations(connection, made, "and stand in the database")
        gathered = Gathered(seconds, took, broken, samples(connection, made), steps.tables)
        ledger.drop(connection)
        connection.commit()
    return Filled(gathered, relied)


def _said(made: World, wish: Wish) -> str:
    total = sum(source.total for source in made.sources.values())
    asked = ", with --fast" if wish.fast else ""
    return f'{total:,} rows of plan "{made.plan.name}", random state {made.random_state}{asked}'


@contextmanager
def _kept(what: str) -> Iterator[None]:
    """Note on Ctrl-C what stays, also where a connection that it broke has had the last word."""
    try:
        yield
    except BaseException as error:
        stop = _interruption(error)
        if stop is None:
            raise
        stop.add_note(what)
        raise stop from None


def _interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the Ctrl-C that led to an error, None for none."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _violations(connection: Connection, made: World, where: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the violations of each table, and what the server was relied upon for."""
    held = {name: held_by_server(connection, s.table, s.total) for name, s in made.sources.items()}
    broken = {name: counting.violations(connection, s.table, s.total, held[name]) for name, s in made.sources.items()}
    if sum(broken.values()):
        names = ", ".join(f"{count} in {name}" for name, count in broken.items() if count)
        raise Unsatisfiable(f"rows that break constraints were generated ({names}) {where}; please report this schema")
    relied = (relied_upon(s.table, held[name]) for name, s in made.sources.items())
    return broken, tuple(filter(None, relied))


def _analyze(connection: Connection, made: World) -> None:
    """Let PostgreSQL's planner know the new rows, as autovacuum would a minute later."""
    if connection.dialect.name != "postgresql":
        return
    quote, usual = quoter(connection.dialect), connection.get_isolation_level()
    connection.rollback()
    connection.execution_options(isolation_level="AUTOCOMMIT")
    for table in made.plan.tables:
        run_sql(connection, f"VACUUM (ANALYZE) {quote.format_table(table)}")
    connection.rollback()
    connection.execution_options(isolation_level=usual)
