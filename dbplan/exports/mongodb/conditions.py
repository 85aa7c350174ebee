"""Conditions of SQL in MongoDB's aggregation language, with SQL's three truths: what is unknown refuses no row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from dbplan.errors import DbplanError

_TEXT = frozenset({"TEXT", "VARCHAR", "CHAR", "NVARCHAR", "BPCHAR", "NAME", "NCHAR"})
_NUMBER = frozenset({"INT", "BIGINT", "SMALLINT", "DECIMAL", "DOUBLE", "FLOAT"})
_COMPARED: Mapping[type[exp.Expression], str] = {
    exp.EQ: "$eq", exp.NEQ: "$ne", exp.GT: "$gt", exp.GTE: "$gte", exp.LT: "$lt", exp.LTE: "$lte",
}  # fmt: skip
_COMPUTED: Mapping[type[exp.Expression], str] = {exp.Add: "$add", exp.Sub: "$subtract", exp.Mul: "$multiply"}
_LEAVES = (*_COMPARED, exp.Between, exp.In, exp.Like, exp.Is)
_ANY = r"[\s\S]"
_END = rf"(?!{_ANY})"


class Untranslatable(DbplanError):
    """A condition that MongoDB has no words for; the message says which part."""


@dataclass(frozen=True)
class Field:
    """A field that conditions speak of: its path, its BSON types without null, and whether it may be missing.

    `labels` are the values of a list; `type` is what the plan's own server calls its type.
    """

    path: str
    kinds: tuple[str, ...]
    nullable: bool = False
    labels: tuple[str, ...] = ()
    type: str = ""


Scope = Mapping[str, Field]


def parsed(sql: str, dialect: str) -> exp.Expression:
    """Return a condition as a tree, without casts that change nothing; Untranslatable for what no parser reads."""
    spoken = {"postgresql": "postgres", "cockroachdb": "postgres", "mariadb": "mysql", "mssql": "tsql"}
    try:
        tree = parse_one(sql, dialect=spoken.get(dialect, dialect))
    except SqlglotError:
        raise Untranslatable(f"it cannot be read: {sql}") from None
    return tree.transform(_plain)


def _plain(node: exp.Expression) -> exp.Expression:
    """Return what lies below a cast within text, NOT as a node of its own, and `= ANY (ARRAY[…])` as IN."""
    if node.args.get("negate"):
        made = node.copy()
        made.set("negate", None)
        return exp.Not(this=made.transform(_plain))
    if isinstance(node, exp.Cast) and (digits := _digits(node)):
        return digits
    if isinstance(node, exp.Cast) and _is_idle(node):
        inner: exp.Expression = node.this.transform(_plain)
        return inner
    word, listed = _quantified(node.args.get("expression"))
    if (word == "ANY" and isinstance(node, exp.EQ)) or (word == "ALL" and isinstance(node, exp.NEQ)):
        among = exp.In(this=node.this.transform(_plain), expressions=[one.transform(_plain) for one in listed])
        return among if word == "ANY" else exp.Not(this=among)
    return node


def _quantified(node: exp.Expression | None) -> tuple[str, list[exp.Expression]]:
    """Return the word and the items of `ANY (ARRAY[…])` or `ALL (ARRAY[…])`; "" for anything else."""
    if isinstance(node, exp.Any):
        listed = _list(node.this)
    elif isinstance(node, exp.Anonymous) and node.name.upper() == "ALL" and len(node.expressions) == 1:
        listed = _list(node.expressions[0])
    else:
        listed = None
    return ("ANY" if isinstance(node, exp.Any) else "ALL", listed) if listed is not None else ("", [])


def _digits(cast: exp.Cast) -> exp.Expression | None:
    """Return a number that PostgreSQL writes as text, such as `'-1'::bigint`; None for any other cast."""
    inner, kind = bare(cast.this), cast.to.this
    if not (isinstance(inner, exp.Literal) and inner.is_string and kind.name in _NUMBER):
        return None
    if not re.fullmatch(r"-?\d+(?:\.\d+)?", inner.name):
        return None
    plain = exp.Literal.number(inner.name.lstrip("-"))
    return exp.Neg(this=plain) if inner.name.startswith("-") else plain


def _is_idle(cast: exp.Cast) -> bool:
    kind = cast.to.this.name if isinstance(cast.to.this, exp.DataType.Type) else ""
    inner = bare(cast.this)
    if isinstance(inner, exp.Array):
        return True
    if isinstance(inner, exp.Literal):
        return kind in _TEXT if inner.is_string else kind in _NUMBER
    return kind in _TEXT


def _list(node: exp.Expression) -> list[exp.Expression] | None:
    inner = bare(node)
    inner = bare(inner.this) if isinstance(inner, exp.Cast) else inner
    return list(inner.expressions) if isinstance(inner, exp.Array) else None


def bare(node: exp.Expression) -> exp.Expression:
    """Return an expression without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def conjuncts(node: exp.Expression) -> Iterator[exp.Expression]:
    """Yield the parts of a condition that AND joins, also the two of BETWEEN."""
    inner = bare(node)
    if isinstance(inner, exp.And):
        yield from conjuncts(inner.this)
        yield from conjuncts(inner.expression)
    elif isinstance(inner, exp.Between):
        yield exp.GTE(this=inner.this.copy(), expression=inner.args["low"].copy())
        yield exp.LTE(this=inner.this.copy(), expression=inner.args["high"].copy())
    else:
        yield inner


