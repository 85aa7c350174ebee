"""The ledger: a table that says what of a long run is done, written in the transaction that does it.

A run that was killed reads it and goes on; the last step drops it. A run is known by its fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    delete,
    insert,
    inspect,
    select,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from dbplan.errors import UsageError
from dbplan.seeding.loading.tasks import Task
from dbplan.sources.catalog import LEDGER

RUN, ROWS, CLOSED, ASIDE = "run", "rows", "closed", "aside"
"""Steps: the run itself; rows that are written; references that are set; SQL that brings back what was set aside."""

TABLE = Table(
    LEDGER,
    MetaData(),
    Column("run", String(32)),
    Column("step", String(8)),
    Column("name", String(200)),
    Column("part", String(200)),
    Column("start", BigInteger, autoincrement=False),
    Column("stop", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    PrimaryKeyConstraint("run", "step", "name", "part", "start"),
    comment="What dbplan seed has done of a run that is not at its end; the same command goes on with it.",
)


@dataclass(frozen=True)
class Entry:
    """A step of a run: rows `start` to `stop` of a part of a table, or a note."""

    step: str
    name: str = ""
    part: str = ""
    start: int = 0
    stop: int = 0
    note: str = ""


@dataclass(frozen=True)
class Ledger:
    """What is written of a run."""

    run: str
    entries: tuple[Entry, ...]

    @property
    def note(self) -> str:
        """What the run is, in words."""
        return next((entry.note for entry in self.entries if entry.step == RUN), "")

    def of(self, step: str) -> list[Entry]:
        """Return the entries of a kind."""
        return [entry for entry in self.entries if entry.step == step]

    def lacks(self, tasks: Iterable[Task], step: str = ROWS, part: str = "") -> list[Task]:
        """Return the tasks that are not done."""
        done = set(self.of(step))
        return [task for task in tasks if entry_of(task, step, part) not in done]


def entry_of(task: Task, step: str = ROWS, part: str = "") -> Entry:
    """Return the entry of a task that is done; `part` is the reference that was set."""
    return Entry(step, task.table, part or ("fixed" if task.fixed else "generated"), task.start, task.stop)


def read(connection: Connection) -> Ledger | None:
    """Return the ledger of the database; None where no run is under way.

    A run that was killed may have a transaction that is just ending: PostgreSQL waits for it.
    """
    if not inspect(connection).has_table(LEDGER):
        return None
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {LEDGER} IN SHARE MODE")
    rows = connection.execute(select(TABLE)).all()
    entries = tuple(Entry(row.step, row.name, row.part, row.start, row.stop, row.note) for row in rows)
    return Ledger(rows[0].run, entries) if rows else None


def begin(connection: Connection) -> None:
    """Create the ledger. MariaDB commits with every CREATE TABLE: an empty ledger is none."""
    TABLE.create(connection, checkfirst=True)


def write(connection: Connection, run: str, entries: Iterable[Entry]) -> None:
    """Write entries down."""
    rows = [{"run": run} | vars(entry) for entry in entries]
    if rows:
        connection.execute(insert(TABLE), rows)


def claim(connection: Connection, run: str, entry: Entry) -> bool:
    """Write down a step that this transaction is about to do; False where it has been done.

    A killed run may have a transaction that is just ending: the server waits for it before it answers.
    """
    found = connection.execute(_unless_there(connection.dialect.name).values(run=run, **vars(entry)))
    return bool(found.rowcount)


def _unless_there(dialect: str) -> Insert:
    """Return the INSERT that does nothing where the entry is there; on a server without one it fails."""
    if dialect == "postgresql":
        return postgresql.insert(TABLE).on_conflict_do_nothing()
    if dialect == "sqlite":
        return sqlite.insert(TABLE).on_conflict_do_nothing()
    if dialect in ("mariadb", "mysql"):
        return mysql.insert(TABLE).prefix_with("IGNORE")
    return insert(TABLE)


def strike(connection: Connection, entry: Entry) -> bool:
    """Take an entry out, for what was set aside comes back in this transaction; False where it has been."""
    same = (TABLE.columns[name] == value for name, value in vars(entry).items() if name != "note")
    return bool(connection.execute(delete(TABLE).where(*same)).rowcount)


def drop(connection: Connection) -> None:
    """Drop the ledger: the run is at its end."""
    TABLE.drop(connection, checkfirst=True)


def refuse_other(found: Ledger, url: str) -> None:
    """Refuse the ledger of another run."""
    raise UsageError(
        f"{url} holds a part of another run: {found.note}; run that again with the same arguments and it goes on to "
        "its end, or begin anew with --truncate, which empties the tables of the plan and forgets it"
    )
