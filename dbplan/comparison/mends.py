"""Mends: the statement that makes the right side like the left, where one statement does it."""

from __future__ import annotations

import re

from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect

from dbplan.comparison.sides import Side
from dbplan.evidence import Difference, Place

_WHOLE = frozenset({"smallint", "integer", "bigint"})
_WORDS = frozenset({"character varying", "text"})
_NUMBERS = re.compile(r"\(([\d,]+)\)")


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
    return _named(difference, dialect)


def _named(difference: Difference, dialect: Dialect) -> str:
    """Return what gives a thing its other name, or a unique index its constraint."""
    place, quote = difference.place, dialect.identifier_preparer.quote
    table = _name(place.table, dialect)
    if difference.what == "constraint name":
        return f"ALTER TABLE {table} RENAME CONSTRAINT {quote(difference.right)} TO {quote(difference.left)};"
    if difference.what == "index name":
        there = _beside(Place(place.table, index=difference.right))
        return f"ALTER INDEX {_name(there, dialect)} RENAME TO {quote(difference.left)};"
    if difference.what == "unique form" and difference.left == "constraint":
        name = quote(place.constraint)
        return f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name};"
    return ""


def _column(difference: Difference, part: str, dialect: Dialect) -> str:
    place, wanted = difference.place, difference.left
    table, column = _name(place.table, dialect), dialect.identifier_preparer.quote(place.column)
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    if not part:
        return ""
    if part == "type" and _fits(difference.right, wanted):
        return f"{alter} TYPE {wanted};"
    if part == "not null":
        return f"{alter} {'SET' if wanted.startswith('yes') else 'DROP'} NOT NULL;"
    if part == "default":
        return f"{alter} SET DEFAULT {wanted};" if wanted else f"{alter} DROP DEFAULT;"
    if part == "comment":
        return f"COMMENT ON COLUMN {table}.{column} IS {_text(wanted) if wanted else 'NULL'};"
    return ""


def _fits(there: str, wanted: str) -> bool:
    """Say whether a change of type keeps every value or fails: none that rounds or cuts what it finds."""
    known, other = _kind(there), _kind(wanted)
    if known[0] in _WHOLE and other[0] in _WHOLE:
        return True
    if known[0] in _WORDS and other[0] in _WORDS:
        return True
    if known[0] == other[0] == "numeric" and known[1] and other[1]:
        return other[1][-1] >= known[1][-1]
    return known[0] == other[0] and not other[1]


def _kind(words: str) -> tuple[str, tuple[int, ...]]:
    """Return a type's name and its numbers: `numeric(10,2)` → numeric, (10, 2)."""
    found = _NUMBERS.search(words)
    return _NUMBERS.sub("", words), tuple(map(int, found[1].split(","))) if found else ()


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
