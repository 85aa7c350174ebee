"""Foreign keys as relations, and what of keys Tortoise cannot make."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import DOMAIN

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.clauses import constraints
from dbplan.exports.orm.enums import server_type
from dbplan.exports.orm.mends import added, given, is_special, lose_key_name, renamed
from dbplan.exports.orm.page import Page, Stage
from dbplan.exports.orm.tables import KeyWords, lose_foreign_keys
from dbplan.exports.python import Node, Text, call
from dbplan.exports.relations import Relation
from dbplan.exports.tortoise import fields
from dbplan.exports.tortoise.meta import unique_columns

_ACTIONS = {"CASCADE": "CASCADE", "RESTRICT": "RESTRICT", "SET NULL": "SET_NULL", "SET DEFAULT": "SET_DEFAULT"}


def chosen(page: Page, models: list[Table]) -> dict[str, Column[Any]]:
    """Return the column that each model has for its key, and note in the page which columns lead to other tables."""
    known = {table.key for table in models}
    found: dict[str, Column[Any]] = {}
    for table in models:
        columns = [*table.primary_key.columns]
        ways = {c.name: way for c in table.columns if (way := _way(page, c, known)) is not None}
        free = [column for column in columns if column.name not in ways]
        found[table.key] = key = (free or columns)[0] if len(columns) > 1 else columns[0]
        if len(columns) > 1 or _is_led_to(page, key):
            ways.pop(key.name, None)
        page.keys |= {(table.key, name): way for name, way in ways.items()}
    return found


def _is_led_to(page: Page, key: Column[Any]) -> bool:
    """Say whether other keys lead to a key: Tortoise takes the type of a field for them, and a relation has none."""
    return any(key in way.targets for way in page.naming.into(key.table))


def _way(page: Page, column: Column[Any], known: set[str]) -> Relation | None:
    """Return the relation that a column is the way of: one column, to one that identifies its row."""
    ways = [way for way in page.naming.out_of(column.table) if way.columns == (column,)]
    if not ways or ways[0].parent.key not in known or column.computed is not None or facts.counts(column):
        return None
    way, target = ways[0], ways[0].targets[0]
    return way if _identifies(page, target) and _same_type(page, column, target) else None


def _identifies(page: Page, target: Column[Any]) -> bool:
    if target.primary_key:
        return len(target.table.primary_key.columns) == 1
    led_on = any(way.columns == (target,) for way in page.naming.out_of(target.table))
    unique = (c for c in constraints(target.table, page.dialect) if isinstance(c, UniqueConstraint))
    alone = any([*one.columns] == [target] and not is_special(page, one) for one in unique)
    count = len(page.lost)
    indexed = alone and fields.made(page, target).is_indexed
    del page.lost[count:]
    return indexed and not led_on


def _same_type(page: Page, column: Column[Any], target: Column[Any]) -> bool:
    one, other = (facts.sql_type(one.type, page.dialect) for one in (column, target))
    own = one.labels or one.dimensions or isinstance(server_type(column.type), DOMAIN)
    return (one.name, one.arguments) == (other.name, other.arguments) and not own


def foreign(page: Page, column: Column[Any], way: Relation, *, unique: bool) -> Node:
    """Return a column as the way to another table."""
    name, target = page.attribute(column), way.targets[0]
    is_key = column.primary_key and len(column.table.primary_key.columns) == 1
    named: dict[str, Node | None] = {"primary_key": "True" if is_key else None}
    named["related_name"] = Text(way.back) if way.back and "__" not in way.back else "False"
    named["on_delete"] = fields.of_fields(page, _action(column, way))
    named["to_field"] = Text(page.attribute(target)) if not target.primary_key else None
    named["source_field"] = Text(str(column.name)) if f"{name}_id" != column.name else None
    if is_key:
        lose_key_name(page, column.table, "Tortoise")
    fields.lose_type(page, column, fields.made(page, column))
    head = fields.of_fields(page, "OneToOneField" if is_key or unique else "ForeignKeyField")
    return call(head, Text(f"models.{page.naming.class_of(way.parent)}"), **named, **fields.common(page, column))


def _action(column: Column[Any], way: Relation) -> str:
    action = _ACTIONS.get(str(way.constraint.ondelete or "").upper(), "NO_ACTION")
    return "NO_ACTION" if action == "SET_NULL" and not column.nullable else action


def lose_order(page: Page, table: Table) -> None:
    """Note the order of columns: generate_schemas puts those of relations last, by name, one-to-one after others."""
    late = [column for column in table.columns if (table.key, column.name) in page.keys]
    if not late:
        return
    unique = {column for column in late if _is_single(page, column)}
    many = sorted((column for column in late if column not in unique), key=page.attribute)
    order = [*(column for column in table.columns if column not in late), *many]
    if len(unique) > 1 or [*order, *unique] != [*table.columns]:
        page.lose(Stage.COLUMNS, Place(table.key), "columns: generate_schemas puts those of relations last")


def _is_single(page: Page, column: Column[Any]) -> bool:
    alone = column.primary_key and len(column.table.primary_key.columns) == 1
    return alone or column.name in unique_columns(page, column.table)


def lose_keys(page: Page, table: Table, closing: list[Relation]) -> None:
    """Note what becomes of foreign keys."""
    words = KeyWords(
        "it closes a circle, which generate_schemas refuses: its column is a field without a relation",
        "Tortoise has no such relation: its columns are fields without one",
        _lose_made,
    )
    lose_foreign_keys(page, table, closing, words)


def _lose_made(page: Page, way: Relation, table: Table, own: str) -> None:
    """Note what is otherwise of a key that Tortoise makes: its name, its options."""
    key, name = way.constraint, given(page, way.constraint, table)
    place, column = Place(table.key, constraint=name), way.columns[0]
    said = [] if page.is_postgresql and name == own else [f"Tortoise leaves its name to the server: {own}"]
    if not page.is_postgresql:
        said = ["Tortoise gives it no name"] if key.name else []
    lost = [f"without ON UPDATE {key.onupdate}"] if key.onupdate and key.onupdate.upper() != "NO ACTION" else []
    lost += ["without its options"] if is_special(page, key) else []
    wanted = str(key.ondelete or "NO ACTION").upper().replace(" ", "_")
    lost += [f"without ON DELETE {key.ondelete}"] if _action(column, way) != wanted else []
    if lost:
        page.lose(
            Stage.FOREIGN_KEYS,
            place,
            "; ".join([*said, f"it is made {' and '.join(lost)}"]),
            added(page, key, name, own, name) if page.is_postgresql else "",
        )
    elif said:
        page.lose(Stage.FOREIGN_KEYS, place, said[0], renamed(page, table, own, name))
