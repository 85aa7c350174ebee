"""SQL expressions over cells: parsed once, evaluated for thousands of rows at a time, with SQL's NULL logic."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.functions import call_of
from dbplan.seeding.constraints.intervals import interval
from dbplan.seeding.constraints.regular import like_pattern, regular
from dbplan.seeding.rows.cells import Cells, absent, chosen, present
from dbplan.seeding.rows.stream import Array
from dbplan.seeding.rows.texts import Texts

Read = Callable[[str], Cells]
DIALECTS = ("postgres", "sqlite", "mysql")


@dataclass(frozen=True)
class Expression:
    """A parsed SQL expression and the columns it reads."""

    text: str
    node: exp.Expression
    columns: frozenset[str]

    def cells(self, read: Read, rows: int) -> Cells:
        """Return the expression's value for `rows` rows; `read` gives the cells of a column."""
        return _evaluate(self.node, _Scope(read, rows))

    def holds(self, read: Read, rows: int) -> NDArray[np.bool_]:
        """Return where a CHECK is kept: true or unknown."""
        answer = self.cells(read, rows)
        return np.asarray(answer.null | answer.values.astype(bool))

    def __call__(self, values: Array) -> NDArray[np.bool_]:
        """Return where a CHECK of one column is kept by values of it."""
        return self.holds(lambda _: present(values), len(values))

    def true(self, read: Read, rows: int) -> NDArray[np.bool_]:
        """Return where a condition is true (unknown counts as false)."""
        answer = self.cells(read, rows)
        return np.asarray(~answer.null & _truth(answer))


def expression(text: str, columns: Iterable[str]) -> Expression:
    """Parse `text`; NotCovered when it cannot be parsed or names what is not a column."""
    return _expression(text, tuple(columns))


@lru_cache(maxsize=20_000)
def _expression(text: str, columns: tuple[str, ...]) -> Expression:
    """Parse a text once: the CHECKs of a table are read at many places, and a parsed one is never changed."""
    known = {name.lower(): name for name in columns}
    node = _parsed(text).transform(_counted)
    for column in node.find_all(exp.Column):
        said = ".".join(part.name for part in column.parts)
        far = any(name.startswith(f"{said.lower().rpartition('.')[0]}.") for name in known)
        name = known.get(said.lower()) or (None if far else known.get(column.name.lower()))
        if name is None:
            raise NotCovered(f"{text!r} reads {said!r}, which is no column here")
        for key in ("table", "db", "catalog"):
            column.set(key, None)
        column.set("this", exp.to_identifier(name))
    return Expression(text, node, frozenset(column.name for column in node.find_all(exp.Column)))


def _counted(node: Any) -> Any:
    """Return COUNT(children), which a recipe may read, as a column of that name."""
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Column):
        said = ".".join(part.name for part in node.this.parts)
        return exp.Column(this=exp.to_identifier(f"count({said})", quoted=True))
    return node


def _parsed(text: str) -> exp.Expression:
    for dialect in DIALECTS:
        try:
            # alone, a column named "lock" would begin a statement
            (selected,) = parse_one(f"SELECT ({text}\n)", dialect=dialect).expressions
            return bare(selected.transform(_unnegated))
        except (SqlglotError, ValueError):
            continue
    raise NotCovered(f"{text!r} is not SQL that can be read here")


def _unnegated(node: Any) -> Any:
    """Return `a IS NOT b` as NOT (a IS b), the one form that is read here."""
    if node.args.get("negate"):
        node.set("negate", None)
        return exp.Not(this=node)
    return node


def bare(node: Any) -> exp.Expression:
    """Return a node without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Scope:
    read: Read
    rows: int

    def fill(self, value: Any) -> Cells:
        if value is None:
            return absent(self.rows)
        dtype = None if isinstance(value, bool | int | float | np.generic) else object
        return present(np.full(self.rows, value, dtype=dtype))


def _evaluate(node: Any, scope: _Scope) -> Cells:
    found = _by_word(node, scope) if isinstance(node, _TESTS) else None
    return _computed(node, scope) if found is None else found


_TESTS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Like, exp.ILike, exp.RegexpLike)


def _by_word(node: Any, scope: _Scope) -> Cells | None:
    """Return a test of one column, tried once on each word of the pool that its cells share; None without a pool."""
    names = {column.name for column in node.find_all(exp.Column)}
    if len(names) != 1:
        return None
    cells = scope.read(*names)
    words = cells.values.coded if isinstance(cells.values, Texts) else None
    if words is None or len(words.pool) >= scope.rows:
        return None
    count = len(words.pool)
    tried = Cells(np.append(words.pool.words, [None]), np.arange(count + 1) == count)
    return _computed(node, _Scope(lambda _: tried, count + 1)).take(np.where(cells.null, count, words.index))


def _computed(node: Any, scope: _Scope) -> Cells:
    for kind in type(node).__mro__:
        handler = _HANDLERS.get(kind)
        if handler is not None:
            return handler(node, scope)
    call = call_of(node)
    if call is not None:
        return call.over([_evaluate(argument, scope) for argument in call.arguments])
    raise NotCovered(f"{node.sql(dialect='postgres')!r} uses what cannot be computed here")


def strict(function: Callable[..., Array], dtype: Any, *arguments: Cells) -> Cells:
    """Apply a function where no argument is NULL; the rest is NULL."""
    null = np.logical_or.reduce([a.null for a in arguments])
    if not null.any():
        result = np.asarray(function(*(a.values for a in arguments)))
        return Cells(result if dtype is None else result.astype(dtype, copy=False), null)
    where = np.flatnonzero(~null)
    result = function(*(a.values[where] for a in arguments))
    kind = np.asarray(result).dtype if dtype is None else dtype
    values = np.zeros(len(null), dtype=kind)
    values[where] = result
    return Cells(values, null)


DAY = np.timedelta64(1, "D")


def in_days(values: Array) -> Array:
    """Return the lengths of time between dates as numbers of days, which SQL's date - date is; others as they are."""
    return values / DAY if values.dtype.kind == "m" else values


