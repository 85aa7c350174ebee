"""Predicates of partial indexes as `partialFilterExpression`, which knows a few operators alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from dbplan.exports.mongodb.conditions import (
    Field,
    Scope,
    Untranslatable,
    alternatives,
    bare,
    conjuncts,
    number,
    parsed,
)
from dbplan.exports.mongodb.kinds import Schema

_ORDERS: Mapping[type[exp.Expression], str] = {exp.GT: "$gt", exp.GTE: "$gte", exp.LT: "$lt", exp.LTE: "$lte"}


def partial(sql: str, scope: Scope, dialect: str) -> Schema:
    """Return a predicate as a filter; Untranslatable for more than equality, order, type and lists say."""
    return _all([_one(part, scope) for part in conjuncts(parsed(sql, dialect))])


def there(field: Field) -> Any:
    """Return that a field is there and not null: of one of its types."""
    return {"$type": field.kinds[0] if len(field.kinds) == 1 else list(field.kinds)}


def both(one: Schema, other: Schema) -> Schema:
    """Return a filter of two."""
    return _all([part for part in (one, other) if part])


def _all(parts: list[Schema]) -> Schema:
    """Return filters as one: by field where each speaks of another, else under $and."""
    keys = [key for part in parts for key in part]
    if len(set(keys)) == len(keys):
        return {key: told for part in parts for key, told in part.items()}
    unique = [part for place, part in enumerate(parts) if part not in parts[:place]]
    return unique[0] if len(unique) == 1 else {"$and": unique}


def _one(node: exp.Expression, scope: Scope) -> Schema:
    inner = bare(node)
    if isinstance(inner, exp.Or):
        return {"$or": [_all([_one(part, scope) for part in conjuncts(one)]) for one in alternatives(inner)]}
    turned = isinstance(inner, exp.Not)
    leaf = bare(inner.this) if turned else inner
    subject = bare(leaf if isinstance(leaf, exp.Column) else leaf.this)
    if not isinstance(subject, exp.Column) or subject.name not in scope:
        raise Untranslatable(f"its filter cannot say {node.sql()}")
    field = scope[subject.name]
    return {field.path: _said(leaf, field, turned)}


def _said(leaf: exp.Expression, field: Field, turned: bool) -> Any:
    if isinstance(leaf, exp.Is) and isinstance(leaf.expression, exp.Null):
        return there(field) if turned else None
    if isinstance(leaf, exp.Column) and field.kinds == ("bool",):
        return not turned
    if isinstance(leaf, exp.In) and leaf.expressions:
        return _among([_value(one, field) for one in leaf.expressions], field, turned)
    if isinstance(leaf, exp.EQ | exp.NEQ):
        return _among([_value(leaf.expression, field)], field, turned != isinstance(leaf, exp.NEQ))
    if type(leaf) in _ORDERS and not turned and "date" not in field.kinds:
        return {_ORDERS[type(leaf)]: _value(leaf.expression, field)}
    raise Untranslatable(f"its filter cannot say {leaf.sql()}")


def _among(values: list[Any], field: Field, turned: bool) -> Any:
    """Return that a field is one of some values; none of them is the rest of its list, where it has one."""
    if turned:
        if not field.labels:
            raise Untranslatable(f"its filter cannot say that {field.path} is none of {values}")
        values = [label for label in field.labels if label not in values]
    return values[0] if len(values) == 1 else {"$in": values}


def _value(node: exp.Expression, field: Field) -> Any:
    inner = bare(node)
    if isinstance(inner, exp.Boolean):
        return inner.this
    if isinstance(inner, exp.Literal) and inner.is_string and field.kinds == ("string",):
        return inner.this
    if isinstance(inner, exp.Literal) and not inner.is_string:
        return number(inner)
    raise Untranslatable(f"its filter cannot say {inner.sql()}")
