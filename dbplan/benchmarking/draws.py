"""Draws: the values a query is measured with, taken from the data by what the query compares them with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, Column, Connection, Select, Table, func, literal, select, tablesample
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.dml import Insert, ValuesBase
from sqlalchemy.sql.elements import BinaryExpression, BindParameter

from dbplan.benchmarking.timing import generator
from dbplan.errors import UsageError
from dbplan.plan import Query, compared_column

SETS = 200
"""Sets of values for each query; executions take one after the other."""
IN_LIST = 10
"""How many values an IN list gets."""
LARGE = 1_000_000
"""From here on rows are sampled by page: an exact draw would sort the table."""

Row = Mapping[str, Any]


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


def draw(connection: Connection, query: Query, random_state: int) -> Draws:
    """Return values for every parameter of `query`; NotDrawable says for which one there are none."""
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
    expanding = _expanding(query)
    sets: list[dict[str, Any]] = [{} for _ in range(SETS)]
    for name, choices in items.items():
        _spread(sets, [{name: choices[i]} for i in rng.integers(0, len(choices), SETS)])
    for table in dict.fromkeys(column.table for column in columns.values()):
        mine = {name: column for name, column in columns.items() if column.table is table}
        rows = sample(connection, table, mine, random_state)
        _spread(sets, [_listed(rows, number, expanding) for number in range(SETS)])
    return Draws(tuple(sets), calls)


def _spread(sets: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    for values, row in zip(sets, rows, strict=True):
        values.update(row)


def _listed(rows: list[Row], number: int, expanding: frozenset[str]) -> dict[str, Any]:
    """Return one set of values of a table's sampled rows; an IN list takes those of the rows that follow."""
    here = number % len(rows)
    following = [rows[(here + step) % len(rows)] for step in range(IN_LIST)]
    return {k: [row[k] for row in following] if k in expanding else v for k, v in rows[here].items()}


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


def sample(connection: Connection, table: Table, columns: Mapping[str, Column[Any]], random_state: int) -> list[Row]:
    """Return up to SETS rows of `table` where none of the columns is NULL; the same data and state give the same."""
    filled = [column.is_not(None) for column in columns.values()]
    count = connection.scalar(select(func.count()).select_from(table).where(*filled)) or 0
    if not count:
        names = ", ".join(sorted({column.name for column in columns.values()}))
        raise NotDrawable(f"{table.fullname} has no row with a value in {names}", "seed the table with more rows")
    rng = generator(random_state, "rows", table.fullname)
    if count >= LARGE and connection.dialect.name == "postgresql":
        by_page = _by_page(connection, table, columns, count, random_state)
        if len(by_page) >= SETS:
            return [by_page[i] for i in rng.permutation(len(by_page))[:SETS]]
    places = sorted(int(place) + 1 for place in rng.choice(count, size=min(SETS, count), replace=False))
    numbered = _numbered(table, columns)
    rows = connection.execute(select(numbered).where(numbered.c.dbplan_place.in_(places)).order_by("dbplan_place"))
    found = [_row(row, columns) for row in rows]
    return [found[i] for i in rng.permutation(len(found))]


def _row(row: Any, columns: Mapping[str, Column[Any]]) -> Row:
    return dict(zip(columns, row, strict=False))


def _numbered(table: Table, columns: Mapping[str, Column[Any]]) -> Any:
    key = list(table.primary_key.columns) or [
        c for c in dict.fromkeys(columns.values()) if not isinstance(c.type, JSON)
    ]
    place = func.row_number().over(order_by=key or None).label("dbplan_place")
    drawn = [column.label(f"dbplan_{n}") for n, column in enumerate(columns.values())]
    return select(*drawn, place).where(*(column.is_not(None) for column in columns.values())).subquery()


def _by_page(
    connection: Connection, table: Table, columns: Mapping[str, Column[Any]], count: int, random_state: int
) -> list[Row]:
    """Return the rows of some pages picked at random, about twenty times as many as wanted."""
    part = tablesample(table, func.system(100.0 * 20 * SETS / count), seed=literal(random_state), name="dbplan_sample")
    drawn = [part.c[column.key] for column in columns.values()]
    order = [part.c[column.key] for column in table.primary_key.columns] or drawn
    statement: Select[Any] = select(*drawn).where(*(c.is_not(None) for c in drawn)).order_by(*order)
    return [_row(row, columns) for row in connection.execute(statement)]
