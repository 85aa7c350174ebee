"""SQL functions of single values, by the node that stands for them; what is NULL goes in, where it counts, as None."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlglot import exp

from dbplan.seeding.rows.cells import Cells

Value = Any


@dataclass(frozen=True)
class Call:
    """A function with the nodes of its arguments; a lax one is asked with NULLs as well."""

    arguments: tuple[Any, ...]
    function: Callable[..., Value]
    lax: bool = False

    def over(self, cells: list[Cells]) -> Cells:
        """Return the function's value for every row; None is NULL."""
        null = np.logical_or.reduce([c.null for c in cells])
        columns = [_objects(c) for c in cells]
        asked = zip(*columns, (null & (not self.lax)).tolist(), strict=True)
        found = [None if none else self.function(*values) for *values, none in asked]
        return Cells(_array(found), np.array([value is None for value in found], dtype=bool))


def _objects(cells: Cells) -> list[Value]:
    values = np.asarray(cells.values)
    listed = values.astype("datetime64[us]").tolist() if values.dtype.kind == "M" else values.tolist()
    return [None if null else value for value, null in zip(listed, cells.null.tolist(), strict=True)]


def _array(found: list[Value]) -> Any:
    kinds = {type(value) for value in found if value is not None}
    for kind, dtype in ((bool, bool), (int, np.int64), (float, float), (dt.datetime, "datetime64[us]")):
        if kinds and kinds <= {kind}:
            blank = found[next(n for n, value in enumerate(found) if value is not None)]
            return np.array([blank if value is None else value for value in found], dtype=dtype)
    return np.fromiter(found, dtype=object, count=len(found))


def call_of(node: Any) -> Call | None:
    """Return the call that a node is, if it is one that is known here."""
    name = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
    if name in NAMED:
        return Call(tuple(node.expressions), NAMED[name])
    make = KNOWN.get(type(node))
    return make(node) if make is not None else None


def _plain(function: Callable[..., Value], *names: str) -> Callable[[Any], Call]:
    """Return what makes a call of the arguments of those names; those that are not given are left out."""
    return lambda node: Call(tuple(node.args[n] for n in names if node.args.get(n) is not None), function)


def _many(function: Callable[..., Value]) -> Callable[[Any], Call]:
    return lambda node: Call((*([node.this] if node.this is not None else []), *node.expressions), function, lax=True)


def _substring(text: Value, start: Value, length: Value = None) -> str:
    begin = int(start) - 1
    end = None if length is None else max(begin + int(length), 0)
    return str(text)[max(begin, 0) : end]


def _left(text: Value, count: Value) -> str:
    return str(text)[: int(count)]


def _right(text: Value, count: Value) -> str:
    size = int(count)
    return str(text)[-size:] if size > 0 else str(text)[-size:] if size else ""


def _rounded(value: Value, decimals: Value = 0) -> float:
    scale = 10 ** int(decimals)
    return math.copysign(math.floor(abs(float(value)) * scale + 0.5) / scale, float(value))


def _split(text: Value, delimiter: Value, index: Value) -> str:
    parts = str(text).split(str(delimiter))
    return parts[int(index) - 1] if 0 < int(index) <= len(parts) else ""


def _json_kind(value: Value) -> str:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")


def _listed(value: Value) -> list[Value]:
    """Return a list, also one that PostgreSQL's text of it stands for."""
    if isinstance(value, str) and value.startswith("{"):
        return [item.strip().strip('"') for item in value[1:-1].split(",") if item]
    return list(value)


def _contains(whole: Value, part: Value) -> bool:
    """Say whether a list has all items of another one, or a document all members."""
    whole, part = _document(whole), _document(part)
    if isinstance(whole, dict) or isinstance(part, dict):
        both = isinstance(whole, dict) and isinstance(part, dict)
        return both and all(name in whole and _contains(whole[name], own) for name, own in part.items())
    if not isinstance(whole, list | tuple) and not isinstance(part, list | tuple):
        return bool(whole == part)
    there = _listed(whole)
    return all(item in there for item in _listed(part))


def _place(items: Value, wanted: Value) -> int | None:
    return _listed(items).index(wanted) + 1 if wanted in _listed(items) else None


