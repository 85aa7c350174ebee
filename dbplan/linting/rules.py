"""RULES: every lint rule, family by family, in the order of their files."""

from __future__ import annotations

from dbplan.linting import foreign_keys, indexes, keys, names, relations, shape, types, uniques, values
from dbplan.linting.schema import Schema
from dbplan.rule import Rule

FAMILIES = {
    "Foreign keys": foreign_keys,
    "Relations": relations,
    "Primary keys": keys,
    "Uniqueness": uniques,
    "Indexes": indexes,
    "Types": types,
    "Values": values,
    "Names": names,
    "Shape": shape,
}


def _of(family: object) -> tuple[Rule[Schema], ...]:
    return tuple(value for value in vars(family).values() if isinstance(value, Rule))


RULES: tuple[Rule[Schema], ...] = tuple(rule for family in FAMILIES.values() for rule in _of(family))
BY_FAMILY: dict[str, tuple[Rule[Schema], ...]] = {name: _of(family) for name, family in FAMILIES.items()}


_ACCEPTED_LIVE = {
    *("fk-target-missing", "fk-type-mismatch", "fk-target-not-unique", "idx-no-opclass", "idx-on-virtual"),
    *("name-collision", "name-too-long", "enum-unnamed", "default-quoted"),
}
"""What a PostgreSQL server that holds the schema has accepted already, or cannot hold."""
_TRIGGERS = {"time-updated-stale"}
_POSTGRESQL_TYPES = {
    *("fk-type-differs", "pk-serial", "pk-short-int", "pk-overflow", "type-tz-naive", "type-json", "type-char"),
    *("idx-no-opclass", "name-collision", "name-too-long"),
}
"""What a schema read from another product cannot be asked: its types and names are not PostgreSQL's."""

_NOT_IN_SQLITE = {"doc-missing", "time-created-missing"}
"""SQLite keeps no comments, and a moment may be in a column of any type."""


def subject_missing(rule: Rule[Schema], schema: Schema) -> str:
    """Return why a rule has nothing to look at in this schema, or "" where it applies."""
    return _nothing_there(rule.id, schema) or _read_live(rule.id, schema.plan.source)


def _nothing_there(rule: str, schema: Schema) -> str:
    family = rule.partition("-")[0]
    if not schema.tables:
        return "no tables"
    if family == "fk" and rule not in ("fk-missing", "fk-polymorphic") and not schema.references:
        return "no foreign keys"
    if family == "idx" and not any(schema.accesses.values()):
        return "no indexes"
    return "no planned rows" if rule == "pk-overflow" and not schema.plan.rows else ""


def _read_live(rule: str, source: str) -> str:
    product, separator, _ = source.partition("://")
    if not separator:
        return ""
    if rule in _TRIGGERS:
        return "triggers are not read"
    if product.startswith("postgresql"):
        return "the server holds it" if rule in _ACCEPTED_LIVE else ""
    if rule in _POSTGRESQL_TYPES or (product.startswith("sqlite") and rule in _NOT_IN_SQLITE):
        return f"not the same in {product.partition('+')[0]}"
    return ""
