"""Indexes: keys, unique constraints and indexes as `createIndex` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint
from sqlalchemy.schema import PrimaryKeyConstraint

from dbplan.exports.clauses import IndexWords, Part, beside, constraints, index_words, names
from dbplan.exports.mongodb.conditions import Scope, Untranslatable
from dbplan.exports.mongodb.filters import both, partial, there
from dbplan.exports.mongodb.kinds import GEOGRAPHIC, Schema
from dbplan.exports.mongodb.page import Page

_CASELESS = {"locale": "en", "strength": 2}
_DISTINCT = "NULLS NOT DISTINCT"


@dataclass
class Made:
    """One index: `keys` by path, 1 for ascending, -1 for descending, or a kind such as "text"."""

    name: str
    keys: dict[str, Any]
    unique: bool = False
    only: Schema = field(default_factory=dict)
    collation: Schema = field(default_factory=dict)
    seconds: int | None = None

    @property
    def options(self) -> Schema:
        """The second argument of `createIndex`."""
        made: Schema = {"name": self.name}
        made |= {"unique": True} if self.unique else {}
        made |= {"partialFilterExpression": self.only} if self.only else {}
        made |= {"collation": self.collation} if self.collation else {}
        return made | ({"expireAfterSeconds": self.seconds} if self.seconds is not None else {})


def indexes(page: Page, table: Table, arrays: Iterable[str] = ()) -> list[Made]:
    """Return the indexes of a collection, also those into what is embedded and into arrays of references."""
    found = [*_of(page, table, "", frozenset())]
    for child in page.shape.within(table):
        relation = child.relation
        own = frozenset(column.name for column in relation.columns)
        found += _inner(page, relation.child, f"{child.field}.", own, relation.single)
    found += [Made(f"ix_{page.collections[table.key]}_{name}", {name: 1}) for name in arrays]
    found += [*_expiring(page, table, found)]
    return list(_apart(page, table, found))


def _of(page: Page, table: Table, prefix: str, without: frozenset[str]) -> Iterator[Made]:
    """Yield the indexes of a table's own columns, keys first."""
    named, scope = names(table, page.dialect), page.scope(table, prefix, without)
    for one in constraints(table, page.dialect):
        if isinstance(one, PrimaryKeyConstraint) and len(one.columns) > 1 and not without & set(one.columns.keys()):
            yield Made(named[one], {scope[c.name].path: 1 for c in one.columns}, unique=True)
        fields = [page.name(column) for column in one.columns] if isinstance(one, UniqueConstraint) else ["_id"]
        if isinstance(one, UniqueConstraint) and fields != ["_id"] and not without & set(one.columns.keys()):
            yield _unique(named[one], list(one.columns), scope, _DISTINCT in beside(one, page.dialect))
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        words = index_words(index, page.dialect)
        if index._ddl_if is None or index._ddl_if.dialect in (None, page.dialect.name):
            yield from _index(page, table, words, scope)


def _inner(page: Page, child: Table, prefix: str, own: frozenset[str], single: bool) -> Iterator[Made]:
    """Yield the indexes into an embedded child; those that begin with its parent are the document itself."""
    for made in _of(page, child, prefix, own):
        if made.unique and not single:
            page.lose("it keeps documents apart, not the entries of one", child, index=made.name)
        yield made


def _unique(name: str, columns: list[Column[Any]], scope: Scope, nulls: bool) -> Made:
    """Return a unique key; SQL lets rows pass that have a null in it, MongoDB by a filter alone."""
    fields = [scope[column.name] for column in columns]
    only: Schema = {} if nulls else {one.path: there(one) for one in fields if one.nullable}
    return Made(name, {one.path: 1 for one in fields}, unique=True, only=only)


def _index(page: Page, table: Table, words: IndexWords, scope: Scope) -> Iterator[Made]:
    if words.index.info.get("fulltext"):
        yield Made(words.name, {str(scope[p.column.name].path): "text" for p in words.parts if p.column is not None})
        return
    try:
        made = _ordinary(table, words, scope)
        made.only = partial(words.where, scope, page.server) if words.where else {}
    except Untranslatable as error:
        page.lose(f"it is left out: {error}", table, index=words.name)
        return
    if made.unique and _DISTINCT not in words.beside:
        parts = [p.column if p.column is not None else _lowered(table, p) for p in words.parts]
        nullable = [scope[column.name] for column in parts if column is not None]
        made.only = both(made.only, {f.path: there(f) for f in nullable if f.nullable and f.path not in made.only})
    _lose(page, table, words, made)
    if list(made.keys) != ["_id"] or made.only:
        yield made


