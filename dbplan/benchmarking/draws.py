"""Draws: the values a query is measured with, taken from the data by what the query compares them with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Table
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.dml import Insert, ValuesBase
from sqlalchemy.sql.elements import BinaryExpression, BindParameter

from dbplan.benchmarking.sampling import fullname, sample
from dbplan.benchmarking.timing import generator
from dbplan.errors import UsageError
from dbplan.plan import Query, compared_column

SETS = 200
"""Sets of values for each query; executions take one after the other."""
IN_LIST = 10
"""How many values an IN list gets."""

Row = Mapping[str, Any]
Known = dict[tuple[Column[Any], ...], list[tuple[Any, ...]]]
"""Rows sampled so far, by their columns."""


class NotDrawable(Exception):
    """A parameter that no value can be drawn for; carries the reason and what to write."""

    def __init__(self, reason: str, mend: str = "") -> None:
        super().__init__(reason)
        self.reason, self.mend = reason, mend


@dataclass(frozen=True)
class Draws:
    """Sets of values, taken in turn, and functions that are called for each execution."""

    sets: tuple[Row, ...] = ({},)
    calls: Mapping[str, Callable[[], Any]] = field(default_factory=dict)

    def take(self, number: int) -> dict[str, Any]:
        """Return the values of execution `number`."""
        return {**self.sets[number % len(self.sets)], **{name: _called(name, f) for name, f in self.calls.items()}}


def _called(name: str, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as error:
        raise UsageError(f"the function that draws {name} raised {type(error).__name__}: {error}") from error


def draw(connection: Connection, query: Query, random_state: int, known: Known | None = None) -> Draws:
    """Return values for every parameter of `query`; NotDrawable says for which one there are none.

    `known` keeps the rows sampled so far, for queries that want the same columns.
    """
    rng = generator(random_state, "draws", query.name)
    columns: dict[str, Column[Any]] = {}
    items: dict[str, list[Any]] = {}
    calls: dict[str, Callable[[], Any]] = {}
    for name in _wanted(query):
        source = _source(query, name)
        if isinstance(source, Column):
            columns[name] = source
        elif callable(source):
            calls[name] = source
        else:
            items[name] = source
    sets: list[dict[str, Any]] = [{} for _ in range(SETS)]
    for name, choices in items.items():
        _spread(sets, [{name: choices[i]} for i in rng.integers(0, len(choices), SETS)])
    for table in dict.fromkeys(column.table for column in columns.values()):
        mine = {name: column for name, column in columns.items() if column.table is table}
        _spread(sets, _of_table(connection, mine, _expanding(query), random_state, {} if known is None else known))
    return Draws(tuple(sets), calls)


def _spread(sets: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    for values, row in zip(sets, rows, strict=True):
        values.update(row)


def _of_table(
    connection: Connection,
    columns: Mapping[str, Column[Any]],
    expanding: frozenset[str],
    random_state: int,
    known: Known,
) -> list[dict[str, Any]]:
    """Return sets of values that each come from one row; an IN list takes those of the rows that follow it."""
    wanted = tuple(sorted(set(columns.values()), key=lambda column: column.name))
    if wanted not in known:
        known[wanted] = sample(connection, wanted, random_state, SETS)
    rows = known[wanted]
    if not rows:
        raise NotDrawable(
            f"{fullname(wanted)} has no row with a value in {', '.join(column.name for column in wanted)}",
            "seed the table with more rows",
        )

    def value(name: str, number: int) -> Any:
        place = wanted.index(columns[name])
        if name in expanding:
            return [rows[(number + step) % len(rows)][place] for step in range(IN_LIST)]
        return rows[number % len(rows)][place]

    return [{name: value(name, number) for name in columns} for number in range(SETS)]


def _wanted(query: Query) -> tuple[str, ...]:
    """Return the parameters to draw: those without a value, and those that `draws` names all the same."""
    unknown = set(query.draws) - {bind.key for bind in _binds(query)}
    if unknown:
        raise NotDrawable(f"`draws` names {', '.join(sorted(unknown))}, which the statement does not have")
    return tuple(dict.fromkeys((*query.parameters, *query.draws)))


def _binds(query: Query) -> Iterator[BindParameter[Any]]:
    elements = visitors.iterate(query.statement)  # type: ignore[arg-type]
    return (element for element in elements if isinstance(element, BindParameter))


def _expanding(query: Query) -> frozenset[str]:
    return frozenset(bind.key for bind in _binds(query) if bind.expanding)


def _source(query: Query, name: str) -> Any:
    """Return the Column, the list or the function that gives the values of a parameter."""
    if name not in query.draws:
        return _implied(query, name)
    source = query.draws[name]
    source = source.__clause_element__() if hasattr(source, "__clause_element__") else source
    if isinstance(source, Column):
        return _base(source)
    if callable(source):
        return source
    values = list(source) if isinstance(source, list | tuple | range | set | frozenset) else [source]
    if not values:
        raise NotDrawable(f"`draws` gives an empty list for {name}", f"plan.ask({query.name!r}, …, {name}=[a value])")
    return values


def _implied(query: Query, name: str) -> Column[Any]:
    mend = f"plan.ask({query.name!r}, …, {name}=a column, a list of values or a function)"
    column = compared_column(query, name)
    if column is None:
        column = _between(query, name)
    if column is None:
        column = _assigned(query, name)
        if column is not None and isinstance(query.statement, Insert) and _unique(_base(column)):
            raise NotDrawable(f"{name} is written to {column}, where a value of the data would be there twice", mend)
    if column is None:
        raise NotDrawable(f"{name} is not compared with any one column, so no value can be drawn", mend)
    return _base(column)


def _between(query: Query, name: str) -> Column[Any] | None:
    for element in visitors.iterate(query.statement):  # type: ignore[arg-type]
        if isinstance(element, BinaryExpression) and element.operator is operators.between_op:
            bounds = visitors.iterate(element.right)
            if isinstance(element.left, Column) and any(getattr(b, "key", None) == name for b in bounds):
                return element.left
    return None


def _assigned(query: Query, name: str) -> Column[Any] | None:
    statement = query.statement
    values = getattr(statement, "_values", None) if isinstance(statement, ValuesBase) else None
    for target, value in (values or {}).items():
        if isinstance(value, BindParameter) and value.key == name:
            return statement.table.c[getattr(target, "key", target)]  # type: ignore[attr-defined, no-any-return]
    return None


def _base(column: Column[Any]) -> Column[Any]:
    """Return the table's own column behind one of an alias or a subquery."""
    roots = [root for root in column.base_columns if isinstance(root, Column) and isinstance(root.table, Table)]
    if len(roots) != 1:
        raise NotDrawable(f"{column} is not a column of a table", "")
    return roots[0].table.c[roots[0].key]


def _unique(column: Column[Any]) -> bool:
    """Return whether one value alone may stand only once in this column."""
    table = column.table
    assert isinstance(table, Table)
    keys = [table.primary_key, *(c for c in table.constraints if c.__visit_name__ == "unique_constraint")]
    indexes = [index for index in table.indexes if index.unique]
    return any([*key.columns] == [column] for key in (*keys, *indexes)) or bool(column.unique)  # type: ignore[attr-defined]
