"""What a server holds itself: constraints that it has validated need not be counted again over many rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, ForeignKeyConstraint, Table, text

FEW = 200_000
"""Rows up to which everything is counted, whoever holds it."""

_VALID = text("""
    SELECT k.contype::text AS kind, k.conname AS name, k.confrelid::regclass::text AS parent,
        ARRAY(SELECT a.attname::text FROM unnest(k.conkey) AS n JOIN pg_attribute a
              ON a.attrelid = k.conrelid AND a.attnum = n) AS columns
    FROM pg_constraint k WHERE k.conrelid = CAST(:name AS regclass) AND k.convalidated AND k.contype IN ('f', 'c')
    UNION ALL
    SELECT 'u', x.relname, NULL, CASE WHEN i.indpred IS NULL AND i.indexprs IS NULL THEN
        ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid
              AND a.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1])) END
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = CAST(:name AS regclass) AND i.indisunique AND i.indisvalid AND i.indisready
    UNION ALL
    SELECT 'n', a.attname, NULL, NULL FROM pg_attribute a
    WHERE a.attrelid = CAST(:name AS regclass) AND a.attnotnull AND a.attnum > 0
""")


@dataclass(frozen=True)
class Held:
    """The constraints of one table that its server has validated."""

    references: frozenset[tuple[frozenset[str], str]] = frozenset()
    names: frozenset[str] = frozenset()
    uniques: frozenset[frozenset[str]] = frozenset()
    required: frozenset[str] = frozenset()

    def reference(self, constraint: ForeignKeyConstraint) -> bool:
        """Whether a foreign key is held: one of the same columns that leads to a table of the same name."""
        own = frozenset(str(column.name) for column in constraint.columns)
        return (own, str(constraint.referred_table.name)) in self.references

    def check(self, constraint: CheckConstraint) -> bool:
        """Whether a CHECK is held: one of the same name."""
        return str(constraint.name) in self.names

    def unique(self, name: object, parts: Iterable[Any], where: Any) -> bool:
        """Whether a unique is held: one of the same name, or over the same whole columns."""
        columns = [str(part.name) for part in parts if isinstance(part, Column)]
        plain = where is None and len(columns) == len(list(parts)) and frozenset(columns) in self.uniques
        return plain or str(name) in self.names

    def not_null(self, column: Column[Any]) -> bool:
        """Whether a NOT NULL is held."""
        return str(column.name) in self.required


NOTHING = Held()


def held_by_server(connection: Connection, table: Table, rows: int) -> Held:
    """Return what the server holds of a table of many rows; nothing of one of few, which are counted."""
    if rows <= FEW or connection.dialect.name != "postgresql":
        return NOTHING
    name = connection.dialect.identifier_preparer.format_table(table)
    found = connection.execute(_VALID, {"name": name}).all()
    references = (
        (frozenset(row.columns), str(row.parent).rpartition(".")[2].strip('"')) for row in found if row.kind == "f"
    )
    return Held(
        frozenset(references),
        frozenset(str(row.name) for row in found if row.kind in "cu"),
        frozenset(frozenset(row.columns) for row in found if row.kind == "u" and row.columns),
        frozenset(str(row.name) for row in found if row.kind == "n"),
    )


def _bare(name: str) -> str:
    """Return the table's own name of one that may have a schema and quotes."""
    return name.rpartition(".")[2].strip('"')


def relied_upon(table: Table, held: Held) -> str:
    """Say what of a table the server was relied upon for; "" where all was counted."""
    if held is NOTHING:
        return ""
    references = sum(map(held.reference, table.foreign_key_constraints))
    checks = sum(held.check(c) for c in table.constraints if isinstance(c, CheckConstraint))
    parts = ((references, "foreign key"), (checks, "CHECK"), (len(held.uniques), "unique"))
    listed = ", ".join(f"{count} {noun}{'s' * (count > 1)}" for count, noun in parts if count)
    return f"{table.key}: not counted over so many rows, for the server has validated and holds them: {listed}."
