"""What every part of the file knows: names, imports, custom types, and what is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.engine import Dialect

from dbplan.ddl.compilers import compiler_dialect
from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.clauses import place_of, types_of
from dbplan.exports.facts import Facts, SqlType, facts
from dbplan.exports.relations import Naming, camel, naming
from dbplan.exports.typescript import Call, Node, Sql, Text, call, identifier
from dbplan.exports.typescript.names import GLOBALS, OF_OBJECTS, WORDS
from dbplan.plan import Plan

_FUNCTIONS = """
bigint bigserial binary bit blob boolean char check cidr customType date datetime decimal doublePrecision double
    float foreignKey geometry halfvec index inet int integer interval json jsonb line longtext macaddr macaddr8
    mediumint mediumtext mysqlEnum mysqlTable mysqlView numeric pgEnum pgMaterializedView pgSchema pgSequence pgTable
    pgView point primaryKey real relations serial smallint smallserial sparsevec sql sqliteTable sqliteView table text
    time timestamp tinyint tinytext unique uniqueIndex uuid uuidv7 bytesOf varbinary varchar vector year one many
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Names that the file may import or use: no constant of the schema is called so."""
_OF_A_TABLE = frozenset({"_", "$inferSelect", "$inferInsert", "enableRLS", "getSQL", "shouldOmitSQLParens"})
_CORES = {"postgresql": "pg", "cockroachdb": "pg", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"}
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_SEPARATORS = re.compile(r";|--|,,")
EnumKey = tuple[str, str]


@dataclass
class Page:
    """One export in the making: `used` are the imported functions, `customs` the types that Drizzle lacks."""

    plan: Plan
    server: str
    naming: Naming
    columns: dict[tuple[str, str], Facts]
    tables: dict[str, str]
    enums: dict[EnumKey, str] = field(default_factory=dict)
    labels: dict[EnumKey, tuple[str, ...]] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)
    customs: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    lost: list[Finding] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    cyclic: bool = False

    @property
    def core(self) -> str:
        """The core of drizzle-orm for this server: pg, mysql or sqlite."""
        return _CORES[self.server]

    @property
    def any_extra(self) -> str:
        """The type of what stands in the third argument of a table."""
        return {"pg": "PgTableExtraConfigValue", "mysql": "MySqlTableExtraConfigValue"}.get(
            self.core, "SQLiteTableExtraConfigValue"
        )

    @property
    def dialect(self) -> Dialect:
        """The dialect that writes the server's SQL."""
        return compiler_dialect(self.server)

    def call(self, name: str, *arguments: Node) -> Call:
        """Return the call of a function that the file imports."""
        self.used.add(name)
        return call(name, *arguments)

    def sql(self, words: str) -> Sql:
        """Return SQL as a template."""
        self.used.add("sql")
        return Sql(words)

    def safe_sql(self, words: str) -> Sql:
        """Return SQL in which drizzle-kit finds none of the signs by which it splits what it keeps as one text."""
        if self.core == "pg" and _SEPARATORS.search(words):
            words = _LITERAL.sub(lambda found: _escaped(found[0]), words)
        return self.sql(words)

    def lose(
        self, message: str, table: Table | None = None, *, column: str = "", index: str = "", key: str = ""
    ) -> None:
        """Say what Drizzle has no words for."""
        place = Place(str(table.key) if table is not None else "", column, index, key)
        self.lost.append(Finding("export-drizzle", Severity.NOTE, place, message))

    def lose_type(self, told: SqlType, message: str) -> None:
        """Say once that a type of the schema is lost."""
        found = Finding("export-drizzle", Severity.NOTE, place_of(told), message)
        self.lost += [found] if found not in self.lost else []

    def free(self, wanted: str, otherwise: str) -> str:
        """Return a name for a constant that nothing else has."""
        name: str = next(name for name in _candidates(wanted, otherwise) if name not in self.taken)
        self.taken.add(name)
        return name


def _candidates(wanted: str, otherwise: str) -> Any:
    yield wanted
    yield otherwise
    yield from (f"{otherwise}{number}" for number in range(2, 10**6))


def _escaped(literal: str) -> str:
    if not _SEPARATORS.search(literal):
        return literal
    inner = literal[1:-1].replace("\\", "\\\\").replace(";", "\\x3b").replace("--", "-\\x2d").replace(",,", ",\\x2c")
    return f"E'{inner}'"


def constant(text: str) -> str:
    """Return `audit_logs` as `auditLogs`, and what is no name in TypeScript as one."""
    name = camel(text)
    return name if identifier(name) else re.sub(r"\W", "_", f"_{name}" if name[:1].isdigit() else name, flags=re.ASCII)


def new_page(plan: Plan, server: str) -> Page:
    """Return the page on which a plan is written, with the names of its tables, schemas and enums."""
    dialect = compiler_dialect(server)
    every = [column for table in plan.tables for column in table.columns]
    known = {(column.table.key, column.name): facts(column, dialect) for column in every}
    made = Page(plan, server, naming(plan, constant, _OF_A_TABLE | OF_OBJECTS), known, {})
    made.taken |= WORDS | GLOBALS | FUNCTIONS
    for table in plan.tables:
        otherwise = constant(f"{table.schema}_{table.name}" if table.schema else f"{table.name}_table")
        made.tables[table.key] = made.free(constant(table.name), otherwise)
    _name_others(made, lambda text: made.free(text, f"{text}2"))
    return made


def _name_others(page: Page, free: Callable[[str], str]) -> None:
    if page.core != "pg":
        return
    kinds = (*(known.type for known in page.columns.values()), *types_of(page.plan, page.dialect))
    enums = {(kind.schema, kind.name): kind.labels for kind in kinds if kind.native}
    for kind in kinds:
        if kind.base is not None:
            page.lose_type(kind, "the domain is left out")
    schemas = {table.schema for table in page.plan.tables} | {schema for schema, _ in enums}
    schemas |= {sequence.schema for sequence in page.plan.metadata._sequences.values()}
    for name in sorted(schema for schema in schemas if schema and schema != "public"):
        page.schemas[name] = free(f"{constant(name)}Schema")
    page.labels |= enums
    for key in sorted(enums):
        name = constant(key[1])
        page.enums[key] = free(name if name.lower().endswith("enum") else f"{name}Enum")


def enum_of(page: Page, kind: SqlType) -> str:
    """Return the constant of a named enum."""
    return page.enums[kind.schema, kind.name]


def key_of(page: Page, column: Column[Any]) -> str:
    """Return the property by which a column is known."""
    return page.naming.field_of(column)


def text_if_other(name: str, key: str) -> tuple[Node, ...]:
    """Return the column's name as an argument where the property does not tell it."""
    return () if name == key else (Text(name),)
