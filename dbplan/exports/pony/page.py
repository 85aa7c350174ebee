"""The module that is being written: shared by all exports to ORMs, with the names that Pony gives by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Constraint, ForeignKeyConstraint, Table

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.clauses import beside, timing
from dbplan.exports.orm.page import Page, page_of
from dbplan.exports.pony.ways import Way
from dbplan.plan import Plan

_OWN = """
after_delete after_insert after_update before_delete before_insert before_update delete describe drop_table exists
find_updated_attributes flush get get_by_sql get_for_update get_pk load mro order_by select select_by_sql
select_random self set to_dict to_json
int str bool float bytes dict list db Entity
"""
_RESERVED = frozenset(_OWN.split())
"""What Pony's own classes have, and Python's types, which a body of a class speaks of."""
_IMPORTED = """
PrimaryKey Required Optional Set Json IntArray StrArray FloatArray composite_key composite_index UUID Decimal
datetime date time timedelta
"""

_LONGEST = 63


@dataclass
class PonyPage(Page):
    """One module in the making.

    `ways` are the foreign keys that are attributes, by their constraint; `taken` the names that Pony has given to
    tables, indexes and keys: it takes no name twice, not even in different schemas.
    """

    ways: dict[ForeignKeyConstraint, Way] = field(default_factory=dict)
    ways_by_column: dict[tuple[str, str], Way] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    left_out: dict[str, str] = field(default_factory=dict)
    """Tables that have no entity, by key, and why."""
    serial: set[Column[Any]] = field(default_factory=set)
    """Columns that keys of several columns lead to: SERIAL, whatever numbers them in the plan."""
    notes: list[Finding] = field(default_factory=list)
    """What Pony does otherwise with a database that is the plan's to the letter."""

    def note(self, place: Place, message: str) -> None:
        """Note what Pony does otherwise at run time; no SQL makes up for it."""
        self.notes.append(Finding(self.rule, Severity.NOTE, place, message))

    def way_of(self, column: Column[object]) -> Way | None:
        """Return the way that a column is part of."""
        return self.ways_by_column.get((column.table.key, column.name))

    def is_entity(self, table: Table) -> bool:
        """Say whether a table is an entity."""
        return table.key not in self.left_out


def pony_page(plan: Plan, dialect: str) -> PonyPage:
    """Return the page of a plan, with the names of its columns."""
    made = page_of(plan, "export-pony", dialect, _RESERVED, frozenset((*_IMPORTED.split(), "Database")))
    page = PonyPage(made.plan, made.rule, made.dialect, made.imports, made.naming)
    for table in plan.tables:
        for column in table.columns:
            page.attributes[table.key, column.name] = page.naming.field_of(column)
        if not table.schema:
            page.taken.add(str(table.name))
    return page


def own_name(template: str, table: Table, columns: list[str], between: str = "_") -> str:
    """Return the name that Pony gives to a key or index by itself; "fk", "unq" or "idx"."""
    return f"{template}_{table.name}__{between.join(columns)}".lower()[:_LONGEST]


def has_options(page: PonyPage, found: Constraint) -> bool:
    """Say whether a key has options that Pony has no words for: when it is looked at, and clauses beside."""
    return bool(timing(found) or beside(found, page.dialect))


def on_server(name: str) -> str:
    """Return a name as PostgreSQL keeps it, which cuts it after its 63rd byte."""
    return name.encode()[:_LONGEST].decode(errors="ignore")
