"""The referee: a database for each contestant, copied from one template, and a look into it from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from dbplan.evidence import Server
from dbplan.orms.contestants import Contestant
from dbplan.orms.counting import Connection, Meter
from dbplan.orms.pinning import is_called
from dbplan.orms.relations import key_of
from dbplan.orms.renewing import Renewal, renew, written
from dbplan.orms.scenarios import Scenario, Study, TableFacts
from dbplan.orms.states import Compared, Fingerprint, compared, difference, fingerprint
from dbplan.sandbox import Stage

POOL = 10
"""Connections that a contestant may hold."""
DROPPED_AT_ONCE = 10
"""Databases that are dropped by as many connections."""
RENEWED_AT_ONCE = 2
RESTORED = frozenset({"insert_one", "bulk_insert", "transaction"})
"""Scenarios whose new rows are taken out again, so that tables stay as large as they were."""


@dataclass(frozen=True)
class Entrant:
    """A contestant as it takes part: how its process is started, and where its models lie.

    `twin_of` names the raw driver that it is a second process of.
    """

    contestant: Contestant
    command: tuple[str, ...]
    models: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    twin_of: str = ""

    @property
    def name(self) -> str:
        """What it is called in facts."""
        return f"{self.twin_of} again" if self.twin_of else self.contestant.name


@dataclass
class Clone:
    """A database of one contestant's own, with the referee's connection to it: a file on SQLite."""

    name: str
    connection: Any = field(repr=False)
    since: str
    """When it was made, by its server's clock."""
    first: int
    """The first transaction that is not the template's."""


@dataclass(frozen=True)
class Referee:
    """Hands out databases and judges what they hold."""

    stage: Stage
    meter: Meter
    tables: Mapping[str, TableFacts]
    renewal: Renewal | None = None
    """How databases that were written to are put back, where the server lets us."""

    @contextmanager
    def clone(self, _entrant: Entrant) -> Iterator[Clone]:
        """Give a copy of the template, dropped at the end."""
        with self.stage.clone() as copy:
            with copy.engine.connect() as connection:
                raw: Any = connection.connection.driver_connection
                dsn, password = raw.info.dsn, raw.info.password or None
            copy.engine.dispose()
            with closing(psycopg.connect(dsn, password=password, autocommit=True)) as own:
                since, first = _now(own)
                yield Clone(own.info.dbname, own, since, first)

    def drop(self, clones: Sequence[Clone]) -> None:
        """Drop clones at the same time, which share the server's checkpoint; whoever is in them is thrown out.

        One after the other each would wait for a checkpoint of its own.
        """
        for clone in clones:
            clone.connection.close()

        def one(clone: Clone) -> None:
            self.meter.reset(clone.name)
            query = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(clone.name))
            with self.meter.another() as connection:
                connection.execute(query)

        with ThreadPoolExecutor(DROPPED_AT_ONCE) as pool:
            list(pool.map(one, clones))

    def study(self, entrant: Entrant, clone: Clone) -> dict[str, Any]:
        """Return what a contestant is opened with."""
        facts = Study(
            self.stage.plan.name,
            self.stage.dialect,
            self.address(clone),
            entrant.models,
            POOL,
            dict(self.tables),
        )
        return asdict(facts)

    def address(self, clone: Clone) -> dict[str, Any]:
        """Return where a clone is, a socket's folder as the host, as libpq made it out."""
        info = clone.connection.info
        return {
            "host": info.host,
            "port": info.port,
            "user": info.user,
            "password": info.password or None,
            "database": info.dbname,
        }

    def compared(self, scenario: Scenario) -> tuple[Compared, ...]:
        """Return what of the tables a scenario's state is told by."""
        return compared(self.stage.plan, scenario)

    def state(self, clone: Clone, tables: tuple[Compared, ...]) -> Fingerprint:
        """Return what a database holds."""
        return fingerprint(clone.connection, tables, clone.since)

    def difference(
        self, clone: Clone, other: Clone, tables: tuple[Compared, ...], found: Fingerprint, due: Fingerprint
    ) -> str:
        """Return the first difference of a database from another, which is as it should be."""
        since = min(clone.since, other.since)
        return difference(clone.connection, other.connection, tables, found, due, since)

    def restore(self, clone: Clone, scenario: Scenario) -> int:
        """Take out the rows that a scenario has inserted; return how many there were."""
        if scenario.name not in RESTORED:
            return 0
        name = scenario.insert.table if scenario.insert else scenario.table
        table = self.stage.plan.metadata.tables[name]
        assert key_of(table) == name
        query = new_rows(table.schema, table.name, clone.first)
        try:
            return int(clone.connection.execute(query).rowcount)
        except psycopg.Error:
            if not self.renews:
                raise
        with clone.connection.transaction():  # what is inserted for ever is taken out past its triggers
            clone.connection.execute("SET LOCAL session_replication_role = replica")
            return int(clone.connection.execute(query).rowcount)

    def sessions(self, clone: Clone) -> list[int] | None:
        """Return the server's processes of a contestant; None where the server runs on another machine."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        found = [pid for (pid,) in clone.connection.execute(query)]
        return found if all(is_called(pid, clone.name) for pid in found) else None

    @property
    def renews(self) -> bool:
        """Whether a database that was written to can be put back while its contestant stays."""
        return self.renewal is not None

    @property
    def server(self) -> Server:
        """What figures are measured on."""
        return self.stage.server

    def renew(self, clones: Sequence[Clone], scenario: Scenario) -> list[Clone]:
        """Put back what a scenario has changed; return the clones where somebody held it."""
        assert self.renewal is not None
        given = self.renewal.rows(written(self.stage.plan, scenario))

        def one(clone: Clone) -> bool:
            try:
                renew(clone.connection, given)
            except psycopg.Error:
                return False
            clone.since, clone.first = _now(clone.connection)
            return True

        with ThreadPoolExecutor(RENEWED_AT_ONCE) as pool:
            renewed = list(pool.map(one, clones))
        return [clone for clone, done in zip(clones, renewed, strict=True) if not done]

    def observe(self, entrant: Entrant, clone: Clone, scenario: Scenario) -> None:
        """Look at how a contestant has stored what it inserted: PostgreSQL's types leave it no choice."""

    def forms(self) -> Mapping[str, Mapping[str, str]]:
        """Return in which forms contestants were seen to store values, by kind."""
        return {}


def new_rows(schema: str | None, name: str, first: int) -> sql.Composed:
    """Return the DELETE of the rows that a transaction and those after it have inserted."""
    table = sql.Identifier(*filter(None, (schema, name)))
    return sql.SQL("DELETE FROM {} WHERE xmin::text::bigint >= {}").format(table, sql.Literal(first))


def _now(connection: Connection) -> tuple[str, int]:
    """Return the server's clock and a new transaction's number, as xmin would show it."""
    row = connection.execute("SELECT clock_timestamp()::text, pg_current_xact_id()::text").fetchone()
    assert row is not None
    return str(row[0]), int(row[1]) % 2**32
