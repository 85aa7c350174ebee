"""Uniques and indexes: those that Pony makes, and the names that it gives to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CheckConstraint, Column, Constraint, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, PrimaryKeyConstraint

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.clauses import constraints, index_words, names, shortened
from dbplan.exports.orm.mends import added, lose_constraint, renamed
from dbplan.exports.orm.page import Stage
from dbplan.exports.pony.fields import made
from dbplan.exports.pony.page import PonyPage, has_options, on_server, own_name
from dbplan.exports.python import Group, Node, Text

Columns = tuple[Column[Any], ...]


@dataclass
class Keys:
    """What an entity says of its keys: words of single attributes, and calls of several."""

    words: dict[str, dict[str, Node]] = field(default_factory=dict)
    calls: list[Node] = field(default_factory=list)
    made: set[Columns] = field(default_factory=set)
    """The columns of the keys that Pony makes, the primary key among them."""

    def tell(self, attribute: str, **words: Node) -> None:
        """Add words to an attribute."""
        self.words.setdefault(attribute, {}).update(words)


def keys_of(page: PonyPage, table: Table) -> Keys:
    """Return the keys of an entity; what Pony makes otherwise is noted."""
    keys = Keys(made={tuple(table.primary_key.columns)})
    _primary(page, table, keys)
    _rename_primary(page, table)
    for constraint in constraints(table, page.dialect):
        if isinstance(constraint, UniqueConstraint):
            _unique(page, table, constraint, keys)
        elif not isinstance(constraint, PrimaryKeyConstraint | ForeignKeyConstraint):
            lose_constraint(page, constraint, table, _said(constraint))
    for index in sorted(table.indexes, key=lambda one: (not one.unique, -len(one.expressions), str(one.name))):
        _index(page, table, index, keys)
    for way in page.ways.values():
        told = keys.words.get(way.name, {})
        if way.relation.child is table and not told and not _begins(way.columns, keys.made):
            keys.tell(way.name, index="False")
    return keys


def _said(constraint: Constraint) -> str:
    return "Pony makes no CHECKs" if isinstance(constraint, CheckConstraint) else "Pony makes no such constraint"


def attributes(page: PonyPage, columns: Sequence[Column[Any]]) -> list[str] | None:
    """Return the attributes that columns are, one after the other; None where they are not whole ones."""
    found: list[str] = []
    place = 0
    while place < len(columns):
        way = page.way_of(columns[place])
        size = len(way.columns) if way is not None else 1
        if way is not None and tuple(columns[place : place + size]) != way.columns:
            return None
        found.append(page.attribute(columns[place]) if way is None else way.name)
        place += size
    return found


def _primary(page: PonyPage, table: Table, keys: Keys) -> None:
    columns = [*table.primary_key.columns]
    found = attributes(page, columns) or []
    if len(found) > 1:
        keys.calls.append(Group(page.imports.name("pony.orm", "PrimaryKey"), tuple(found)))


def _rename_primary(page: PonyPage, table: Table) -> None:
    """Note the name of a primary key, which Pony leaves to the server."""
    name, usual = names(table, page.dialect).get(table.primary_key, ""), shortened(str(table.name), "", "pkey")
    place = Place(table.key, constraint=name)
    if page.is_postgresql and has_options(page, table.primary_key):
        page.lose(
            Stage.CONSTRAINTS, place, "Pony gives a primary key no options", added(page, table.primary_key, name, usual)
        )
    elif page.is_postgresql and name != usual:
        page.lose(Stage.CONSTRAINTS, place, f"Pony has the server name it: {usual}", renamed(page, table, usual, name))
    elif not page.is_postgresql and table.primary_key.name:
        page.lose(
            Stage.CONSTRAINTS,
            Place(table.key, constraint=str(table.primary_key.name)),
            "Pony gives a primary key no name",
        )


def _unique(page: PonyPage, table: Table, found: UniqueConstraint, keys: Keys) -> None:
    columns: Columns = tuple(found.columns)
    given = names(table, page.dialect).get(found, "") if page.is_postgresql else str(found.name or "")
    own = None if has_options(page, found) else _make_unique(page, table, columns, keys)
    if own is None:
        lose_constraint(page, found, table, "Pony makes no such unique key")
    elif own != given and (given or page.is_postgresql):
        place = Place(table.key, constraint=given)
        page.lose(Stage.CONSTRAINTS, place, f"Pony calls it {own}", renamed(page, table, own, given))


def _make_unique(page: PonyPage, table: Table, columns: Columns, keys: Keys) -> str | None:
    """Say that columns are unique, and return the name that their key has then; None where Pony has no words for it."""
    found = attributes(page, columns)
    if found is None or columns in keys.made or any(_is_unfit(page, column) for column in columns):
        return None
    own = own_name("unq", table, [column.name for column in columns])
    if len(found) == 1:
        return _make_single(page, table, columns, found[0], own, keys)
    if own in page.taken:
        return None
    page.taken.add(own)
    keys.made.add(columns)
    keys.calls.append(Group(page.imports.name("pony.orm", "composite_key"), tuple(found)))
    return on_server(own)


def _make_single(page: PonyPage, table: Table, columns: Columns, name: str, own: str, keys: Keys) -> str | None:
    """Say that an attribute is unique; the name of the index is told where Pony's own is another's already."""
    words: dict[str, Node] = {"unique": "True"}
    if own in page.taken:
        own = f"unq_{table.schema or 'public'}_{table.name}__{columns[0].name}"
        if own in page.taken:
            return None
        words["index"] = Text(own)
    page.taken.add(own)
    keys.made.add(columns)
    keys.tell(name, **words)
    if len(columns) > 1:
        return on_server(own)
    return shortened(str(table.name), str(columns[0].name), "key")


def _is_unfit(page: PonyPage, column: Column[Any]) -> bool:
    """Say whether Pony lets a column into no key: numbers that may be off, and what no dict of Python finds."""
    count, noted = len(page.lost), len(page.notes)
    kind = made(page, column).kind
    del page.lost[count:], page.notes[noted:]
    return kind in ("float", "Json", "IntArray", "StrArray", "FloatArray")


def _index(page: PonyPage, table: Table, index: Index, keys: Keys) -> None:
    words = index_words(index, page.dialect)
    columns: Columns = tuple(part.column for part in words.parts if part.column is not None)
    whole = len(columns) == len(words.parts) and all(part.plain for part in words.parts) and columns
    plain = whole and not (words.where or words.settings or words.beside)
    plain = bool(plain) and not _is_collated(index)
    if index.unique and plain and words.method in ("", "btree"):
        _unique_index(page, table, index, columns, keys)
    elif not plain or index.unique or not _make_index(page, table, words.name, columns, words.method, keys):
        page.lose(
            Stage.INDEXES, Place(table.key, index=str(index.name)), "Pony makes no such index", _created(page, index)
        )


def _is_collated(index: Index) -> bool:
    return "COLLATE" in str(index.info.get("definition", ""))


def _unique_index(page: PonyPage, table: Table, index: Index, columns: Columns, keys: Keys) -> None:
    own, place = _make_unique(page, table, columns, keys), Place(table.key, index=str(index.name))
    if own is None:
        page.lose(Stage.INDEXES, place, "Pony makes no such unique index", _created(page, index))
    elif page.is_postgresql:
        drop = f"ALTER TABLE {page.whole(table)} DROP CONSTRAINT {page.quote(own)};"
        page.lose(Stage.CONSTRAINTS, place, f"Pony makes it a constraint, {own}", f"{drop}\n{_created(page, index)}")
    else:
        page.lose(Stage.CONSTRAINTS, place, "Pony makes it a constraint")


def _created(page: PonyPage, index: Index) -> str:
    try:
        return str(index.info.get("definition") or CreateIndex(index).compile(dialect=page.dialect)) + ";"
    except SQLAlchemyError:
        return ""


def _make_index(page: PonyPage, table: Table, name: str, columns: Columns, method: str, keys: Keys) -> bool:
    """Have Pony make an index, and say whether it does; one of several attributes has Pony's own name."""
    found = attributes(page, columns)
    if found is None or columns in keys.made or not _is_method(page, columns, method):
        return False
    if len(found) > 1:
        return _make_composite(page, table, name, columns, found, keys)
    way = page.way_of(columns[0])
    if name in page.taken or (way is not None and _begins(columns, keys.made)):
        return False
    page.taken.add(name)
    keys.made.add(columns)
    keys.tell(found[0], index=Text(name))
    return True


