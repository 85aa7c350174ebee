"""What is true of each server that a schema can be translated for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from dbplan.errors import UnknownName


@dataclass(frozen=True)
class Target:
    """A server's own limits and words.

    `sql` is the name that sqlglot knows it by; `longest` the characters of a name, 0 for no limit;
    `folds` whether names that differ by case alone clash; `keys`, `checks`, `references` and `indexes` say where a name
    of that kind must be unique: in its "table" or in its "schema"; `key_bytes` and `character` size an index's key.
    """

    name: str
    family: str
    product: str
    sql: str
    longest: int
    schemas: bool
    folds: bool
    keys: str
    checks: str
    references: str
    indexes: str
    enums: bool = False
    partial: bool = False
    include: bool = False
    deferrable: bool = False
    sequences: bool = False
    materialized: bool = False
    key_bytes: int = 0
    character: int = 1

    @property
    def dialect(self) -> Any:
        """Return SQLAlchemy's dialect of this server."""
        return _dialect(self.name)

    def compiled(self, kind: Any) -> str:
        """Return a type as this server writes it."""
        return str(self.dialect.type_compiler_instance.process(kind))


_ROWS = (
    Target("postgresql", "postgresql", "PostgreSQL", "postgres", 63, True, False, "schema", "table", "table", "schema",
           enums=True, partial=True, include=True, deferrable=True, sequences=True, materialized=True),
    Target("cockroachdb", "postgresql", "CockroachDB", "postgres", 63, True, False, "table", "table", "table", "table",
           enums=True, partial=True, include=True, sequences=True, materialized=True),
    Target("mysql", "mysql", "MySQL", "mysql", 64, False, True, "table", "schema", "schema", "table",
           enums=True, key_bytes=3072, character=4),
    Target("mariadb", "mysql", "MariaDB", "mysql", 64, False, True, "table", "table", "schema", "table",
           enums=True, sequences=True, key_bytes=3072, character=4),
    Target("sqlite", "sqlite", "SQLite", "sqlite", 0, False, True, "table", "table", "table", "schema",
           partial=True, deferrable=True),
    Target("mssql", "mssql", "SQL Server", "tsql", 128, True, True, "schema", "schema", "schema", "table",
           partial=True, include=True, sequences=True, key_bytes=1700, character=2),
)  # fmt: skip

TARGETS: Mapping[str, Target] = MappingProxyType({target.name: target for target in _ROWS})


def target(name: str) -> Target:
    """Return the server of that name; UnknownName lists the names."""
    if name not in TARGETS:
        raise UnknownName("dialect", name, TARGETS)
    return TARGETS[name]


def family(name: str) -> str:
    """Return the family that a dialect's words belong to; "" for models that are meant for any server."""
    return TARGETS[name].family if name in TARGETS else ""


@cache
def _dialect(name: str) -> Any:
    from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite
    from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect

    made: Any = {
        "postgresql": postgresql.dialect,
        "cockroachdb": postgresql.dialect,
        "mysql": mysql.dialect,
        "mariadb": MariaDBDialect,
        "sqlite": sqlite.dialect,
        "mssql": mssql.dialect,
    }[name]
    return made(paramstyle="named")
