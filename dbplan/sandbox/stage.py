"""`sandbox`: a throwaway database that holds a plan, and the Stage that studies work on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbplan.errors import ConnectionFailed, NotCovered, SandboxError, UnknownName, UsageError
from dbplan.evidence import Finding, Server
from dbplan.plan import Plan

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL, Engine

    from dbplan.sandbox.databases import Lease

_POSTGRESQL_SETTINGS = (
    "fsync",
    "synchronous_commit",
    "shared_buffers",
    "work_mem",
    "effective_cache_size",
    "random_page_cost",
)
_SQLITE_SETTINGS = ("journal_mode", "synchronous", "cache_size", "foreign_keys")
_OLDEST = 130000


@dataclass(frozen=True)
class Stage:
    """A plan on a throwaway database.

    `url` is for libraries that want one and may hold a password; `server` says what figures were measured on.
    """

    plan: Plan
    engine: Engine = field(repr=False)
    url: str = field(repr=False)
    dialect: str
    server: Server = field(repr=False)
    _copy: Callable[[], AbstractContextManager[Stage]] = field(repr=False, compare=False)
    refused: tuple[Finding, ...] = field(default=(), repr=False)
    """The plan's indexes that the server would not create, and what else it has no means for."""

    @contextmanager
    def clone(self) -> Iterator[Stage]:
        """Give a full copy of the database as it stands now, as a Stage of its own that is dropped at the end.

        Nobody may hold a transaction or connection open in the original meanwhile: SandboxError says who does.
        """
        with self._copy() as stage:
            yield replace(stage, plan=self.plan, refused=self.refused)

    def analyze(self) -> None:
        """Have the server gather the statistics that its planner goes by."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self.dialect in ("mariadb", "mysql"):
                from dbplan.sandbox import mariadb

                mariadb.analyze(connection)
            else:
                connection.exec_driver_sql("ANALYZE")


@contextmanager
def sandbox(plan: Plan, on: str = "postgresql", *, create: bool = True) -> Iterator[Stage]:
    """Give a Stage: a throwaway database that holds the plan's tables, dropped at the end whatever happens.

    `on` is "postgresql" (an embedded server, started on demand), "mariadb" (a private server of the machine's own
    programs), "sqlite", or the URL of a PostgreSQL, MariaDB or MySQL server that may create databases. With
    `create=False` the database is empty.
    Raises SandboxError, NotCovered, ConnectionFailed for a server out of reach, UnknownName for an `on` that is none.
    """
    with _stage(plan, on) as stage:
        if create:
            from dbplan.sandbox import schema

            own, lost = _as_there(plan, stage.dialect)
            stage = replace(stage, plan=own, refused=(*lost, *schema.create(own, stage.engine)))
        yield stage


def _as_there(plan: Plan, dialect: str) -> tuple[Plan, tuple[Finding, ...]]:
    """Return a plan that was read from another kind of server as this one has it; models stay what they are."""
    from dbplan.sandbox import schema

    if plan.queries or not plan.metadata.info.get("dialect"):
        return plan, ()
    metadata, lost = schema.in_words_of(plan.metadata, dialect)
    return (plan if metadata is plan.metadata else replace(plan, metadata=metadata)), lost


def _stage(plan: Plan, on: str) -> AbstractContextManager[Stage]:
    from dbplan.connection import looks_like_url

    if on == "postgresql":
        return _embedded(plan)
    if on == "sqlite":
        return _sqlite(plan)
    if on == "mariadb":
        from dbplan.sandbox import mariadb

        return mariadb.embedded(plan, cores())
    if looks_like_url(on):
        return _remote(plan, on)
    if on == "mysql":
        raise NotCovered('dbplan starts no MySQL; take "mariadb", which is its kin, or the URL of a MySQL server')
    known = ("postgresql", "mariadb", "sqlite", "the URL of a PostgreSQL, MariaDB or MySQL server")
    raise UnknownName("server", on, known, kinds="servers")


@contextmanager
def _embedded(plan: Plan) -> Iterator[Stage]:
    from sqlalchemy import make_url

    from dbplan.sandbox import cluster, databases, postgresql

    connection, here = postgresql.connect(), cluster.here()
    with databases.lease(connection, here.connect) as lease:
        base = make_url(postgresql.socket_url(here, cluster.MAINTENANCE))
        with _database(plan, lease, base, cores()) as stage:
            yield stage


def _remote(plan: Plan, on: str) -> AbstractContextManager[Stage]:
    from dbplan.connection import normalise

    url = normalise(on)
    if url.get_backend_name() in ("mariadb", "mysql"):
        from dbplan.sandbox import mariadb

        return mariadb.remote(plan, url.set(drivername=f"{url.get_backend_name()}+pymysql"), cores())
    if url.get_backend_name() == "sqlite":
        raise UsageError('a SQLite sandbox has its own file; write on="sqlite" in place of a URL')
    if url.get_backend_name() != "postgresql":
        raise NotCovered(
            f"sandboxes on {url.get_backend_name()} are not covered; give the URL of a PostgreSQL or MariaDB server"
        )
    return _postgresql_server(plan, url.set(drivername="postgresql+psycopg"))


@contextmanager
def _postgresql_server(plan: Plan, url: URL) -> Iterator[Stage]:
    from dbplan.sandbox import databases

    connection = _maintenance(url)
    _refuse_unfit(connection, url)
    with (
        databases.lease(connection, lambda: _maintenance(url)) as lease,
        _database(plan, lease, url, _cores_of(connection)) as stage,
    ):
        yield stage


def _maintenance(url: URL) -> psycopg.Connection[Any]:
    """Connect to the database that the URL names, by libpq's own rules."""
    import psycopg
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

    dialect: Any = PGDialect_psycopg
    _, options = dialect().create_connect_args(url)
    options.pop("context", None)
    try:
        return psycopg.connect(**options | {"autocommit": True, "application_name": "dbplan"})
    except psycopg.Error as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ConnectionFailed(
            f"cannot connect to {url.render_as_string()}: {lines[-1].strip()}; check host, port, name and password"
        ) from None


