"""Entities: a class for each table and view, its keys, checks and indexes above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Constraint, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import PrimaryKeyConstraint

from dbplan.ddl import statements
from dbplan.evidence import Severity
from dbplan.exports.clauses import (
    IndexWords,
    beside,
    condition,
    exclusion,
    index_words,
    measures,
    names,
    parent_of,
    target_of,
    timing,
)
from dbplan.exports.typeorm.columns import column, view_column
from dbplan.exports.typeorm.filling import methods
from dbplan.exports.typeorm.links import apart, inward, lose_of_key, outward
from dbplan.exports.typeorm.page import Page
from dbplan.exports.typescript import List, Node, Record, Sql, Text, Word, jsdoc

_OF_MYSQL = ("fulltext", "spatial")
_METHODS = frozenset({"btree", "hash", "gist", "spgist", "gin", "brin"})


def entity(page: Page, found: Table) -> str:
    """Return a table as a class."""
    known = names(found, page.dialect)
    key = next((name for one, name in known.items() if isinstance(one, PrimaryKeyConstraint)), "")
    key = key if page.server not in ("sqlite", "mysql", "mariadb") else ""
    above = [_entity(page, found), *_constraints(page, found, known), *apart(page, found, known)]
    above += [_index(page, words) for words in _indexes(page, found)]
    body = [*(column(page, one, key) for one in found.columns), *outward(page, found, known), *inward(page, found)]
    body += methods(page, found)
    _lose_of_table(page, found)
    return "\n".join([*above, f"export class {page.class_of(found)} {{", "\n\n".join(body), "}"])


def _entity(page: Page, found: Table) -> str:
    options: list[tuple[str, Node]] = [("name", Text(found.name))]
    options += [("schema", Text(found.schema))] if found.schema else []
    if found.comment and page.server not in ("sqlite", "mssql"):
        options.append(("comment", Text(found.comment)))
    return page.decorate("Entity", Record(tuple(options)))


def _constraints(page: Page, found: Table, known: dict[Constraint, str]) -> Iterator[str]:
    twins = _twins(page, found, known)
    for one, name in known.items():
        if one in twins:
            page.lose(twins[one], found, constraint=name)
            continue
        if isinstance(one, UniqueConstraint):
            yield _unique(page, one, name)
        elif isinstance(one, CheckConstraint):
            yield page.decorate("Check", Text(name), _template(condition(one, page.dialect)))
        elif isinstance(one, ExcludeConstraint):
            late = [Record((("deferrable", Text(timing(one))),))] if timing(one) else []
            yield page.decorate("Exclusion", Text(name), _template(exclusion(one, page.dialect)), *late)
        _lose_of_constraint(page, one, name)
    for relation in page.naming.out_of(found):
        if relation.constraint in known:
            lose_of_key(page, relation, known[relation.constraint])


def _twins(page: Page, found: Table, known: dict[Constraint, str]) -> dict[Constraint, str]:
    """Return the unique keys that TypeORM's words make the same as another key, of which a server makes one, and why.

    The primary key stays, then the first key that loses nothing.
    """
    kept: dict[tuple[tuple[str, ...], str], str] = {}
    if page.server == "postgresql" and found.primary_key in known:
        columns = tuple(column.name for column in found.columns if column.primary_key)
        kept[columns, ""] = known[found.primary_key]
    twins: dict[Constraint, str] = {}
    uniques = [one for one in known if isinstance(one, UniqueConstraint)]
    for one in sorted(uniques, key=lambda one: bool(beside(one, page.dialect))):
        key = tuple(column.name for column in one.columns), timing(one)
        if key in kept:
            clauses = "".join(f" without {clause}" for clause in beside(one, page.dialect))
            twins[one] = f"it is {kept[key]} again{clauses}: it is left out"
        kept.setdefault(key, known[one])
    return twins


def _lose_of_constraint(page: Page, one: Constraint, name: str) -> None:
    table: Any = one.table
    if isinstance(one, ForeignKeyConstraint) and parent_of(one) is None:
        page.lose(f"it leads to {target_of(one)}, which is not in the plan", table, constraint=name)
    if isinstance(one, PrimaryKeyConstraint):
        _lose_of_primary_key(page, one, name)
    elif not isinstance(one, ForeignKeyConstraint | ExcludeConstraint):
        for clause in beside(one, page.dialect):
            page.lose(f"{clause} is left out", table, constraint=name)
    if one.comment:
        page.lose("its comment is left out", table, constraint=name)


def _template(sql: str) -> Node:
    """Return SQL as a template, so that its quotes need no escapes."""
    return Sql(sql, "")


def _unique(page: Page, one: UniqueConstraint, name: str) -> str:
    columns = List(tuple(Text(page.field_of(column)) for column in one.columns))
    late = [Record((("deferrable", Text(timing(one))),))] if timing(one) else []
    return page.decorate("Unique", Text(name), columns, *late)


def _lose_of_primary_key(page: Page, key: PrimaryKeyConstraint, name: str) -> None:
    table: Any = key.table
    order = [column for column in table.columns if column.primary_key]
    if [column.name for column in key.columns] != [column.name for column in order]:
        page.lose("its columns stand in the order of the table's", table, constraint=name)
    if timing(key):
        page.lose(f"DEFERRABLE {timing(key)} is left out", table, constraint=name)
    for clause in beside(key, page.dialect):
        page.lose(f"{clause} is left out", table, constraint=name)


def _indexes(page: Page, found: Table) -> list[IndexWords]:
    kept = [one for one in found.indexes if one._ddl_if is None or one._ddl_if.dialect in (None, page.dialect.name)]
    return [index_words(one, page.dialect) for one in sorted(kept, key=lambda one: str(one.name))]


def _index(page: Page, words: IndexWords) -> str:
    """Return an index; one of more than columns is left to a migration, and TypeORM is told to let it be."""
    table, method = words.index.table, words.method.lower()
    columns = [part.column for part in words.parts if part.column is not None and not part.operator_class]
    if len(columns) < len(words.parts) or (method and method not in (*_METHODS, *_OF_MYSQL)) or words.settings:
        page.lose("TypeORM has no words for it: create it in a migration", table, index=words.name)
        return page.decorate("Index", Text(words.name), Record((("synchronize", Word("false")),)))
    if not all(part.plain for part in words.parts):
        page.lose("TypeORM has no order in indexes: its columns all ascend", table, index=words.name)
    if words.beside:
        page.lose(f"{', '.join(words.beside)} is left out", table, index=words.name)
    options: list[tuple[str, Node]] = [("unique", Word("true"))] if words.unique else []
    options += [("type", Text(method))] if method and page.server == "postgresql" else []
    options += [(method, Word("true"))] if method in _OF_MYSQL else []
    options += [("where", _template(words.where))] if words.where else []
    fields = List(tuple(Text(page.field_of(one)) for one in columns))
    return page.decorate("Index", Text(words.name), fields, *([Record(tuple(options))] if options else []))


def _lose_of_table(page: Page, found: Table) -> None:
    if "." in found.name or "." in (found.schema or ""):
        said = "TypeORM takes a dot in a name for that after a schema: its queries do not find the table"
        page.lose(said, found, severity=Severity.WARNING)
    told = {key.partition("_")[2]: value for key, value in found.dialect_kwargs.items() if value}
    if found._prefixes:
        page.lose(f"{' '.join(map(str, found._prefixes))} is left out", found)
    for key, words in (("partition_by", "partitioned by"), ("inherits", "inherits from"), ("with", "stored with")):
        if told.get(key) and page.server == "postgresql":
            page.lose(f"it is not {words} {measures(told[key])}", found)
    if found.info.get("partition_of"):
        page.lose(f"it is a table of its own, no partition of {found.info['partition_of'][0]}", found)
    for key, words in (("triggers", "triggers"), ("policies", "row policies"), ("row_security", "row level security")):
        if found.info.get(key):
            page.lose(f"its {words} are left out", found)


def refused(page: Page, found: Table) -> str:
    """Return the note that stands in the place of a table without a primary key."""
    said = "TypeORM refuses a table without a primary key: it is left out, with the rows that it holds"
    page.lose(said, found, _creating(page, found), Severity.WARNING)
    words = f"The table {found.key} has no primary key, which every entity of TypeORM needs: it is left out."
    return f"// {words}"


def _creating(page: Page, found: Table) -> str:
    """Return the statements that make a table, and what hangs on it, after those that TypeORM makes."""
    kinds = ("table", "unique index", "index", "key", "comment")
    own = (one for one in statements(page.plan, page.server) if one.place.table == found.key and one.kind in kinds)
    return "\n".join(f"{one.sql};" for one in own)


def view(page: Page, found: Table, depends: list[Table]) -> str:
    """Return a view as a class."""
    select = str(found.info.get("view") or "").strip().removesuffix(";").rstrip()
    options: list[tuple[str, Node]] = [("name", Text(found.name))]
    options += [("schema", Text(found.schema))] if found.schema else []
    options += [("materialized", Word("true"))] if found.info.get("materialized") else []
    if depends:
        options.append(("dependsOn", List(tuple(Word(page.class_of(one)) for one in depends))))
    if select:
        options.append(("expression", Sql(f"\n{select}\n" if "\n" in select else select, "", lines=True)))
    else:
        options.append(("synchronize", Word("false")))
        page.lose("its SELECT is not known: TypeORM takes it to be there", found)
    above = [page.decorate("ViewEntity", Record(tuple(options), open=True))]
    above += [_index(page, words) for words in _indexes(page, found)]
    for one in found.columns:
        if one.comment:
            page.lose("the comment of a view's column is left out", found, column=one.name)
    if found.comment:
        page.lose("the comment of a view is left out", found)
    body = [view_column(page, one) for one in found.columns]
    note = jsdoc([found.comment] if found.comment else [])
    return "\n".join([*note, *above, f"export class {page.class_of(found)} {{", "\n\n".join(body), "}"])
