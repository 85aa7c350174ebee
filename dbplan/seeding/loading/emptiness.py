"""What is in the tables of a plan before they are filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, Engine, inspect, select

from dbplan.connection import connect
from dbplan.errors import UsageError
from dbplan.plan import Plan


def how_to_create(plan: Plan, engine: Engine) -> str:
    """Return what makes the tables of a plan in a database."""
    if plan.migrations is None:
        url = engine.url.render_as_string()
        return f"dbplan seed … --to {url} --create (which fills them as well), or MetaData.create_all from Python"
    return f"dbplan migrate up {plan.name} --to {engine.url.render_as_string()}"


def require_tables(connection: Connection, plan: Plan) -> None:
    """Refuse a target that lacks a table."""
    inspector, tables = inspect(connection), plan.tables
    there = {schema: set(inspector.get_table_names(schema)) for schema in {t.schema for t in tables}}
    missing = [str(t.key) for t in tables if t.name not in there[t.schema]]
    if missing:
        url = connection.engine.url.render_as_string()
        how = how_to_create(plan, connection.engine)
        raise UsageError(f"{url} has no table {listing(missing)}; create the tables first: {how}")


def create_tables(engine: Engine, plan: Plan, create: Callable[[Plan, Engine], object]) -> bool:
    """Create the tables of a plan where the database has none of them; say whether it was done.

    Refuse where it has some of them and not all: what is there was made by something else.
    """
    with connect(engine) as connection:
        there = present_tables(connection, plan)
    if not there:
        create(plan, engine)
    elif missing := [str(t.key) for t in plan.tables if str(t.key) not in there]:
        raise UsageError(
            f"{engine.url.render_as_string()} has {listing(there)} and not {listing(missing)}; --create makes the "
            "tables of a plan where there are none of them: name an empty database, or migrate this one"
        )
    return not there


def present_tables(connection: Connection, plan: Plan) -> list[str]:
    """Return the tables of a plan that a database has."""
    inspector, tables = inspect(connection), plan.tables
    names = {schema: set(inspector.get_table_names(schema)) for schema in {t.schema for t in tables}}
    return [str(t.key) for t in tables if t.name in names[t.schema]]


def filled(connection: Connection, plan: Plan) -> list[str]:
    """Return the tables that have rows."""
    tables = plan.tables
    return [str(t.key) for t in tables if connection.execute(select(1).select_from(t).limit(1)).first() is not None]


def refuse_filled(connection: Connection, names: Iterable[str]) -> None:
    """Refuse tables that have rows of their own: seeding never deletes unasked."""
    found = list(names)
    if found:
        raise UsageError(
            f"{connection.engine.url.render_as_string()} has rows in {listing(found)}; seeding fills empty tables and "
            "deletes nothing unasked: --append adds to them, --truncate empties them first, or name another database"
        )


def listing(names: list[str]) -> str:
    """Return the first few names."""
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
