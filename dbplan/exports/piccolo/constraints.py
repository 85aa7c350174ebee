"""Unique keys, CHECKs and indexes of a table: as attributes, in words of columns, or left out."""

from __future__ import annotations

import re
from itertools import count
from keyword import iskeyword
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.schema import Constraint

from dbplan.evidence import Place
from dbplan.exports.clauses import IndexWords, constraints, given_name, index_words, shortened, sql_of
from dbplan.exports.orm.mends import added, given, is_special, lose_constraint, lose_index, renamed
from dbplan.exports.orm.page import Page, Stage
from dbplan.exports.piccolo.columns import made
from dbplan.exports.piccolo.naming import RESERVED
from dbplan.exports.python import Node, Text, call, listed

_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LONGEST = 63


def unique_columns(page: Page, table: Table) -> set[str]:
    """Return the columns that are called unique: those whose key has the server's own name, on SQLite all."""
    found = set()
    for one in constraints(table, page.dialect):
        if not isinstance(one, UniqueConstraint) or len(one.columns) != 1 or is_special(page, one):
            continue
        column = next(iter(one.columns))
        usual = shortened(str(table.name), str(column.name), "key")
        if not column.primary_key and (not page.is_postgresql or given(page, one, table) == usual):
            found.add(str(column.name))
    return found


def named(page: Page, table: Table, alone: set[str]) -> dict[str, Node]:
    """Return unique keys and CHECKs by attribute, and note what Piccolo cannot say of them."""
    taken = {page.attribute(column) for column in table.columns} | RESERVED
    found: dict[str, Node] = {}
    if len(table.primary_key.columns) > 1:
        found |= _whole_key(page, table, taken)
    for one in constraints(table, page.dialect):
        if isinstance(one, PrimaryKeyConstraint | ForeignKeyConstraint) or _is_said(page, one, table, alone):
            continue
        node = _node(page, one, table)
        if node is not None:
            found[_attribute(page, one, table, taken)] = node
    return found


def _is_said(page: Page, one: Constraint, table: Table, alone: set[str]) -> bool:
    """Say whether a unique key is said by its column; on SQLite without its name."""
    columns = [column.name for column in getattr(one, "columns", ())]
    said = isinstance(one, UniqueConstraint) and len(columns) == 1 and columns[0] in alone and not is_special(page, one)
    if said and not page.is_postgresql and one.name:
        page.lose(Stage.CONSTRAINTS, Place(table.key, constraint=str(one.name)), "Piccolo gives it no name")
    return said


def _node(page: Page, one: Constraint, table: Table) -> Node | None:
    """Return a constraint; None for one that is noted and left out."""
    reason = _reason(page, one, table)
    if reason:
        lose_constraint(page, one, table, f"it is left out: {reason}")
        return None
    if isinstance(one, CheckConstraint):
        return call(page.imports.name("piccolo.constraints", "Check"), Text(sql_of(one.sqltext, page.dialect)))
    return _unique(page, one)


def _reason(page: Page, one: Constraint, table: Table) -> str:
    if not page.is_postgresql:
        return "Piccolo adds it by ALTER TABLE, which SQLite refuses"
    if isinstance(one, UniqueConstraint):
        return "Piccolo has no words for its options" if is_special(page, one) else ""
    if not isinstance(one, CheckConstraint):
        return "Piccolo has no exclusion constraints"
    if one.dialect_options["postgresql"]["not_valid"] or "NO INHERIT" in str(one.info.get("definition", "")):
        return "Piccolo has no words for its options"
    sql = sql_of(one.sqltext, page.dialect)
    other = [column.name for column in table.columns if _has_other_type(page, column)]
    spoken = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql) for name in other)
    return "it speaks of a column that has another type here" if spoken else ""


def _has_other_type(page: Page, column: Any) -> bool:
    count = len(page.lost)
    other = made(page, column).other
    del page.lost[count:]
    return bool(other)


