"""What MariaDB and MySQL say about a schema: SHOW CREATE TABLE taken apart, and information_schema for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbplan.ddl.mariadb_text import Shown, clauses, decoded, quoted, shown, text_of, unqualified, without_definer
from dbplan.evidence import Place, SchemaObject

if TYPE_CHECKING:
    from sqlalchemy import Connection

_HERE = "SELECT database(), @@collation_database, @@sql_mode, @@sql_quote_show_create, @@character_set_results"
_QUIET = "SET SESSION sql_mode = '', sql_quote_show_create = 1"
_TABLES = """
SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = database() ORDER BY table_name
"""
_CHARSETS = "SELECT character_set_name, default_collate_name FROM information_schema.character_sets"
_VIEWS = """
SELECT table_name, view_definition, check_option, security_type, {algorithm}
FROM information_schema.views WHERE table_schema = database() ORDER BY table_name
"""
_VIEW_COLUMNS = """
SELECT c.table_name, c.column_name, c.column_type, c.is_nullable
FROM information_schema.columns c JOIN information_schema.views v
  ON v.table_schema = c.table_schema AND v.table_name = c.table_name
WHERE c.table_schema = database() ORDER BY c.table_name, c.ordinal_position
"""
_TRIGGERS = """
SELECT event_object_table, trigger_name, action_timing, event_manipulation, action_order, action_statement
FROM information_schema.triggers WHERE trigger_schema = database()
ORDER BY event_object_table, event_manipulation, action_timing, action_order
"""
_ROUTINES = """
SELECT routine_type, routine_name FROM information_schema.routines
WHERE routine_schema = database() ORDER BY routine_name, routine_type
"""
_EVENTS = (
    "SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = database() ORDER BY event_name"
)
_DEFAULT_OPTIONS = {"ENGINE": "InnoDB"}
_NO_ACTION = re.compile(r" ON (?:DELETE|UPDATE) (?:NO ACTION|RESTRICT)\b")
_PLACE = {"EVENT": 3, "SEQUENCE": 1}
"""Where SHOW CREATE's row has the statement; in the third column for what is kept with its sql_mode."""


@dataclass(frozen=True)
class View:
    """A view: its SELECT, how it is checked, in whose name it runs, how it is merged, and (name, type, nullable)."""

    select: str
    check: str
    security: str
    algorithm: str
    columns: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Trigger:
    """A trigger of a table; `order` counts those of the same time and event."""

    table: str
    name: str
    timing: str
    event: str
    order: int
    body: str

    @property
    def sql(self) -> str:
        """The statement that makes it; triggers of one time and event are made in their order."""
        head = f"CREATE TRIGGER {quoted(self.name)} {self.timing} {self.event} ON {quoted(self.table)}"
        return f"{head} FOR EACH ROW {self.body}"


@dataclass(frozen=True)
class Schema:
    """One database as its server writes it back. Statements carry no database and no definer; "" is one kept secret."""

    product: str
    database: str
    collation: str
    tables: Mapping[str, Shown]
    views: Mapping[str, View]
    triggers: tuple[Trigger, ...]
    routines: tuple[tuple[str, str, str], ...]
    events: tuple[tuple[str, str, str], ...]
    sequences: tuple[tuple[str, str, str], ...]
    charsets: Mapping[str, str]


def dialect(connection: Connection) -> str:
    """Return the server's kind, mariadb or mysql, whatever the URL has said."""
    return "mariadb" if getattr(connection.dialect, "is_mariadb", False) else "mysql"


def gather(connection: Connection) -> Schema:
    """Return the database that `connection` is on."""
    product = dialect(connection)
    with _plain(connection) as (database, collation):
        found = connection.exec_driver_sql(_TABLES).all()
        tables = [name for name, kind in found if kind in ("BASE TABLE", "SYSTEM VERSIONED")]
        return Schema(
            product,
            database,
            collation,
            {name: shown(_create(connection, "TABLE", name, database)) for name in tables},
            _views(connection, product, database),
            tuple(Trigger(*row) for row in connection.exec_driver_sql(_TRIGGERS)),
            _statements(connection, connection.exec_driver_sql(_ROUTINES).all(), database),
            _statements(connection, connection.exec_driver_sql(_EVENTS).all(), database),
            _statements(connection, [("SEQUENCE", name) for name, kind in found if kind == "SEQUENCE"], database),
            {row[0]: row[1] for row in connection.exec_driver_sql(_CHARSETS)},
        )


@contextmanager
def _plain(connection: Connection) -> Iterator[tuple[str, str]]:
    """Have the session write statements in one way, whatever its modes; give the database and its collation."""
    database, collation, mode, quote, results = connection.exec_driver_sql(_HERE).one()
    connection.exec_driver_sql(_QUIET)
    try:
        yield str(database or ""), str(collation)
    finally:
        connection.exec_driver_sql("SET SESSION sql_mode = %s, sql_quote_show_create = %s", (mode, quote))
        connection.exec_driver_sql("SET SESSION character_set_results = %s", (results,))