def alternatives(node: exp.Expression) -> Iterator[exp.Expression]:
    """Yield the parts of a condition that OR joins."""
    inner = bare(node)
    if isinstance(inner, exp.Or):
        yield from alternatives(inner.this)
        yield from alternatives(inner.expression)
    else:
        yield inner


def passes(node: exp.Expression, scope: Scope) -> Any:
    """Return an expression that is false only where the condition is: a CHECK lets the unknown pass."""
    return _joined(node, scope, passes, _unless_null)


def holds(node: exp.Expression, scope: Scope) -> Any:
    """Return an expression that is true only where the condition is: a WHERE leaves the unknown out."""
    return _joined(node, scope, holds, _and_not_null)


def _joined(node: exp.Expression, scope: Scope, way: Callable[..., Any], leaf: Callable[..., Any]) -> Any:
    inner = bare(node)
    if isinstance(inner, exp.And):
        return all_of([way(part, scope) for part in conjuncts(inner)])
    if isinstance(inner, exp.Or):
        return any_of([way(part, scope) for part in alternatives(inner)])
    if isinstance(inner, exp.Not) and isinstance(bare(inner.this), exp.And | exp.Or):
        return {"$not": [(holds if way is passes else passes)(inner.this, scope)]}
    if _is_of_truths(inner):
        return _of_truths(inner, scope)
    return leaf(inner, scope)


def _is_of_truths(node: exp.Expression) -> bool:
    """Say whether two conditions are compared, as in `(a IS NULL) = (b IS NULL)`."""
    truths = (*_LEAVES, exp.And, exp.Or, exp.Not)
    sides = [bare(side) for side in (node.args.get("this"), node.args.get("expression")) if side is not None]
    return isinstance(node, exp.EQ | exp.NEQ) and len(sides) == 2 and all(isinstance(side, truths) for side in sides)


def _of_truths(node: exp.Expression, scope: Scope) -> Any:
    sides: list[exp.Expression] = [node.this, node.expression]
    if any(_nulls(leaf, scope) for side in sides for leaf in _leaves(side)):
        raise Untranslatable(f"it compares what may be unknown: {node.sql()}")
    return {_COMPARED[type(node)]: [holds(side, scope) for side in sides]}


def _leaves(node: exp.Expression) -> list[exp.Expression]:
    kinds: Any = _LEAVES
    return list(bare(node).find_all(*kinds))