def _unique(page: Page, one: Any) -> Node:
    head = page.imports.name("piccolo.constraints", "Unique")
    return call(head, listed(page.attribute(column) for column in one.columns))


def _attribute(page: Page, one: Constraint, table: Table, taken: set[str]) -> str:
    """Return the attribute of a constraint, which is its name; another one, noted, where that cannot be."""
    name = given(page, one, table)
    if _PLAIN.fullmatch(name) and page.quote(name) == name and not iskeyword(name) and name not in taken:
        taken.add(name)
        return name
    own = _free(page, "unique" if isinstance(one, UniqueConstraint) else "check", taken)
    place = Place(table.key, constraint=name)
    page.lose(Stage.CONSTRAINTS, place, f"Piccolo calls it {own}", renamed(page, table, own, name))
    return own


def _free(page: Page, kind: str, taken: set[str]) -> str:
    """Return the first numbered name that nothing has, and take it."""
    names = (f"{kind}_{number}" for number in count(1))
    own = next(name for name in names if name not in taken | page.given | page.names_of_server)
    taken.add(own)
    page.given.add(own)
    return own


def _whole_key(page: Page, table: Table, taken: set[str]) -> dict[str, Node]:
    """Return a key of several columns as a unique one."""
    name, own = given(page, table.primary_key, table), _free(page, "whole_key", taken)
    said = "Piccolo has no keys of several columns: "
    said += f"it is a unique key here, {own}, " if page.is_postgresql else "it is none here, "
    said += "and save() and remove() of an object go by one of its columns alone; use where() with all of them"
    mend = added(page, table.primary_key, name, own) if page.is_postgresql else ""
    page.lose(Stage.CONSTRAINTS, Place(table.key, constraint=name), said, mend)
    return {own: _unique(page, table.primary_key)} if page.is_postgresql else {}


def indexed_columns(page: Page, table: Table) -> dict[str, dict[str, Node]]:
    """Return the columns that have an index of their own, with its method, and note all other indexes."""
    found: dict[str, dict[str, Node]] = {}
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        words = index_words(index, page.dialect)
        reason = _why_not(page, table, words, found)
        place = Place(table.key, index=given_name(index, page.dialect))
        if reason:
            lose_index(page, index, f"it is left out: {reason}")
            continue
        column: Any = words.parts[0].column
        found[column.name] = _method(page, words)
        own = f"{table.name}_{column.name}"
        if own != words.name:
            mend = f"ALTER INDEX {page.beside(table, own)} RENAME TO {page.quote(words.name)};"
            page.lose(Stage.INDEXES, place, f"Piccolo calls it {own}", mend)
    return found


def _why_not(page: Page, table: Table, words: IndexWords, found: dict[str, dict[str, Node]]) -> str:
    """Return why Piccolo cannot make an index; "" where it can."""
    if len(words.parts) != 1 or not words.name:
        return "Piccolo's classes have indexes of one column"
    column = words.parts[0].column
    if words.unique or words.where or not words.parts[0].plain or column is None:
        return "Piccolo's indexes are of a column, and no more"
    if words.settings or words.beside or words.method not in ("", "btree", "hash", "gist", "gin"):
        return "Piccolo has no words for its options"
    if "COLLATE" in str(words.index.info.get("definition", "")):
        return "Piccolo writes no collation"
    own = f"{table.name}_{column.name}"
    if not _PLAIN.fullmatch(own) or page.quote(own) != own:
        return "Piccolo would call it after its table and column, without quotes"
    taken = own != words.name and own in page.names_of_server
    return "what Piccolo would call it is taken" if taken or column.name in found else ""


def _method(page: Page, words: IndexWords) -> dict[str, Node]:
    if words.method in ("", "btree"):
        return {}
    return {"index_method": f"{page.imports.name('piccolo.columns.indexes', 'IndexMethod')}.{words.method}"}
