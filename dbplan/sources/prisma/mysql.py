"""What SQLAlchemy would write otherwise for MySQL, in the words of Prisma's own DDL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.mysql.base import MySQLDialect

from dbplan.sources.prisma.scope import argument, text
from dbplan.sources.prisma.syntax import Attribute, Call

KINDS = ("mysql", "mariadb")
"""Prisma's provider `mysql` serves both."""
_DIALECT: Any = MySQLDialect
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def tell_columns(table: Table) -> None:
    """Say of columns how they are written: a number as the default it is, counting outside of the primary key."""
    counting = {column for column in table.columns if column.autoincrement is True and not column.primary_key}
    for column in table.columns:
        default = str(getattr(column.server_default, "arg", ""))
        number = _NUMBER.fullmatch(default) is not None and not default.isdigit()
        if number or column in counting:
            parts = (_type(column), "" if column.nullable else "NOT NULL", f"DEFAULT {default}" if default else "")
            count = "AUTO_INCREMENT" if column in counting else ""
            _tell(column, " ".join(part for part in (*parts, count) if part))
    for index in table.indexes:  # a column that counts needs its key at once
        if counting.intersection(index.columns):
            _tell(index, f"{'UNIQUE KEY' if index.unique else 'KEY'} ({_listed(index)})")


def _tell(item: Column[Any] | Index | PrimaryKeyConstraint, words: str) -> None:
    item.info.update(dict.fromkeys(KINDS, words))


def _type(column: Column[Any]) -> str:
    return str(column.type.compile(dialect=_DIALECT()))


def _listed(index: Index) -> str:
    return ", ".join(_quoted(column.name) for column in index.columns)


def tell_primary_key(key: PrimaryKeyConstraint, said: Sequence[tuple[Column[Any], Attribute | Call | None]]) -> None:
    """Say how long the prefixes of a primary key are, where it has any."""
    if any(argument(of, "length") for _, of in said):
        _tell(key, f"PRIMARY KEY ({', '.join(_prefixes(said))})")


def _prefixes(said: Iterable[tuple[Column[Any], Attribute | Call | None]]) -> Iterable[str]:
    for column, of in said:
        length = text(argument(of, "length"))
        yield f"{_quoted(column.name)}({length})" if length else _quoted(column.name)


def _quoted(name: str) -> str:
    return str(_DIALECT().identifier_preparer.quote_identifier(name))