def _measured(left: Array, right: Array) -> tuple[Array, Array]:
    """Return the sides of a sum or comparison in one measure: a number beside a date, or its difference, is days."""
    kinds = left.dtype.kind + right.dtype.kind
    if not set(kinds) & set("iuf"):
        return left, right
    if "M" in kinds:
        return _as_length(left), _as_length(right)
    return in_days(left), in_days(right)


def _as_length(values: Array) -> Array:
    return values if values.dtype.kind in "Mm" else (values * 86_400_000_000).astype("timedelta64[us]")


def alike(left: Array, right: Array) -> tuple[Array, Array]:
    """Return two arrays in a form that can be compared: moments with moments, numbers with numbers."""
    if "m" in (left.dtype.kind, right.dtype.kind):
        left, right = _measured(left, right)
    for one, other in ((left, right), (right, left)):
        if one.dtype.kind in "Mm" and other.dtype.kind == "O":
            other = other.astype(one.dtype)
        elif one.dtype.kind in "iufb" and other.dtype.kind == "O":
            other = np.array([_number(value) for value in other.tolist()], dtype=float)
        else:
            continue
        return (one, other) if one is left else (other, one)
    return left, right


def _number(value: Any) -> float:
    if isinstance(value, str) and value.lower() in {"true", "t"}:
        return 1.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _same(left: Array, right: Array) -> Array:
    if left.dtype.kind == "f" or right.dtype.kind == "f":
        return np.asarray(np.isclose(left.astype(float), right.astype(float), rtol=0, atol=1e-9))
    return np.asarray(left == right)


_COMPARE: dict[type[Any], Callable[[Array, Array], Array]] = {
    exp.EQ: _same,
    exp.NEQ: lambda a, b: ~_same(a, b),
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
}


def _compare(node: Any, scope: _Scope) -> Cells:
    right = node.expression
    if isinstance(right, exp.Any) and isinstance(node, exp.EQ) and right.find(exp.Array) is None:
        own = exp.Array(expressions=[node.this])
        return _evaluate(exp.ArrayContainsAll(this=right.this, expression=own), scope)
    if isinstance(right, exp.Any) or is_all(right):
        return _evaluate(_spread(node), scope)
    compare = _COMPARE[type(node)]
    return strict(
        lambda a, b: compare(*alike(a, b)).astype(bool),
        bool,
        _evaluate(node.this, scope),
        _evaluate(node.expression, scope),
    )


def listed(node: Any) -> list[Any]:
    """Return the items of ANY (ARRAY[…]) or ALL (ARRAY[…])."""
    array = node.find(exp.Array)
    if array is None:
        raise NotCovered(f"{node.sql(dialect='postgres')!r} uses what cannot be computed here")
    return list(array.expressions)


def _spread(node: Any) -> Any:
    """Return a test against ANY or ALL of some items as one against each."""
    tests = (type(node)(this=node.this, expression=item) for item in listed(node.expression))
    return (exp.and_ if is_all(node.expression) else exp.or_)(*tests)


def is_all(node: Any) -> bool:
    """Whether a node is ALL (…), with all of whose items something is compared."""
    return isinstance(node, exp.All) or (isinstance(node, exp.Anonymous) and str(node.this).upper() == "ALL")


def _plus(left: Array, right: Array) -> Array:
    if left.dtype.kind == "O" or right.dtype.kind == "O":
        left, right = alike(left, right)
    left, right = _measured(left, right)
    return np.asarray(left + right)


def _minus(left: Array, right: Array) -> Array:
    left, right = _measured(left, right)
    return np.asarray(left - right)