def is_null(path: Any) -> Any:
    """Return that a value is null or missing."""
    return {"$eq": [{"$ifNull": [path, None]}, None]}


def is_there(path: Any) -> Any:
    """Return that a value is neither null nor missing."""
    return {"$ne": [{"$ifNull": [path, None]}, None]}


def _unless_null(node: exp.Expression, scope: Scope) -> Any:
    return any_of([*(is_null(path) for path in _nulls(node, scope)), _leaf(node, scope)])


def _and_not_null(node: exp.Expression, scope: Scope) -> Any:
    return all_of([*(is_there(path) for path in _nulls(node, scope)), _leaf(node, scope)])


def all_of(parts: list[Any]) -> Any:
    """Return conditions that must all be true as one."""
    return _flat("$and", parts)


def any_of(parts: list[Any]) -> Any:
    """Return conditions of which one must be true as one."""
    return _flat("$or", parts)


def _flat(word: str, parts: list[Any]) -> Any:
    """Return parts under one word, each said once; those of a part of the same word among them."""
    found: list[Any] = []
    for part in parts:
        inner = part[word] if isinstance(part, dict) and word in part else [part]
        found += [one for one in inner if one not in found]
    return found[0] if len(found) == 1 else {word: found}


def _nulls(node: exp.Expression, scope: Scope) -> list[str]:
    """Return the fields that make a comparison unknown where they are null or missing."""
    inner = bare(node)
    if isinstance(inner, exp.Not):
        return _nulls(inner.this, scope)
    if isinstance(inner, exp.Is):
        return []
    found: list[str] = []
    for column in inner.find_all(exp.Column):
        field = _field(column, scope)
        if field.nullable and field.path not in found and not column.find_ancestor(exp.Coalesce):
            found.append(field.path)
    return found


def _field(column: exp.Expression, scope: Scope) -> Field:
    if column.name not in scope:
        raise Untranslatable(f"no field {column.name} is there")
    return scope[column.name]


def _leaf(node: exp.Expression, scope: Scope) -> Any:
    """Return a comparison of values that are not null."""
    inner = bare(node)
    if isinstance(inner, exp.Not):
        return _negated(inner, scope)
    if isinstance(inner, exp.Is):
        return _is(inner, scope, is_null)
    if type(inner) in _COMPARED:
        _refuse_other_kinds(inner, scope)
        return {_COMPARED[type(inner)]: [value(inner.this, scope), value(inner.expression, scope)]}
    if isinstance(inner, exp.Between):
        low, high = (value(inner.args[end], scope) for end in ("low", "high"))
        one = value(inner.this, scope)
        return all_of([{"$gte": [one, low]}, {"$lte": [one, high]}])
    if isinstance(inner, exp.In) and inner.expressions:
        _refuse_other_kinds(inner, scope)
        return {"$in": [value(inner.this, scope), [value(one, scope) for one in inner.expressions]]}
    if isinstance(inner, exp.Like):
        text = value(inner.this, scope)
        return {"$regexMatch": {"input": text, "regex": like(inner)}}
    if isinstance(inner, exp.Column) and _field(inner, scope).kinds == ("bool",):
        return _field(inner, scope).path
    if isinstance(inner, exp.Boolean):
        return inner.this
    raise Untranslatable(f"MongoDB has no words for {inner.sql()}")


def _negated(node: exp.Not, scope: Scope) -> Any:
    inner = bare(node.this)
    if isinstance(inner, exp.Is):
        return _is(inner, scope, is_there)
    return {"$not": [_leaf(inner, scope)]}


def _is(node: exp.Is, scope: Scope, said: Callable[[Any], Any]) -> Any:
    if not isinstance(node.expression, exp.Null):
        raise Untranslatable(f"MongoDB has no words for {node.sql()}")
    return said(value(node.this, scope))


