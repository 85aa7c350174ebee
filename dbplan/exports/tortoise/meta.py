"""Unique keys, indexes and CHECKs of a table, as `Meta` lists them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from dbplan.evidence import Place
from dbplan.exports.clauses import IndexWords, constraints, index_words, shortened
from dbplan.exports.orm.mends import added, given, is_special, lose_constraint, lose_index, renamed
from dbplan.exports.orm.page import Page, Stage
from dbplan.exports.python import Group, Node, Text, call, listed
from dbplan.exports.tortoise.fields import made
from dbplan.exports.tortoise.naming import column_field

_METHODS = {
    "gin": "GinIndex",
    "gist": "GistIndex",
    "spgist": "SpGistIndex",
    "brin": "BrinIndex",
    "hash": "HashIndex",
    "bloom": "BloomIndex",
}


def unique_columns(page: Page, table: Table) -> set[str]:
    """Return the columns that a field calls unique by itself."""
    found = (one for one in constraints(table, page.dialect) if isinstance(one, UniqueConstraint))
    alone = (next(iter(one.columns)) for one in found if len(one.columns) == 1 and not is_special(page, one))
    return {column.name for column in alone if _says_unique(page, column)}


def _says_unique(page: Page, column: Any) -> bool:
    count = len(page.lost)
    indexed = made(page, column).is_indexed
    del page.lost[count:]
    odd = column.primary_key or column.computed is not None or column.identity is not None
    return (indexed or (column.table.key, column.name) in page.keys) and not odd


def own_name(prefix: str, table: str, columns: list[str]) -> str:
    """Return the name that Tortoise gives to an index or a unique key by itself."""
    digest = sha256(";".join((table, *columns)).encode()).hexdigest()[:6]
    return f"{prefix}_{table[:11]}_{columns[0][:7]}_{digest}"


def together(page: Page, table: Table, alone: set[str]) -> list[Node]:
    """Return the unique keys of `unique_together`, the primary key among them where it has several columns."""
    found: list[Node] = []
    if len(table.primary_key.columns) > 1:
        found.append(_fields_of(page, table.primary_key))
        _lose_primary(page, table)
    for one in constraints(table, page.dialect):
        if not isinstance(one, UniqueConstraint):
            continue
        if is_special(page, one):
            lose_constraint(page, one, table, "it is left out: Tortoise has no words for its options")
        elif len(one.columns) == 1 and next(iter(one.columns)).name in alone:
            _lose_name(page, one, table, shortened(str(table.name), next(iter(one.columns)).name, "key"))
        else:
            found.append(_fields_of(page, one))
            _lose_name(page, one, table, own_name("uid", str(table.name), [column.name for column in one.columns]))
    return found


def _fields_of(page: Page, one: UniqueConstraint | PrimaryKeyConstraint) -> Node:
    return Group("", tuple(Text(column_field(page, column)) for column in one.columns))


def _lose_primary(page: Page, table: Table) -> None:
    columns = [column.name for column in table.primary_key.columns]
    own, name = own_name("uid", str(table.name), columns), given(page, table.primary_key, table)
    said = (
        f"Tortoise has no keys of several columns: it is a unique key here, {own}, and save() and delete() of an "
        "instance go by one of its columns alone; use filter() with all of them"
    )
    mend = added(page, table.primary_key, name, own) if page.is_postgresql else ""
    page.lose(Stage.CONSTRAINTS, Place(table.key, constraint=name), said, mend)


def _lose_name(page: Page, one: UniqueConstraint, table: Table, own: str) -> None:
    name = given(page, one, table) or own
    if page.dialect.name == "sqlite" and own.endswith("_key"):
        own = ""
    if name != own:
        said = f"Tortoise calls it {own}" if own else "Tortoise gives it no name"
        page.lose(Stage.CONSTRAINTS, Place(table.key, constraint=name), said, renamed(page, table, own, name))


def lose_checks(page: Page, table: Table) -> None:
    """Note the constraints that Tortoise has no words for at all."""
    for one in constraints(table, page.dialect):
        if not isinstance(one, UniqueConstraint | PrimaryKeyConstraint | ForeignKeyConstraint):
            kind = "CHECKs" if isinstance(one, CheckConstraint) else "exclusion constraints"
            lose_constraint(page, one, table, f"it is left out: Tortoise has no {kind}")


def indexes(page: Page, table: Table) -> list[Node]:
    """Return the indexes that Tortoise has words for, and note the others."""
    found = []
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        words = index_words(index, page.dialect)
        reason = _reason(page, index, words)
        if reason:
            lose_index(page, index, f"it is left out: {reason}")
        else:
            found.append(_index(page, words))
    return found


def _reason(page: Page, index: Index, words: IndexWords) -> str:
    """Return why Tortoise cannot make an index; "" where it can."""
    if not words.name or not words.parts:
        return "an index without a name or columns"
    if '"' in words.name:
        return "Tortoise does not double quotes in names"
    if "definition" in index.info and "COLLATE" in str(index.info["definition"]):
        return "Tortoise writes no collation"
    if words.unique:
        return "Tortoise's indexes are never unique"
    if words.where:
        return "Tortoise's partial indexes know no more than equality"
    if not all(part.plain for part in words.parts):
        return "Tortoise's indexes are of columns, without order or operator class"
    if words.settings or words.beside or words.method not in ("", "btree", *_METHODS):
        return "Tortoise has no words for its options"
    return "" if page.is_postgresql or not words.method else "Tortoise has no words for its options"


def _index(page: Page, words: IndexWords) -> Node:
    columns = [part.column for part in words.parts if part.column is not None]
    head = page.imports.name("tortoise.indexes", "Index")
    if words.method in _METHODS:
        head = page.imports.name("tortoise.contrib.postgres.indexes", _METHODS[words.method])
    names = [column_field(page, column) for column in columns]
    if names == [column.name for column in columns]:
        return call(head, fields=listed(Text(name) for name in names), name=Text(words.name))
    field = page.imports.name("pypika_tortoise", "Field")
    return call(head, *(call(field, Text(str(column.name))) for column in columns), name=Text(words.name))
