"""Foreign keys: as fields that lead to the parent, as SQL in the table, or by name where neither can say them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.schema import AddConstraint

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.clauses import beside, constraints, names, parent_of, shortened, target_of, timing
from dbplan.exports.peewee import fields
from dbplan.exports.peewee.page import Page, is_made
from dbplan.exports.python import Node, Text, call
from dbplan.exports.relations import Relation


def name_fields(page: Page, table: Table) -> None:
    """Name the fields of a table: a key's column after what it leads to, every other after itself."""
    ways = {way.columns[0].name: way for way in page.naming.out_of(table) if _is_field(page, way)}
    taken = {page.naming.field_of(column) for column in table.columns}
    taken |= {way.name for way in page.naming.out_of(table)} | {way.back for way in page.naming.into(table)}
    for column in table.columns:
        key, own = (table.key, column.name), page.naming.field_of(column)
        way = ways.get(column.name)
        page.attributes[key] = own
        if way is None:
            continue
        page.keys[key] = way
        if own.endswith("_id"):
            page.attributes[key], page.raw[key] = way.name, own
        else:
            page.raw[key] = _free(own, taken)


def _free(own: str, taken: set[str]) -> str:
    numbered = (f"{own}_id{number}" for number in count(2))
    return next(name for name in (f"{own}_id", *(next(numbered) for _ in range(len(taken)))) if name not in taken)


def _is_field(page: Page, way: Relation) -> bool:
    """Say whether a ForeignKeyField can be the way: one column that does nothing else, to a column of a model."""
    if len(way.columns) != 1 or not is_made(way.child) or not is_made(way.parent):
        return False
    column = way.columns[0]
    first = next(other for other in page.naming.out_of(way.child) if other.columns == (column,))
    if first is not way or column.computed is not None or facts.counts(column):
        return False
    late = not _is_there(page, way.constraint)
    return not (late and column.primary_key) and not _is_circular(page, way)


def _is_circular(page: Page, way: Relation) -> bool:
    """Say whether a way to a key leads on by it and back, so that no field of the circle has a type to take."""
    start, column = way.columns[0], way.targets[0]
    seen = {id(start)}
    while id(column) not in seen:
        seen.add(id(column))
        onward = next((other for other in page.naming.out_of(column.table) if other.columns == (column,)), None)
        if onward is None:
            return False
        column = onward.targets[0]
    return True


def _is_there(page: Page, key: ForeignKeyConstraint) -> bool:
    """Say whether the parent is there when the child is made."""
    parent = parent_of(key)
    if parent is None or not is_made(parent):
        return False
    if parent is key.table:
        return _is_guarded(key)
    return page.comes_before(parent, key.table)


def _is_guarded(key: ForeignKeyConstraint) -> bool:
    """Say whether a constraint, and no index that is made after the table, guards what a key leads to."""
    targets = {element.column.name for element in key.elements}
    known = (one for one in key.table.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint))
    return any({column.name for column in one.columns} == targets for one in known)


def foreign_field(page: Page, column: Column[Any], way: Relation) -> Node:
    """Return a column as a field that leads to the parent."""
    key = way.constraint
    later = not _is_there(page, key)
    head, target = _head(page, way, later)
    words: dict[str, Node | None] = {**target, **_named(page, column, way, later)}
    words |= {"on_delete": _text(key.ondelete), "on_update": _text(key.onupdate)}
    words["deferrable"] = _text(timing(key))
    words["constraint_name"] = Text(names(column.table, page.dialect)[key]) if key.name or later else None
    words["index"] = "False" if not column.primary_key or len(column.table.primary_key.columns) > 1 else None
    node = call(head, _model(page, way, later), **words, **fields.common(page, column))
    return fields.in_words(page, _other_type(page, column, way, later), node)


def _head(page: Page, way: Relation, later: bool) -> tuple[str, dict[str, Node | None]]:
    target = way.targets[0]
    alone = target.primary_key and len(target.table.primary_key.columns) == 1
    to = None if alone else Text(page.attribute(target))
    deferred = later and way.parent is not way.child
    return page.peewee("DeferredForeignKey" if deferred else "ForeignKeyField"), {"field": to}


def _model(page: Page, way: Relation, later: bool) -> Node:
    if way.parent is way.child:
        return Text("self")
    name = page.naming.class_of(way.parent)
    return Text(name) if later else name


