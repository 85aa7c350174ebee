"""Plan and Query: the frozen intent that every study is handed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dbplan.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Column, Constraint, Index, MetaData, Table
    from sqlalchemy.sql.base import Executable

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Query:
    """A named statement with bind parameters, how often it is called, and where its values come from.

    `draws` maps a bind parameter to a Column (a value of the data; parameters drawn from one table
    come from one row), a list (one of its items) or a function without arguments (called each time).
    A parameter that `draws` does not name is drawn from the column that it is compared with.
    """

    name: str
    statement: Executable
    per_second: float = 0.0
    draws: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def __post_init__(self) -> None:
        """Refuse what no server could run."""
        if self.per_second < 0:
            raise UsageError(f'query "{self.name}": per_second is {self.per_second}; it counts calls, so 0 or more')
        object.__setattr__(self, "draws", MappingProxyType(dict(self.draws)))

    @property
    def writes(self) -> bool:
        """Whether the statement changes data."""
        return not getattr(self.statement, "is_select", False)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the bind parameters that still want a value, in order of appearance."""
        from sqlalchemy.sql import visitors
        from sqlalchemy.sql.elements import BindParameter

        binds = (e for e in visitors.iterate(self.statement) if isinstance(e, BindParameter))  # type: ignore[arg-type]
        return tuple(dict.fromkeys(bind.key for bind in binds if bind.required))


@dataclass(frozen=True, eq=False)
class Plan:
    """A schema and what is meant to happen on it. It knows no study.

    `rows` is the planned row count of each table; `retention` the age at which rows of a
    `table.column` may go; `migrations` the folder of its revisions; `recipe` its seed recipe;
    `priorities` what matters to the team by criterion, where it chooses between tools: a weight, 0 or more.
    """

    name: str
    metadata: MetaData
    queries: tuple[Query, ...] = ()
    rows: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    retention: Mapping[str, timedelta] = field(default_factory=lambda: _NOTHING)
    priorities: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    migrations: Path | None = None
    recipe: Path | None = None
    summary: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Copy what could still be changed from outside, and refuse names that lead nowhere."""
        original = self.metadata
        object.__setattr__(self, "metadata", copy_metadata(original))
        if "sqlalchemy.orm" in sys.modules:  # without it nothing is mapped, and its import takes its time
            from dbplan import mapped

            mapped.name(original, self.metadata)
        object.__setattr__(self, "rows", MappingProxyType(dict(self.rows)))
        object.__setattr__(self, "retention", MappingProxyType(dict(self.retention)))
        object.__setattr__(self, "priorities", MappingProxyType(dict(self.priorities)))
        object.__setattr__(self, "queries", tuple(self.queries))
        for key, count in self.rows.items():
            self.table(key)
            if count < 0:
                raise UsageError(f'plan "{self.name}": {count} rows planned for "{key}"; a row count is 0 or more')
        for key, weight in self.priorities.items():
            if not isinstance(weight, int | float) or not weight >= 0:
                raise UsageError(
                    f'plan "{self.name}": a weight of {weight!r} for "{key}"; a priority is a number, 0 or more'
                )
        for key in self.retention:
            table, _, column = key.rpartition(".")
            if column not in self.table(table).columns:
                raise UnknownName("column", column, self.table(table).columns.keys(), where=f'table "{table}"')
        names = [query.name for query in self.queries]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(f'plan "{self.name}" has two queries named "{twice}"; a query is found by its name')

    def __repr__(self) -> str:
        """Return one short line that is the same in every run."""
        return f"Plan({self.name!r}, {len(self.tables)} tables, {len(self.queries)} queries)"

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, by name."""
        return tuple(self.metadata.tables[key] for key in sorted(self.metadata.tables))

    @property
    def entities(self) -> tuple[Table, ...]:
        """The tables and views, by name, without partitions: each is part of the table that it is a partition of."""
        return tuple(table for table in self.tables if "partition_of" not in table.info)

    def table(self, name: str) -> Table:
        """Return the table of that name, schema-qualified where it has a schema."""
        try:
            return self.metadata.tables[name]
        except KeyError:
            raise UnknownName("table", name, self.metadata.tables, where=f'plan "{self.name}"') from None

    def query(self, name: str) -> Query:
        """Return the query of that name."""
        for query in self.queries:
            if query.name == name:
                return query
        known = (query.name for query in self.queries)
        raise UnknownName("query", name, known, where=f'plan "{self.name}"', kinds="queries")

    def ask(self, name: str, statement: Executable, *, per_second: float = 0.0, **draws: Any) -> Plan:
        """Return a new Plan that also asks this question, `per_second` times a second."""
        return replace(self, queries=(*self.queries, Query(name, statement, per_second, draws)))

    def only(self, names: Sequence[str]) -> Plan:
        """Return a new Plan with the queries of these names alone."""
        return replace(self, queries=tuple(self.query(name) for name in names))


def copy_metadata(metadata: MetaData) -> MetaData:
    """Return a copy of `metadata` that later changes to the original cannot reach."""
    from sqlalchemy import MetaData, Sequence

    copy = MetaData(schema=metadata.schema, naming_convention=metadata.naming_convention, info=dict(metadata.info))
    for table in metadata.tables.values():
        twin = table.to_metadata(copy)
        twin._prefixes = list(table._prefixes)  # which SQLAlchemy does not copy
        _lift_conditions(twin)
        _keep_order(table, twin)
        _keep_conditions(table, twin)
        for column in table.columns:
            _keep_schema(column.type, twin.columns[column.key].type)
    _keep_types(metadata, copy)
    for key, sequence in metadata._sequences.items():  # SQLAlchemy has no public list of them
        if key in copy._sequences:  # it came with the column that draws from it
            continue
        numbers = sequence._as_dict() | {"data_type": sequence.data_type}
        Sequence(sequence.name, schema=sequence.schema, metadata=copy, **numbers)
    return copy


