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


def subject_missing(rule: Rule[Schema], schema: Schema) -> str:
    """Return what a rule would need and this schema does not have, or "" where it applies."""
    family = rule.id.partition("-")[0]
    if not schema.tables:
        return "no tables"
    if family == "fk" and rule.id not in ("fk-missing", "fk-polymorphic") and not schema.references:
        return "no foreign keys"
    if family == "idx" and not any(schema.accesses.values()):
        return "no indexes"
    if rule.id == "pk-overflow" and not schema.plan.rows:
        return "no planned rows"
    return ""