def _times(left: Array, right: Array) -> Array:
    if left.dtype.kind == right.dtype.kind == "m":
        left, right = in_days(left), in_days(right)
    return np.asarray(left * right)


_ARITHMETIC: dict[type[Any], Callable[[Array, Array], Array]] = {
    exp.Add: _plus,
    exp.Sub: _minus,
    exp.Mul: _times,
    exp.Mod: lambda a, b: np.fmod(a, np.where(b == 0, 1, b)),
    exp.Div: lambda a, b: _divided(a, b),
}


def _divided(a: Array, b: Array) -> Array:
    b = np.where(b == 0, 1, b)
    return np.trunc(a / b).astype(np.int64) if a.dtype.kind == "i" and b.dtype.kind == "i" else a / b


def _arithmetic(node: Any, scope: _Scope) -> Cells:
    return strict(_ARITHMETIC[type(node)], None, _evaluate(node.this, scope), _evaluate(node.expression, scope))


def _joined(node: Any, scope: _Scope) -> Cells:
    return strict(
        lambda a, b: np.array([f"{x}{y}" for x, y in zip(a.tolist(), b.tolist(), strict=True)], dtype=object),
        object,
        _evaluate(node.this, scope),
        _evaluate(node.expression, scope),
    )


def _and(node: Any, scope: _Scope) -> Cells:
    left, right = _evaluate(node.this, scope), _evaluate(node.expression, scope)
    no = (~left.null & ~_truth(left)) | (~right.null & ~_truth(right))
    null = (left.null | right.null) & ~no
    return Cells(~no & ~null, null)


def _or(node: Any, scope: _Scope) -> Cells:
    left, right = _evaluate(node.this, scope), _evaluate(node.expression, scope)
    yes = (~left.null & _truth(left)) | (~right.null & _truth(right))
    return Cells(yes, (left.null | right.null) & ~yes)


def _truth(cells: Cells) -> Array:
    return np.where(cells.null, False, cells.values).astype(bool)


def _not(node: Any, scope: _Scope) -> Cells:
    inner = _evaluate(node.this, scope)
    return Cells(~_truth(inner), inner.null)


def _is(node: Any, scope: _Scope) -> Cells:
    inner, test = _evaluate(node.this, scope), bare(node.expression)
    if isinstance(test, exp.Null):
        return present(inner.null.copy())
    if isinstance(test, exp.Boolean):
        return present(~inner.null & (_truth(inner) == bool(test.this)))
    raise NotCovered(f"{node.sql(dialect='postgres')!r} uses what cannot be computed here")


def _null_safe(node: Any, scope: _Scope) -> Cells:
    left, right = _evaluate(node.this, scope), _evaluate(node.expression, scope)
    same = strict(lambda a, b: _same(*alike(a, b)).astype(bool), bool, left, right)
    equal = np.where(same.null, left.null & right.null, same.values)
    return present(equal if isinstance(node, exp.NullSafeEQ) else ~equal)


def _in(node: Any, scope: _Scope) -> Cells:
    if not node.expressions:
        raise NotCovered(f"{node.sql(dialect='postgres')!r} uses what cannot be computed here")
    tests = [exp.EQ(this=node.this.copy(), expression=item.copy()) for item in node.expressions]
    result = _compare(tests[0], scope)
    for test in tests[1:]:
        other = _compare(test, scope)
        yes = (_truth(result) & ~result.null) | (_truth(other) & ~other.null)
        result = Cells(yes, (result.null | other.null) & ~yes)
    return result


def _between(node: Any, scope: _Scope) -> Cells:
    low = exp.GTE(this=node.this, expression=node.args["low"])
    return _and(exp.And(this=low, expression=exp.LTE(this=node.this, expression=node.args["high"])), scope)


def _matches(node: Any, scope: _Scope) -> Cells:
    pattern = node.expression
    if isinstance(pattern, exp.Any) or is_all(pattern):
        return _evaluate(_spread(node), scope)
    while isinstance(pattern, exp.Paren | exp.Cast):
        pattern = pattern.this
    if not isinstance(pattern, exp.Literal):
        raise NotCovered(f"{node.sql(dialect='postgres')!r} uses what cannot be computed here")
    regex = isinstance(node, exp.RegexpLike | exp.RegexpILike)
    text = regular(pattern.this) if regex else like_pattern(pattern.this, glob=isinstance(node, exp.Glob))
    flags = re.DOTALL | (re.IGNORECASE if isinstance(node, exp.ILike | exp.RegexpILike) else 0)
    try:
        found = re.compile(text, flags).search
    except re.error:
        raise NotCovered(f"the pattern {text!r} cannot be read here") from None
    return strict(
        lambda a: np.array([found(str(v)) is not None for v in a.tolist()], dtype=bool),
        bool,
        _evaluate(node.this, scope),
    )