def _keep_types(metadata: MetaData, copy: MetaData) -> None:
    """Copy the named types that no column has."""
    from sqlalchemy import Enum

    known = {(kind.schema, str(kind.name)) for kind in copy._objects if isinstance(kind, Enum)}
    named = (kind for kind in metadata._objects if isinstance(kind, Enum) and kind.name)
    for kind in sorted(named, key=lambda kind: (str(kind.schema), str(kind.name))):
        if (kind.schema, str(kind.name)) not in known:
            known.add((kind.schema, str(kind.name)))
            unused: Any = kind
            unused.copy(_to_metadata=copy)


def _keep_schema(kind: Any, copied: Any) -> None:
    """Leave a named type in its own schema; SQLAlchemy moves a copied one to the schema of its table."""
    while kind is not None and copied is not None:
        if hasattr(kind, "schema"):
            copied.schema = kind.schema
        kind, copied = (getattr(k, "item_type", None) or getattr(k, "impl_instance", None) for k in (kind, copied))


def _lift_conditions(copy: Table) -> None:
    """Make the conditions that stand with a column conditions of its table, where everybody looks for them."""
    from sqlalchemy import CheckConstraint

    for column in copy.columns:
        for condition in [found for found in column.constraints if isinstance(found, CheckConstraint)]:
            column.constraints.discard(condition)
            copy.append_constraint(condition)


def _constraints(table: Table) -> tuple[Constraint, ...]:
    """Return the constraints of a table, those of its columns with them."""
    return (*table.constraints, *(constraint for column in table.columns for constraint in column.constraints))


def _keep_order(table: Table, copy: Table) -> None:
    """Give copied constraints the order of the originals, so that the DDL of a plan is the same in every run.

    SQLAlchemy copies them from a set, whose order changes with the hash seed of the process.
    """
    order = {_identity(constraint): constraint._creation_order for constraint in _constraints(table)}
    for constraint in copy.constraints:
        constraint._creation_order = order.get(_identity(constraint), constraint._creation_order)


def _keep_conditions(table: Table, copy: Table) -> None:
    """Give copied constraints and indexes their `ddl_if`, and indexes their `.info`: SQLAlchemy copies neither."""
    items: tuple[Constraint | Index, ...] = (*_constraints(table), *table.indexes)
    copies: tuple[Constraint | Index, ...] = (*copy.constraints, *copy.indexes)
    originals = {_identity(item): item for item in items}
    for item in copies:
        if (original := originals.get(_identity(item))) is not None:
            item._ddl_if = original._ddl_if
            item.info.update(original.info)


def _identity(constraint: Constraint | Index) -> tuple[str, ...]:
    condition = getattr(constraint, "sqltext", None)
    if condition is not None:
        return (type(constraint).__name__, str(constraint.name), _written(condition))
    columns = (column.name for column in getattr(constraint, "columns", ()))
    return (type(constraint).__name__, str(constraint.name), *columns, *_told(constraint))


def _told(constraint: Constraint | Index) -> Iterator[str]:
    """Yield what tells constraints of the same columns from each other: where they lead to, and their options."""
    from sqlalchemy import Index

    if isinstance(constraint, Index):
        return
    for element in getattr(constraint, "elements", ()):
        yield repr(element.target_tokens)  # names may hold dots
    yield f"{constraint.deferrable} {constraint.initially}"
    for key, value in sorted(constraint.dialect_kwargs.items()):
        listed = value if isinstance(value, list | tuple) else (value,)
        yield f"{key}={[str(getattr(one, 'name', one)) for one in listed]}"


def _written(condition: Any) -> str:
    """Return a condition as text; the kind of one that only its own server can write."""
    from sqlalchemy.exc import CompileError

    try:
        return str(condition)
    except CompileError:
        return type(condition).__name__


def compared_column(query: Query, parameter: str) -> Column[Any] | None:
    """Return the column that the query compares `parameter` with, if there is just one."""
    from sqlalchemy import Column as SchemaColumn
    from sqlalchemy.sql import visitors
    from sqlalchemy.sql.elements import BinaryExpression, BindParameter

    found: dict[str, Column[Any]] = {}
    for element in visitors.iterate(query.statement):  # type: ignore[arg-type]
        if isinstance(element, BinaryExpression):
            left, right = _inside(element.left), _inside(element.right)
            for side, other in ((left, right), (right, left)):
                if isinstance(side, BindParameter) and side.key == parameter and isinstance(other, SchemaColumn):
                    found[str(other)] = other
    return next(iter(found.values())) if len(found) == 1 else None


def _inside(element: Any) -> Any:
    """Return what a function of one argument or a cast is applied to, so that lower(email) leads to email."""
    from sqlalchemy.sql.elements import Cast, Grouping
    from sqlalchemy.sql.functions import FunctionElement

    while True:
        if isinstance(element, FunctionElement) and len(element.clauses) == 1:
            element = next(iter(element.clauses))
        elif isinstance(element, Cast):
            element = element.clause
        elif isinstance(element, Grouping):
            element = element.element
        else:
            return element
