"""What every part of the file knows: names, imports, enums, and what is lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.engine import Dialect

from dbplan.ddl import statements
from dbplan.ddl.compilers import compiler_dialect
from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.clauses import place_of
from dbplan.exports.facts import Facts, SqlType, facts
from dbplan.exports.relations import Naming, camel, naming, pascal
from dbplan.exports.typescript import Node, decorator, identifier
from dbplan.exports.typescript.names import GLOBALS, OF_OBJECTS
from dbplan.plan import Plan

_DECORATORS = (
    "BeforeInsert BeforeUpdate Check Column CreateDateColumn Entity Exclusion ForeignKey Generated Index JoinColumn "
    "ManyToOne OneToMany OneToOne PrimaryColumn PrimaryGeneratedColumn Relation Unique UpdateDateColumn ViewColumn "
    "ViewEntity"
)
DECORATORS = frozenset(_DECORATORS.split()) | {"uuidv7"}
"""Names that the file imports or declares: no class of the schema is called so."""
EnumKey = tuple[str, str]


@dataclass
class Page:
    """One export in the making; `left` are the tables that TypeORM refuses."""

    plan: Plan
    server: str
    naming: Naming
    columns: dict[tuple[str, str], Facts]
    left: frozenset[str]
    enums: dict[EnumKey, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    lost: list[Finding] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        """The dialect that writes the server's SQL."""
        return compiler_dialect(self.server)

    def decorate(self, name: str, *arguments: Node, inside: bool = False) -> str:
        """Return a decorator that the file imports."""
        self.used.add(name)
        return decorator(name, *arguments, inside=inside)

    def lose(
        self,
        message: str,
        table: Table | None = None,
        mend: str = "",
        severity: Severity = Severity.NOTE,
        **parts: str,
    ) -> None:
        """Say what TypeORM has no words for; `parts` are those of a Place."""
        place = Place(str(table.key) if table is not None else "", **parts)
        self.lost.append(Finding("export-typeorm", severity, place, message, mend))

    def lose_type(self, told: SqlType, message: str) -> None:
        """Say once that a type of the schema is lost."""
        place = place_of(told)
        if any(known.place == place for known in self.lost):
            return
        made = (one.sql for one in statements(self.plan, self.server) if one.kind == "type" and one.place == place)
        self.lost.append(Finding("export-typeorm", Severity.NOTE, place, message, "".join(f"{sql};" for sql in made)))

    def class_of(self, found: Table) -> str:
        """Return the class of a table."""
        return self.naming.class_of(found)

    def field_of(self, found: Column[Any]) -> str:
        """Return the property of a column."""
        return self.naming.field_of(found)


def property_name(text: str) -> str:
    """Return a name as a property in camel case."""
    return _name(camel(text))


def class_name(text: str) -> str:
    """Return a name as that of a class."""
    return _name(pascal(text))


def _name(text: str) -> str:
    if identifier(text):
        return text
    return re.sub(r"\W", "_", f"_{text}" if not text[:1].isalpha() else text, flags=re.ASCII)


def new_page(plan: Plan, server: str) -> Page:
    """Return the page on which a plan is written, with the names of its classes, properties and enums."""
    dialect = compiler_dialect(server)
    every = [column for table in plan.tables for column in table.columns]
    known = {(column.table.key, column.name): facts(column, dialect) for column in every}
    left = frozenset(t.key for t in plan.tables if not t.primary_key.columns and not t.info.get("is_view"))
    named = naming(plan, property_name, GLOBALS | DECORATORS | OF_OBJECTS)
    page = Page(plan, server, named, known, left)
    taken = set(named.classes.values()) | GLOBALS | DECORATORS
    for (table, _), found in known.items():
        if table not in left:
            _name_enum(page, found, taken)
    return page


def _name_enum(page: Page, found: Facts, taken: set[str]) -> None:
    told = found.type
    key = enum_key(told)
    if not told.native or key in page.enums:
        return
    wanted = class_name(told.name)
    if told.name == "enum":
        wanted = _of_prisma(page, told) or class_name(f"{found.column.table.name}_{found.column.name}")
    name = wanted if wanted not in taken else f"{wanted}Enum"
    while name in taken:
        name += "_"
    taken.add(name)
    page.enums[key] = name


def _of_prisma(page: Page, told: SqlType) -> str:
    """Return what the plan's Prisma schema calls an enum that the server has no name for; "" for none."""
    known = page.plan.metadata.info.get("prisma", {}).get("enums", {})
    return next((class_name(name) for name, one in known.items() if tuple(one["values"]) == told.labels), "")


def enum_key(told: SqlType) -> EnumKey:
    """Return what tells one enum from another: schema and name, or the labels where it has no name."""
    return (told.schema, told.name) if told.name != "enum" else ("", "\0".join(told.labels))