def _named(page: Page, column: Column[Any], way: Relation, later: bool) -> dict[str, Node | None]:
    """Return the names that a key has: its column, the plain value beside it, and the way back."""
    attribute, raw = page.attribute(column), page.raw[column.table.key, column.name]
    usual = attribute if attribute.endswith("_id") else f"{attribute}_id"
    usual_raw = f"{column.name}_id" if column.name == attribute else column.name
    return {
        "column_name": Text(str(column.name)) if column.name != usual or later else None,
        "object_id_name": Text(raw) if raw != usual_raw else None,
        "backref": Text(way.back or "+"),
    }


def _text(words: str | None) -> Node | None:
    return Text(words) if words else None


def _other_type(page: Page, column: Column[Any], way: Relation, later: bool) -> str:
    """Return the type of a key's column where it is not the one that Peewee takes over from the parent; or ""."""
    own = fields.without_collation(facts.sql_type(column.type, page.dialect))
    taken = fields.target_words(page, way.targets[0])
    if _plain(own) == _plain(taken):
        return ""
    if later and way.parent is not way.child:
        said = f"its type {own} is the one that Peewee takes over from {way.targets[0]}"
        page.lose(Place(column.table.key, column.name), said, retyped(page, column, own))
        return ""
    return own


def _plain(words: str) -> str:
    return "integer" if words.lower() == "int" else words.lower()


def retyped(page: Page, column: Column[Any], words: str) -> str:
    """Return the SQL that gives a column its own type."""
    if page.server != "postgresql":
        return ""
    prepare = page.dialect.identifier_preparer
    name = prepare.format_column(column)
    return f"ALTER TABLE {prepare.format_table(column.table)} ALTER {name} TYPE {words} USING {name}::{words};"


def keys_in_table(page: Page, table: Table) -> Iterator[tuple[Node, Table]]:
    """Yield the keys that no field says, as SQL of the table, each with its parent; note those that come too early."""
    for key in constraints(table, page.dialect):
        if not isinstance(key, ForeignKeyConstraint):
            continue
        parent = parent_of(key)
        if parent is None or _is_said(page, key):
            _lose_of_field(page, key, parent)
        elif not _is_there(page, key):
            page.lose(_place(page, key), f"create_tables leaves it out: {_why(parent)}")
        else:
            _lose_way(page, key)
            yield in_table(page, key), parent


def _is_said(page: Page, key: ForeignKeyConstraint) -> bool:
    ways = (page.keys.get((key.table.key, column.name)) for column in key.columns)
    return any(way is not None and way.constraint is key for way in ways)


def in_table(page: Page, one: Any) -> Node:
    """Return a constraint as SQL among the columns of its table."""
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    words = str(compiler.process(AddConstraint(one, isolate_from_table=False)))
    start = f"ALTER TABLE {page.dialect.identifier_preparer.format_table(one.table)} ADD "
    return call(page.peewee("SQL"), Text(page.sql(words.removeprefix(start))))


def _place(page: Page, key: ForeignKeyConstraint) -> Place:
    return Place(key.table.key, constraint=names(key.table, page.dialect)[key])


def _why(parent: Table) -> str:
    return f"{parent.key} is made after it" if is_made(parent) else f"it does not make {parent.key} either"


def _lose_way(page: Page, key: ForeignKeyConstraint) -> None:
    columns = ", ".join(column.name for column in key.columns)
    page.lose(_place(page, key), f"no field leads along it: the key ({columns}) is SQL of the table")


def _lose_of_field(page: Page, key: ForeignKeyConstraint, parent: Table | None) -> None:
    """Note what a field does not say of its key."""
    if parent is None:
        page.lose(_place(page, key), f"it leads to {target_of(key)}, which is not in the plan")
        return
    if not _is_there(page, key):
        model, field = page.naming.class_of(key.table), page.attribute(next(iter(key.columns)))
        said = f"create_tables leaves it out: {model}._schema.create_foreign_key({model}.{field}) makes it afterwards"
        page.lose(_place(page, key), said)
        return
    for clause in beside(key, page.dialect):
        if not clause.startswith("SET "):
            page.lose(_place(page, key), f"{clause} is left out")


def usual_name(page: Page, table: Table) -> str:
    """Return the name that PostgreSQL gives to a primary key."""
    return shortened(str(table.name), "", "pkey")
