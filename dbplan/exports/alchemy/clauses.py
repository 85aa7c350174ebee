"""SQL expressions, written as the SQLAlchemy calls that make them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BindParameter, ColumnClause, Label, TextClause, UnaryExpression
from sqlalchemy.sql.functions import Function, FunctionElement, next_value

from dbplan.exports.alchemy.page import Page, imported
from dbplan.exports.python import Node, Text, call, flat, literal

_BIND = re.compile(r"(?<![:\w\\]):\w+(?!:)|\\:")
_ORDERS: dict[Any, str] = {
    operators.desc_op: "desc()",
    operators.asc_op: "asc()",
    operators.nulls_first_op: "nulls_first()",
    operators.nulls_last_op: "nulls_last()",
}
Refer = Callable[[Column[Any]], str]


def sql(page: Page, element: Any) -> str:
    """Return an expression as the page's server reads it, values written out, columns without their table."""
    options = {"literal_binds": True, "include_table": False}
    return str(element.compile(dialect=page.dialect, compile_kwargs=options))


def condition(page: Page, element: Any) -> Node:
    """Return what stands where SQLAlchemy takes SQL as a text: a CHECK, a generated column."""
    if isinstance(element, str):
        return Text(element)
    if isinstance(element, TextClause):
        return Text(element.text)
    words = str(element.name) if _is_literal(element) else sql(page, element)
    return _exactly(page, words) if _BIND.search(words) or _is_literal(element) else Text(words)


def clause(page: Page, element: Any, refer: Refer | None = None) -> Node:
    """Return an expression; columns are written as `refer` has it, what has no call of its own as SQL."""
    if isinstance(element, str):
        return Text(element)
    if isinstance(element, TextClause):
        return call(page.sa("text"), Text(element.text))
    if _is_literal(element):
        return _exactly(page, str(element.name))
    written = _structure(page, element, refer)
    if written is not None:
        return written
    words = sql(page, element)
    return _exactly(page, words) if _BIND.search(words) else call(page.sa("text"), Text(words))


def _structure(page: Page, element: Any, refer: Refer | None) -> Node | None:
    if isinstance(element, Column) and refer is not None:
        return refer(element)
    if isinstance(element, UnaryExpression) and element.modifier in _ORDERS and refer is not None:
        return f"{flat(clause(page, element.element, refer))}.{_ORDERS[element.modifier]}"
    if isinstance(element, Label) and refer is not None:
        return f"{flat(clause(page, element.element, refer))}.label({flat(Text(str(element.name)))})"
    if isinstance(element, BindParameter):
        return literal(element.value)
    if isinstance(element, FunctionElement):
        return _function(page, element, refer)
    return None


def _function(page: Page, element: Any, refer: Refer | None) -> Node | None:
    if not hasattr(element, "name") or not type(element).__module__.startswith("sqlalchemy."):
        known = imported(page, type(element))
        return call(flat(known), *_arguments(page, element, refer)) if known is not None else None
    odd = getattr(element, "packagenames", ()) or isinstance(element, next_value) or not isinstance(element, Function)
    if odd or not str(element.name).isidentifier() or str(element.name).startswith("_"):
        return None
    return call(f"{page.sa('func')}.{element.name}", *_arguments(page, element, refer))


def _arguments(page: Page, element: Any, refer: Refer | None) -> list[Node]:
    return [clause(page, part, refer) for part in getattr(element, "clauses", ())]


def _is_literal(element: Any) -> bool:
    return isinstance(element, ColumnClause) and bool(getattr(element, "is_literal", False))


def _exactly(page: Page, words: str) -> Node:
    """Return SQL in which no `:word` is taken for a parameter."""
    return call(page.sa("literal_column"), Text(words))


def compiles(page: Page, element: Any) -> bool:
    """Say whether the page's server can read an expression."""
    try:
        sql(page, element)
    except SQLAlchemyError:
        return False
    return True
