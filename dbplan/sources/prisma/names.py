"""The names that Prisma gives to keys, indexes and join tables that the schema leaves unnamed."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = {
    "postgresql": 63,
    "cockroachdb": 63,
    "mysql": 64,
    "mssql": 128,
    "sqlite": 10000,
    "mongodb": 127,
}
"""The bytes that a name may have, by SQLAlchemy's name of the server."""


def cut(name: str, length: int) -> str:
    """Return as many whole characters of `name` as fit into so many bytes of UTF-8."""
    return name.encode()[:length].decode(errors="ignore")


def primary_key(table: str, dialect: str) -> str:
    """Return `User_pkey`."""
    return _ending(table, "_pkey", dialect)


def unique(table: str, columns: Sequence[str], dialect: str) -> str:
    """Return `User_email_key`."""
    return _ending("_".join((table, *columns)), "_key", dialect)


def index(table: str, columns: Sequence[str], dialect: str) -> str:
    """Return `Post_title_idx`."""
    return _ending("_".join((table, *columns)), "_idx", dialect)


def foreign_key(table: str, columns: Sequence[str], dialect: str) -> str:
    """Return `Post_authorId_fkey`."""
    return _ending("_".join((table, *columns)), "_fkey", dialect)


def default(table: str, column: str, dialect: str) -> str:
    """Return `Post_views_df`, the name of a DEFAULT on SQL Server."""
    return _ending(f"{table}_{column}", "_df", dialect)


def join_table(relation: str, one: str, other: str, dialect: str) -> str:
    """Return `_CategoryToPost`, or an underscore and the relation's name where it has one."""
    name = relation or "To".join(sorted((one, other)))
    return f"_{name}"[: LONGEST[dialect]]


def of_join_table(table: str, suffix: str, dialect: str) -> str:
    """Return the name of a key or index of a join table: `_CategoryToPost_AB_pkey`."""
    return _ending(table, suffix, dialect)


def _ending(name: str, suffix: str, dialect: str) -> str:
    return cut(name, LONGEST[dialect] - len(suffix)) + suffix
