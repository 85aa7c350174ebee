"""Proof: CHECKs that no value of a column's domain breaks need not be tried row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlglot import exp

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.checks import Check
from dbplan.seeding.rows.cells import Cells, absent, present
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.values.domains import Choice, Decimals, Domain, Integers, Kept, Moments, Unnumbered, Words
from dbplan.seeding.values.infer import Respelled
from dbplan.seeding.values.patterns import Pattern
from dbplan.seeding.values.people import Person

FEW = 20_000
"""Values of a domain up to which all are tried."""
_ENDS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_SHAPES = (*_ENDS, exp.EQ, exp.Like, exp.ILike, exp.RegexpLike, exp.Length, exp.Lower, exp.And, exp.Paren, exp.Literal)


def proven(check: Check, domain: Domain) -> bool:
    """Whether every value of a domain, and NULL, holds a CHECK of one column."""
    if check.parsed is None or len(check.parsed.columns) != 1:
        return False
    values = _all(domain)
    if values is None and _by_ends(check.parsed.node, domain):
        values = domain.nth(np.array([0, domain.capacity - 1]))
    if values is None and isinstance(domain, Person | Pattern) and _by_shape(check.parsed.node):
        values = domain.samples()
    return values is not None and len(values) > 0 and _hold(check, present(values)) and _hold(check, absent(1))


def _hold(check: Check, cells: Cells) -> bool:
    assert check.parsed is not None
    try:
        return bool(check.parsed.holds(lambda _: cells, len(cells)).all())
    except (NotCovered, TypeError, ValueError):
        return False


def _all(domain: Domain) -> Array | None:
    """Return all values that may be drawn of a domain of few."""
    if isinstance(domain, Respelled):
        inner = _all(domain.inner)
        return None if inner is None else domain.respell(inner)
    if isinstance(domain, Unnumbered):
        return _all(domain.words)
    if isinstance(domain, Words):
        return domain.said
    few = isinstance(domain, Choice | Kept | Integers) and domain.capacity <= FEW
    return domain.nth(np.arange(domain.capacity)) if few else None


def _by_ends(node: Any, domain: Domain) -> bool:
    """Whether a condition holds between two values where it holds at both: ends, and nothing but ends."""
    if not isinstance(domain, Integers | Decimals | Moments) or domain.capacity < 1:
        return False
    return all(
        isinstance(part, (*_ENDS, exp.And, exp.Paren, exp.Literal, exp.Column, exp.Identifier, exp.Neg))
        for part in node.walk()
    )


def _by_shape(node: Any) -> bool:
    """Whether a condition asks for lengths, letters and places of signs alone."""
    plain = all(isinstance(part, (*_SHAPES, exp.Column, exp.Identifier)) for part in node.walk())
    words = (part for part in node.find_all(exp.Literal) if part.is_string)
    return plain and all(isinstance(word.parent, exp.Like | exp.ILike | exp.RegexpLike) for word in words)
