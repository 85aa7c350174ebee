"""CHECKs about one field in the words of `$jsonSchema`: lengths, ranges, lists, letters and patterns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import CheckConstraint, Table
from sqlglot import exp

from dbplan.exports.clauses import condition, constraints
from dbplan.exports.facts import server
from dbplan.exports.mongodb.conditions import (
    Field,
    Scope,
    Untranslatable,
    alternatives,
    bare,
    conjuncts,
    like,
    number,
    parsed,
)
from dbplan.exports.mongodb.kinds import Schema

_TURNED: Mapping[type[exp.Expression], type[exp.Expression]] = {
    exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE, exp.EQ: exp.EQ, exp.NEQ: exp.NEQ,
}  # fmt: skip
_CASES: Mapping[type[exp.Expression], str] = {exp.Lower: "^[^A-Z]*$", exp.Upper: "^[^a-z]*$"}
_NUMBERS = frozenset({"int", "long", "number", "decimal"})

_WORDS = """
bsonType enum minLength maxLength minimum exclusiveMinimum maximum exclusiveMaximum pattern not allOf uniqueItems items
    description
"""
_ORDER = tuple(_WORDS.split())


def bound(node: exp.Expression, scope: Scope) -> tuple[str, Schema] | None:
    """Return the column that a condition bounds and the keywords that do; None for what they cannot say."""
    inner = _without_null(bare(node))
    columns = {column.name for column in inner.find_all(exp.Column)}
    if len(columns) != 1 or (name := columns.pop()) not in scope:
        return None
    try:
        said = _said(inner, scope[name])
    except Untranslatable:
        return None
    return (name, said) if said else None


def of_texts(table: Table, dialect: str) -> dict[str, Schema]:
    """Return what the CHECKs of a table say of its texts by column: how long they may be, and their lists."""
    scope = {column.name: Field(column.name, ("string",), bool(column.nullable)) for column in table.columns}
    found: dict[str, Schema] = {}
    for one in constraints(table, server(dialect)):
        if isinstance(one, CheckConstraint):
            with suppress(Untranslatable):
                for part in conjuncts(parsed(condition(one, server(dialect)), dialect)):
                    name, said = bound(part, scope) or ("", {})
                    found[name] = merged(found.get(name, {}), said)
    return found


def _without_null(node: exp.Expression) -> exp.Expression:
    """Return `a IS NULL OR a > 0` as `a > 0`: what is null passes anyway."""
    parts = list(alternatives(node))
    rest = [part for part in parts if not isinstance(part, exp.Is)]
    about = {column.name for part in parts for column in part.find_all(exp.Column)}
    return rest[0] if len(rest) == 1 and len(about) == 1 else node


def _said(node: exp.Expression, field: Field) -> Schema | None:
    turned = isinstance(node, exp.Not)
    inner = bare(node.this) if turned else node
    if isinstance(inner, exp.Like) and isinstance(inner.this, exp.Column):
        pattern: Schema = {"pattern": like(inner)}
        return {"not": pattern} if turned else pattern
    if isinstance(inner, exp.In) and isinstance(inner.this, exp.Column) and inner.expressions:
        listed: Schema = {"enum": [_literal(one, field) for one in inner.expressions]}
        return {"not": listed} if turned else listed
    if turned:
        return None
    return _compared(inner, field) if type(inner) in _TURNED else None


def _compared(node: exp.Expression, field: Field) -> Schema | None:
    left, right, kind = bare(node.this), bare(node.expression), type(node)
    if kind is exp.EQ and (case := _case(left, right)):
        return {"pattern": case}
    if isinstance(right, exp.Column | exp.Length):
        left, right, kind = right, left, _TURNED[kind]
    if isinstance(left, exp.Length) and isinstance(bare(left.this), exp.Column) and "string" in field.kinds:
        return _length(kind, _number(right))
    if not isinstance(left, exp.Column):
        return None
    if set(field.kinds) <= _NUMBERS and kind not in (exp.EQ, exp.NEQ):
        return _range(kind, _number(right))
    if kind in (exp.EQ, exp.NEQ):
        said: Schema = {"enum": [_literal(right, field)]}
        return said if kind is exp.EQ else {"not": said}
    return None


def _case(left: exp.Expression, right: exp.Expression) -> str:
    """Return the pattern of `a = lower(a)`."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, exp.Column) and type(other) in _CASES and isinstance(bare(other.this), exp.Column):
            return _CASES[type(other)]
    return ""


def _number(node: exp.Expression) -> int | float:
    inner = bare(node)
    if isinstance(inner, exp.Neg):
        return -_number(inner.this)
    if not isinstance(inner, exp.Literal) or inner.is_string:
        raise Untranslatable(f"no number: {inner.sql()}")
    return number(inner)


def _literal(node: exp.Expression, field: Field) -> Any:
    inner = bare(node)
    if isinstance(inner, exp.Literal) and inner.is_string and "string" in field.kinds:
        return inner.this
    if set(field.kinds) <= _NUMBERS:
        return _number(inner)
    raise Untranslatable(f"{inner.sql()} is of another type")


def _length(kind: type[exp.Expression], length: int | float) -> Schema | None:
    if not isinstance(length, int):
        return None
    words: Mapping[type[exp.Expression], Callable[[int], Schema]] = {
        exp.EQ: lambda n: {"minLength": n, "maxLength": n},
        exp.GTE: lambda n: {"minLength": n}, exp.GT: lambda n: {"minLength": n + 1},
        exp.LTE: lambda n: {"maxLength": n}, exp.LT: lambda n: {"maxLength": n - 1},
    }  # fmt: skip
    said = words[kind](length) if kind in words else None
    return said if said and min(said.values()) >= 0 else None


def _range(kind: type[exp.Expression], limit: int | float) -> Schema:
    word = "minimum" if kind in (exp.GT, exp.GTE) else "maximum"
    excluded = "exclusiveMinimum" if word == "minimum" else "exclusiveMaximum"
    return {word: limit} | ({excluded: True} if kind in (exp.GT, exp.LT) else {})


def in_order(schema: Schema) -> Schema:
    """Return a field's schema in the order in which people read it; a list of texts says how long they are."""
    if any(isinstance(label, str) for label in schema.get("enum", ())):
        schema = {key: told for key, told in schema.items() if key not in ("bsonType", "maxLength")}
    return {
        key: schema[key] for key in sorted(schema, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER))
    }


def merged(schema: Schema, said: Schema) -> Schema:
    """Return a field's schema with what another CHECK says of it; what would be said twice stands in `allOf`."""
    made = dict(schema)
    for key, told in said.items():
        if key == "minLength":
            made[key] = max(made.get(key, told), told)
        elif key == "maxLength":
            made[key] = min(made.get(key, told), told)
        elif key == "enum" and key in made:
            made[key] = [one for one in made[key] if one in told]
        elif key in made:
            return schema | {"allOf": [*schema.get("allOf", []), said]}
        else:
            made[key] = told
    return made
