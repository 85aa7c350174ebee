"""Mends: the statement that makes the right side like the left, where one statement does it."""

from __future__ import annotations

from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect

from dbplan.comparison.sides import Side
from dbplan.evidence import Difference, Place


def mend(difference: Difference, right: Side) -> str:
    """Return the DDL that makes the right side like the left; "" for none: nothing drops a table or column."""
    if right.catalog.dialect != "postgresql":
        return ""
    dialect: Dialect = registry.load("postgresql")()
    kind, _, part = difference.what.partition(" ")
    if kind == "column":
        return _column(difference, part, dialect)
    if kind in ("constraint", "index") and part in ("", "definition"):
        return _whole(difference, kind, dialect)
    return ""


def _column(difference: Difference, part: str, dialect: Dialect) -> str:
    place, wanted = difference.place, difference.left
    table, column = _name(place.table, dialect), dialect.identifier_preparer.quote(place.column)
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    if not part:
        return ""
    if part == "type" and wanted:
        return f"{alter} TYPE {wanted} USING {column}::{wanted};"
    if part == "not null":
        return f"{alter} {'SET' if wanted.startswith('yes') else 'DROP'} NOT NULL;"
    if part == "default":
        return f"{alter} SET DEFAULT {wanted};" if wanted else f"{alter} DROP DEFAULT;"
    if part == "comment":
        return f"COMMENT ON COLUMN {table}.{column} IS {_text(wanted) if wanted else 'NULL'};"
    return ""


def _whole(difference: Difference, kind: str, dialect: Dialect) -> str:
    """Return what puts a constraint or index in the place of the right side's, or takes that away."""
    place, wanted, there = difference.place, difference.left, difference.right
    if kind == "index":
        drop = f"DROP INDEX {_name(_beside(place), dialect)};"
        return "\n".join(filter(None, (there and drop, wanted and f"{wanted};")))
    name = dialect.identifier_preparer.quote(place.constraint)
    actions = (there and f"DROP CONSTRAINT {name}", wanted and f"ADD CONSTRAINT {name} {wanted}")
    return f"ALTER TABLE {_name(place.table, dialect)} {', '.join(filter(None, actions))};"


def _beside(place: Place) -> str:
    """Return the index's name in the schema of its table."""
    schema, dot, _ = place.table.rpartition(".")
    return f"{schema}{dot}{place.index}"


def _name(dotted: str, dialect: Dialect) -> str:
    return ".".join(dialect.identifier_preparer.quote(part) for part in dotted.split("."))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