def _ordinary(table: Table, words: IndexWords, scope: Scope) -> Made:
    keys: dict[str, Any] = {}
    caseless = [part for part in words.parts if part.column is None]
    for part in words.parts:
        column = part.column if part.column is not None else _lowered(table, part)
        if column is None:
            raise Untranslatable(f"MongoDB indexes fields, no expression: {part.sql}")
        if column.name not in scope:
            raise Untranslatable(f"the document itself stands for {column.name}")
        path, kind = _key(words, part, column, scope)
        keys[path] = kind
    return Made(words.name, keys, words.unique, collation=dict(_CASELESS) if caseless else {})


def _lowered(table: Table, part: Part) -> Column[Any] | None:
    """Return the column of `lower(column)`; None for any other expression."""
    inner = part.sql.lower().removeprefix("(").removesuffix(")").replace("::text", "").replace('"', "")
    inner = inner.replace("(", " ").replace(")", " ").split()  # type: ignore[assignment]
    known = {column.name.lower(): column for column in table.columns}
    return known.get(inner[1]) if len(inner) == 2 and inner[0] == "lower" else None


def _key(words: IndexWords, part: Part, column: Column[Any], scope: Scope) -> tuple[str, Any]:
    """Return the path and the kind of a part of an index."""
    path, method, kinds = scope[column.name].path, words.method.lower(), scope[column.name].kinds
    if method in ("gist", "spgist"):
        if scope[column.name].type in GEOGRAPHIC:
            return path, "2dsphere"
        raise Untranslatable(f"MongoDB has no {method} index of such values")
    if method == "gin" and {"object"} & set(kinds):
        return f"{path}.$**", 1
    if method == "gin" and "string" in kinds:
        if scope[column.name].type == "tsvector":
            return path, "text"
        raise Untranslatable(f"MongoDB has no index for {part.operator_class or 'parts of a text'}")
    if method == "hash" and not words.unique:
        return path, "hashed"
    return path, -1 if part.descending else 1


def _lose(page: Page, table: Table, words: IndexWords, made: Made) -> None:
    if made.collation:
        page.lose("queries must ask with its collation, which is blind to case", table, index=words.name)
    if any(part.nulls for part in words.parts):
        page.lose("null sorts before all else there", table, index=words.name)
    if words.method.lower() in ("brin", "bloom"):
        page.lose(f"it is an ordinary index there, no {words.method.lower()}", table, index=words.name)
    for clause in words.beside:
        if clause != _DISTINCT:
            page.lose(f"{clause} is left out", table, index=words.name)


def _expiring(page: Page, table: Table, found: list[Made]) -> Iterator[Made]:
    """Make documents expire where the plan tells how long rows are kept; an index that serves is taken for it."""
    for key, age in sorted(page.plan.retention.items()):
        owner, _, column = key.rpartition(".")
        if owner != table.key:
            continue
        name, seconds = page.name(table.columns[column]), int(age.total_seconds())
        if "date" not in page.scope(table, "")[column].kinds:
            page.lose("only dates make documents expire", table, column=column)
            continue
        words = (
            f"{age.days} days after it" if age.days else f"{seconds} seconds after it" if seconds else "at that time"
        )
        page.lose(f"MongoDB deletes the document {words}, as the plan's retention says", table, column=column)
        serving = next((made for made in found if list(made.keys) == [name] and not made.only), None)
        if serving is not None:
            serving.seconds = seconds
        else:
            yield Made(f"ttl_{page.collections[table.key]}_{name}", {name: 1}, seconds=seconds)


def _apart(page: Page, table: Table, found: list[Made]) -> Iterator[Made]:
    """Yield indexes of which no two are the same to MongoDB, nor of the same name."""
    seen: set[str] = set()
    taken: set[str] = set()
    texts = 0
    for made in found:
        what = repr((list(made.keys.items()), made.only, made.collation, made.unique))
        texts += "text" in made.keys.values()
        if what in seen or ("text" in made.keys.values() and texts > 1):
            again = "another has the same keys" if what in seen else "a collection has one text index"
            page.lose(f"it is left out: {again}", table, index=made.name)
            continue
        seen.add(what)
        while made.name in taken:
            made.name += "_2"
        taken.add(made.name)
        yield made
