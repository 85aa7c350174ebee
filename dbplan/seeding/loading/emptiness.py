"""What is in the tables of a plan before they are filled."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, inspect, select

from dbplan.errors import UsageError
from dbplan.plan import Plan


def how_to_create(plan: Plan, engine: Engine) -> str:
    """Return what makes the tables of a plan in a database."""
    if plan.migrations is None:
        return "MetaData.create_all, from Python"
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
