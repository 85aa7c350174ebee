"""What every part of the exporter knows of the schema that it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Index
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import Constraint, CreateIndex, Table

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.facts import Facts
from dbplan.exports.prisma.enums import Enumeration, Key, key_of
from dbplan.exports.prisma.scalars import Scalar, of_bson, scalar
from dbplan.exports.relations import Naming
from dbplan.plan import Plan


@dataclass(frozen=True)
class Said:
    """A column in Prisma's words: a scalar, an enum, or neither, which is `Unsupported`."""

    facts: Facts
    scalar: Scalar | None = None
    enum: Enumeration | None = None
    domain: str = ""

    @property
    def type(self) -> str:
        """The name of the type, "" for one that Prisma lacks."""
        return self.enum.name if self.enum else self.scalar.name if self.scalar else ""


@dataclass(frozen=True)
class Context:
    """One export: `lost` fills up on the way."""

    plan: Plan
    provider: str
    dialect: Dialect
    naming: Naming
    columns: Mapping[tuple[str, str], Facts]
    enums: Mapping[Key, Enumeration]
    lost: list[Finding] = field(default_factory=list)
    taken: dict[str, set[str]] = field(default_factory=dict)

    def lose(
        self,
        message: str,
        table: Table | None = None,
        *,
        column: str = "",
        index: str = "",
        key: str = "",
        mend: str = "",
    ) -> None:
        """Say what Prisma has no words for."""
        place = Place(str(table.key) if table is not None else "", column, index, key)
        self.lost.append(Finding("export-prisma", Severity.NOTE, place, message, mend))

    def said(self, column: Any) -> Said:
        """Return a column in Prisma's words."""
        facts = self.columns[column.table.key, column.name]
        domain, base = "", facts.type.base
        if base is not None:
            domain = facts.type.name
            facts = replace(facts, type=replace(base, dimensions=facts.type.dimensions or base.dimensions))
        if self.provider == "mongodb" and "composite" in column.info:
            return Said(facts, Scalar(str(column.info["composite"])))
        if self.provider == "mongodb" and (found := of_bson(column.info.get("bson", ""))):
            return Said(facts, found)
        key = key_of(facts.type, self.provider)
        if key is not None:
            return Said(facts, None, self.enums[key], domain)
        return Said(facts, scalar(facts.type, self.provider), None, domain)

    def sql(self, clause: Any) -> str:
        """Return an expression as the server writes it."""
        options = {"literal_binds": True, "include_table": False}
        return str(clause.compile(dialect=self.dialect, compile_kwargs=options))

    def applies(self, item: Constraint | Index) -> bool:
        """Say whether a constraint or index is one that this server gets."""
        compiler: Any = self.dialect.ddl_compiler(self.dialect, None)  # type: ignore[arg-type]
        if isinstance(item, Constraint):
            return bool(item._should_create_for_compiler(compiler))
        told = item._ddl_if
        return told is None or bool(told._should_execute(CreateIndex(item), item, None, compiler=compiler))

    @property
    def keeps(self) -> bool:
        """Whether the plan is Prisma's own, whose names and order stay."""
        return "prisma" in self.plan.metadata.info

    @property
    def own(self) -> Mapping[str, Any]:
        """What the plan's Prisma schema said beyond its models."""
        told: Mapping[str, Any] = self.plan.metadata.info.get("prisma", {})
        return told

    @cached_property
    def schemas(self) -> tuple[str, ...]:
        """The schemas of the plan, the default one first; () where it has no other."""
        if self.provider not in ("postgresql", "cockroachdb", "sqlserver"):
            return ()
        found = {table.schema or "" for table in self.plan.tables} | {enum.schema for enum in self.enums.values()}
        others = sorted(found - {"", self.default_schema})
        return (self.default_schema, *others) if others or (self.keeps and self._listed) else ()

    @property
    def _listed(self) -> bool:
        return bool(self.own.get("datasource", {}).get("schemas"))

    @property
    def default_schema(self) -> str:
        """The schema of tables that name none."""
        return "dbo" if self.provider == "sqlserver" else "public"

    def home(self, schema: str | None) -> str:
        """Return what stands in @@schema, "" where the plan has but one schema."""
        return (schema or self.default_schema) if self.schemas else ""

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The tables and views to write: no partitions, nothing without columns."""
        return tuple(t for t in self.plan.tables if not t.info.get("partition_of") and len(t.columns))

    def is_document_key(self, column: Any) -> bool:
        """Whether a column is what MongoDB calls `_id`."""
        return self.provider == "mongodb" and list(column.table.primary_key.columns) == [column]

    @property
    def prefix(self) -> str:
        """The name of the datasource, which stands before native types."""
        return str(self.own.get("datasource", {}).get("name") or "db")

    def field(self, column: Any) -> str:
        """Return the field of a column."""
        return self.naming.field_of(column)