def _refuse_unfit(connection: psycopg.Connection[Any], url: URL) -> None:
    query = (
        "SELECT rolcreatedb OR rolsuper, current_user, pg_is_in_recovery() FROM pg_roles WHERE rolname = current_user"
    )
    try:
        may, role, standby = connection.execute(query).fetchone() or (False, url.username, False)
        if connection.info.server_version < _OLDEST:
            raise NotCovered(f"{url.render_as_string()} is older than PostgreSQL 13; give the URL of a newer server")
        if standby:
            raise SandboxError(f"{url.render_as_string()} is a read-only standby; give the URL of its primary")
        if not may:
            raise SandboxError(
                f'role "{role}" may not create databases on {url.render_as_string()}; '
                f'let it: ALTER ROLE "{role}" CREATEDB'
            )
    except BaseException:
        connection.close()
        raise


@contextmanager
def _database(plan: Plan, lease: Lease, base: URL, cores: int | None, template: str | None = None) -> Iterator[Stage]:
    """Give the Stage of a new database, a copy of `template` where one is given."""
    from dbplan.connection import new_engine

    with lease.database(plan.name, template) as name:
        url = base.set(database=name)
        engine = new_engine(url)

        @contextmanager
        def copy() -> Iterator[Stage]:
            engine.dispose()
            with _database(plan, lease, base, cores, template=name) as stage:
                yield stage

        try:
            server = _postgresql(engine, cores)
            yield Stage(plan, engine, url.render_as_string(hide_password=False), "postgresql", server, copy)
        finally:
            engine.dispose()


def _postgresql(engine: Engine, cores: int | None) -> Server:
    with engine.connect() as connection:
        version = str(connection.exec_driver_sql("SHOW server_version").scalar_one()).split()[0]
        settings = tuple(
            (name, str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())) for name in _POSTGRESQL_SETTINGS
        )
    return Server("PostgreSQL", version, cores, settings)


@contextmanager
def _sqlite(plan: Plan) -> Iterator[Stage]:
    from dbplan.sandbox import sqlite

    with sqlite.directory() as directory, _file(plan, directory, None) as stage:
        yield stage


@contextmanager
def _file(plan: Plan, directory: Path, source: Path | None) -> Iterator[Stage]:
    """Give the Stage of a new SQLite file, a copy of `source` where one is given."""
    from secrets import token_hex

    from sqlalchemy import URL

    from dbplan.connection import new_engine
    from dbplan.sandbox import sqlite

    path = directory / f"{plan_file(plan)}-{token_hex(4)}.db"
    if source is not None:
        sqlite.copy(source, path)
    url = URL.create("sqlite", database=str(path))
    engine = new_engine(url)
    try:
        yield Stage(plan, engine, str(url), "sqlite", _sqlite_server(engine), lambda: _file(plan, directory, path))
    finally:
        engine.dispose()
        for rest in directory.glob(f"{path.name}*"):
            rest.unlink(missing_ok=True)


def plan_file(plan: Plan) -> str:
    """Return what of the plan's name can stand in a file name."""
    from dbplan.sandbox.names import slug

    return slug(plan.name)


def _sqlite_server(engine: Engine) -> Server:
    with engine.connect() as connection:
        version = str(connection.exec_driver_sql("SELECT sqlite_version()").scalar_one())
        settings = tuple(
            (name, str(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())) for name in _SQLITE_SETTINGS
        )
    return Server("SQLite", version, cores(), settings)


def cores() -> int:
    """Return the processor cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _cores_of(connection: psycopg.Connection[Any]) -> int | None:
    """Return the cores of the server where it is this machine, else None: a server does not tell."""
    return cores() if connection.info.host.startswith("/") or connection.info.hostaddr in ("127.0.0.1", "::1") else None
