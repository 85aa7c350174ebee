"""Conditions: a CHECK or a predicate as Q objects where they say the same, else in the server's own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from dbplan.exports.django.page import Page
from dbplan.exports.python import Group, Joined, Named, Node, Text, call, flat, listed, quoted

_LOOKUPS: dict[type[exp.Expression], str] = {
    exp.EQ: "",
    exp.GT: "__gt",
    exp.GTE: "__gte",
    exp.LT: "__lt",
    exp.LTE: "__lte",
}
Kinds = Mapping[str, tuple[str, str]]
"""By column: the field's name, and the Python type that its values compare as."""


def condition(page: Page, sql: str, kinds: Kinds) -> Node:
    """Return a condition as a Q object."""
    parsed: Any = None
    with suppress(SqlglotError, RecursionError):
        parsed = parse_one(sql, dialect="postgres")
    written = _written(page, parsed, kinds) if parsed is not None else None
    return written if written is not None else call(page.models("Q"), page.raw(sql))


def columns_in(sql: str) -> set[str]:
    """Return the columns that a condition speaks of; none for what cannot be read."""
    try:
        parsed: Any = parse_one(sql, dialect="postgres")
    except (SqlglotError, RecursionError):
        return set()
    return {column.name for column in parsed.find_all(exp.Column)}


def _written(page: Page, found: exp.Expression, kinds: Kinds) -> Node | None:
    if isinstance(found, exp.Paren):
        return _written(page, found.this, kinds)
    if isinstance(found, exp.And | exp.Or):
        return _joined(page, found, kinds)
    if isinstance(found, exp.Is) or (isinstance(found, exp.Not) and isinstance(found.this, exp.Is)):
        return _is_null(page, found, kinds)
    if isinstance(found, exp.In):
        return _in(page, found, kinds)
    if isinstance(found, exp.Between):
        low, high = _literal(found.args["low"], "int"), _literal(found.args["high"], "int")
        name = _column(found.this, kinds, "int")
        return _q(page, f"{name}__range", f"({low}, {high})") if name and low and high else None
    return _compared(page, found, kinds)


def _joined(page: Page, found: exp.Expression, kinds: Kinds) -> Node | None:
    parts = [_written(page, part, kinds) for part in _parts(found, type(found))]
    known = [part for part in parts if part is not None]
    return Joined("&" if isinstance(found, exp.And) else "|", tuple(known)) if len(known) == len(parts) else None


def _parts(found: exp.Expression, joint: type[exp.Expression]) -> Iterator[exp.Expression]:
    """Yield what one operator joins, through operands that it joins themselves."""
    for part in (found.this, found.expression):
        if type(part) is joint:
            yield from _parts(part, joint)
        else:
            yield part


def _is_null(page: Page, found: exp.Expression, kinds: Kinds) -> Node | None:
    test = found.this if isinstance(found, exp.Not) else found
    negated = isinstance(found, exp.Not) != bool(test.args.get("negate"))
    name = _column(test.this, kinds, "")
    return _q(page, f"{name}__isnull", repr(not negated)) if name and isinstance(test.expression, exp.Null) else None


def _in(page: Page, found: exp.In, kinds: Kinds) -> Node | None:
    for values in ("str", "int"):
        name = _column(found.this, kinds, values)
        items = [_literal(item, values) for item in found.expressions]
        if name and items and None not in items:
            return _q(page, f"{name}__in", listed(item or "" for item in items))
    return None


def _compared(page: Page, found: exp.Expression, kinds: Kinds) -> Node | None:
    lookup = _LOOKUPS.get(type(found))
    if lookup is None:
        return None
    for values in ("int", "str"):
        name = _column(found.this, kinds, values)
        other = _literal(found.expression, values)
        if name and other is not None:
            return _q(page, f"{name}{lookup}", other)
    left, right = _column(found.this, kinds, ""), _column(found.expression, kinds, "")
    return _q(page, f"{left}{lookup}", flat(call(page.models("F"), Text(right)))) if left and right else None


def _q(page: Page, lookup: str, value: Node) -> Node:
    return Group(page.models("Q"), (Named(f"{lookup}=", value),))


def _column(found: exp.Expression, kinds: Kinds, values: str) -> str | None:
    """Return the field of a bare column whose values are of that type; any type for ""."""
    if not isinstance(found, exp.Column) or found.table:
        return None
    name = found.name if found.this.quoted else found.name.lower()
    field, kind = kinds.get(name, ("", ""))
    return field if field and values in ("", kind) else None


def _literal(found: exp.Expression, values: str) -> str | None:
    if isinstance(found, exp.Neg):
        inner = _literal(found.this, values) if values == "int" else None
        return f"-{inner}" if inner else None
    if not isinstance(found, exp.Literal):
        return None
    if values == "str":
        return quoted(str(found.this)) if found.is_string else None
    return str(found.this) if not found.is_string and str(found.this).isdigit() else None
