"""CHECK constraints read as facts: limits of one column, orders between two, equations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any

import numpy as np
from sqlalchemy import CheckConstraint, Column, ColumnElement, MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlglot import exp

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.predicate import Expression, bare, expression, is_all, listed
from dbplan.seeding.constraints.regular import like_pattern, regular

_FLIPPED = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE, exp.EQ: exp.EQ, exp.NEQ: exp.NEQ}
_CONDITIONS = (*_FLIPPED, exp.In, exp.Between, exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.Glob)


@dataclass
class Limits:
    """What the CHECKs say of one column by itself; `low` and `high` are reached unless the flag says otherwise."""

    low: Any = None
    high: Any = None
    low_open: bool = False
    high_open: bool = False
    values: list[Any] | None = None
    excluded: list[Any] = field(default_factory=list)
    shortest: int = 0
    longest: int | None = None
    pattern: str = ""
    lower: bool = False
    upper: bool = False
    folded: bool = False
    """Whether values must differ in more than their case."""
    multiple: int = 1
    required: bool = False
    hints: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    """What the items of a list may be; empty where anything goes."""
    members: dict[str, type | str] = field(default_factory=dict)
    """What is read out of a column of documents, by its type or a pattern."""


@dataclass(frozen=True)
class Check:
    """One CHECK of a table: its name, its text, and the parsed form where there is one (else why not)."""

    name: str
    text: str
    parsed: Expression | None
    fault: str = ""


@dataclass
class Facts:
    """All CHECKs of a table, and what follows from their conjunctions."""

    checks: list[Check] = field(default_factory=list)
    limits: dict[str, Limits] = field(default_factory=dict)
    orders: list[tuple[str, str, bool]] = field(default_factory=list)
    """(a, b, strict): a <= b, or a < b."""
    unequal: list[tuple[str, str]] = field(default_factory=list)
    compared: set[tuple[str, str]] = field(default_factory=set)
    """Columns that stand in one comparison, anywhere in a CHECK, in both directions."""
    equations: dict[str, Expression] = field(default_factory=dict)

    def copied(self) -> Facts:
        """Return the facts for someone to add to."""
        limits = {
            name: replace(each, excluded=[*each.excluded], hints=[*each.hints]) for name, each in self.limits.items()
        }
        checks, orders, unequal = [replace(check) for check in self.checks], [*self.orders], [*self.unequal]
        return Facts(checks, limits, orders, unequal, {*self.compared}, {**self.equations})

    def limit(self, column: str) -> Limits:
        """Return the limits of a column, empty ones where no CHECK speaks of it."""
        return self.limits.setdefault(column, Limits())


Held = Callable[[str, Expression], bool]
"""Says whether a column's type makes a condition on it true of whatever it is given."""


def facts(table: Table, held: Held = lambda _column, _condition: False) -> Facts:
    """Return what the CHECK constraints of `table` say, without the conditions that a column's type holds."""
    found = Facts()
    for constraint in check_constraints(table):
        check = _without(_check(table, constraint), held)
        if check is None:
            continue
        found.checks.append(check)
        if check.parsed is not None:
            for conjunct in conjuncts(check.parsed.node):
                _note(found, conjunct)
    for column in table.columns:
        if getattr(column.type, "not_null", False):  # a domain's NOT NULL
            found.limit(column.name).required = True
        for text in _domain_checks(column.type):
            _domain(found, table, column.name, text)
    for _ in found.orders:
        for low, high, strict in found.orders:
            _pass_on(found.limit(low), found.limit(high), strict)
    return found


def _pass_on(low: Limits, high: Limits, strict: bool) -> None:
    """Let the smaller column know the larger one's end, and the larger one the smaller one's start."""
    if high.high is not None and (low.high is None or _less(high.high, low.high)):
        low.high, low.high_open = high.high, high.high_open or strict
    if low.low is not None and (high.low is None or _less(high.low, low.low)):
        high.low, high.low_open = low.low, low.low_open or strict


def check_constraints(table: Table) -> list[CheckConstraint]:
    """Return the CHECKs of a table and of its columns, by name."""
    on_columns = (constraint for column in table.columns for constraint in column.constraints)
    every = {c: None for c in (*table.constraints, *on_columns) if isinstance(c, CheckConstraint)}
    return sorted(every, key=lambda c: (str(c.name or ""), sql_text(c.sqltext)))


def _check(table: Table, constraint: CheckConstraint) -> Check:
    text = sql_text(constraint.sqltext)
    name = str(constraint.name) if constraint.name is not None else text
    try:
        return Check(name, text, expression(text, table.columns.keys()))
    except NotCovered as error:
        return Check(name, text, None, str(error))


