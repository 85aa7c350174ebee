"""Foreign keys as columns that lead on, and what of them Piccolo cannot make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import DOMAIN

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.clauses import constraints
from dbplan.exports.orm.columns import server_default
from dbplan.exports.orm.enums import server_type
from dbplan.exports.orm.mends import added, given, is_special, renamed
from dbplan.exports.orm.page import Page, Stage
from dbplan.exports.orm.tables import KeyWords, lose_foreign_keys
from dbplan.exports.piccolo.columns import common, head_of, lose_null, lose_type, made, piccolo, server_filled
from dbplan.exports.python import Node, Text, call
from dbplan.exports.relations import Relation

_ACTIONS = {
    "CASCADE": "cascade",
    "RESTRICT": "restrict",
    "SET NULL": "set_null",
    "SET DEFAULT": "set_default",
}


def find(page: Page, tables: list[Table]) -> None:
    """Note in the page which columns lead to other tables."""
    known = {table.key for table in tables}
    for table in tables:
        for column in table.columns:
            way = _way(page, column, known)
            if way is not None:
                page.keys[table.key, column.name] = way


def _way(page: Page, column: Column[Any], known: set[str]) -> Relation | None:
    """Return the relation that a column is the way of: one column, to one that identifies its row."""
    ways = [way for way in page.naming.out_of(column.table) if way.columns == (column,)]
    counted = facts.counts(column) or column.computed is not None or column.default is not None
    if not ways or ways[0].parent.key not in known or counted:
        return None
    way, target = ways[0], ways[0].targets[0]
    return way if _identifies(page, target) and _same_type(page, column, target) else None


def _identifies(page: Page, target: Column[Any]) -> bool:
    if target.primary_key:
        return len(target.table.primary_key.columns) == 1
    unique = (c for c in constraints(target.table, page.dialect) if isinstance(c, UniqueConstraint))
    return any([*one.columns] == [target] and not is_special(page, one) for one in unique)


def _same_type(page: Page, column: Column[Any], target: Column[Any]) -> bool:
    one, other = (facts.sql_type(one.type, page.dialect) for one in (column, target))
    own = one.labels or one.dimensions or isinstance(server_type(column.type), DOMAIN)
    return (one.name, one.arguments, one.collation) == (other.name, other.arguments, other.collation) and not own


def parents_first(page: Page, tables: list[Table]) -> Iterator[Table]:
    """Yield tables after those that they lead to; circles are open by now."""
    done: set[str] = set()
    for table in tables:
        yield from _after_parents(page, table, done)


def _after_parents(page: Page, start: Table, done: set[str]) -> Iterator[Table]:
    waiting = [start]
    while waiting:
        table = waiting[-1]
        ways = (page.keys.get((table.key, column.name)) for column in table.columns)
        parents = [w.parent for w in ways if w is not None and w.parent is not table and w.parent.key not in done]
        if parents and table.key not in done:
            waiting += parents
            continue
        waiting.pop()
        if table.key not in done:
            done.add(table.key)
            yield table


def foreign(page: Page, way: Relation, words: dict[str, Node], *, part: bool) -> Node:
    """Return a column as the way to another table."""
    column: Any = way.columns[0]
    target: Any = way.targets[0]
    own = way.parent is way.child
    sql = server_default(page, column)
    if not sql:
        lose_null(page, column, facts.sql_type(column.type, page.dialect).words)
    lose_type(page, column, made(page, column).other)
    parent = page.naming.class_of(way.parent)
    later = bool(sql) or _leads_on(page, way.parent)
    named: dict[str, Node] = {"references": Text("self") if own else Text(parent) if later else parent}
    named |= {"on_delete": _action(page, "OnDelete", way.constraint.ondelete)}
    named |= {"on_update": _action(page, "OnUpdate", way.constraint.onupdate)}
    named |= {} if target.primary_key else {"target_column": Text(page.attribute(target))}
    named |= {**words, **({"default": server_filled(page, sql)} if sql else {}), **common(page, column)}
    named |= {} if column.nullable and not column.primary_key else {"null": "False"}
    return call(head_of(page, "ForeignKey", in_sql=False, part=part), **named)


def _leads_on(page: Page, table: Table) -> bool:
    """Say whether a table's key is a way to another table: Piccolo tries a default on a copy of it, which fails."""
    return any((table.key, column.name) in page.keys for column in table.primary_key.columns)


def _action(page: Page, event: str, said: str | None) -> Node:
    return f"{piccolo(page, event)}.{_ACTIONS.get(str(said or '').upper(), 'no_action')}"


def lose(page: Page, table: Table, closing: list[Relation]) -> None:
    """Note what becomes of foreign keys."""
    words = KeyWords(
        "it closes a circle, which create_db_tables refuses: its column does not lead on",
        "Piccolo has no such foreign key: its columns do not lead on",
        _lose_made,
    )
    lose_foreign_keys(page, table, closing, words)


def _lose_made(page: Page, way: Relation, table: Table, own: str) -> None:
    """Note what is otherwise of a key that Piccolo makes: its name, its options."""
    key, name = way.constraint, given(page, way.constraint, table)
    place = Place(table.key, constraint=name)
    said = f"Piccolo leaves its name to the server: {own}" if page.is_postgresql else "Piccolo gives it no name"
    if is_special(page, key):
        mend = added(page, key, name, own, name) if page.is_postgresql else ""
        page.lose(Stage.FOREIGN_KEYS, place, f"it is made without its options; {said}", mend)
    elif name != own and (page.is_postgresql or key.name):
        page.lose(Stage.FOREIGN_KEYS, place, said, renamed(page, table, own, name) if page.is_postgresql else "")
