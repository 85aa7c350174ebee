"""What SQLAlchemy could hold and its reflection of SQLite passes over: actions of keys, collations, expressions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, ForeignKeyConstraint, Index, String, Table, UniqueConstraint, literal_column

from dbplan.evidence import Catalog
from dbplan.sources.catalog.sqlite_text import index_parts, is_constant, tokens, written
from dbplan.sources.reflected import bound

_KEYS = """
SELECT id, "table", "from", on_update, on_delete, match FROM pragma_foreign_key_list(:name) ORDER BY id, seq
"""
_KEYED = "SELECT 1 FROM pragma_index_list(:name) WHERE origin = 'pk'"
_UNIQUES = """
SELECT l.name, i.name FROM pragma_index_list(:name) l, pragma_index_info(l.name) i
WHERE l.origin = 'u' ORDER BY l.seq DESC, i.seqno
"""
_BUILT_IN = frozenset({"nocase", "rtrim", "binary"})


def name_parents(dialect: Any, catalog: Catalog) -> None:
    """Have SQLAlchemy read foreign keys as SQLite does: whatever the case of the other table, to its key if to nothing.

    One that leads to no table at all keeps its columns' names for those of the other.
    """
    tables = {f.place.table.lower(): f.place.table for f in catalog.objects if f.kind == "table"}
    keys: dict[str, dict[int, str]] = defaultdict(dict)
    for found in catalog.objects:
        if place := dict(found.properties).get("place in primary key"):
            keys[found.place.table][int(place)] = found.place.column
    read = dialect.get_foreign_keys

    def get_foreign_keys(*arguments: Any, **named: Any) -> Any:
        found = [dict(key) for key in read(*arguments, **named)]
        for key in found:
            key["referred_table"] = tables.get(key["referred_table"].lower(), key["referred_table"])
            if len(key["referred_columns"]) != len(key["constrained_columns"]):
                own = [name for _, name in sorted(keys[key["referred_table"]].items())]
                fits = len(own) == len(key["constrained_columns"])
                key["referred_columns"] = own if fits else [*key["constrained_columns"]]
        return found

    dialect.get_foreign_keys = get_foreign_keys


def complete_table(table: Table, facts: Catalog, sql: str, connection: Connection) -> None:
    """Give a table that was reflected what its PRAGMAs and its text say besides."""
    said = {f.place.column: dict(f.properties) for f in facts.objects if f.kind == "column" and _is_of(f.place, table)}
    options = table.dialect_options["sqlite"]
    options["autoincrement"] = any("autoincrement" in known for known in said.values())
    for column in table.columns:
        known = said.get(column.name, {})
        if known.get("not null") == "yes":
            column.nullable = False  # the number of a row is never NULL
        collation = known.get("collation", "")
        if collation and isinstance(column.type, String):
            kind = column.type.copy()
            kind.collation = collation.upper() if collation in _BUILT_IN else collation
            column.type = kind
        _bracket(column)
    _count(table, connection)
    _uniques(table, connection)
    _keys(table, sql, connection)


def _count(table: Table, connection: Connection) -> None:
    """Say of a key that is an integer and not the number of its row that nobody counts it."""
    if connection.exec_driver_sql(_KEYED, {"name": str(table.name)}).first() is not None:
        for column in table.primary_key.columns:
            column.autoincrement = False
        table.primary_key._reload(list(table.primary_key.columns))


def _uniques(table: Table, connection: Connection) -> None:
    """Add the UNIQUE constraints whose text SQLAlchemy does not follow."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, column in connection.exec_driver_sql(_UNIQUES, {"name": str(table.name)}):
        found[name].append(column)
    known = [c.columns.keys() for c in table.constraints if isinstance(c, UniqueConstraint)]
    for names in found.values():
        if names not in known:
            table.append_constraint(UniqueConstraint(*names))


def _is_of(place: Any, table: Table) -> bool:
    return bool(place.table == table.name)


def _bracket(column: Column[Any]) -> None:
    """Write a default that is an expression with its brackets, without which no server takes it."""
    arg = getattr(column.server_default, "arg", None)
    said = str(getattr(arg, "text", ""))
    if said and column.computed is None and not is_constant(said):
        column.server_default.arg = bound(f"({said})")  # type: ignore[union-attr]


def _keys(table: Table, sql: str, connection: Connection) -> None:
    """Give the foreign keys of a table their actions, and when they are checked."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in connection.exec_driver_sql(_KEYS, {"name": str(table.name)}):
        found[row[0]].append(row[1:])
    actions = {(rows[0][0].lower(), *(row[1].lower() for row in rows)): rows[0][2:] for rows in found.values()}
    texts = [text for _, text in written(sql).constraints if text.startswith("foreign key")] if sql else []
    for key in table.foreign_key_constraints:
        names = [column.lower() for column in key.column_keys]
        parent = str(key.elements[0].target_table_key).lower()
        updated, deleted, match = actions.get((parent, *names), ("NO ACTION", "NO ACTION", "NONE"))
        head = f"foreign key ({', '.join(names)}) references {parent}"
        text = next((text for text in texts if text == head or text.startswith((f"{head}(", f"{head} "))), "")
        _act(key, onupdate=_done(updated), ondelete=_done(deleted), match=None if match == "NONE" else match)
        if " deferrable" in text and " not deferrable" not in text:
            _act(key, deferrable=True, initially="DEFERRED" if " initially deferred" in text else None)


def _done(action: str) -> str | None:
    return None if action == "NO ACTION" else action


def _act(key: ForeignKeyConstraint, **said: Any) -> None:
    for part in (key, *key.elements):
        for name, value in said.items():
            setattr(part, name, value)


def complete_index(table: Table, name: str, sql: str) -> None:
    """Give a table the index that a CREATE INDEX makes, by its columns, their order, and its expressions."""
    parts, where = index_parts(sql)
    made = [_part(table, part) for part in parts]
    unique = tokens(sql)[1].text == "unique"
    condition: Any = {"sqlite_where": bound(where)} if where else {}
    for known in [index for index in table.indexes if index.name == name]:
        table.indexes.discard(known)
    Index(name, *made, unique=unique, _table=table, **condition)


def _part(table: Table, text: str) -> Any:
    """Return one part of an index: a column, or the words of an expression, either with DESC."""
    words, descends = _ordered(text)
    found = tokens(words)
    column = next(_named(table, found[0].text), None) if len(found) == 1 else None
    made: Any = column if column is not None else literal_column(words)
    return made.desc() if descends else made


def _named(table: Table, name: str) -> Iterator[Column[Any]]:
    return (column for column in table.columns if column.name.lower() == name)


def _ordered(text: str) -> tuple[str, bool]:
    last = text.split()[-1].lower()
    return (text[: -len(last)].rstrip(), last == "desc") if last in ("asc", "desc") else (text, False)
