"""The script that loads files of SQL in their order, all or nothing, by the client of their server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Dialect, Integer

from dbplan.ddl.compilers import compiler_dialect
from dbplan.seeding.loading.statements import quoter
from dbplan.seeding.rows.frames import Source
from dbplan.seeding.rows.world import World
from dbplan.seeding.values.infer import generic

SCRIPT = "load.sql"


def script(made: World, dialect: str, paths: Sequence[str]) -> str:
    """Return the script for the files of these paths, which it looks for beside itself."""
    return "\n".join(_SCRIPTS[dialect](made, paths)) + "\n"


def _psql(made: World, paths: Iterable[str]) -> Iterator[str]:
    dialect = compiler_dialect("postgresql")
    name = quoter(dialect).format_table
    armed = [table for table in made.plan.tables if table.info.get("triggers") and not table.info.get("is_view")]
    yield "-- psql -d DATABASE -f load.sql"
    yield "\\set ON_ERROR_STOP on"
    yield "SET client_encoding = 'UTF8';"
    yield "SET standard_conforming_strings = on;"
    yield "BEGIN;"
    yield "SET CONSTRAINTS ALL DEFERRED;"
    yield from (f"ALTER TABLE {name(table)} DISABLE TRIGGER USER;" for table in armed)
    yield from (f"\\ir '{path}'" for path in paths)
    yield "SET CONSTRAINTS ALL IMMEDIATE;"
    for table in armed:
        yield f"ALTER TABLE {name(table)} ENABLE TRIGGER USER;"
        yield from (f"{sql.rstrip(';')};" for sql in table.info["triggers"] if sql.startswith("ALTER TABLE "))
    for source in made.sources.values():
        yield from _sequences(source, dialect)
    yield "COMMIT;"


def _sequences(source: Source, dialect: Dialect) -> Iterator[str]:
    """Yield what lets the next INSERT of an application count on where the rows stop."""
    quote = quoter(dialect)
    table = quote.format_table(source.table)
    for column in source.table.columns:
        fixed = any(column.name in part.makers for part in source.parts if part.given)
        counted = source.why.get(column.name) == "counts up" or (fixed and isinstance(generic(column.type), Integer))
        if counted and column.name in source.makers:
            sequence = f"pg_get_serial_sequence({_text(table)}, {_text(column.name)})"
            top = f"(SELECT max({quote.quote(column.name)}) AS top FROM {table}) AS rows"  # noqa: S608 - quoted names
            yield f"SELECT setval({sequence}, top) FROM {top} WHERE top > 0 AND {sequence} IS NOT NULL;"  # noqa: S608


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _sqlite(_made: World, paths: Iterable[str]) -> Iterator[str]:
    yield "-- in this folder: sqlite3 DATABASE < load.sql"
    yield ".bail on"
    yield "PRAGMA foreign_keys = ON;"
    yield "BEGIN;"
    yield "PRAGMA defer_foreign_keys = ON;"
    yield from (f'.read "{path}"' for path in paths)
    yield "COMMIT;"


def _mariadb(_made: World, paths: Iterable[str]) -> Iterator[str]:
    yield "-- in this folder: mariadb DATABASE < load.sql"
    yield "SET NAMES utf8mb4;"
    yield "SET time_zone = '+00:00';"
    yield "SET sql_mode = CONCAT(REPLACE(@@sql_mode, 'NO_BACKSLASH_ESCAPES', ''), ',NO_AUTO_VALUE_ON_ZERO');"
    yield "START TRANSACTION;"
    yield from (f"source {path}" for path in paths)
    yield "COMMIT;"


_SCRIPTS = {"postgresql": _psql, "sqlite": _sqlite, "mariadb": _mariadb, "mysql": _mariadb}
