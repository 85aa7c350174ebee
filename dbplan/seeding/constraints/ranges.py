"""Ranges: where they begin and end, as PostgreSQL reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from sqlglot import exp

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.predicate import Expression
from dbplan.seeding.rows.cells import Cells

_RANGE = re.compile(r'([\[(])"?([^",]*)"?,"?([^",]*)"?([\])])')
Ends = tuple[Any, Any]


def bounds(part: Expression, read: Callable[[str], Cells], rows: int) -> list[Ends | None]:
    """Return begin and end of every row's range, None for none; an end that belongs to it lies just behind itself."""
    if isinstance(part.node, exp.Column):
        cells = part.cells(read, rows)
        return [None if null else _read(str(value)) for value, null in zip(cells.values, cells.null, strict=True)]
    low, high, closed = range_of(part)
    first, last = (Expression(n.sql(dialect="postgres"), n, part.columns).cells(read, rows) for n in (low, high))
    ends = zip(_numbers(first), _numbers(last), first.null.tolist(), last.null.tolist(), strict=True)
    return [(-np.inf if a_null else a, np.inf if b_null else b + closed) for a, b, a_null, b_null in ends]


def range_of(part: Expression) -> tuple[Any, Any, int]:
    """Return the two ends of a call such as tsrange(a, b, '[]'), and 1 where the end belongs to it."""
    node = part.node
    if not isinstance(node, exp.Anonymous) or not str(node.this).lower().endswith("range") or len(node.expressions) < 2:
        raise NotCovered(f"{part.text!r} overlaps in a way that is not computed here")
    low, high, *kind = node.expressions
    return low, high, int(bool(kind) and kind[0].name.endswith("]"))


def _numbers(cells: Cells) -> list[float]:
    values = np.asarray(cells.values)
    return [
        float(v) for v in (values.astype("datetime64[us]").astype(np.int64) if values.dtype.kind == "M" else values)
    ]


def _read(text: str) -> Ends | None:
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    low, high = _end(found[2], -np.inf), _end(found[3], np.inf)
    return low + (found[1] == "("), high + (found[4] == "]")


def _end(text: str, missing: float) -> float:
    if not text:
        return missing
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    return float(np.datetime64(text.replace(" ", "T").removesuffix("+00"), "us").astype(np.int64))