def _octets(value: Value) -> int:
    return len(value if isinstance(value, bytes) else str(value).encode())


def _greatest(*values: Value) -> Value:
    return max((v for v in values if v is not None), default=None)


def _least(*values: Value) -> Value:
    return min((v for v in values if v is not None), default=None)


def _sized(value: Value) -> int | None:
    value = _document(value)
    return len(value) if isinstance(value, list | tuple | dict) else None


def _size_or_none(value: Value, _dimension: Value = 1) -> int | None:
    """Return the length of an array, which is NULL, and not 0, for an empty one."""
    return _sized(value) or None


def _document(value: Value) -> Value:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _inside(node: Any, *, text: bool) -> Call:
    """Return the call that takes a value out of a document by its path."""
    path = node.expression
    while isinstance(path, exp.Paren | exp.Cast):  # as PostgreSQL gives it back: d ->> 'kind'::text
        path = path.this
    steps = [part.this for part in path.expressions if isinstance(part, exp.JSONPathKey | exp.JSONPathSubscript)]
    if isinstance(path, exp.Literal):
        said = path.this.strip("{}$.").replace(".", ",").split(",") if path.this[:1] in "{$" else [path.this]
        steps = [int(s) if s.isdigit() else s for s in said]
    return Call((node.this,), lambda value: _walked(value, steps, text=text))


def _walked(value: Value, steps: list[Any], *, text: bool) -> Value:
    found = _document(value)
    for step in steps:
        if isinstance(found, dict):
            found = found.get(str(step))
        elif isinstance(found, list) and isinstance(step, int) and step < len(found):
            found = found[step]
        else:
            return None
    if not text or found is None or isinstance(found, str):
        return found
    return json.dumps(found)


_PARTS: dict[str, Callable[[dt.datetime], float]] = {
    "year": lambda t: t.year,
    "month": lambda t: t.month,
    "day": lambda t: t.day,
    "hour": lambda t: t.hour,
    "minute": lambda t: t.minute,
    "second": lambda t: t.second + t.microsecond / 1e6,
    "quarter": lambda t: (t.month + 2) // 3,
    "dow": lambda t: t.isoweekday() % 7,
    "isodow": lambda t: t.isoweekday(),
    "doy": lambda t: t.timetuple().tm_yday,
    "week": lambda t: t.isocalendar()[1],
    "epoch": lambda t: t.replace(tzinfo=dt.UTC).timestamp(),
}
_UNITS = ("year", "month", "day", "hour", "minute", "second")


def _extract(node: Any) -> Call | None:
    part = _PARTS.get(node.this.name.lower())
    return None if part is None else Call((node.expression,), part)


def _truncated(node: Any) -> Call | None:
    unit = node.args["unit"].name.lower()
    return Call((node.this,), lambda t: _cut(t, unit)) if unit in (*_UNITS, "week", "quarter") else None


