"""Tables: columns with their settings, then indexes, checks and the note."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import PrimaryKeyConstraint

from dbplan.evidence import Place
from dbplan.exports.clauses import (
    IndexWords,
    Part,
    beside,
    condition,
    constraints,
    exclusion,
    index_words,
    is_named_as_usual,
    names,
    shortened,
    timing,
)
from dbplan.exports.dbml.page import Page
from dbplan.exports.dbml.words import (
    block,
    default,
    expression,
    is_sayable,
    name,
    qualified,
    quoted,
    settings,
    type_words,
)
from dbplan.exports.facts import drawn_from

_SERIALS = {"integer": "serial", "bigint": "bigserial", "smallint": "smallserial"}


def table(page: Page, found: Table) -> str:
    """Return the block of a table."""
    single = _single(page, found)
    lines = [f"  {_column(page, column, single)}" for column in found.columns]
    for title, inner in (("indexes", _indexes(page, found, single)), ("checks", _checks(page, found))):
        listed = [f"    {line}" for line in inner]
        lines += ["", f"  {title} {{", *listed, "  }"] if listed else []
    note = found.comment or found.info.get("comment")
    lines += ["", f"  Note: {block(str(note), '  ')}"] if note else []
    return "\n".join([f"Table {qualified(found.schema, found.name)} {{", *lines, "}"])


def _single(page: Page, found: Table) -> dict[str, list[str]]:
    """Return by column the keys that are said beside it: of one column, named as the server would name them."""
    said: dict[str, list[str]] = {}
    for one in constraints(found, page.dialect):
        if isinstance(one, PrimaryKeyConstraint | UniqueConstraint) and len(one.columns) == 1:
            column = next(iter(one.columns)).name
            if isinstance(one, PrimaryKeyConstraint):
                said.setdefault(column, []).insert(0, "pk")
            elif _is_plain(page, one, found) and "unique" not in said.get(column, []):
                said.setdefault(column, []).append("unique")
    return said


def _is_plain(page: Page, one: UniqueConstraint, found: Table) -> bool:
    """Say whether a key is `unique` and no more; DBML takes `pk, unique` to be no primary key."""
    if one.columns.keys() == found.primary_key.columns.keys():
        return False
    return is_named_as_usual(one, found, page.dialect) and not beside(one, page.dialect)


def _column(page: Page, column: Column[Any], single: dict[str, list[str]]) -> str:
    facts = page.facts(column)
    kind = type_words(facts.type, page.enum_of(column))
    if facts.counts and column.identity is None and not drawn_from(column) and page.dialect.name == "postgresql":
        kind = _SERIALS.get(facts.type.name, kind)
    told = [*single.get(column.name, ())]
    told += ["increment"] if facts.counts and not drawn_from(column) else []
    told += ["not null"] if not column.nullable and "pk" not in told else []
    told += [f"default: {said}"] if (said := _default(page, column)) else []
    note = column.comment or column.info.get("comment")
    told += [f"note: {quoted(str(note))}"] if note else []
    return f"{name(column.name)} {kind}{settings(told)}"


def _default(page: Page, column: Column[Any]) -> str:
    found = page.facts(column).default
    if found is None:
        return _drawn(page, column)
    said = default(found)
    if not said:
        page.lose(f"its default has a backtick, which DBML cannot quote: {found.sql}", column.table, column=column.name)
    return said


def _drawn(page: Page, column: Column[Any]) -> str:
    """Return the default of a column that draws from a sequence of its own."""
    sequence = drawn_from(column)
    if not sequence:
        return ""
    escaped = sequence.replace("'", "''")
    return expression(f"nextval('{escaped}')") if is_sayable(escaped) else ""


def _indexes(page: Page, found: Table, single: dict[str, list[str]]) -> Iterator[str]:
    """Yield the keys of several columns or of a name of their own, and the indexes."""
    named = names(found, page.dialect)
    for one in constraints(found, page.dialect):
        if isinstance(one, PrimaryKeyConstraint | UniqueConstraint):
            yield from _key(page, one, named[one])
        elif isinstance(one, ExcludeConstraint):
            page.lose(f"EXCLUDE {exclusion(one, page.dialect)} is left out", found, key=named[one])
    for index in sorted(found.indexes, key=lambda index: str(index.name)):
        if page.applies(index):
            yield _index(page, index_words(index, page.dialect))


def _key(page: Page, one: PrimaryKeyConstraint | UniqueConstraint, known: str) -> Iterator[str]:
    found: Any = one.table
    usual = is_named_as_usual(one, found, page.dialect)
    columns = [column.name for column in one.columns]
    if isinstance(one, PrimaryKeyConstraint):
        usual = known == shortened(found.name, "", "pkey")
        if len(columns) > 1:
            yield f"{_listed([name(c) for c in columns])}{settings(['pk', *_named(known, usual)])}"
        if not usual:
            _lose_name(page, one, known)
    elif len(columns) > 1 or not _is_plain(page, one, found):
        yield f"{_listed([name(c) for c in columns])}{settings(['unique', f'name: {quoted(known)}'])}"
        page.lose("it is a unique index there, no constraint", found, key=known)
    _lose_of_key(page, one, known)


def _lose_name(page: Page, one: PrimaryKeyConstraint, known: str) -> None:
    """Say that DBML names no primary key; on PostgreSQL, SQL gives it back."""
    found: Any = one.table
    usual, quote = shortened(found.name, "", "pkey"), page.dialect.identifier_preparer.quote
    table = page.dialect.identifier_preparer.format_table(found)
    rename = f"ALTER TABLE {table} RENAME CONSTRAINT {quote(usual)} TO {quote(known)};"
    mend = rename if page.dialect.name == "postgresql" else ""
    page.lose_at(Place(str(found.key), constraint=known), f"its name {known} is left to the server", mend)


def _named(known: str, usual: bool) -> list[str]:
    return [] if usual else [f"name: {quoted(known)}"]


def _lose_of_key(page: Page, one: Any, known: str) -> None:
    if late := timing(one):
        page.lose(f"it is checked at once: DEFERRABLE {late} is left out", one.table, key=known)
    for clause in beside(one, page.dialect):
        page.lose(f"{clause} is left out", one.table, key=known)
    if one.comment:
        page.lose("its comment is left out", one.table, key=known)


def _index(page: Page, words: IndexWords) -> str:
    """Return an index; one of some rows alone is not called unique, which would say more than it does."""
    parts = [_part(page, words, part) for part in words.parts]
    beyond = list(_beyond(words))
    told = ["unique"] if words.unique and not words.where else []
    told += [f"name: {quoted(words.name)}"]
    told += [f"type: {name(method)}"] if (method := words.method.lower()) and method != "btree" else []
    told += [f"note: {quoted('; '.join(beyond))}"] if beyond else []
    if beyond:
        page.lose(f"{'; '.join(beyond)} is left out", words.index.table, index=words.name)
    return f"{_listed(parts)}{settings(told)}"


def _part(page: Page, words: IndexWords, part: Part) -> str:
    if part.column is not None:
        return name(part.column.name)
    if is_sayable(part.sql):
        return expression(part.sql)
    page.lose("DBML cannot quote the backtick in it", words.index.table, index=words.name)
    return expression(part.sql.replace("`", "'"))


def _beyond(words: IndexWords) -> Iterator[str]:
    """Yield what an index says beyond its columns."""
    if words.unique and words.where:
        yield "unique"
    if any(part.descending or part.nulls or part.operator_class for part in words.parts):
        yield f"({', '.join(part.words for part in words.parts)})"
    if words.where:
        yield f"WHERE {words.where}"
    if words.settings:
        yield f"WITH ({', '.join(f'{key} = {value}' for key, value in words.settings)})"
    yield from words.beside


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _checks(page: Page, found: Table) -> Iterator[str]:
    named = names(found, page.dialect)
    for one in constraints(found, page.dialect):
        if not isinstance(one, CheckConstraint):
            continue
        said = condition(one, page.dialect)
        if not is_sayable(said):
            page.lose(f"DBML cannot quote the backtick in it: CHECK ({said})", found, key=named[one])
            continue
        _lose_of_key(page, one, named[one])
        yield f"{expression(said)}{settings(_named(named[one], is_named_as_usual(one, found, page.dialect)))}"
