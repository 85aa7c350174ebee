"""Drivers: what stands below an ORM, which depends on the database; a process has one."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from dbplan.orms.scenarios import Study

_sqlite = False


def is_sqlite(study: Study) -> bool:
    """Return whether a study is on SQLite, and remember it for `driver`."""
    global _sqlite
    _sqlite = study.dialect == "sqlite"
    return _sqlite


def on_sqlite() -> bool:
    """Return whether the study of this process is on SQLite."""
    return _sqlite


def driver(postgresql: str, package: str = "", sqlite: str = "") -> str:
    """Return the driver in use by name and version; on SQLite the standard library's, below `sqlite` if that is given.

    `package` is what the one of PostgreSQL is installed as, where that is another name.
    """
    if not _sqlite:
        return f"{postgresql} {version(package or postgresql)}"
    own = f"SQLite {sqlite3.sqlite_version}"
    return f"{sqlite} {version(sqlite)}, {own}" if sqlite else own


def zoneless(given: Any) -> Any:
    """Return parameters with their moments in UTC, without a zone: for ORMs that know none on SQLite."""
    if isinstance(given, dict):
        return {name: zoneless(value) for name, value in given.items()}
    if isinstance(given, list):
        return [zoneless(one) for one in given]
    if isinstance(given, datetime) and given.tzinfo is not None:
        return given.astimezone(UTC).replace(tzinfo=None)
    return given


def timeout(study: Study) -> float:
    """Return the seconds that a connection to SQLite waits for another that writes."""
    return float(study.url["busy_timeout"]) / 1000
