"""Tables that an ORM has no class for, and what becomes of the foreign keys of those that it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table

from dbplan.exports.clauses import shortened
from dbplan.exports.orm.mends import lose_constraint
from dbplan.exports.orm.page import Page
from dbplan.exports.relations import Relation


@dataclass(frozen=True)
class Reasons:
    """Why a table has no class: a name that the ORM cannot write, no key, or a `name` that another has, `twice`."""

    odd: str
    no_key: str
    twice: str


def left_out(page: Page, is_odd: Callable[[Table], bool], reasons: Reasons) -> dict[str, str]:
    """Return the tables that have no class, by key, and why; views are told elsewhere."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for table in page.plan.metadata.tables.values():
        if table.info.get("is_view"):
            continue
        if is_odd(table):
            found[table.key] = reasons.odd
        elif not len(table.primary_key.columns):
            found[table.key] = reasons.no_key
        elif table.name in taken:
            found[table.key] = reasons.twice.format(name=table.name)
        else:
            taken.add(str(table.name))
    return found


def all_names(table: Table) -> tuple[str, ...]:
    """Return the names of a table, its schema and its columns."""
    return (str(table.name), str(table.schema or ""), *(str(column.name) for column in table.columns))


@dataclass(frozen=True)
class KeyWords:
    """What is said of a foreign key that closes a circle, and of one that is no relation; what notes a made one."""

    circle: str
    none: str
    lose_made: Callable[[Page, Relation, Table, str], None]
    """Is given the page, the relation, its table, and the name that the server gives to the key."""


def lose_foreign_keys(page: Page, table: Table, closing: list[Relation], words: KeyWords) -> None:
    """Note what becomes of the foreign keys of a table."""
    for key in sorted(table.foreign_key_constraints, key=lambda one: one._creation_order):
        columns = [column.name for column in key.columns]
        way = page.keys.get((table.key, columns[0])) if len(columns) == 1 else None
        if any(one.constraint is key for one in closing):
            lose_constraint(page, key, table, words.circle)
        elif way is None or way.constraint is not key:
            lose_constraint(page, key, table, words.none)
        else:
            words.lose_made(page, way, table, shortened(str(table.name), columns[0], "fkey"))