def _is_method(page: PonyPage, columns: Columns, method: str) -> bool:
    """Say whether Pony makes an index by that method: GIN where an array comes first, else the server's usual one."""
    array = bool(facts.sql_type(columns[0].type, page.dialect).dimensions) and page.is_postgresql
    return (method == "gin" and array) or (method in ("", "btree") and not array)


def _make_composite(page: PonyPage, table: Table, name: str, columns: Columns, found: list[str], keys: Keys) -> bool:
    own = own_name("idx", table, [column.name for column in columns])
    if own in page.taken or any(_is_unfit(page, column) for column in columns):
        return False
    page.taken.add(own)
    keys.made.add(columns)
    keys.calls.append(Group(page.imports.name("pony.orm", "composite_index"), tuple(found)))
    if on_server(own) != name:
        mend = f"ALTER INDEX {page.beside(table, on_server(own))} RENAME TO {page.quote(name)};"
        page.lose(Stage.INDEXES, Place(table.key, index=name), f"Pony calls it {on_server(own)}", mend)
    return True


def _begins(columns: Columns, made: set[Columns]) -> bool:
    """Say whether a key that Pony makes begins with these columns: it makes no index of them then."""
    return any(other[: len(columns)] == columns for other in made)


def columns_in_order(page: PonyPage, table: Table) -> Iterator[Column[Any]]:
    """Yield the columns of a table as Pony has them: those of one attribute stand together."""
    seen: set[str] = set()
    for column in table.columns:
        way = page.way_of(column)
        for one in way.columns if way is not None else (column,):
            if one.name not in seen:
                seen.add(one.name)
                yield one
