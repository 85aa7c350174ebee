"""Models: their fields, and in Meta their names, keys, constraints and settings; indexes behind the class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Constraint, ForeignKeyConstraint, Table
from sqlalchemy.schema import CreateIndex, PrimaryKeyConstraint

from dbplan.evidence import Place
from dbplan.exports.clauses import (
    IndexWords,
    Part,
    beside,
    condition,
    constraints,
    given_name,
    index_words,
    names,
    timing,
)
from dbplan.exports.peewee import fields, keys
from dbplan.exports.peewee.page import Page, is_made, is_odd
from dbplan.exports.python import Named, Node, Text, assigned, call, docstring, listed, shown

_NOT_DISTINCT = "NULLS NOT DISTINCT"
_START = re.compile(r"\ACREATE (?:UNIQUE )?INDEX (?!IF NOT EXISTS)")
_SAFE = frozenset({"postgresql", "sqlite", "mariadb"})
"""Servers that know CREATE INDEX IF NOT EXISTS."""


def model(page: Page, table: Table) -> str:
    """Return the class of a table, and what adds its indexes."""
    made = is_made(table)
    lines = [f"class {page.naming.class_of(table)}({'BaseModel' if made else 'MadeElsewhere'}):"]
    if table.comment:
        lines += [docstring(table.comment), ""]
    for column in table.columns:
        way = page.keys.get((table.key, column.name))
        field = fields.plain(page, column) if way is None else keys.foreign_field(page, column, way)
        lines.append(assigned(page.attribute(column), field))
    lines += ["", "    class Meta:"]
    lines += [f"        {line}" for line in _meta(page, table, made)]
    added = list(_indexes(page, table)) if made else []
    return "\n".join(lines) + ("\n\n\n" + "\n".join(added) if added else "")


def _meta(page: Page, table: Table, made: bool) -> Iterator[str]:
    yield shown(Text(str(table.name)), 8, "table_name = ")
    if table.schema and page.server != "sqlite":
        yield shown(Text(table.schema), 8, "schema = ")
    key = list(table.primary_key.columns)
    if len(key) > 1:
        composite = call(page.peewee("CompositeKey"), *(Text(page.attribute(column)) for column in key))
        yield shown(composite, 8, "primary_key = ")
    elif not key and made:
        yield "primary_key = False"
    if not made:
        return
    stated, parents = _stated(page, table)
    if stated:
        yield shown(listed(stated), 8, "constraints = ")
    if parents:
        yield shown(listed(parents), 8, "depends_on = ")
    if settings := _settings(page, table):
        yield shown(listed([Text(page.sql(settings))]), 8, "table_settings = ")


def _stated(page: Page, table: Table) -> tuple[list[Node], list[Node]]:
    """Return the constraints of a table as SQL, and the models that have to be there before it."""
    found = [node for one in constraints(table, page.dialect) if (node := _constraint(page, one)) is not None]
    linked = list(keys.keys_in_table(page, table))
    parents = {parent.key: page.naming.class_of(parent) for _, parent in linked if parent is not table}
    return [*found, *(node for node, _ in linked)], list(parents.values())


def _constraint(page: Page, one: Constraint) -> Node | None:
    table: Any = one.table
    name = names(table, page.dialect)[one]
    if isinstance(one, PrimaryKeyConstraint):
        _lose_primary(page, one, name)
        return None
    if isinstance(one, ForeignKeyConstraint):
        return None
    if one.comment:
        page.lose(Place(table.key, constraint=name), "its comment is left out")
    if not isinstance(one, CheckConstraint):
        return keys.in_table(page, one)
    for clause in beside(one, page.dialect):
        page.lose(Place(table.key, constraint=name), f"{clause} is left out")
    given = given_name(one, page.dialect)
    if is_odd(given):
        return keys.in_table(page, one)
    named = (Text(given),) if given else ()
    return call(page.peewee("Check"), Text(page.sql(condition(one, page.dialect))), *named)


def _lose_primary(page: Page, key: PrimaryKeyConstraint, name: str) -> None:
    """Note the name that the server gives to a primary key in place of the plan's, and what is beside its columns."""
    place = Place(key.table.key, constraint=name)
    for clause in (*beside(key, page.dialect), *filter(None, [timing(key)])):
        page.lose(place, f"{clause} of the primary key is left out")
    if page.server == "sqlite" and given_name(key, page.dialect):
        page.lose(place, "Peewee gives a primary key no name")
    usual = keys.usual_name(page, key.table)
    if page.server == "postgresql" and name != usual:
        prepare = page.dialect.identifier_preparer
        renamed = f"RENAME CONSTRAINT {prepare.quote(usual)} TO {prepare.quote(name)};"
        mend = f"ALTER TABLE {prepare.format_table(key.table)} {renamed}"
        page.lose(place, f"Peewee has the server name it: {usual}", mend)


def _settings(page: Page, table: Table) -> str:
    """Return what stands behind a table's columns: how it is kept, partitioned, inherited."""
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    return " ".join(str(compiler.post_create_table(table)).split())


def _indexes(page: Page, table: Table) -> Iterator[str]:
    """Yield the calls that add indexes to a model."""
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        if index._ddl_if is not None and index._ddl_if.dialect not in (None, page.dialect.name):
            continue
        words = index_words(index, page.dialect)
        yield shown(_index(page, table, words))


def _index(page: Page, table: Table, words: IndexWords) -> Node:
    head = f"{page.naming.class_of(table)}.add_index"
    if not _is_plain(page, words):
        return call(head, call(page.peewee("SQL"), Text(page.sql(_statement(page, words)))))
    named: dict[str, Node | None] = {
        "name": Text(words.name),
        "unique": "True" if words.unique else None,
        "using": Text(words.method) if words.method and words.method.lower() != "btree" else None,
        "nulls_distinct": "False" if words.beside else None,
    }
    if words.where:
        named["where"] = call(page.peewee("SQL"), Text(page.sql(words.where)))
    parts = [_part(page, table, part) for part in words.parts]
    return call(head, *parts, *(Named(f"{key}=", value) for key, value in named.items() if value is not None))


def _is_plain(page: Page, words: IndexWords) -> bool:
    """Say whether Peewee has words for an index: columns in an order, a method, a predicate."""
    known = page.server == "postgresql" or not words.method
    beside_known = set(words.beside) <= ({_NOT_DISTINCT} if words.unique else set())
    odd = is_odd(words.name) or not words.name or words.settings or not known or not beside_known
    return not odd and all(part.column is not None and not part.operator_class for part in words.parts)


def _part(page: Page, table: Table, part: Part) -> Node:
    assert part.column is not None
    field = f"{page.naming.class_of(table)}.{page.attribute(part.column)}"
    nulls = f'nulls="{part.nulls.upper()}"' if part.nulls else ""
    if part.descending:
        return f"{field}.desc({nulls})"
    return f"{field}.asc({nulls})" if nulls else field


def _statement(page: Page, words: IndexWords) -> str:
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    made = str(compiler.process(CreateIndex(words.index)))
    return _START.sub(r"\g<0>IF NOT EXISTS ", made) if page.server in _SAFE else made
