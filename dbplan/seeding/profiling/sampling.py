"""Rows to look at: all of a small table, some of a large one, and how large it is on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, func, literal, select, text, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from dbplan.columns import Encrypted

SAMPLE = 10_000
"""Rows of a table that are looked at."""
MEMORY = 64_000_000
"""Bytes of a table's rows that are looked at: fewer rows where each is large."""
LEAST = 100


@dataclass(frozen=True)
class Sample:
    """Some rows of a table by column, and how they were chosen: "all", "random" or "first"."""

    columns: Mapping[str, Sequence[Any]]
    n: int
    chosen: str


def count(connection: Connection, table: Table) -> int:
    """Return the rows of a table."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def sample(connection: Connection, table: Table, rows: int, size: int | None) -> Sample:
    """Return the rows of a table that are looked at: all, or about SAMPLE, the same ones each time."""
    wanted = SAMPLE if not size or not rows else max(LEAST, min(SAMPLE, MEMORY * rows // size))
    columns = list(table.columns)
    if not columns:
        return Sample({}, rows, "all")
    whole = rows <= wanted
    source, condition, chosen = (table, None, "all") if whole else _some(connection, table, wanted / rows)
    kept = [_as_kept(column, source.columns[column.key]) for column in columns]
    found = _fetched(connection, kept, lambda chosen_columns: _limited(select(*chosen_columns), condition, wanted))
    cells = zip(*found, strict=True) if found else ([] for _ in columns)
    return Sample(dict(zip((c.key for c in columns), map(list, cells), strict=True)), len(found), chosen)


def _limited(statement: Select[Any], condition: Any, wanted: int) -> Select[Any]:
    """Return the statement over some rows; a chance may give a few more than wanted."""
    statement = statement if condition is None else statement.where(condition)
    return statement.limit(2 * wanted)


def _some(connection: Connection, table: Table, share: float) -> tuple[Any, Any, str]:
    """Return what to select from, a condition or none, and how rows are chosen by it."""
    name = connection.dialect.name
    if name == "postgresql":
        return table.tablesample(func.bernoulli(100 * share), seed=literal(7)), None, "random"
    if name == "sqlite" and not table.dialect_options["sqlite"]["with_rowid"]:
        return table, None, "first"
    if name == "sqlite":
        free = next((n for n in ("rowid", "_rowid_", "oid") if n not in {c.lower() for c in table.columns.keys()}), "")  # noqa: SIM118
        return (table, text(f"{free} % {round(1 / share)} = 0"), "random") if free else (table, None, "first")
    if name in ("mysql", "mariadb"):
        return table, func.rand(7) < share, "random"
    return table, None, "first"


def _as_kept(column: Column[Any], chosen: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as it stands in the table where it holds a secret: a report goes from hand to hand."""
    return type_coerce(chosen, NullType()) if isinstance(column.type, Encrypted) else chosen


def _fetched(connection: Connection, columns: list[ColumnElement[Any]], statement: Any) -> Sequence[Any]:
    try:
        return connection.execute(statement(columns)).all()
    except DBAPIError:
        raise
    except Exception:  # a project's own type may refuse to read what it did not write
        return connection.execute(statement([type_coerce(column, NullType()) for column in columns])).all()


def sizes(connection: Connection, tables: Sequence[Table]) -> dict[str, int]:
    """Return the bytes of tables on disk, indexes included, where the server tells."""
    ask = {"postgresql": _postgresql, "sqlite": _sqlite, "mysql": _mariadb, "mariadb": _mariadb}
    found = ask[connection.dialect.name](connection, tables) if connection.dialect.name in ask else {}
    return {name: int(size) for name, size in found.items() if size is not None}


def _postgresql(connection: Connection, tables: Sequence[Table]) -> dict[str, Any]:
    quoted = {connection.dialect.identifier_preparer.format_table(t): str(t.key) for t in tables}
    pages = text(
        "SELECT name, coalesce((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(to_regclass(name))),"
        " pg_total_relation_size(to_regclass(name))) FROM unnest(CAST(:names AS text[])) AS name"
    )
    return {quoted[name]: size for name, size in connection.execute(pages, {"names": list(quoted)})}


def _sqlite(connection: Connection, tables: Sequence[Table]) -> dict[str, Any]:
    statement = (
        "SELECT lower(m.tbl_name), sum(s.pgsize) FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name"
        " WHERE s.aggregate = TRUE GROUP BY 1"
    )
    try:
        found: dict[str, Any] = dict(map(tuple, connection.exec_driver_sql(statement)))
    except DBAPIError:  # built without dbstat
        return {}
    return {str(t.key): found.get(t.name.lower()) for t in tables}


def _mariadb(connection: Connection, tables: Sequence[Table]) -> dict[str, Any]:
    asked = "SELECT table_schema, table_name, data_length + index_length FROM information_schema.tables"
    found = {(schema, name): size for schema, name, size in connection.execute(text(asked))}
    here = connection.scalar(select(func.database()))
    return {str(t.key): found.get((t.schema or here, t.name)) for t in tables}
