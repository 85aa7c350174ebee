"""One database copied into another on the same server: tables with their rows, sequences, routines, views, triggers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbplan.ddl.mariadb_text import decoded, quoted, unqualified, without_definer

if TYPE_CHECKING:
    from pymysql.connections import Connection

_OBJECTS = "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name"
_ROUTINES = """
    SELECT routine_type, routine_name FROM information_schema.routines
    WHERE routine_schema = %s AND routine_type IN ('FUNCTION', 'PROCEDURE') ORDER BY routine_name
"""
_TRIGGERS = """
    SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s
    ORDER BY event_object_table, event_manipulation, action_timing, action_order
"""
_EVENTS = "SELECT event_name FROM information_schema.events WHERE event_schema = %s ORDER BY event_name"
_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = %s AND table_name = %s AND extra NOT LIKE '%%GENERATED%%' ORDER BY ordinal_position
"""
_QUIET = (
    "SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'"
)
_MODE = "NO_AUTO_VALUE_ON_ZERO"


def copy(connection: Connection[Any], source: str, target: str) -> None:
    """Copy everything that `source` holds into the empty database `target`; raises pymysql.MySQLError.

    The session of `connection` is left with checks switched off: close it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_QUIET)
        _Copy(cursor, source, target).run()


class _Copy:
    """One copy under way; statements are read in the source, where names go unqualified, and run in the target."""

    def __init__(self, cursor: Any, source: str, target: str) -> None:
        self.cursor, self.source, self.target = cursor, source, target

    def run(self) -> None:
        """Copy all, in an order in which each thing finds what it needs when it is made."""
        found = self.ask(_OBJECTS, self.source)
        tables = [name for name, kind in found if kind in ("BASE TABLE", "SYSTEM VERSIONED")]
        for name in (name for name, kind in found if kind == "SEQUENCE"):
            self.sequence(name)
        for kind, name in self.ask(_ROUTINES, self.source):
            self.make(kind, name, 2)
        for name in tables:
            self.make("TABLE", name, 1)
        for name in tables:
            self.rows(name)
        self.views([name for name, kind in found if kind == "VIEW"])
        for (name,) in self.ask(_TRIGGERS, self.source):
            self.make("TRIGGER", name, 2)
        for (name,) in self.ask(_EVENTS, self.source):
            self.make("EVENT", name, 3)

    def ask(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        self.cursor.execute(query, values or None)  # with no values a % in it is no placeholder
        return list(self.cursor.fetchall())

    @contextmanager
    def mode(self, words: str) -> Iterator[None]:
        """Have the server read a statement as it was once written."""
        self.cursor.execute("SET SESSION sql_mode = %s", [words])
        yield
        self.cursor.execute("SET SESSION sql_mode = %s", [_MODE])

    def make(self, kind: str, name: str, place: int) -> None:
        """Make one object in the target as the server writes it back: in that place of SHOW CREATE's row."""
        self.cursor.execute(f"USE {quoted(self.source)}")
        self.cursor.execute("SET character_set_results = binary")  # a string of bytes comes as it is
        row = [decoded(said) for said in self.ask(f"SHOW CREATE {kind} {quoted(name)}")[0][: place + 1]]
        self.cursor.execute("SET character_set_results = utf8mb4")
        self.cursor.execute(f"USE {quoted(self.target)}")
        sql = unqualified(row[place], self.source)
        with self.mode(row[1] if place > 1 else _MODE):
            self.cursor.execute(sql if kind == "TABLE" else without_definer(sql))

    def sequence(self, name: str) -> None:
        self.make("SEQUENCE", name, 1)
        query = f"SELECT next_not_cached_value FROM {quoted(self.source)}.{quoted(name)}"  # noqa: S608
        following = self.ask(query)[0][0]
        self.cursor.execute(f"SELECT SETVAL({quoted(self.target)}.{quoted(name)}, %s, FALSE)", [following])

    def rows(self, name: str) -> None:
        columns = ", ".join(quoted(column) for (column,) in self.ask(_COLUMNS, self.source, name))
        source, target = f"{quoted(self.source)}.{quoted(name)}", f"{quoted(self.target)}.{quoted(name)}"
        self.cursor.execute(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {source}")  # noqa: S608

    def views(self, names: list[str]) -> None:
        """Make the views; one that needs another is tried again after it."""
        from pymysql import MySQLError

        while names:
            left: list[str] = []
            for name in names:
                try:
                    self.make("VIEW", name, 1)
                except MySQLError:
                    if len(left) + 1 == len(names):
                        raise
                    left.append(name)
            names = left
