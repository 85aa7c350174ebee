"""What stands in reflected tables for a server's own words: types without a class, and SQL as it stands."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import literal_column, text
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement, TextClause
from sqlalchemy.types import UserDefinedType


class ServerType(UserDefinedType[Any]):
    """A type that SQLAlchemy has no class for, in the words of the server that has it; no other server takes it."""

    cache_ok = True

    def __init__(self, words: str, dialect: str) -> None:
        self.words, self.dialect = words, dialect
        self.__visit_name__ = re.sub(r"\(.*|\[\]", "", words).rpartition(".")[2]


@compiles(ServerType)
def _write(kind: ServerType, compiler: Any, **_: Any) -> str:
    if compiler.dialect.name != kind.dialect:
        raise CompileError(f"{kind.words} is a type of {kind.dialect}")
    return kind.words


def bound(sql: str) -> TextClause | ColumnElement[Any]:
    """Return a server's SQL as it stands: `:word` inside it is no bind parameter."""
    said = text(sql)
    return literal_column(sql) if said._bindparams else said
