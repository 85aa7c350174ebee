"""Tables and views: their columns, keys, constraints and indexes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import CheckConstraint, Column, Constraint, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import PrimaryKeyConstraint

from dbplan.exports.clauses import (
    IndexWords,
    Part,
    beside,
    condition,
    constraints,
    given_name,
    index_words,
    is_named_as_usual,
    measures,
    names,
    parent_of,
    target_of,
    timing,
)
from dbplan.exports.drizzle.columns import column, view_column
from dbplan.exports.drizzle.page import Page, key_of
from dbplan.exports.typescript import Arrow, Call, List, Member, Node, Record, Sql, Text, Word, jsdoc, statement

_NOT_NULLS = "NULLS NOT DISTINCT"
_CREATED = {"pg": "pgTable", "mysql": "mysqlTable", "sqlite": "sqliteTable"}


def table(page: Page, found: Table) -> str:
    """Return the statement that declares a table."""
    names_of = names(found, page.dialect)
    single = _single_key(page, found)
    entries = tuple((key_of(page, one), column(page, one, one is single)) for one in found.columns)
    notes = tuple((key_of(page, one), tuple(jsdoc(_notes(page, one)))) for one in found.columns)
    extras = [*_extras(page, found, names_of, single), *_indexes(page, found)]
    _lose_of_table(page, found)
    arguments: tuple[Node, ...] = (Text(found.name), Record(entries, open=True, notes=notes))
    if extras:
        cyclic = _is_in_cycle(found)
        page.cyclic |= cyclic
        returns = f"{page.any_extra}[]" if cyclic else ""
        arguments += (Arrow("table", List(tuple(extras)), returns),)
    made = _call(page, found.schema, _CREATED[page.core], "table", arguments)
    return "\n".join([*jsdoc([found.comment] if found.comment else []), statement(_head(page, found), made)])


def _notes(page: Page, found: Column[Any]) -> list[str]:
    """Return what is said above a column: its comment, and what the client fills in where no code does."""
    facts = page.columns[found.table.key, found.name]
    filled = facts.client if facts.client and not facts.client.startswith("uuid(") else ""
    said = [found.comment] if found.comment else []
    return [*said, *([f"Filled in by the client: {filled}"] if filled else [])]


def _head(page: Page, found: Table) -> str:
    return f"export const {page.tables[found.key]}"


def _call(page: Page, schema: str | None, function: str, method: str, arguments: tuple[Node, ...]) -> Call:
    if page.core == "pg" and schema and schema != "public":
        return Call(Member(Word(page.schemas[schema]), method), arguments)
    return page.call(function, *arguments)


def _single_key(page: Page, found: Table) -> Column[Any] | None:
    """Return the column that is the primary key by itself and needs no name for it."""
    key = found.primary_key
    if len(key.columns) != 1:
        return None
    if page.core == "pg" and any(isinstance(one, UniqueConstraint) and _is_key(one) for one in found.constraints):
        return None  # PostgreSQL may make one index of both: each has its name told
    usual = page.core != "pg" or (is_named_as_usual(key, found, page.dialect) and not beside(key, page.dialect))
    return next(iter(key.columns)) if usual else None


def _is_key(one: UniqueConstraint) -> bool:
    return {column.name for column in one.columns} == {column.name for column in one.table.primary_key.columns}


def _is_in_cycle(found: Table) -> bool:
    """Say whether foreign keys lead from a table back to it, by way of others."""
    seen, waiting = set(), [found]
    while waiting:
        for key in waiting.pop().foreign_key_constraints:
            parent = parent_of(key)
            if parent is None:
                continue
            if parent is found and key.table is not found:
                return True
            if parent.key not in seen and parent is not found:
                seen.add(parent.key)
                waiting.append(parent)
    return False


def _field(page: Page, found: Column[Any], owner: str = "table") -> Member:
    return Member(Word(owner), key_of(page, found))


def _extras(page: Page, found: Table, names_of: dict[Constraint, str], single: Column[Any] | None) -> Iterator[Node]:
    """Yield the constraints of a table: keys first, then foreign keys, then checks."""
    for one in sorted(constraints(found, page.dialect), key=_rank):
        name = names_of[one]
        if _is_unspeakable(page, name, getattr(one, "columns", ())):
            page.lose("drizzle-kit stumbles over the signs of its name or columns: left out", found, key=name)
            continue
        if isinstance(one, PrimaryKeyConstraint):
            if single is None:
                yield _primary_key(page, one, name)
        elif isinstance(one, UniqueConstraint):
            yield _unique(page, one, name)
        elif isinstance(one, ForeignKeyConstraint):
            yield from _foreign_key(page, one, name)
        elif isinstance(one, CheckConstraint):
            yield page.call("check", Text(name), page.safe_sql(condition(one, page.dialect)))
        elif isinstance(one, ExcludeConstraint):
            page.lose("Drizzle has no exclusion constraints: it is left out", found, key=name)
        _lose_of_constraint(page, one, name)


def _is_unspeakable(page: Page, name: str, columns: Any) -> bool:
    """Say whether names hold signs that drizzle-kit does not escape, or by which it splits texts."""
    names_of = (name, *(column.name for column in columns))
    return page.core == "pg" and any(set(';,"') & set(known) or "--" in known for known in names_of)


def _rank(constraint: Constraint) -> int:
    kinds = (PrimaryKeyConstraint, UniqueConstraint, ForeignKeyConstraint, CheckConstraint)
    return next((rank for rank, kind in enumerate(kinds) if isinstance(constraint, kind)), len(kinds))


def _primary_key(page: Page, key: PrimaryKeyConstraint, name: str) -> Node:
    columns = List(tuple(_field(page, one) for one in key.columns))
    return page.call("primaryKey", Record((("name", Text(name)), ("columns", columns))))


def _unique(page: Page, one: UniqueConstraint, name: str) -> Node:
    made = page.call("unique", Text(name)).then("on", *(_field(page, column) for column in one.columns))
    return made.then("nullsNotDistinct") if page.core == "pg" and _is_not_distinct(page, one) else made


def _is_not_distinct(page: Page, one: Constraint) -> bool:
    return _NOT_NULLS in beside(one, page.dialect)


def _foreign_key(page: Page, key: ForeignKeyConstraint, name: str) -> Iterator[Node]:
    parent = parent_of(key)
    if parent is None:
        page.lose(f"it leads to {target_of(key)}, which is not in the plan", key.table, key=name)
        return
    if page.core == "pg" and not _is_to_constraint(key, parent):
        page.lose(
            "it leads to columns that a unique index guards, which drizzle-kit makes later: left out",
            key.table,
            key=name,
        )
        return
    owner = "table" if parent is key.table else page.tables[parent.key]
    columns = List(tuple(_field(page, element.parent) for element in key.elements))
    targets = List(tuple(_field(page, element.column, owner) for element in key.elements))
    made = page.call("foreignKey", Record((("name", Text(name)), ("columns", columns), ("foreignColumns", targets))))
    for method, action in (("onDelete", key.ondelete), ("onUpdate", key.onupdate)):
        word, parted, _ = " ".join((action or "").lower().split()).partition(" (")
        if word and word != "no action":
            made = made.then(method, Text(word))
        if parted:
            page.lose(f"{action} sets all columns of the key here", key.table, key=name)
    yield made


def _is_to_constraint(key: ForeignKeyConstraint, parent: Table) -> bool:
    targets = {element.column.name for element in key.elements}
    keys = [one for one in parent.constraints if isinstance(one, PrimaryKeyConstraint | UniqueConstraint)]
    return any({column.name for column in one.columns} == targets for one in keys)


def _lose_of_constraint(page: Page, one: Constraint, name: str) -> None:
    table: Any = one.table
    if isinstance(one, ExcludeConstraint):
        return
    if page.core == "sqlite" and given_name(one, page.dialect):
        _lose_name(page, one, name)
    if timing(one):
        page.lose(f"it is checked at once: DEFERRABLE {timing(one)} is left out", table, key=name)
    for clause in beside(one, page.dialect):
        if clause != _NOT_NULLS or not isinstance(one, UniqueConstraint):
            page.lose(f"{clause} is left out", table, key=name)
    if one.comment:
        page.lose("its comment is left out", table, key=name)


def _lose_name(page: Page, one: Constraint, name: str) -> None:
    """Say what drizzle-kit does on SQLite with the names of keys."""
    if isinstance(one, UniqueConstraint):
        page.lose("on SQLite a unique index of that name stands for it", one.table, key=name)
    elif not isinstance(one, CheckConstraint):
        page.lose("on SQLite drizzle-kit gives it no name", one.table, key=name)


def _indexes(page: Page, found: Table) -> Iterator[Node]:
    for index in sorted(found.indexes, key=lambda index: str(index.name)):
        if index._ddl_if is not None and index._ddl_if.dialect not in (None, page.dialect.name):
            continue
        words = index_words(index, page.dialect)
        if _is_unspeakable(page, words.name, [part.column for part in words.parts if part.column is not None]):
            page.lose("drizzle-kit stumbles over the signs of its name or columns: left out", found, index=words.name)
        else:
            yield _index(page, words)


def _index(page: Page, words: IndexWords) -> Node:
    made = page.call("uniqueIndex" if words.unique else "index", Text(words.name))
    parts: Sequence[Node] = [_part(page, part) for part in words.parts]
    if page.core == "pg" and words.method and words.method.lower() != "btree":
        made = made.then("using", Text(words.method.lower()), *parts)
    else:
        made = made.then("on", *parts)
    if page.core == "pg" and words.settings:
        made = made.then("with", Record(tuple((key, _setting(value)) for key, value in words.settings)))
    if words.where and page.core != "mysql":
        made = made.then("where", page.safe_sql(words.where))
    for clause in words.beside:
        page.lose(f"{clause} is left out", words.index.table, index=words.name)
    return made


def _setting(value: str) -> Node:
    return Word(value) if value.isdigit() else Text(value)


def _part(page: Page, part: Part) -> Node:
    """Return a part of an index: a column with its order or operator class, or SQL where both are told."""
    if part.column is None or page.core != "pg":
        plain = part.column is not None and part.plain
        return _field(page, part.column) if plain and part.column is not None else page.safe_sql(part.words)
    column = _field(page, part.column)
    if part.operator_class:
        ordered = part.descending or part.nulls
        return page.safe_sql(part.words) if ordered else Call(Member(column, "op"), (Text(part.operator_class),))
    made: Node = Call(Member(column, "desc")) if part.descending else column
    first = (part.nulls or ("first" if part.descending else "last")) == "first"
    return Call(Member(made, "nullsFirst")) if first else made


def _lose_of_table(page: Page, found: Table) -> None:
    if page.core != "pg" and found.schema:
        page.lose(f"it is in no schema, instead of {found.schema}", found)
    if page.core != "sqlite":
        for one in found.columns:
            if one.comment:
                page.lose("its comment stands in the file alone", found, column=one.name)
        if found.comment:
            page.lose("its comment stands in the file alone", found)
    if (names := [str(one.name) for one in found.columns]) != _as_object(names):
        page.lose("columns that are called by numbers come first there", found)
    for said in _beyond(page, found):
        page.lose(said, found)


def _as_object(names: list[str]) -> list[str]:
    """Return the names in the order of an object's keys, where drizzle-kit keeps them: numbers first."""
    numbers = sorted((name for name in names if name.isdecimal() and name == str(int(name))), key=int)
    return [*numbers, *(name for name in names if name not in numbers)]


