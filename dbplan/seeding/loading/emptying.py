"""Emptying: the rows of a plan's tables taken out, all at once, where nobody else refers to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Table, func, inspect, select, text

from dbplan.errors import UsageError
from dbplan.plan import Plan
from dbplan.seeding.loading.emptiness import listing
from dbplan.seeding.loading.statements import quoter, run_sql


def counts(connection: Connection, plan: Plan) -> dict[str, int]:
    """Return the rows of every table that has some."""
    found = {str(t.key): connection.execute(select(func.count()).select_from(t)).scalar_one() for t in plan.tables}
    return {name: rows for name, rows in found.items() if rows}


def refuse_referred(connection: Connection, plan: Plan) -> None:
    """Refuse to empty tables that tables outside the plan refer to."""
    ours = {_place(connection, t) for t in plan.tables}
    others = sorted({child for child, parent in _references(connection, ours) if parent in ours and child not in ours})
    if others:
        names = listing([".".join(filter(None, place)) for place in others])
        raise UsageError(
            f"{names} of {connection.engine.url.render_as_string()} refer to tables of the plan and are not in it; "
            "--truncate empties the tables of the plan alone: empty those first, or name another database"
        )


def _place(connection: Connection, table: Table) -> tuple[str, str]:
    return table.schema or connection.dialect.default_schema_name or "", str(table.name)


def _references(connection: Connection, ours: set[tuple[str, str]]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return which tables refer to which, in all schemas that there may be references from."""
    if connection.dialect.name == "postgresql":
        return [((row[0], row[1]), (row[2], row[3])) for row in connection.exec_driver_sql(_POSTGRESQL)]
    inspector, default = inspect(connection), connection.dialect.default_schema_name or ""
    found = []
    for schema in {schema for schema, _ in ours} | {default}:
        for (_, child), keys in inspector.get_multi_foreign_keys(schema=schema or None).items():
            found += [((schema, child), (key["referred_schema"] or schema, key["referred_table"])) for key in keys]
    return found


_POSTGRESQL = """
SELECT DISTINCT n.nspname, c.relname, m.nspname, p.relname FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace m ON m.oid = p.relnamespace
WHERE k.contype = 'f' AND NOT c.relispartition AND NOT p.relispartition
"""


def empty(connection: Connection, tables: Sequence[Table]) -> None:
    """Take all rows out of tables, children first, inside the connection's transaction; serial keys begin anew."""
    if connection.dialect.name == "postgresql" and tables:
        quote = quoter(connection.dialect)
        run_sql(connection, f"TRUNCATE {', '.join(map(quote.format_table, tables))} RESTART IDENTITY")
        return
    with _unchecked(connection):
        for table in tables:
            connection.execute(table.delete())
    if connection.dialect.name == "sqlite" and inspect(connection).has_table("sqlite_sequence"):
        forget = text("DELETE FROM sqlite_sequence WHERE name = :name")
        connection.execute(forget, [{"name": table.name} for table in tables])


@contextmanager
def _unchecked(connection: Connection) -> Iterator[None]:
    """Let tables be emptied one after the other: at the end no row is left that could refer to another."""
    server = connection.dialect.name
    if server == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    if server in ("mariadb", "mysql"):
        connection.exec_driver_sql("SET foreign_key_checks = 0")
    try:
        yield
    finally:
        if server in ("mariadb", "mysql"):
            connection.exec_driver_sql("SET foreign_key_checks = 1")
