"""Columns, written as the arguments of the call that makes them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum as PythonEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Computed, ForeignKeyConstraint, Identity, Integer, Sequence
from sqlalchemy.schema import FetchedValue, UniqueConstraint
from sqlalchemy.sql.elements import ClauseElement, TextClause

from dbplan.evidence import Place
from dbplan.exports.alchemy import filling, kinds
from dbplan.exports.alchemy.clauses import clause, condition
from dbplan.exports.alchemy.constraints import check, foreign_key, of_dialects, words
from dbplan.exports.alchemy.conventions import is_automatic
from dbplan.exports.alchemy.page import Page, imported
from dbplan.exports.python import Named, Node, Text, call, literal

_NUMBERS = ("start", "increment", "minvalue", "maxvalue", "nominvalue", "nomaxvalue", "cycle", "cache", "order")
_PLAIN_IDENTITY = {"start": 1, "increment": 1, "minvalue": 1, "cycle": False, "cache": 1}
_LARGEST = (2**15 - 1, 2**31 - 1, 2**63 - 1)


def arguments(page: Page, column: Column[Any], *, type_: Node | None, nullable: bool | None) -> list[Node]:
    """Return what follows a column's name; `nullable` is what it would be without a word on it, None to say it."""
    _lose_counting(page, column)
    items: list[Node] = [] if type_ is None else [type_]
    items += _below(page, column)
    named: dict[str, Node | None] = {
        "key": Text(column.key) if column.key != column.name else None,
        "primary_key": "True" if column.primary_key else None,
        "autoincrement": _autoincrement(column),
        "nullable": None if column.nullable == nullable else repr(column.nullable),
        "index": "True" if own_index(page, column) is not None else None,
        "unique": "True" if is_unique(page, column) else None,
        "default": _default(page, column),
        "onupdate": filling.at_change(page, column) or _made(page, column, column.onupdate, "onupdate"),
        "server_default": _server_default(page, column),
        "server_onupdate": _fetched(page, column),
        "quote": page.quote(column.name),
        "system": "True" if column.system else None,
        "comment": Text(column.comment) if column.comment is not None else None,
        "info": page.information(Place(column.table.key, column.name), column.info, _said(page, column)),
    }
    return [*items, *(Named(f"{key}=", value) for key, value in named.items() if value is not None)]


def _lose_counting(page: Page, column: Column[Any]) -> None:
    beside = column.autoincrement is True and not column.primary_key and column.identity is None
    if beside and page.dialect.name in ("mysql", "mariadb"):
        said = "SQLAlchemy counts a primary key alone: AUTO_INCREMENT is written by dbplan, and not by create_all"
        page.lose(Place(column.table.key, column.name), said)


def _said(page: Page, column: Column[Any]) -> frozenset[str]:
    """Return the words of a column's info that its attribute says: it bears the name."""
    return frozenset({"field"}) if page.is_class(column.table) else frozenset()


def _below(page: Page, column: Column[Any]) -> list[Node]:
    """Return what a column carries: its foreign key, its sequence, how it is computed or counted, its checks."""
    items: list[Node] = []
    key = own_key(page, column)
    if key is not None:
        items.append(foreign_key(page, key))
    if isinstance(column.default, Sequence):
        items.append(sequence(page, column.default))
    if column.computed is not None:
        items.append(_computed(page, column.computed))
    if column.identity is not None:
        items.append(_identity(page, column.identity))
    checks = [c for c in column.constraints if isinstance(c, CheckConstraint) and not c._type_bound]
    return items + [check(page, one, column.table) for one in checks]


def own_key(page: Page, column: Column[Any]) -> ForeignKeyConstraint | None:
    """Return the foreign key that is written in the column: its only one, and of this column alone."""
    keys = {key.constraint for key in column.foreign_keys if key.constraint is not None}
    alone = next(iter(keys)) if len(keys) == 1 else None
    taken = page.native is not None and alone is not None and page.is_native(alone)
    return alone if alone is not None and len(alone.elements) == 1 and not taken else None


def own_index(page: Page, column: Column[Any]) -> Any:
    """Return the index that `index=True` makes, if the column has one that is nothing more."""
    for index in sorted(column.table.indexes, key=lambda index: str(index.name)):
        plain = not of_dialects(page, index) and not words(page, index) and index._ddl_if is None
        alone = len(index.expressions) == 1 and index.expressions[0] is column
        if plain and alone and not index.unique and index.name is not None and is_automatic(page, index, column.table):
            return index
    return None


def is_unique(page: Page, column: Column[Any]) -> bool:
    """Say whether a constraint of the column's table is what `unique=True` makes."""
    return any(unique_alone(page, found) is column for found in column.table.constraints) and (
        own_index(page, column) is None
    )


