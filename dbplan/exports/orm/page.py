"""The module that is being written: its names, its enums and helpers, and what the ORM could not say."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.engine import Dialect

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.alchemy.module import attribute
from dbplan.exports.alchemy.page import unescaped
from dbplan.exports.python import Imports, docstring
from dbplan.exports.relations import Naming, Relation, naming
from dbplan.plan import Plan


class Stage(IntEnum):
    """When a mend runs: each may speak of what those before it have made."""

    OBJECTS = 0
    COLUMNS = 1
    CONSTRAINTS = 2
    INDEXES = 3
    TABLES = 4
    FOREIGN_KEYS = 5
    REST = 6


@dataclass
class Page:
    """One module in the making.

    `attributes` are the names of columns by table key and column name; `keys` the relation that a column is the way
    of; `enums` the classes of enums by their labels; `blocks` helpers and enums as text, by name.
    """

    plan: Plan
    rule: str
    dialect: Dialect
    imports: Imports
    naming: Naming
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    keys: dict[tuple[str, str], Relation] = field(default_factory=dict)
    enums: dict[tuple[str, ...], str] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    lost: list[tuple[Stage, Finding]] = field(default_factory=list)
    given: set[str] = field(default_factory=set)
    """Names that were made up for constraints, whose indexes share one namespace with tables."""

    @cached_property
    def names_of_server(self) -> frozenset[str]:
        """The names of tables, indexes and constraints, which share one namespace on the server."""
        things: list[Any] = [one for table in self.plan.tables for one in (table, *table.indexes, *table.constraints)]
        return frozenset(str(one.name) for one in things)

    @property
    def is_postgresql(self) -> bool:
        """Whether the models are written for PostgreSQL, where SQL can mend what they do not say."""
        return self.dialect.name == "postgresql"

    def lose(self, stage: Stage, place: Place, message: str, mend: str = "") -> None:
        """Note what the ORM does not say, and the SQL that makes up for it."""
        self.lost.append((stage, Finding(self.rule, Severity.NOTE, place, message, mend if self.is_postgresql else "")))

    def findings(self) -> tuple[Finding, ...]:
        """Return what was lost, in the order in which its SQL can run."""
        ordered = sorted(self.lost, key=lambda told: told[0])
        return tuple(dict.fromkeys(finding for _, finding in ordered))

    def attribute(self, column: Column[Any]) -> str:
        """Return what the model calls a column."""
        return self.attributes[column.table.key, column.name]

    def quote(self, name: str) -> str:
        """Return a name as the server wants it quoted."""
        return str(self.dialect.identifier_preparer.quote(name))

    def whole(self, table: Table) -> str:
        """Return a table's name with its schema, quoted."""
        return str(self.dialect.identifier_preparer.format_table(table))

    def beside(self, table: Table, name: str) -> str:
        """Return the name of what lies in the schema of a table, such as an index, quoted."""
        return f"{self.quote(table.schema)}.{self.quote(name)}" if table.schema else self.quote(name)

    def text(self, models: list[str], extra: Iterable[str] = ()) -> str:
        """Return the module: what it is, its imports, its enums and helpers, its models."""
        body = "\n\n\n".join([*(self.blocks[name] for name in sorted(self.blocks)), *models, *extra])
        head = [docstring(self.plan.summary or f"The models of {self.plan.name}", 0), self.imports.text(body)]
        gap = "\n\n\n" if body.startswith(("class ", "def ")) else "\n\n"
        return "\n\n".join(part for part in head if part) + f"{gap}{body}\n"


def page_of(plan: Plan, rule: str, dialect: str, reserved: frozenset[str], imported: frozenset[str]) -> Page:
    """Return the page of a plan; `reserved` are names that nothing here may have, nor `imported` ones."""
    reserved, ending = reserved | imported, "_"
    style = attribute(reserved, ending)
    first = naming(plan, style, reserved)
    names = naming(plan, attribute(reserved | frozenset(first.classes.values()), ending), reserved)
    words = {*reserved, *names.classes.values(), *names.fields.values(), *dir(builtins)}
    words |= {name for relation in names.relations for name in (relation.name, relation.back)}
    return Page(plan, rule, unescaped(dialect), Imports(words - imported), names)
