"""Rules about uniqueness: what NULL, case and deletion do to it, and where it is missing or said twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table

from dbplan.evidence import Place, Severity
from dbplan.linting import ddl
from dbplan.linting.access import Access, mentions
from dbplan.linting.schema import Schema
from dbplan.linting.words import listed, singular, tokens
from dbplan.rule import Hit, rule

_MOST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_ROOM = 0.1
"""A key is short when the planned rows fill more than this share of it, or when no rows are planned."""
_WIDE_KEY, _WIDE_TEXT = 3, 32
_LOGINS = {"email", "username", "login", "handle", "nickname", "screenname"}
_PEOPLE = {"user", "account", "member", "customer", "person", "profile", "login", "subscriber", "contact", "employee"}
_GOODS = {"product", "variant", "item", "article", "sku"}
_DEAD = {"deleted_at", "deletedat", "archived_at", "removed_at", "deleted_on"}


@rule(
    "uq-nullable",
    Severity.WARNING,
    condition="A unique constraint over several columns has nullable ones, and NULLs count as distinct.",
    why="Rows with a NULL in it are never duplicates of each other, so the rule that it states is not kept.",
    mend="Make the columns NOT NULL, or use NULLS NOT DISTINCT (PostgreSQL 15 on).",
    source="PostgreSQL documentation: unique constraints",
)
def uq_nullable(schema: Schema) -> Iterator[Hit]:
    """Find composite unique paths with nullable columns; a single nullable column means "unique where given"."""
    for table in schema.tables:
        columns = {column.name: column for column in table.columns}
        for access in schema.uniques(table):
            open_ = [name for name in access.columns if columns[name].nullable]
            together = any(
                isinstance(c, CheckConstraint) and len(open_) > 1 and mentions(c, open_) for c in table.constraints
            )
            if (
                len(access.keys) > 1
                and open_
                and len(open_) < len(access.keys)
                and access.nulls_distinct
                and not together
            ):
                yield (
                    _place(access),
                    f"{_what(access)} lets duplicates in where {listed(open_, 'or')} is NULL.",
                    _not_distinct(schema, access),
                )


def _not_distinct(schema: Schema, access: Access) -> str:
    if access.kind == "index":
        options: dict[str, Any] = {"postgresql_nulls_not_distinct": True}
        made = ddl.create_index(schema, access.table, access.columns, unique=True, instead=access.name, **options)
    else:
        made = ddl.add_unique(schema, access.table, access.columns, nulls_not_distinct=True, instead=access.name)
    return f"{ddl.drop(access)}\n{made}"


@rule(
    "uq-missing-natural",
    Severity.NOTE,
    condition="A table of people has no unique login, a table of goods no unique SKU, or a slug is not unique.",
    why="The surrogate key keeps rows apart and lets the same person or product in twice.",
    mend="Add a unique constraint.",
    source="sqlcheck, SchemaCrawler",
)
def uq_missing_natural(schema: Schema) -> Iterator[Hit]:
    """Find natural identifiers that nothing keeps unique, alone or within a parent."""
    for table in schema.tables:
        columns = [column for column in table.columns if schema.of(column).kind == "string"]
        covered = {key.column for a in schema.accesses[table] if a.unique for key in a.keys}
        covered |= _spoken_of(schema, table)
        for column in columns:
            if column.name not in covered and _natural(table, column.name):
                yield (
                    Place(table.fullname, column.name),
                    f"Two rows of {table.fullname} may have the same {column.name}.",
                    ddl.add_unique(schema, table, [column.name]),
                )


def _natural(table: Table, name: str) -> bool:
    last = singular(tokens(table.name)[-1]) if tokens(table.name) else ""
    if last in _PEOPLE:
        return name in ("email", "username", "login")
    return name == "slug" or (name == "sku" and last in _GOODS and len(tokens(table.name)) == 1)


def _spoken_of(schema: Schema, table: Table) -> set[str]:
    """Return the columns that the expressions of unique indexes mention: lower(email) keeps email unique."""
    written = [key.expression for a in schema.accesses[table] if a.unique for key in a.keys if key.expression]
    return {column.name for column in table.columns if any(column.name in text for text in written)}


@rule(
    "uq-redundant",
    Severity.NOTE,
    condition="A unique constraint contains all columns of a narrower one, and no foreign key points to it.",
    why="It forbids nothing that the narrower one does not forbid already, and costs an index.",
    mend="Drop it; keep a plain index where queries need its columns.",
    source="pg-index-health",
)
def uq_redundant(schema: Schema) -> Iterator[Hit]:
    """Find unique paths that a narrower one implies."""
    for table in schema.tables:
        for wide, narrow in permutations(schema.uniques(table), 2):
            inside = frozenset(narrow.columns) < frozenset(wide.columns)
            if wide.kind == "primary key" or not inside or not wide.nulls_distinct or _pointed_to(schema, wide):
                continue
            plain = "" if narrow.starts(wide) else "\n" + ddl.create_index(schema, table, wide.columns)
            yield (
                _place(wide),
                f"{_what(wide)} follows from the {narrow.kind} on ({', '.join(narrow.columns)}).",
                ddl.drop(wide) + plain,
            )
            break


def _pointed_to(schema: Schema, access: Access) -> bool:
    wanted = frozenset(access.columns)
    references = schema.referencing.get(access.table, ())
    return any(frozenset(column.name for column in r.targets) == wanted for r in references)


@rule(
    "uq-case",
    Severity.WARNING,
    condition="A unique e-mail address or login distinguishes upper and lower case.",
    why="Ann@example.com and ann@example.com become two accounts of one person.",
    mend="Make lower(column) unique, use citext or a case-insensitive collation, or check that it is lower case.",
    source="PostgreSQL documentation: citext, unique indexes on expressions",
)
def uq_case(schema: Schema) -> Iterator[Hit]:
    """Find unique logins that are compared letter by letter."""
    for table in schema.tables:
        for access in schema.uniques(table):
            column = next((c for c in table.columns if c.name == access.columns[-1]), None)
            if column is None or tokens(column.name)[-1:] not in [(login,) for login in _LOGINS]:
                continue
            if _case_counts(schema, table, column):
                yield (
                    Place(table.fullname, column.name),
                    f"{table.fullname}.{column.name} is unique letter by letter: case makes two of one.",
                    _lowered(schema, access, column),
                )


def _case_counts(schema: Schema, table: Table, column: Column[Any]) -> bool:
    if schema.of(column).kind != "string" or getattr(column.type, "collation", None):
        return False
    lowered = [
        k.expression for a in schema.accesses[table] if a.unique for k in a.keys if "lower" in k.expression.lower()
    ]
    checks = [c for c in table.constraints if isinstance(c, CheckConstraint) and mentions(c, [column.name, "lower"])]
    return not checks and not any(column.name in text for text in lowered)


def _lowered(schema: Schema, access: Access, column: Column[Any]) -> str:
    others = "".join(f"{ddl.quote(name)}, " for name in access.columns if name != column.name)
    name = ddl.free_name(schema, column.table, "uq", (*access.columns, "lower"))
    return (
        f"CREATE UNIQUE INDEX {ddl.quote(name)} ON {ddl.quoted(column.table)} "
        f"({others}lower({ddl.quote(column.name)}));"
    )


@rule(
    "uq-soft-delete",
    Severity.NOTE,
    condition="A table marks rows as deleted, and a unique constraint counts the marked rows too.",
    why="What a deleted row holds can never be used again: signing up anew with the same address fails.",
    mend="A unique index WHERE deleted_at IS NULL; keep the constraint if reuse is not wanted, and say so.",
    source="database_consistency, Azimutt",
)
def uq_soft_delete(schema: Schema) -> Iterator[Hit]:
    """Find unique paths that deleted rows still occupy."""
    for table in schema.tables:
        dead = next((c for c in table.columns if c.name.lower() in _DEAD and c.nullable), None)
        for access in schema.uniques(table) if dead is not None else ():
            if (
                dead is None
                or access.kind == "primary key"
                or dead.name in access.columns
                or _pointed_to(schema, access)
            ):
                continue
            if not any(column.primary_key for column in table.columns if column.name in access.columns):
                tail = f"WHERE {ddl.quote(dead.name)} IS NULL"
                made = ddl.create_index(schema, table, access.columns, unique=True, tail=tail, instead=access.name)
                yield (
                    _place(access),
                    f"{_what(access)} also counts rows whose {dead.name} is set.",
                    f"{ddl.drop(access)}\n{made}",
                )


def _what(access: Access) -> str:
    kind = "unique index" if access.kind == "index" else access.kind
    return f"The {kind} on {access.table.fullname} ({', '.join(access.columns)})"


def _place(access: Access) -> Place:
    if access.kind == "index":
        return Place(access.table.fullname, index=access.name)
    return Place(access.table.fullname, constraint=access.name or ", ".join(access.columns))
