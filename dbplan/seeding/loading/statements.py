"""What statements that write rows are made of: names as the server quotes them, and the columns that are written."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.sql.compiler import IdentifierPreparer

from dbplan.seeding.constraints.order import Order, left_blank
from dbplan.seeding.rows.frames import Frame, Source


def quoter(dialect: Dialect) -> IdentifierPreparer:
    """Return what quotes names for a statement that takes no parameters, in which a percent sign is itself."""
    preparer: IdentifierPreparer = dialect.preparer(dialect)
    preparer._double_percents = False
    return preparer


def columns_of(frame: Frame) -> list[str]:
    """Return the columns that a frame fills; the server fills the others."""
    source = frame.source
    made = source.given[int(frame.rows[0])].cells if source.given else source.makers
    return [name for name in source.table.columns.keys() if name in made]  # noqa: SIM118 - a ColumnCollection


def listed(table: Table, names: Iterable[str], quote: IdentifierPreparer) -> str:
    """Return `table (column, …)` as COPY, INSERT and LOAD DATA name what they fill."""
    return f"{quote.format_table(table)} ({', '.join(quote.quote(name) for name in names)})"


def blank_at_first(source: Source, order: Order) -> frozenset[str]:
    """Return the columns of a table that stay NULL until the rows that they refer to are there."""
    name = str(source.table.key)
    return frozenset(c for table, ref in order.later if table == name for c in left_blank(source, ref))


def run_sql(connection: Connection, sql: str) -> None:
    """Run SQL in which a percent sign is itself."""
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
