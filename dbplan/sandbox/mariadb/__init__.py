"""MariaDB sandboxes: on a private server from the machine's programs, or on a MariaDB or MySQL server of yours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbplan.connection import new_engine
from dbplan.errors import ConnectionFailed
from dbplan.evidence import Server
from dbplan.plan import Plan
from dbplan.sandbox import locks, sharing
from dbplan.sandbox.mariadb import databases, instance

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from sqlalchemy import URL, Engine
    from sqlalchemy import Connection as SqlConnection

    from dbplan.sandbox.stage import Stage

_SETTINGS = (
    "innodb_flush_log_at_trx_commit",
    "innodb_buffer_pool_size",
    "sync_binlog",
    "sql_mode",
    "collation_database",
)


def connect() -> Connection[Any]:
    """Connect to the private server, after starting it where it does not run."""
    here = instance.here()
    with locks.held(here.start_lock):
        connection: Connection[Any] = sharing.connect(here)
        return connection


def stop() -> bool:
    """Stop the private server of every version that dbplan's home holds; say whether one ran."""
    ran = False
    for one in instance.present():
        with locks.held(one.start_lock):
            ran = sharing.stop(one) or ran
    return ran


def names() -> list[str]:
    """Return the throwaway databases on private servers that run; start nothing."""
    found: list[str] = []
    for one in instance.present():
        try:
            with one.connect() as connection:
                found += [name for (name,) in databases.rows(connection, r"SHOW DATABASES LIKE 'dbplan\_%'")]
        except one.lost:  # not there, or just going
            continue
    return found


def analyze(connection: SqlConnection) -> None:
    """Have the server gather statistics on every table of the database that `connection` is on."""
    quoted = connection.dialect.identifier_preparer.quote_identifier
    for (name,) in connection.exec_driver_sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND table_type = 'BASE TABLE'"
    ).all():
        connection.exec_driver_sql(f"ANALYZE TABLE {quoted(name)}").close()


@contextmanager
def embedded(plan: Plan, cores: int) -> Iterator[Stage]:
    """Give the Stage of a new database on the private server."""
    from sqlalchemy import URL

    connection, here = connect(), instance.here()
    base = URL.create("mariadb+pymysql", instance.USER, query={"unix_socket": str(here.socket)})
    with databases.lease(connection, here.connect) as lease, _database(plan, lease, base, cores) as stage:
        yield stage


@contextmanager
def remote(plan: Plan, url: URL, here: int) -> Iterator[Stage]:
    """Give the Stage of a new database on the server of `url`; `here` are the cores of this machine."""
    connection = _connect(url)
    url = url.set(drivername=f"{_product(connection)}+pymysql")
    local = url.host in (None, "", "localhost", "127.0.0.1", "::1")
    with (
        databases.lease(connection, lambda: _connect(url)) as lease,
        _database(plan, lease, url, here if local else None) as stage,
    ):
        yield stage


def _product(connection: Connection[Any]) -> str:
    """Return which of the two a server is, whatever its URL says: they differ in types."""
    return "mariadb" if "mariadb" in str(connection.server_version).lower() else "mysql"


def _connect(url: URL) -> Connection[Any]:
    """Connect to the server that the URL names, by the driver's own rules; its database need not be there."""
    from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

    driver, dialect = instance.driver(), MySQLDialect_pymysql()
    _, options = dialect.create_connect_args(url.set(database=None))
    try:
        made: Connection[Any] = driver.connect(**{**options, "autocommit": True, "program_name": "dbplan"})
        return made
    except (driver.MySQLError, OSError) as error:
        said = " ".join(str(error.args[-1] if error.args else error).split())
        raise ConnectionFailed(
            f"cannot connect to {url.render_as_string()}: {said}; check host, port, name and password"
        ) from None


@contextmanager
def _database(
    plan: Plan, lease: databases.Lease, base: URL, cores: int | None, template: str | None = None
) -> Iterator[Stage]:
    """Give the Stage of a new database, a copy of `template` where one is given."""
    from dbplan.sandbox.stage import Stage

    with lease.database(plan.name, str(plan.metadata.info.get("collation", "")), template) as name:
        url = base.set(database=name)
        engine = new_engine(url)

        @contextmanager
        def copy() -> Iterator[Stage]:
            engine.dispose()
            with _database(plan, lease, base, cores, template=name) as stage:
                yield stage

        try:
            yield Stage(
                plan,
                engine,
                url.render_as_string(hide_password=False),
                engine.dialect.name,
                _server(engine, cores),
                copy,
            )
        finally:
            engine.dispose()


def _server(engine: Engine, cores: int | None) -> Server:
    with engine.connect() as connection:
        said = str(connection.exec_driver_sql("SELECT version()").scalar_one())
        found: dict[str, str] = dict(connection.exec_driver_sql("SHOW VARIABLES").all())
    product = "MariaDB" if "mariadb" in said.lower() else "MySQL"
    settings = tuple((name, str(found[name])) for name in _SETTINGS if name in found)
    return Server(product, said.split("-")[0], cores, settings)