def _beyond(page: Page, found: Table) -> Iterator[str]:
    """Yield in words what hangs on a table and has no place in a schema of Drizzle."""
    if found._prefixes:
        yield f"{' '.join(map(str, found._prefixes))} is left out"
    told = {key.partition("_")[2]: value for key, value in found.dialect_kwargs.items() if value}
    if page.core == "pg":
        for key, words in (("partition_by", "partitioned by"), ("inherits", "inherits from"), ("with", "stored with")):
            if told.get(key):
                yield f"it is not {words} {measures(told[key])}"
        if told.get("tablespace"):
            yield f"its tablespace {told['tablespace']} is left out"
    if found.info.get("partition_of"):
        yield f"it is a table of its own, no partition of {found.info['partition_of'][0]}"
    for key, words in (("triggers", "triggers"), ("policies", "row policies"), ("row_security", "row level security")):
        if found.info.get(key):
            yield f"its {words} are left out"


def view(page: Page, found: Table) -> str:
    """Return the statement that declares a view."""
    entries = tuple((key_of(page, one), view_column(page, one)) for one in found.columns)
    notes = tuple((key_of(page, one), tuple(jsdoc([one.comment]))) for one in found.columns if one.comment)
    materialized = found.info.get("materialized") and page.core == "pg"
    name, method = ("pgMaterializedView", "materializedView") if materialized else (f"{page.core}View", "view")
    made = _call(page, found.schema, name, method, (Text(found.name), Record(entries, open=True, notes=notes)))
    select = str(found.info.get("view") or "").strip().removesuffix(";").rstrip()
    if select:
        page.used.add("sql")
        made = made.then("as", Sql(f"\n{select}\n" if "\n" in select else select, lines=True))
    else:
        page.lose("its SELECT is not known: the file takes it to be there", found)
        made = made.then("existing")
    _lose_of_table(page, found)
    for index in sorted(found.indexes, key=lambda index: str(index.name)):
        page.lose("an index of a view is left out", found, index=str(index.name))
    return "\n".join([*jsdoc([found.comment] if found.comment else []), statement(_head(page, found), made)])