def _cut(moment: dt.datetime, unit: str) -> dt.datetime:
    if unit == "week":
        return _cut(moment - dt.timedelta(days=moment.weekday()), "day")
    if unit == "quarter":
        return _cut(moment.replace(month=(moment.month - 1) // 3 * 3 + 1, day=1), "month")
    kept = _UNITS[: _UNITS.index(unit) + 1]
    first: dict[str, Any] = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
    return moment.replace(microsecond=0, **{name: at for name, at in first.items() if name not in kept})


def _similar(node: Any) -> Call:
    pattern = "".join(".*" if c == "%" else "." if c == "_" else c for c in node.expression.name)
    return Call((node.this,), lambda text: re.fullmatch(pattern, str(text), re.DOTALL) is not None)


def _trimmed(node: Any) -> Call:
    strip = {"LEADING": str.lstrip, "TRAILING": str.rstrip}.get(str(node.args.get("position")), str.strip)
    more = (node.args["expression"],) if node.args.get("expression") is not None else ()
    return Call((node.this, *more), lambda text, chars=None: strip(str(text), chars))


KNOWN: dict[type[Any], Callable[[Any], Call | None]] = {
    exp.Left: _plain(_left, "this", "expression"),
    exp.Right: _plain(_right, "this", "expression"),
    exp.Substring: _plain(_substring, "this", "start", "length"),
    exp.Concat: _many(lambda *values: "".join("" if v is None else str(v) for v in values)),
    exp.Replace: _plain(
        lambda text, old, new="": str(text).replace(str(old), str(new)), "this", "expression", "replacement"
    ),
    exp.Reverse: _plain(lambda text: str(text)[::-1], "this"),
    exp.StrPosition: _plain(lambda text, part: str(text).find(str(part)) + 1, "this", "substr"),
    exp.StartsWith: _plain(lambda text, part: str(text).startswith(str(part)), "this", "expression"),
    exp.SplitPart: _plain(_split, "this", "delimiter", "part_index"),
    exp.Ascii: _plain(lambda text: ord(str(text)[0]) if text else 0, "this"),
    exp.SimilarTo: _similar,
    exp.Trim: _trimmed,
    exp.Round: _plain(_rounded, "this", "decimals"),
    exp.Floor: _plain(lambda value: float(math.floor(value)), "this"),
    exp.Ceil: _plain(lambda value: float(math.ceil(value)), "this"),
    exp.Sign: _plain(lambda value: int(value > 0) - int(value < 0), "this"),
    exp.Pow: _plain(lambda value, power: float(value) ** float(power), "this", "expression"),
    exp.Sqrt: _plain(lambda value: math.sqrt(value) if value >= 0 else None, "this"),
    exp.BitwiseAnd: _plain(lambda a, b: int(a) & int(b), "this", "expression"),
    exp.BitwiseOr: _plain(lambda a, b: int(a) | int(b), "this", "expression"),
    exp.Xor: _plain(lambda a, b: bool(a) != bool(b), "this", "expression"),
    exp.Greatest: _many(_greatest),
    exp.Least: _many(_least),
    exp.Nullif: lambda node: Call((node.this, node.expression), lambda a, b: None if a == b else a, lax=True),
    exp.If: lambda node: Call(
        (node.this, node.args["true"], node.args.get("false") or exp.Null()), lambda c, a, b: a if c else b, lax=True
    ),
    exp.Array: _many(lambda *items: list(items)),
    exp.ArrayContainsAll: _plain(lambda whole, part: _contains(whole, part), "this", "expression"),
    exp.ArrayContainedBy: _plain(lambda part, whole: _contains(whole, part), "this", "expression"),
    exp.ArrayOverlaps: _plain(lambda a, b: bool(set(_listed(a)) & set(_listed(b))), "this", "expression"),
    exp.ArrayPosition: _plain(_place, "this", "expression"),
    exp.MD5: _plain(lambda text: hashlib.md5(str(text).encode(), usedforsecurity=False).hexdigest(), "this"),
    exp.ByteLength: _plain(_octets, "this"),
    exp.ArraySize: _plain(_size_or_none, "this", "expression"),
    exp.Date: _plain(lambda t: _cut(t, "day"), "this"),
    exp.TsOrDsToDate: _plain(lambda t: _cut(t, "day"), "this"),
    exp.TimestampTrunc: _truncated,
    exp.DateTrunc: _truncated,
    exp.Extract: _extract,
    exp.JSONExtract: lambda node: _inside(node, text=False),
    exp.JSONExtractScalar: lambda node: _inside(node, text=True),
    exp.JSONBExtract: lambda node: _inside(node, text=False),
    exp.JSONBExtractScalar: lambda node: _inside(node, text=True),
    exp.JSONBContainsTopKey: _plain(lambda value, name: str(name) in (_document(value) or ()), "this", "expression"),
}
NAMED: dict[str, Callable[..., Value]] = {
    "cardinality": lambda value: _sized(value),
    "octet_length": _octets,
    "jsonb_array_length": _sized,
    "json_array_length": _sized,
    "btrim": lambda text, chars=None: str(text).strip(chars),
    **dict.fromkeys(("jsonb_typeof", "json_typeof", "json_type"), lambda value: _json_kind(value)),
    "json_valid": lambda value: True,
    "isempty": lambda text: str(text) == "empty",
}
