"""What SQLite says about a schema: its PRAGMAs, and the text of CREATE statements for the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dbplan.evidence import Place, SchemaObject
from dbplan.sources.catalog.sqlite_text import Token, Written, definition, normal, tokens, written

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLES = """
SELECT m.name, m.sql, l.wr, l.strict, l.type,
       NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) i WHERE i.origin = 'pk')
FROM sqlite_master m
JOIN pragma_table_list l ON l.name = m.name AND l.schema = 'main'
WHERE m.type = 'table' AND l.type IN ('table', 'virtual') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""
_COLUMNS = """
SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
FROM sqlite_master m, pragma_table_xinfo(m.name) x WHERE m.type = 'table' ORDER BY m.name, x.cid
"""
_OTHERS = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL"
_HIDDEN = {2: "virtual", 3: "stored"}


def objects(connection: Connection) -> Iterator[SchemaObject]:
    """Yield every object of the main database but SQLite's own tables."""
    columns: dict[str, list[Any]] = defaultdict(list)
    for row in connection.exec_driver_sql(_COLUMNS):
        columns[row[0]].append(row[1:])
    keys = {table.lower(): _primary_key(rows) for table, rows in columns.items()}
    for table, sql, without_rowid, strict, kind, numbered in connection.exec_driver_sql(_TABLES):
        told = written(sql) if kind == "table" else Written()
        yield _table(table, sql, columns[table], {"without rowid": without_rowid, "strict": strict}, kind)
        number = keys.get(table.lower(), []) if numbered and kind == "table" else []
        yield from (_column(table, row, told, row[0] in number) for row in columns[table])
        yield from _constraints(table, told, keys)
    for kind, name, table, sql in connection.exec_driver_sql(_OTHERS):
        yield _other(kind, name, table, sql)


def _primary_key(rows: list[Any]) -> list[str]:
    return [row[0] for row in sorted(rows, key=lambda row: row[4]) if row[4]]


def _table(table: str, sql: str, columns: list[Any], flags: Mapping[str, int], kind: str) -> SchemaObject:
    properties = [(flag, "yes") for flag, on in flags.items() if on]
    properties.append(("column order", ", ".join(row[0] for row in columns)))
    if kind == "virtual":
        properties.append(("definition", normal(sql)))
    return SchemaObject("table", Place(table), tuple(properties))


def _column(table: str, row: Any, told: Written, is_number: bool) -> SchemaObject:
    """Return a column; the one that is the number of its row is never NULL, whatever its text says."""
    name, type_, not_null, default, key, hidden = row
    extra = dict(told.columns.get(name.lower(), {}))
    if "generated" in extra:
        extra["generated"] += f" {_HIDDEN.get(hidden, 'virtual')}"
    properties = {"type": normal(type_), "not null": "yes" if not_null or is_number else "no"}
    if default is not None:
        properties["default"] = normal(default)
    if key:
        properties["place in primary key"] = str(key)
    return SchemaObject("column", Place(table, name), tuple((properties | extra).items()))


def _constraints(table: str, told: Written, keys: Mapping[str, list[str]]) -> Iterator[SchemaObject]:
    for name, text in told.constraints:
        full = _with_referred_columns(text, keys)
        yield SchemaObject("constraint", Place(table, constraint=name or full), (("definition", full),))


def _with_referred_columns(text: str, keys: Mapping[str, list[str]]) -> str:
    """Return a foreign key that names only the other table with the columns it means: that table's primary key."""
    head, found, tail = text.partition(" references ")
    parent = max((key for key in keys if tail == key or tail.startswith(f"{key} ")), key=len, default="")
    if not found or not parent:
        return text
    return f"{head} references {parent}({', '.join(keys[parent]).lower()}){tail[len(parent) :]}"


def _other(kind: str, name: str, table: str, sql: str) -> SchemaObject:
    if kind == "index":
        return SchemaObject("index", Place(table, index=name), (("definition", _index(sql)),))
    place = Place(name) if kind == "view" else Place(table, constraint=name)
    return SchemaObject(kind, place, (("definition", normal(_after_name(sql))),))


def _index(sql: str) -> str:
    found = tokens(sql)
    unique = "unique " if found[1].text == "unique" else ""
    on = next(i for i, token in enumerate(found) if token == Token("on", "word"))
    return unique + definition(found[on + 2 :])


def _after_name(sql: str) -> list[Token]:
    """Return a CREATE VIEW or TRIGGER without what may differ in spelling only: TEMP, IF NOT EXISTS, a schema."""
    return [t for t in tokens(sql) if t.kind != "word" or t.text not in ("create", "temp", "temporary")]