def _text(function: Callable[[str], Any], dtype: Any) -> Callable[[Any, _Scope], Cells]:
    def handler(node: Any, scope: _Scope) -> Cells:
        def over(values: Array) -> Array:
            out = np.empty(len(values), dtype=dtype)
            out[:] = [function(str(value)) for value in values.tolist()]
            return out

        return strict(over, dtype, _evaluate(node.this, scope))

    return handler


def _case(node: Any, scope: _Scope) -> Cells:
    otherwise = node.args.get("default")
    result = _evaluate(otherwise, scope) if otherwise is not None else scope.fill(None)
    for branch in reversed(node.args["ifs"]):
        test = exp.EQ(this=node.this, expression=branch.this) if node.this is not None else branch.this
        tested, then = _evaluate(test, scope), _evaluate(branch.args["true"], scope)
        result = chosen(~tested.null & _truth(tested), then, result)
    return result


def _coalesce(node: Any, scope: _Scope) -> Cells:
    items = [_evaluate(item, scope) for item in (node.this, *node.expressions)]
    result = items[-1]
    for item in reversed(items[:-1]):
        result = chosen(~item.null, item, result)
    return result


def _literal(node: Any, scope: _Scope) -> Cells:
    if node.is_string:
        return scope.fill(node.this)
    return scope.fill(float(node.this) if re.search(r"[.eE]", node.this) else int(node.this))


def _cast(node: Any, scope: _Scope) -> Cells:
    inner, kind = _evaluate(node.this, scope), getattr(node.to.this, "name", "")  # a server's own type has none
    if kind == "DATE" and inner.values.dtype.kind == "M":
        return Cells(inner.values.astype("datetime64[D]").astype("datetime64[us]"), inner.null)
    if kind in {"TIMESTAMP", "TIMESTAMPTZ", "DATETIME", "DATE"} and inner.values.dtype.kind == "O":
        return strict(lambda a: np.array([str(v)[:26] for v in a.tolist()], dtype="datetime64[us]"), None, inner)
    if inner.values.dtype.kind == "O" and node.to.this in exp.DataType.NUMERIC_TYPES:
        return strict(lambda a: np.array([_number(v) for v in a.tolist()], dtype=float), None, inner)
    if kind == "INTERVAL" and inner.values.dtype.kind == "O":
        return strict(lambda a: np.array([interval(str(v)) for v in a.tolist()], "timedelta64[us]"), None, inner)
    return inner


def _span(node: Any, scope: _Scope) -> Cells:
    unit = f" {node.args['unit'].name}" if node.args.get("unit") is not None else ""
    return scope.fill(interval(f"{node.this.name}{unit}"))


def _lengths(values: Any) -> Array:
    if isinstance(values, Texts):
        return values.lengths
    sized = (value if isinstance(value, str | bytes) else str(value) for value in values.tolist())
    return np.array([len(value) for value in sized], dtype=np.int64)


def _count_present(node: Any, scope: _Scope) -> Cells:
    items = [_evaluate(item, scope) for item in node.expressions]
    name = str(node.this).lower()
    if name == "num_nonnulls":
        return present(np.sum([~item.null for item in items], axis=0))
    if name == "num_nulls":
        return present(np.sum([item.null for item in items], axis=0))
    call = call_of(node)
    if call is not None:
        return call.over(items)
    raise NotCovered(f"the function {name}() cannot be computed here")


def _now(_: Any, scope: _Scope) -> Cells:
    return scope.fill(np.datetime64("now").astype("datetime64[us]"))


_HANDLERS: dict[type[Any], Callable[[Any, _Scope], Cells]] = {
    **dict.fromkeys(_COMPARE, _compare),
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    **dict.fromkeys((exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.Glob), _matches),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ), _null_safe),
    **dict.fromkeys((exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentDatetime), _now),
    exp.Paren: lambda node, scope: _evaluate(node.this, scope),
    exp.And: _and,
    exp.Or: _or,
    exp.Not: _not,
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.DPipe: _joined,
    exp.Length: lambda node, scope: strict(_lengths, np.int64, _evaluate(node.this, scope)),
    exp.Lower: _text(str.lower, object),
    exp.Upper: _text(str.upper, object),
    exp.Abs: lambda node, scope: strict(np.abs, None, _evaluate(node.this, scope)),
    exp.Neg: lambda node, scope: strict(np.negative, None, _evaluate(node.this, scope)),
    exp.Case: _case,
    exp.Coalesce: _coalesce,
    exp.Cast: _cast,
    exp.Interval: _span,
    exp.Anonymous: _count_present,
    exp.Column: lambda node, scope: scope.read(node.name),
    exp.Boolean: lambda node, scope: scope.fill(bool(node.this)),
    exp.Null: lambda _node, scope: scope.fill(None),
    exp.Literal: _literal,
}
