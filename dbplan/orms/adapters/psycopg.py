"""psycopg 3 by hand, the reference of Python: every other contestant's results must equal these.

Statements are written once, when a scenario is bound; rows come as dicts. Many rows go in by COPY, which psycopg's
documentation calls one of the most efficient ways to load data. psycopg prepares a statement by itself after its
fifth run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from dbplan.orms.adapters.handwritten import Among, Bound, Level, Words, bound
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = False


class Database:
    """A pool, and what the tables are."""

    def __init__(self, study: Study) -> None:
        url = study.url
        told = {
            "host": url["host"],
            "port": url["port"],
            "user": url["user"],
            "password": url["password"],
            "dbname": url["database"],
        }
        given = {key: value for key, value in told.items() if value is not None}
        kwargs = {**given, "autocommit": True, "row_factory": dict_row}
        self.study = study
        self.pool: Any = ConnectionPool(kwargs=kwargs, min_size=1, max_size=study.pool, open=True)


def open(study: Study) -> Database:
    """Connect."""
    db = Database(study)
    db.pool.wait()
    return db


def close(db: Database) -> None:
    """Disconnect."""
    db.pool.close()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": psycopg.__version__, "driver": f"psycopg {psycopg.__version__}"}


def ping(db: Database) -> None:
    """Ask for an answer."""
    with db.pool.connection() as connection:
        connection.execute("SELECT 1").fetchone()


def bind(db: Database, scenario: Scenario) -> Bound:
    """Write the statements of a scenario."""
    with db.pool.connection() as connection:

        def quoted(name: str) -> str:
            return sql.Identifier(name).as_string(connection).replace("%", "%%")

        made = bound(Words(db.study.tables, quoted, lambda _: "%s"), scenario)
        if scenario.name == "bulk_insert":
            made.words = Words(db.study.tables, lambda name: sql.Identifier(name).as_string(None), lambda _: "%s")
        return made


def adapt(db: Database, b: Bound, params: Row) -> Row:
    """Wrap documents, as psycopg wants them: a dict or list could be an array as well."""
    own = b.scenario.table
    inserted = b.scenario.insert.table if b.scenario.insert else own
    made = dict(params)
    if "row" in made:
        made["row"] = _wrapped(db, inserted, made["row"])
    if "rows" in made:
        made["rows"] = [_wrapped(db, own, row) for row in made["rows"]]
    if "value" in made and b.scenario.update:
        made["value"] = _wrapped(db, own, {b.scenario.update: made["value"]})[b.scenario.update]
    return made


def _wrapped(db: Database, table: str, row: Row) -> Row:
    columns = db.study.tables[table].columns
    return {name: Jsonb(value) if _is_document(columns[name], value) else value for name, value in row.items()}


def _is_document(column: Mapping[str, Any], value: Any) -> bool:
    return bool(column["kind"] == "json" and value is not None)


def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Insert a row and return it as the database has it."""
    row = params["row"]
    with db.pool.connection() as connection:
        found: Row = connection.execute(b.insert(row), list(row.values())).fetchone()
        return found


def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert rows by COPY."""
    rows = params["rows"]
    names = list(rows[0])
    copied = f"COPY {b.words.table(b.scenario.table)} ({b.words.columns(names)}) FROM STDIN"
    with db.pool.connection() as connection, connection.cursor() as cursor:
        with cursor.copy(copied) as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
        return int(cursor.rowcount)


def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Read a row by its key."""
    with db.pool.connection() as connection:
        found: Row | None = connection.execute(b.sql, _key(b, params)).fetchone()
        return found


def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read rows by a value."""
    return _all(db, b.sql, [params["value"]])


def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read the rows that come after one."""
    return _all(db, b.sql, [params["after"][name] for name in b.scenario.order])


def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read rows by a key of their document."""
    return _all(db, b.sql, [b.scenario.path, params["value"]])


def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Count and add up by group."""
    return _all(db, b.sql, [])


def _all(db: Database, statement: str, given: Sequence[Any]) -> list[Row]:
    with db.pool.connection() as connection:
        found: list[Row] = connection.execute(statement, given).fetchall()
        return found


def _key(b: Bound, params: Row) -> list[Any]:
    return [params["key"][name] for name in b.key]


def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read rows with what they refer to, by one LEFT JOIN."""
    after = [params["after"][name] for name in b.key]
    with db.pool.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
        return [b.sql.row(found) for found in cursor.execute(b.sql.sql, after)]


def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Read parents and then their children, by one statement for each level."""
    among, level = b.sql
    with db.pool.connection() as connection:
        rows = _among(connection, among, [tuple(key[name] for name in b.key) for key in params["keys"]])
        _children(connection, level, rows)
        return rows


deep_include = nested_include


def _among(connection: Any, among: Among, keys: list[tuple[Any, ...]]) -> list[Row]:
    if not keys:
        return []
    found: list[Row] = connection.execute(among.sql(len(keys)), among.given(keys)).fetchall()
    return found


def _children(connection: Any, level: Level, rows: list[Row]) -> None:
    children = _among(connection, level.among, level.keys(rows))
    level.attach(rows, children)
    if level.below is not None:
        _children(connection, level.below, children)


def update_one(db: Database, b: Bound, params: Row) -> int:
    """Set a column of one row."""
    with db.pool.connection() as connection:
        return int(connection.execute(b.sql, [params["value"], *_key(b, params)]).rowcount)


def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert a row, or set a column of the one that is there."""
    row = params["row"]
    with db.pool.connection() as connection:
        return int(connection.execute(b.insert(row), list(row.values())).rowcount)


def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock a row, change it and insert another, in one transaction."""
    lock, update = b.sql
    key, row = _key(b, params), params["row"]
    with db.pool.connection() as connection, connection.transaction():
        found: Row | None = connection.execute(lock, key).fetchone()
        if found is None:
            raise LookupError("the row to lock is not there")
        connection.execute(update, [params["value"], *key])
        connection.execute(b.insert(row), list(row.values()))
        return found


def _whole(connection: psycopg.Connection[Any], b: Bound) -> AbstractContextManager[object]:
    """Give a transaction where there are several statements; one is whole by itself."""
    return connection.transaction() if len(b.sql) > 1 else nullcontext()


def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete a row, and before it what the database would not delete with it."""
    key = params["key"]
    with db.pool.connection() as connection, _whole(connection, b):
        done = [connection.execute(delete, [key[name] for name in names]).rowcount for delete, names in b.sql]
        return int(done[-1])