def unique_alone(page: Page, constraint: Any) -> Column[Any] | None:
    """Return the column on which `unique=True` says all of a constraint."""
    if not isinstance(constraint, UniqueConstraint) or len(constraint.columns) != 1 or words(page, constraint):
        return None
    options = (constraint.deferrable, constraint.initially, constraint._ddl_if, getattr(constraint, "comment", None))
    if any(option is not None for option in options) or of_dialects(page, constraint):
        return None
    column: Column[Any] = next(iter(constraint.columns))
    twins = [c for c in column.table.constraints if isinstance(c, UniqueConstraint) and [*c.columns] == [column]]
    indexed = own_index(page, column) is not None
    return column if not indexed and twins == [constraint] and is_automatic(page, constraint, column.table) else None


def _autoincrement(column: Column[Any]) -> Node | None:
    """Return what is said of counting, where it is more or less than any whole number does that is the key alone."""
    said = column.autoincrement
    alone = len(column.table.primary_key.columns) == 1 and not column.foreign_keys and column.server_default is None
    counts = column.primary_key and alone and isinstance(column.type, Integer)
    usual = said == "auto" or (counts if said is True else not counts if said is False else False)
    return None if usual or not column.primary_key else literal(said)


def _computed(page: Page, computed: Computed) -> Node:
    persisted = None if computed.persisted is None else repr(computed.persisted)
    return call(page.sa("Computed"), condition(page, computed.sqltext), persisted=persisted)


def _identity(page: Page, identity: Identity) -> Node:
    """Return an identity; the numbers that any server starts with are not said."""
    named: dict[str, Node | None] = {"always": "True" if identity.always else None}
    plain = identity.increment in (None, 1) and identity.maxvalue in (None, *_LARGEST)
    for name in _NUMBERS:
        value = getattr(identity, name)
        usual = plain and (name == "maxvalue" or (name in _PLAIN_IDENTITY and _PLAIN_IDENTITY[name] == value))
        named[name] = None if value is None or usual else repr(value)
    return call(page.sa("Identity"), **named)


def sequence(page: Page, found: Sequence, **more: Node | None) -> Node:
    """Return a sequence."""
    named: dict[str, Node | None] = {"schema": Text(str(found.schema)) if found.schema else None}
    named |= {name: None if getattr(found, name) is None else repr(getattr(found, name)) for name in _NUMBERS}
    named["data_type"] = None if found.data_type is None else kinds.of(page, found.data_type)
    named["optional"] = "True" if found.optional else None
    return call(page.sa("Sequence"), Text(str(found.name)), **named, **more)


def _server_default(page: Page, column: Column[Any]) -> Node | None:
    made: Any = column.server_default
    if page.native is not None and column.info.get("late"):
        return None  # it comes when all is there that it speaks of
    if made is None and kinds.is_serial(column.type):
        return call(page.sa("FetchedValue"))  # an INSERT leaves it to the server
    if made is None or isinstance(made, Computed | Identity):
        return None
    if not hasattr(made, "arg"):
        return call(page.sa("FetchedValue"))
    if isinstance(made.arg, TextClause | ClauseElement):
        return clause(page, made.arg)
    return Text(str.__str__(made.arg))  # which of a str that is an enum is its value, as servers are told


def _fetched(page: Page, column: Column[Any]) -> Node | None:
    made = column.server_onupdate
    is_own = isinstance(made, FetchedValue) and not isinstance(made, Computed)
    return call(page.sa("FetchedValue")) if is_own else None


def _default(page: Page, column: Column[Any]) -> Node | None:
    filling.lose(page, column)
    said = filling.by_client(page, column) or filling.at_first(page, column)
    return said or _made(page, column, column.default, "default")


def _made(page: Page, column: Column[Any], made: Any, what: str) -> Node | None:
    """Return what the client fills in; what cannot be imported is not written, and noted."""
    if made is None or isinstance(made, Sequence):
        return None
    written = client(page, made)
    if written is None:
        page.lose(Place(column.table.key, column.name), f"its {what} is a function that cannot be imported: left out")
    return written


def client(page: Page, made: Any) -> Node | None:
    """Return a default of the client as Python; None for what cannot be imported."""
    if made.is_callable:
        return imported(page, getattr(made.arg, "__wrapped__", made.arg))
    if made.is_clause_element:
        return clause(page, made.arg)
    return _scalar(page, made.arg)


def _scalar(page: Page, value: Any) -> Node | None:
    if isinstance(value, PythonEnum):
        known = page.enums.get(type(value))
        return f"{known}.{value.name}" if known else literal(value.value)
    if isinstance(value, Decimal | UUID):
        name = page.imports.name(type(value).__module__, type(value).__name__)
        return call(name, Text(str(value)))
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        page.imports.module("datetime", "dt")
        return repr(value).replace("datetime.", f"{page.imports.module('datetime', 'dt')}.")
    return literal(value)
