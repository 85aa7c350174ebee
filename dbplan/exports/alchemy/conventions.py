"""Names of constraints and indexes: left to a naming convention where it gives them, written where it does not."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Index, MetaData, Table
from sqlalchemy.schema import (
    CheckConstraint,
    Constraint,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.sql.naming import ConventionDict

from dbplan.exports.alchemy.page import Page
from dbplan.exports.python import Node, Text, call

_KINDS: dict[type[Any], str] = {
    PrimaryKeyConstraint: "pk",
    UniqueConstraint: "uq",
    ForeignKeyConstraint: "fk",
    CheckConstraint: "ck",
    Index: "ix",
}
_USUAL = {"ix": "ix_%(column_0_label)s"}
"""SQLAlchemy's own, where a MetaData is given none."""

_KNOWN = {
    "pk": ("pk_%(table_name)s", "%(table_name)s_pkey"),
    "fk": (
        "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "%(table_name)s_%(column_0_N_name)s_fkey",
    ),
    "uq": ("uq_%(table_name)s_%(column_0_N_name)s", "%(table_name)s_%(column_0_N_name)s_key"),
    "ck": ("ck_%(table_name)s_%(constraint_name)s",),
    "ix": ("ix_%(table_name)s_%(column_0_N_name)s", "%(table_name)s_%(column_0_N_name)s_idx", _USUAL["ix"]),
}
"""What live databases follow without saying so: the conventions of tools, and PostgreSQL's own names."""

_LONGEST = 63
_MARK = "\0"
_Nameable = Constraint | Index


def conventions(metadata: MetaData) -> dict[str, str]:
    """Return the naming convention of a MetaData, else the one that most of its names follow; {} for none."""
    given = dict(metadata.naming_convention)
    if given != _USUAL:
        plain = all(isinstance(key, str) and isinstance(value, str) for key, value in given.items())
        return {str(key): str(value) for key, value in given.items()} if plain else {}
    found = {kind: pattern for kind in _KNOWN if (pattern := _followed(metadata, kind))}
    return {} if found == _USUAL else found


def _followed(metadata: MetaData, kind: str) -> str:
    """Return the first pattern that more than half of the names follow, none of them absent."""
    things = [(t, thing) for t in metadata.tables.values() for thing in nameable(t) if _kind(thing) == kind]
    if any(thing.name is None for _, thing in things):
        return ""
    for pattern in _KNOWN[kind]:
        follow = sum(str(thing.name) == _full(pattern, t, thing, _rest(pattern, t, thing)) for t, thing in things)
        if 2 * follow > len(things):
            return pattern
    return ""


def nameable(table: Table) -> Iterator[Any]:
    """Yield what has a name of its own in a table; an empty primary key and what belongs to a type have none."""
    for constraint in sorted(table.constraints, key=lambda found: found._creation_order):
        empty = isinstance(constraint, PrimaryKeyConstraint) and not len(constraint.columns)
        if not empty and not getattr(constraint, "_type_bound", False):
            yield constraint
    yield from sorted(table.indexes, key=lambda index: str(index.name))


def _kind(thing: Any) -> str:
    return next((kind for class_, kind in _KINDS.items() if isinstance(thing, class_)), "")


def _full(pattern: str, table: Table, thing: Any, rest: str | None) -> str | None:
    """Return the name that a pattern gives; None where it cannot."""
    blank = copy.copy(thing)
    blank.name = rest
    try:
        return str(pattern % ConventionDict(blank, table, {}))  # type: ignore[no-untyped-call]
    except Exception:  # a foreign key without its parent, a pattern with tokens of its own
        return None


def _rest(pattern: str, table: Table, thing: Any) -> str | None:
    """Return the part of a name that its pattern leaves open, if there is one."""
    if "%(constraint_name)s" not in pattern:
        return None
    head, mark, tail = (_full(pattern, table, thing, _MARK) or "").partition(_MARK)
    name = str(thing.name)
    if not mark or not name.startswith(head) or not name.endswith(tail) or len(name) <= len(head) + len(tail):
        return ""
    return name[len(head) : len(name) - len(tail)]


def is_automatic(page: Page, thing: _Nameable, table: Table) -> bool:
    """Say whether a thing without a word on its name gets the name that it has."""
    pattern = _pattern(page.conventions, thing)
    if thing.name is None:
        return not pattern or isinstance(thing, CheckConstraint)
    return bool(pattern) and "%(constraint_name)s" not in pattern and _full(pattern, table, thing, None) == thing.name


def name(page: Page, thing: _Nameable, table: Table) -> Node | None:
    """Return the name to write; None where the convention gives it, or there is none."""
    if thing.name is None or is_automatic(page, thing, table):
        return None
    pattern = _pattern(page.conventions, thing)
    if "%(constraint_name)s" not in pattern:
        long = len(str(thing.name)) > _LONGEST
        return call(page.sa_name("conv"), Text(str(thing.name))) if long else Text(str(thing.name))
    rest = _rest(pattern, table, thing)
    return Text(rest) if rest else call(page.sa_name("conv"), Text(str(thing.name)))


def _pattern(given: Mapping[str, str], thing: Any) -> str:
    return (given or _USUAL).get(_kind(thing), "")
