"""Run the revisions of one plan, each plan in its own folder and with its own version table.

On the command line: `alembic -x plan=credits upgrade head`, with `-x url=…` for another database than the settings
name. From Python: `config.attributes["plan"]` (a Plan) and `["connection"]` (one with no transaction open).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from dbplan.connection import connect, new_engine, normalise, settings
from dbplan.domains import PLANS
from dbplan.errors import DbplanError
from dbplan.plan import Plan
from dbplan.sources import read
from dbplan.sources.catalog import LEDGER

LOCK_TIMEOUT = "5s"
"""A revision that cannot get its lock gives up, so that the queries queueing behind it do not wait for long.

`config.attributes["lock_timeout"]` says otherwise.
"""


def asked_plan() -> Plan:
    given = context.config.attributes.get("plan")
    if isinstance(given, Plan):
        return given
    name = context.get_x_argument(as_dictionary=True).get("plan")
    if not name:
        raise CommandError(f"which plan? alembic -x plan=NAME …; plans are: {', '.join(sorted(PLANS))}")
    return read(str(name))


def options(plan: Plan) -> dict[str, Any]:
    if plan.migrations is None:
        raise CommandError(f'plan "{plan.name}" names no folder of migrations')
    # The folder follows from the plan, which only this file knows; Alembic has read no revision yet.
    context.script.version_locations = [str(plan.migrations)]
    return {
        "target_metadata": plan.metadata,
        "include_name": is_ours,
        "version_table": f"alembic_version_{plan.name}",
        "transaction_per_migration": True,
        "compare_type": True,
        "compare_server_default": True,
    }


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether something in the database is the plan's concern: the ledger of a seeding under way is not."""
    return kind != "table" or name != LEDGER


def asked_url() -> str:
    return str(context.get_x_argument(as_dictionary=True).get("url") or settings().migration_url)


def run_offline(plan: Plan) -> None:
    url = normalise(asked_url())
    sqlite = url.get_backend_name() == "sqlite"
    # "named" keeps the driver's habit of doubling percent signs out of a script that no driver reads.
    script = {"literal_binds": True, "dialect_opts": {"paramstyle": "named"}, "render_as_batch": sqlite}
    context.configure(url=url, **script, **options(plan))
    if url.get_backend_name() == "postgresql":
        context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    if sqlite:
        context.execute("PRAGMA foreign_keys = OFF")
    with context.begin_transaction():
        context.run_migrations()


def run_on_own_connection(plan: Plan) -> None:
    engine = new_engine(asked_url())
    try:
        with connect(engine) as connection:
            run_online(plan, connection)
    finally:
        engine.dispose()


def run_online(plan: Plan, connection: Connection) -> None:
    if connection.in_transaction():
        raise CommandError("the connection has a transaction open; migrations want to begin and commit their own")
    sqlite = connection.dialect.name == "sqlite"
    with patient(connection), unchecked_references(connection):
        context.configure(connection=connection, render_as_batch=sqlite, **options(plan))
        with context.begin_transaction():
            context.run_migrations()


@contextmanager
def patient(connection: Connection) -> Iterator[None]:
    """Wait for locks on PostgreSQL, but not for long; leave the connection as it was."""
    if connection.dialect.name != "postgresql":
        yield
        return
    before = connection.exec_driver_sql("SHOW lock_timeout").scalar_one()
    set_timeout(connection, context.config.attributes.get("lock_timeout", LOCK_TIMEOUT))
    try:
        yield
    finally:
        connection.rollback()
        set_timeout(connection, before)


def set_timeout(connection: Connection, value: str) -> None:
    connection.exec_driver_sql(f"SET lock_timeout = '{value}'")
    connection.commit()


@contextmanager
def unchecked_references(connection: Connection) -> Iterator[None]:
    """Let a SQLite table be rebuilt while others refer to it, and check every reference afterwards.

    With foreign keys on, dropping the old copy would delete, or stumble over, the rows that refer to it.
    The pragma counts only outside a transaction, so it goes past SQLAlchemy, which would begin one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    (before,) = driver.execute("PRAGMA foreign_keys").fetchone()
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
        broken = driver.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        connection.rollback()
        driver.execute(f"PRAGMA foreign_keys = {before}")
    if broken:
        tables = ", ".join(sorted({f"{child} → {parent}" for child, _, parent, _ in broken}))
        raise CommandError(f"{len(broken)} rows refer to rows that are not there: {tables}")


def main() -> None:
    try:
        plan = asked_plan()
        given = context.config.attributes.get("connection")
        if context.is_offline_mode():
            run_offline(plan)
        elif given is not None:
            run_online(plan, given)
        else:
            run_on_own_connection(plan)
    except DbplanError as error:
        raise CommandError(str(error)) from None


main()