def _refuse_other_kinds(node: exp.Expression, scope: Scope) -> None:
    """Refuse a text that is compared with what is no text: a date or a UUID as SQL writes it."""
    if any(literal.is_string for literal in node.find_all(exp.Literal)):
        for column in node.find_all(exp.Column):
            if "string" not in _field(column, scope).kinds:
                raise Untranslatable(f"a text is compared with {column.name}, which is no text: {node.sql()}")


def value(node: exp.Expression, scope: Scope) -> Any:
    """Return an expression that gives a value."""
    inner = bare(node)
    if isinstance(inner, exp.Column):
        return _field(inner, scope).path
    if isinstance(inner, exp.Neg) and isinstance(inner.this, exp.Literal):
        return -number(inner.this)
    if isinstance(inner, exp.Neg):
        _refuse_dates(inner, scope)
        return {"$multiply": [value(inner.this, scope), -1]}
    if isinstance(inner, exp.Literal):
        return _text(inner.this) if inner.is_string else number(inner)
    if isinstance(inner, exp.Boolean):
        return inner.this
    if type(inner) in _COMPUTED:
        _refuse_dates(inner, scope)
        return {_COMPUTED[type(inner)]: [value(inner.this, scope), value(inner.expression, scope)]}
    return _function(inner, scope)


def _function(node: exp.Expression, scope: Scope) -> Any:
    if isinstance(node, exp.Coalesce):
        return {"$ifNull": [value(one, scope) for one in (node.this, *node.expressions)]}
    if isinstance(node, exp.Length) and _is_text(node.this, scope):
        text = value(node.this, scope)
        return {"$strLenCP": {"$ifNull": [text, ""]} if _nulls(node, scope) else text}
    if isinstance(node, exp.Lower | exp.Upper) and _is_text(node.this, scope):
        return {"$toLower" if isinstance(node, exp.Lower) else "$toUpper": value(node.this, scope)}
    if isinstance(node, exp.Abs):
        return {"$abs": value(node.this, scope)}
    raise Untranslatable(f"MongoDB has no words for {node.sql()}")


def _is_text(node: exp.Expression, scope: Scope) -> bool:
    return all("string" in _field(column, scope).kinds for column in node.find_all(exp.Column))


def _refuse_dates(node: exp.Expression, scope: Scope) -> None:
    for column in node.find_all(exp.Column):
        if set(_field(column, scope).kinds) - {"int", "long", "number", "decimal"}:
            raise Untranslatable(f"MongoDB computes otherwise with {column.name}: {node.sql()}")


def number(literal: exp.Expression) -> int | float:
    """Return a number of SQL; Untranslatable for one that JavaScript does not hold exactly."""
    words = literal.name
    if re.fullmatch(r"\d{1,30}", words) and int(float(words)) == int(words):
        return int(words)
    if not re.fullmatch(r"\d{1,9}\.\d{1,6}", words):
        raise Untranslatable(f"{words} is no number that JavaScript holds")
    return float(words)


def _text(words: str) -> Any:
    return {"$literal": words} if words.startswith("$") else words


def like(node: exp.Expression) -> str:
    """Return a LIKE as a regular expression that looks for it anywhere."""
    pattern = bare(node.expression)
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise Untranslatable(f"its pattern is no text: {node.sql()}")
    words = pattern.this
    if "\\" in words:
        raise Untranslatable(f"its pattern escapes signs: {node.sql()}")
    start = "" if words.startswith("%") else "^"
    end = "" if words.endswith("%") else _END
    inner = words.strip("%")
    return start + re.sub(r"[%_]|[^%_]+", _piece, inner).replace(f"{_ANY}{_ANY}*", f"{_ANY}+") + end


def _piece(match: re.Match[str]) -> str:
    signs = {"%": f"{_ANY}*", "_": _ANY}
    return signs.get(match[0]) or re.sub(r"[.^$*+?()\[\]{}|\\]", r"\\\g<0>", match[0])