def _without(check: Check, held: Held) -> Check | None:
    """Return a CHECK without the conditions that are held; None where it says nothing else."""
    if check.parsed is None:
        return check
    known: dict[Any, bool] = {}

    def told(node: Any) -> Any:
        names = {column.name for column in node.find_all(exp.Column)} if isinstance(node, _CONDITIONS) else set()
        if len(names) != 1:
            return node
        (name,) = names
        condition = Expression(node.sql(dialect="postgres"), node, frozenset(names))
        if node not in known:
            known[node] = held(name, condition)
        # true, and unknown where the column is NULL, as the condition itself
        return exp.EQ(this=exp.column(name), expression=exp.column(name)) if known[node] else node

    node = check.parsed.node.copy().transform(told)
    if not any(known.values()):
        return check
    rest = [conjunct for conjunct in conjuncts(node) if not _is_itself(conjunct)]
    if not rest:
        return None
    whole: Any = exp.and_(*rest)
    names = frozenset(column.name for column in whole.find_all(exp.Column))
    return replace(check, parsed=Expression(check.text, whole, names))


def _is_itself(node: Any) -> bool:
    return isinstance(node, exp.EQ) and isinstance(node.this, exp.Column) and node.this == node.expression


def sql_text(clause: ColumnElement[Any]) -> str:
    """Return the SQL of a clause with its literals in place and its columns unqualified."""
    raw = getattr(clause, "text", None)
    if isinstance(raw, str):
        return raw
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(clause.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _domain_checks(kind: Any) -> Iterator[str]:
    check = getattr(kind, "check", None)
    if check is not None and hasattr(kind, "data_type"):
        yield sql_text(check) if not isinstance(check, str) else check
    if hasattr(kind, "data_type"):
        yield from _domain_checks(kind.data_type)


def domain_limits(kind: Any) -> Limits:
    """Return what a PostgreSQL domain's CHECKs say of its values; nothing of another type."""
    found, alone = Facts(), Table("domain", MetaData(), Column("value", kind))
    for text in _domain_checks(kind):
        _domain(found, alone, "value", text)
    return found.limit("value")


def _domain(found: Facts, table: Table, column: str, text: str) -> None:
    """Read a PostgreSQL domain's CHECK, in which VALUE stands for the column."""
    try:
        parsed = expression(text, [*table.columns.keys(), "VALUE"])
    except NotCovered as error:
        found.checks.append(Check(f"domain of {column}", text, None, str(error)))
        return
    own = parsed.node.copy()  # a parsed text is shared by all who read it
    for node in own.find_all(exp.Column):
        if node.name == "VALUE":
            node.set("this", exp.to_identifier(column))
    parsed = Expression(text, own, frozenset({column}))
    found.checks.append(Check(f"domain of {column}", text, parsed))
    for conjunct in conjuncts(parsed.node):
        _note(found, conjunct)


def conjuncts(node: Any) -> Iterator[Any]:
    """Yield the conditions of a CHECK that must all hold."""
    node = bare(node)
    if isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    else:
        yield node


def _note(found: Facts, node: Any) -> None:
    """Add what one conjunct says; what no rule here reads stays a CHECK that is tested and repaired."""
    for column, literal in compared(node):
        found.limit(column).hints.append(literal)
    for test in node.find_all(*_FLIPPED):
        names = {c.name for c in test.find_all(exp.Column)}
        found.compared.update((a, b) for a in names for b in names if a != b)
    _read(node, found)


def compared(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield every column with every literal it is compared with, however deep inside."""
    for test in node.find_all(*_FLIPPED, exp.In, exp.Between):
        columns = [c.name for c in test.find_all(exp.Column)]
        yield from ((name, value_of(literal)) for literal in test.find_all(exp.Literal) for name in columns)


@singledispatch
def _read(node: Any, found: Facts) -> None:
    """Read one conjunct into facts."""


@_read.register(exp.EQ)
@_read.register(exp.NEQ)
@_read.register(exp.GT)
@_read.register(exp.GTE)
@_read.register(exp.LT)
@_read.register(exp.LTE)
def _comparison(node: Any, found: Facts) -> None:
    if _is_itself(node):
        return
    left, right, kind = plain(node.this), plain(node.expression), type(node)
    if isinstance(right, exp.Any) and right.find(exp.Array) is None:
        _item(found, left, kind, plain(right.this))
        return
    if isinstance(right, exp.Any):
        _in(exp.In(this=left, expressions=listed(right)), found)
    elif is_all(right) and kind is exp.NEQ and right.find(exp.Array) is not None:
        _not(exp.Not(this=exp.In(this=left, expressions=listed(right))), found)
    elif isinstance(left, exp.Column) and isinstance(right, exp.Column):
        _between_columns(found, left.name, kind, right.name)
    elif _constant(right):
        _bound(found, left, kind, value_of(node.expression))
    elif _constant(left):
        _bound(found, right, _FLIPPED[kind], value_of(node.this))
    elif kind is exp.EQ:
        _equation(found, left, right)


def _item(found: Facts, item: Any, kind: Any, column: Any) -> None:
    """Read `'a' = ANY (list)` as what the list has items like."""
    if kind is exp.EQ and isinstance(column, exp.Column) and isinstance(item, exp.Literal):
        found.limit(column.name).items.append(value_of(item))


def _between_columns(found: Facts, left: str, kind: Any, right: str) -> None:
    if kind is exp.EQ:
        found.equations.setdefault(left, Expression(right, exp.column(right), frozenset({right})))
    elif kind is exp.NEQ:
        found.unequal.append((left, right))
    elif kind in (exp.LT, exp.LTE):
        found.orders.append((left, right, kind is exp.LT))
    else:
        found.orders.append((right, left, kind is exp.GT))


def _equation(found: Facts, left: Any, right: Any) -> None:
    """Read `a = b + c` as a rule for a; `a + b = c` as one for c; `a = lower(a)` as small letters."""
    for target, other in ((left, right), (right, left)):
        if isinstance(target, exp.Column):
            columns = frozenset(c.name for c in other.find_all(exp.Column))
            if columns and target.name not in columns:
                found.equations.setdefault(target.name, Expression(other.sql(dialect="postgres"), other, columns))
                return
            if isinstance(other, exp.Lower | exp.Upper) and plain(other.this) == target:
                found.limit(target.name).lower |= isinstance(other, exp.Lower)
                found.limit(target.name).upper |= isinstance(other, exp.Upper)


def _bound(found: Facts, subject: Any, kind: Any, value: Any) -> None:
    measured = _measured(subject)
    if measured is not None:
        _length(found, plain(measured), kind, value)
    elif isinstance(subject, exp.Mod) and isinstance(plain(subject.this), exp.Column) and kind is exp.EQ and value == 0:
        step = plain(subject.expression)
        if isinstance(step, exp.Literal) and not step.is_string:
            found.limit(plain(subject.this).name).multiple = int(float(step.this))
    elif isinstance(subject, exp.Column):
        _limit(found.limit(subject.name), kind, value)


def _measured(node: Any) -> Any:
    """Return what a function takes the length of; None for any other node."""
    if isinstance(node, exp.Coalesce):
        return _measured(plain(node.this))
    if isinstance(node, exp.Anonymous) and str(node.this).lower() in {"octet_length", "cardinality"}:
        return next(iter(node.expressions), None)
    return node.this if isinstance(node, exp.Length | exp.ByteLength | exp.ArraySize) else None


def _limit(limits: Limits, kind: Any, value: Any) -> None:
    if kind in (exp.GT, exp.GTE) and (limits.low is None or _less(limits.low, value)):
        limits.low, limits.low_open = value, kind is exp.GT
    elif kind in (exp.LT, exp.LTE) and (limits.high is None or _less(value, limits.high)):
        limits.high, limits.high_open = value, kind is exp.LT
    elif kind is exp.EQ:
        limits.values = [value]
    elif kind is exp.NEQ:
        limits.excluded.append(value)
        limits.shortest = max(limits.shortest, 1 if value == "" else 0)


def _less(left: Any, right: Any) -> bool:
    try:
        return bool(left < right)
    except TypeError:
        return False


def _length(found: Facts, column: Any, kind: Any, value: Any) -> None:
    if not isinstance(column, exp.Column) or not isinstance(value, int):
        return
    limits = found.limit(column.name)
    if kind in (exp.GT, exp.GTE, exp.EQ):
        limits.shortest = max(limits.shortest, value + (kind is exp.GT))
    if kind in (exp.LT, exp.LTE, exp.EQ):
        most = value - (kind is exp.LT)
        limits.longest = most if limits.longest is None else min(limits.longest, most)
    if kind is exp.NEQ and value == 0:
        limits.shortest = max(limits.shortest, 1)


@_read.register(exp.In)
def _in(node: Any, found: Facts) -> None:
    column = plain(node.this)
    items = node.expressions
    if isinstance(column, exp.Column) and items and all(_constant(plain(item)) for item in items):
        limits, values = found.limit(column.name), [value_of(item) for item in items]
        limits.values = values if limits.values is None else [v for v in limits.values if v in values]


@_read.register(exp.Between)
def _between(node: Any, found: Facts) -> None:
    _comparison(exp.GTE(this=node.this, expression=node.args["low"]), found)
    _comparison(exp.LTE(this=node.this, expression=node.args["high"]), found)


@_read.register(exp.Not)
def _not(node: Any, found: Facts) -> None:
    inner = bare(node.this)
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null) and isinstance(inner.this, exp.Column):
        found.limit(inner.this.name).required = True
    if isinstance(inner, exp.In) and all(_constant(plain(item)) for item in inner.expressions):
        column = plain(inner.this)
        if isinstance(column, exp.Column):
            found.limit(column.name).excluded.extend(value_of(item) for item in inner.expressions)


@_read.register(exp.Or)
def _or(node: Any, found: Facts) -> None:
    """Read `a IS NULL OR …` as what it says of an a that is there, `a = 1 OR a = 2` as a IN (1, 2)."""
    names = {column.name for column in node.find_all(exp.Column)}
    parts = [part for part in _disjuncts(node) if not _asks_null(part)]
    if len(names) != 1 or not parts:
        return
    limits = found.limit(*names)
    if len(parts) == 1:
        required = limits.required
        for conjunct in conjuncts(parts[0]):
            _read(conjunct, found)
        limits.required = required
        return
    each = [_alone(part, *names) for part in parts]
    values = list(dict.fromkeys(value for part in each for value in part.values or ()))
    if all(part.values is not None for part in each):
        limits.values = values if limits.values is None else [v for v in limits.values if v in values]
    limits.items = limits.items or next((part.items for part in each if part.items), [])
    if all(part.pattern for part in each):
        limits.pattern = "|".join(part.pattern for part in each)


def _disjuncts(node: Any) -> Iterator[Any]:
    """Yield the conditions of which one must hold."""
    node = bare(node)
    if isinstance(node, exp.Or):
        yield from _disjuncts(node.this)
        yield from _disjuncts(node.expression)
    else:
        yield node


def _asks_null(node: Any) -> bool:
    return isinstance(node, exp.Is) and isinstance(node.expression, exp.Null) and isinstance(node.this, exp.Column)


def _alone(condition: Any, column: str) -> Limits:
    """Return what a condition says of a column by itself."""
    alone = Facts()
    for conjunct in conjuncts(condition):
        _read(conjunct, alone)
    return alone.limit(column)


@_read.register(exp.ArrayContainedBy)
@_read.register(exp.ArrayContainsAll)
def _items(node: Any, found: Facts) -> None:
    """Read `list <@ ARRAY[…]`, and `ARRAY[…] @> list`, as what the items of the list may be."""
    sides = plain(node.this), plain(node.expression)
    column, listed_ = sides if isinstance(node, exp.ArrayContainedBy) else sides[::-1]
    if isinstance(column, exp.Column) and isinstance(listed_, exp.Array):
        found.limit(column.name).items = [value_of(item) for item in listed_.expressions if _constant(plain(item))]


@_read.register(exp.StartsWith)
def _start(node: Any, found: Facts) -> None:
    column, start = plain(node.this), plain(node.expression)
    if isinstance(column, exp.Column) and isinstance(start, exp.Literal):
        found.limit(column.name).pattern = like_pattern(f"{start.this}%")


@_read.register(exp.RegexpLike)
@_read.register(exp.RegexpILike)
@_read.register(exp.Like)
@_read.register(exp.ILike)
def _pattern(node: Any, found: Facts) -> None:
    column, pattern = plain(node.this), plain(node.expression)
    items = listed(pattern) if isinstance(pattern, exp.Any) and pattern.find(exp.Array) is not None else [pattern]
    texts = [plain(item) for item in items]
    if isinstance(column, exp.Column) and all(isinstance(text, exp.Literal) for text in texts):
        spell = regular if isinstance(node, exp.RegexpLike | exp.RegexpILike) else like_pattern
        found.limit(column.name).pattern = "|".join(spell(text.this) for text in texts)


def plain(node: Any) -> Any:
    """Return a node without casts, parentheses and LOWER/UPPER/TRIM of a bare column kept."""
    while isinstance(node, exp.Paren | exp.Cast) or (
        isinstance(node, exp.Trim) and isinstance(bare(node.this), exp.Column | exp.Cast)
    ):
        node = node.this
    return node


def _constant(node: Any) -> bool:
    return isinstance(node, exp.Literal | exp.Boolean) or (isinstance(node, exp.Neg) and _constant(plain(node.this)))


def value_of(node: Any) -> Any:
    """Return the Python value of a literal; '-1'::integer is the number."""
    node = bare(node)
    if isinstance(node, exp.Cast) and node.to.this in exp.DataType.NUMERIC_TYPES:
        number = plain(node)
        node = exp.Literal.number(number.this) if isinstance(number, exp.Literal) else node
    node = plain(node)
    if isinstance(node, exp.Neg):
        return -value_of(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if node.is_string:
        return node.this
    return int(node.this) if re.fullmatch(r"-?\d+", node.this) else float(node.this)


def moment(value: Any) -> np.datetime64 | None:
    """Return a literal as a point in time, None where it is none."""
    try:
        return np.datetime64(str(value).strip().replace(" ", "T")[:26], "us")
    except ValueError:
        return None
