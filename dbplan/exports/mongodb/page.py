"""What every part of the script knows: names, columns as their server has them, the shape, and what is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.engine import Dialect

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.facts import Default, SqlType, server
from dbplan.exports.mongodb.bounds import of_texts
from dbplan.exports.mongodb.conditions import Field, Scope
from dbplan.exports.mongodb.kinds import Schema, field_schema, names, own_dialect, told
from dbplan.exports.mongodb.shape import Shape, shape
from dbplan.exports.relations import Naming, naming, snake
from dbplan.plan import Plan


@dataclass
class Page:
    """One export in the making; `collections` are the names by table key, `fields` those of columns."""

    plan: Plan
    server: str
    naming: Naming
    shape: Shape
    columns: Mapping[tuple[str, str], tuple[SqlType, Default | None]]
    collections: Mapping[str, str]
    fields: Mapping[tuple[str, str], str]
    lost: list[Finding] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        """The server whose words the plan is in."""
        return server(self.server)

    def lose(
        self, message: str, table: Table | None = None, *, column: str = "", index: str = "", key: str = ""
    ) -> None:
        """Say what MongoDB has no words for, or how the script says it instead."""
        place = Place(str(table.key) if table is not None else "", column, index, key)
        self.lost.append(Finding("export-mongodb", Severity.NOTE, place, message))

    def name(self, column: Column[Any]) -> str:
        """Return the field of a column."""
        return self.fields[column.table.key, column.name]

    def value(self, column: Column[Any]) -> Schema:
        """Return what a value of the column is, null left aside."""
        types = self.plan.metadata.info.get("prisma", {}).get("types", {})
        return field_schema(column, *self.columns[column.table.key, column.name], types)

    def scope(self, table: Table, prefix: str, without: frozenset[str] = frozenset()) -> Scope:
        """Return the fields that conditions of a table may speak of."""
        said = {name: told.get("enum", []) for name, told in of_texts(table, self.server).items()}
        return {
            column.name: Field(
                f"{prefix}{self.name(column)}",
                tuple(names(self.value(column))),
                bool(column.nullable),
                tuple(self.value(column).get("enum") or said.get(column.name, [])),
                self.columns[table.key, column.name][0].name,
            )
            for column in table.columns
            if column.name not in without
        }

    @property
    def roots(self) -> list[Table]:
        """The tables that are collections."""
        inner = {*self.shape.embedded, *self.shape.joins}
        return [found for found in self.plan.tables if found.key not in inner and not is_left_out(found)]


def new_page(plan: Plan) -> Page:
    """Return the page of a plan, nothing written yet."""
    own, named = own_dialect(plan.metadata.info), naming(plan, snake)
    columns = {(c.table.key, c.name): told(c, own) for found in plan.tables for c in found.columns}
    fields = {key: name for found in plan.tables for key, name in _fields(plan, found).items()}
    return Page(plan, own, named, shape(plan, named), columns, _collections(plan), fields)


def is_left_out(table: Table) -> bool:
    """Say whether a table holds no rows of its own."""
    return bool(table.info.get("is_view") or table.info.get("partition_of"))


def _collections(plan: Plan) -> dict[str, str]:
    """Return the name of each collection: the table's, its schema before it."""
    taken: set[str] = set()
    return {
        found.key: free(sayable(f"{found.schema}_{found.name}" if found.schema else found.name), taken)
        for found in plan.tables
    }


def _fields(plan: Plan, found: Table) -> dict[tuple[str, str], str]:
    """Return the name of each field: the column's, `_id` for the primary key; Prisma's where Prisma names it."""
    key = list(found.primary_key.columns)
    taken = {"_id"}
    prisma = "prisma" in plan.metadata.info and plan.metadata.info.get("dialect") != "mongodb"
    made = {}
    for column in found.columns:
        own = str(column.info.get("field") or column.name) if prisma else column.name
        is_key = len(key) == 1 and column is key[0]
        made[found.key, column.name] = "_id" if is_key else free(sayable(own), taken)
    return made


def sayable(name: str) -> str:
    """Return a name without the signs that MongoDB reads as its own: `$`, `.` and NUL."""
    made = name.replace("$", "_").replace(".", "_").replace("\0", "_")
    return f"_{made}" if not made or made.startswith("system_") else made


def free(wanted: str, taken: set[str]) -> str:
    """Return the wanted name, or the first with a number that nobody has; it is taken then."""
    name = next(name for number in count(1) if (name := wanted if number == 1 else f"{wanted}{number}") not in taken)
    taken.add(name)
    return name


def listed(words: Iterable[str]) -> str:
    """Return words with commas between them."""
    return ", ".join(words)