def _create(connection: Connection, kind: str, name: str, database: str) -> str:
    """Return the statement that SHOW CREATE gives, "" for one that we may not see."""
    connection.exec_driver_sql("SET SESSION character_set_results = binary")  # strings of bytes come as they are
    try:
        row = connection.exec_driver_sql(f"SHOW CREATE {kind} {quoted(name).replace('%', '%%')}").one()
    finally:
        connection.exec_driver_sql("SET SESSION character_set_results = utf8mb4")
    said = row[_PLACE.get(kind, 1 if kind == "TABLE" else 2)]
    return "" if said is None else unqualified(decoded(said), database)


def _statements(connection: Connection, found: Sequence[Any], database: str) -> tuple[tuple[str, str, str], ...]:
    """Return kind, name and statement of routines, events and sequences."""
    return tuple(
        (kind.lower(), name, without_definer(_create(connection, kind, name, database))) for kind, name in found
    )


def _views(connection: Connection, product: str, database: str) -> dict[str, View]:
    columns: dict[str, list[tuple[str, str, bool]]] = {}
    for view, column, kind, nullable in connection.exec_driver_sql(_VIEW_COLUMNS):
        columns.setdefault(view, []).append((column, _text(kind), nullable == "YES"))
    query = _VIEWS.format(algorithm="algorithm" if product == "mariadb" else "'UNDEFINED'")
    return {
        name: View(unqualified(_text(select), database), check, security, algorithm, tuple(columns.get(name, ())))
        for name, select, check, security, algorithm in connection.exec_driver_sql(query)
    }


def _text(said: bytes | str | None) -> str:
    return decoded(said or "")


def objects(connection: Connection) -> Iterator[SchemaObject]:
    """Yield every object of the database that `connection` is on; of others there is nothing."""
    schema = gather(connection)
    for name, table in schema.tables.items():
        yield _table(name, table, schema)
        yield from (_column(name, column, words) for column, words in table.columns.items())
        for key, words in table.keys.items():
            yield SchemaObject(*_key(name, key), (("definition", words),))
        for constraint, words in table.constraints.items():
            place = Place(name, constraint=constraint)
            yield SchemaObject("constraint", place, (("definition", _NO_ACTION.sub("", words)),))
    for name, view in schema.views.items():
        yield SchemaObject("view", Place(name), _view(view))
    for trigger in schema.triggers:
        told = {"fires": f"{trigger.timing} {trigger.event}", "order": str(trigger.order), "definition": trigger.body}
        yield SchemaObject("trigger", Place(trigger.table, constraint=trigger.name), tuple(told.items()))
    for kind, name, sql in (*schema.routines, *schema.events, *schema.sequences):
        yield SchemaObject(kind, Place(name), (("definition", sql),))


def _key(table: str, name: str) -> tuple[str, Place]:
    if name == "PRIMARY":
        return "constraint", Place(table, constraint=name)
    return "index", Place(table, index=name)


def _table(name: str, table: Shown, schema: Schema) -> SchemaObject:
    told = {"column order": ", ".join(table.columns)}
    told |= {option.lower(): value for option, value in own_options(table, schema).items()}
    if "comment" in told:
        told["comment"] = text_of(told["comment"])
    if table.partitions:
        told["partitions"] = " ".join(table.partitions.split())
    if table.periods:
        told["periods"] = ", ".join(table.periods)
    return SchemaObject("table", Place(name), tuple(told.items()))


def own_options(table: Shown, schema: Schema) -> dict[str, str]:
    """Return the options of a table that are not what the database or the server would choose."""
    options = {k: v or "yes" for k, v in table.options.items() if _DEFAULT_OPTIONS.get(k) != v}
    charset = options.pop("DEFAULT CHARSET", "")
    collation = options.pop("COLLATE", "") or schema.charsets.get(charset, "")
    return options | ({"COLLATE": collation} if collation and collation != schema.collation else {})


def _column(table: str, name: str, words: str) -> SchemaObject:
    told = clauses(words)
    properties = {"type": told.pop("type"), "not null": "yes" if "not null" in told else "no"}
    if told.get("default", "").upper() == "NULL":
        del told["default"]
    if "comment" in told:
        told["comment"] = text_of(told["comment"])
    properties |= {key: value or "yes" for key, value in told.items() if key not in ("not null", "null", "charset")}
    if "charset" in told and "collation" not in told:
        properties["charset"] = told["charset"]
    return SchemaObject("column", Place(table, name), tuple(properties.items()))


def _view(view: View) -> tuple[tuple[str, str], ...]:
    told = {"definition": view.select}
    if view.check != "NONE":
        told["check option"] = view.check.lower()
    if view.security != "DEFINER":
        told["security"] = view.security.lower()
    if view.algorithm != "UNDEFINED":
        told["algorithm"] = view.algorithm.lower()
    return tuple(told.items())
