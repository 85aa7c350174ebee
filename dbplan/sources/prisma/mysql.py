"""What SQLAlchemy would write otherwise for MySQL, in the words of Prisma's own DDL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.mysql.base import MySQLDialect

from dbplan.sources.prisma.scope import argument, text
from dbplan.sources.prisma.syntax import Attribute, Call

KINDS = ("mysql", "mariadb")
"""Prisma's provider `mysql` serves both."""
Parts = Sequence[tuple[Column[Any], Attribute | Call | None]]
"""The columns of a key, each with what is said of it."""
_DIALECT: Any = MySQLDialect
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def tell_columns(table: Table) -> None:
    """Say of columns how they are written: a number as the default it is, counting outside of the primary key."""
    for column in table.columns:
        default = str(getattr(column.server_default, "arg", ""))
        number = _NUMBER.fullmatch(default) is not None and not default.isdigit()
        if number or _counts(column):
            parts = (_type(column), "" if column.nullable else "NOT NULL", f"DEFAULT {default}" if default else "")
            count = "AUTO_INCREMENT" if _counts(column) else ""
            _tell(column, " ".join(part for part in (*parts, count) if part))


def _counts(column: Column[Any]) -> bool:
    return column.autoincrement is True and not column.primary_key


def tell_index(index: Index, said: Parts) -> None:
    """Say how an index is written that SQLAlchemy cannot write, or that has to stand inside its table."""
    if is_mixed(said) or any(_counts(column) for column, _ in said):  # a column that counts needs its key at once
        kind = "UNIQUE " if index.unique else f"{index.dialect_options['mysql']['prefix'] or ''} ".lstrip()
        _tell(index, f"{kind}KEY ({', '.join(_prefixes(said))})")


def is_mixed(said: Parts) -> bool:
    """Say whether an index has prefixes and a falling order, for which SQLAlchemy has no words."""
    falling = any(text(argument(of, "sort")) == "Desc" for _, of in said)
    return falling and any(argument(of, "length") for _, of in said)


def _tell(item: Column[Any] | Index | PrimaryKeyConstraint, words: str) -> None:
    item.info.update(dict.fromkeys(KINDS, words))


def _type(column: Column[Any]) -> str:
    return str(column.type.compile(dialect=_DIALECT()))


def tell_primary_key(key: PrimaryKeyConstraint, said: Parts) -> None:
    """Say how long the prefixes of a primary key are, where it has any."""
    if any(argument(of, "length") for _, of in said):
        _tell(key, f"PRIMARY KEY ({', '.join(_prefixes(said))})")


def _prefixes(said: Parts) -> Iterator[str]:
    for column, of in said:
        length = text(argument(of, "length"))
        order = " DESC" if text(argument(of, "sort")) == "Desc" else ""
        yield f"{_quoted(column.name)}({length}){order}" if length else f"{_quoted(column.name)}{order}"


def _quoted(name: str) -> str:
    return str(_DIALECT().identifier_preparer.quote_identifier(name))
