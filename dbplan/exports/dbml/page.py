"""What every part of a DBML file knows: the columns as their server writes them, the enums, and what is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Column, Index, Table
from sqlalchemy.engine import Dialect

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.dbml.words import qualified
from dbplan.exports.facts import Facts, SqlType
from dbplan.exports.relations import Naming
from dbplan.plan import Plan


@dataclass
class Page:
    """One export in the making; `enums` holds DBML's name of each enum by (schema, name of the type)."""

    plan: Plan
    dialect: Dialect
    naming: Naming
    columns: Mapping[tuple[str, str], Facts]
    enums: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    lost: list[Finding] = field(default_factory=list)

    def lose(
        self, message: str, table: Table | None = None, *, column: str = "", index: str = "", key: str = ""
    ) -> None:
        """Say what DBML has no words for."""
        self.lose_at(Place(str(table.key) if table is not None else "", column, index, key), message)

    def lose_at(self, place: Place, message: str, mend: str = "") -> None:
        """Say what DBML has no words for; `mend` is the SQL that makes up for it."""
        self.lost.append(Finding("export-dbml", Severity.NOTE, place, message, mend))

    def facts(self, column: Column[object]) -> Facts:
        """Return a column as the server writes it."""
        return self.columns[column.table.key, column.name]

    def enum_of(self, column: Column[object]) -> str:
        """Return DBML's name of a column's enum; "" for another type."""
        key = enum_key(column, self.facts(column).type)
        return qualified(*key) if key in self.enums else ""

    @property
    def tables(self) -> list[Table]:
        """The tables to write: no views, no partitions, nothing without columns."""
        return [t for t in self.plan.tables if not is_left_out(t)]

    def applies(self, index: Index) -> bool:
        """Say whether an index is one that this server gets."""
        return index._ddl_if is None or index._ddl_if.dialect in (None, self.dialect.name)


def is_left_out(table: Table) -> bool:
    """Say whether DBML has no word for a table: a view, a partition, a table without columns."""
    return bool(table.info.get("is_view") or table.info.get("partition_of")) or not len(table.columns)


def enum_key(column: Column[object], kind: SqlType) -> tuple[str, str] | None:
    """Return the schema and name of a column's enum; MySQL's have no name, so they get their column's."""
    if not kind.native:
        return None
    if kind.name != "enum":
        return kind.schema, kind.name
    return column.table.schema or "", f"{column.table.name}_{column.name}"
