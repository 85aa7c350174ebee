"""What Django's migration makes otherwise of a table's keys and columns, as it is on each server."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKeyConstraint, Table
from sqlalchemy.schema import AddConstraint

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.clauses import names as server_names
from dbplan.exports.clauses import shortened
from dbplan.exports.django.page import Page, own_name


def lose_of_table(page: Page, table: Table) -> None:
    """Note what becomes of the order of columns, of the primary key and of the foreign keys."""
    _lose_primary(page, table)
    _lose_order(page, table)
    if page.dialect.name == "postgresql":
        _lose_like(page, table)
    for key in sorted(table.foreign_key_constraints, key=lambda one: one._creation_order):
        _lose_key(page, key, table)


def _lose_primary(page: Page, table: Table) -> None:
    """Note the name that Django gives to a primary key in place of the plan's; MySQL knows but one, PRIMARY."""
    given = str(table.primary_key.name or "")
    if page.dialect.name == "postgresql":
        given = server_names(table, page.dialect).get(table.primary_key, "")
    usual = shortened(str(table.name), "", "pkey")
    if page.dialect.name == "postgresql" and given not in ("", usual):
        mend = f"ALTER TABLE {page.whole(table)} RENAME CONSTRAINT {page.quote(usual)} TO {page.quote(given)};"
        page.lose(Place(table.key, constraint=given), f"Django has the server name it: {usual}", mend)
    elif page.dialect.name == "sqlite" and given:
        page.lose(Place(table.key, constraint=given), "Django gives a primary key no name")


def _lose_order(page: Page, table: Table) -> None:
    """Note the order of columns: a first migration puts those of foreign keys last, by name, its own table's first."""
    alone = len(table.primary_key.columns) == 1
    late = [c for c in table.columns if (table.key, c.name) in page.keys and not (c.primary_key and alone)]
    order = [column for column in table.columns if column not in set(late)]
    last = sorted(late, key=page.attribute)
    own_first = sorted(last, key=lambda column: page.keys[table.key, column.name].parent is not table)
    if any([*order, *found] != [*table.columns] for found in (last, own_first)):
        page.lose(Place(table.key), "columns: Django's first migration puts those of foreign keys last")


def _lose_like(page: Page, table: Table) -> None:
    """Note the index that Django adds on PostgreSQL to a key that is text, for LIKE."""
    key = [*table.primary_key.columns]
    column: Any = key[0]
    kind = facts.sql_type(column.type, page.dialect)
    if len(key) == 1 and not kind.dimensions and kind.name in ("varchar", "text", "character varying"):
        name = own_name(table.name, [column.name], "_like")
        schema = f"{page.quote(table.schema)}." if table.schema else ""
        said = "Django adds it to a key that is text, for LIKE"
        page.lose(Place(table.key, index=name), said, f"DROP INDEX {schema}{page.quote(name)};")


def _lose_key(page: Page, key: ForeignKeyConstraint, table: Table) -> None:
    """Note what becomes of a foreign key: Django names and defers it, and has none of several columns."""
    names = [column.name for column in key.columns]
    way = page.keys.get((table.key, names[0])) if len(names) == 1 else None
    given = _given(page, key, names)
    place, add = Place(table.key, constraint=given), _adding(page, key, given)
    if way is None or way.constraint is not key:
        page.lose(place, "Django has no such foreign key: its columns are fields without one", add)
        return
    own = own_name(table.name, names, f"_fk_{way.parent.name}_{way.targets[0].name}")
    said = [*_named(page, key, own), *_timed(page, key)]
    actions = [f"ON {event} {done}" for event, done in (("DELETE", key.ondelete), ("UPDATE", key.onupdate)) if done]
    told = " and ".join(said) + f"{', ' if said else 'Django makes it '}without {' and '.join(actions)}" * bool(actions)
    mend = ""
    if page.dialect.name == "postgresql":
        start = f"ALTER TABLE {page.whole(table)} DROP CONSTRAINT"
        mend = f"{start} {page.quote(own)};\n{start} IF EXISTS {page.quote(given)};\n{add}"
    if told:
        page.lose(place, told if told.startswith("Django") else f"Django {told}", mend)


def _given(page: Page, key: ForeignKeyConstraint, names: list[str]) -> str:
    """Return the name of a foreign key; for none, PostgreSQL's, or on other servers the words that make it."""
    if key.name:
        return str(key.name)
    if page.dialect.name == "postgresql":
        return server_names(key.table, page.dialect)[key]
    return f"FOREIGN KEY ({', '.join(names)})"


def _named(page: Page, key: ForeignKeyConstraint, own: str) -> list[str]:
    if page.dialect.name == "sqlite":
        return ["gives it no name"] if key.name else []
    return [f"calls it {own}"]


def _timed(page: Page, key: ForeignKeyConstraint) -> list[str]:
    """Return when Django has a foreign key checked; MySQL checks at once whatever one says."""
    late = bool(key.deferrable) and str(key.initially or "").upper() == "DEFERRED"
    if page.dialect.name == "postgresql" or (page.dialect.name == "sqlite" and not late):
        return ["makes it DEFERRABLE INITIALLY DEFERRED"]
    return []


def _adding(page: Page, key: ForeignKeyConstraint, given: str) -> str:
    """Return the statement that adds a foreign key; "" on SQLite, where tables take none once they are made."""
    if page.dialect.name == "sqlite":
        return ""
    sql = str(AddConstraint(key, isolate_from_table=False).compile(dialect=page.dialect))
    if key.name or page.dialect.name != "postgresql":
        return f"{sql};"
    return sql.replace(" ADD FOREIGN", f" ADD CONSTRAINT {page.quote(given)} FOREIGN", 1) + ";"
