"""Drawing: the parameters of every call, taken from the rows that are there; rows to insert are taken out first."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, String, Table, and_, delete, exists, not_, select, tuple_, type_coerce
from sqlalchemy.sql.ddl import sort_tables_and_constraints
from sqlalchemy.types import TypeDecorator

from dbplan.orms.deriving import Derived
from dbplan.orms.forms import found
from dbplan.orms.kinds import travelling
from dbplan.orms.relations import key_of, kind_of
from dbplan.orms.scenarios import Scenario
from dbplan.plan import Plan
from dbplan.seeding.loading.triggers import without_triggers

BULK = 1_000
"""Rows of a bulk insert."""
PARENTS = 10
"""Parents whose children are read at once."""
SHARE = 3
"""A table gives no more than one row in so many to be inserted again."""
POOL = 2_000
"""Rows that reads choose from."""

Params = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """Parameters of every scenario in the order of their calls, and sentences on those that are fewer than wanted."""

    params: Mapping[str, Sequence[Params]]
    notes: tuple[str, ...] = ()


def draw(
    connection: Connection, plan: Plan, derived: Derived, counts: Mapping[str, int], random_state: int = 7
) -> Drawn:
    """Return parameters for so many calls of each scenario, and take the rows to insert out of the database.

    Rows are read and updated again and again; each is inserted or deleted once, so there may be fewer of these calls.
    """
    drawer = _Drawer(connection, plan, derived, random_state)
    params = {name: drawer.drawn(scenario, counts.get(name, 0)) for name, scenario in derived.scenarios.items()}
    return Drawn(params, tuple(drawer.notes))


class _Drawer:
    def __init__(self, connection: Connection, plan: Plan, derived: Derived, random_state: int) -> None:
        self.connection, self.plan, self.derived = connection, plan, derived
        self.random = random.Random(random_state)
        self.notes: list[str] = []
        self.pools: dict[str, list[Params]] = {}
        self.spare: dict[str, list[Params]] = self._spared()

    def drawn(self, scenario: Scenario, count: int) -> list[Params]:
        """Return parameters for `count` calls, or for fewer where rows would be used twice."""
        made: list[Params] = list(getattr(self, f"_{scenario.name}")(scenario, count))
        if len(made) < count:
            self.notes.append(
                f"{scenario.name} has {len(made)} parameters instead of {count}, for {scenario.table} has no more rows"
            )
        return made

    # rows to insert

    def _insert_one(self, scenario: Scenario, count: int) -> Iterable[Params]:
        return ({"row": row} for row in self._some(scenario.table, scenario.columns, count))

    def _bulk_insert(self, scenario: Scenario, count: int) -> Iterable[Params]:
        rows = self._some(scenario.table, scenario.columns, len(self.spare[scenario.table]))
        size = max(1, min(BULK, len(rows) // max(1, count)))
        if size < BULK:
            there = f"{scenario.table} has {len(rows):,} for {count} calls"
            self.notes.append(f"bulk_insert has {size} rows a call instead of {BULK}: {there}")
        return ({"rows": rows[n * size : (n + 1) * size]} for n in range(count) if rows[n * size : (n + 1) * size])

    def _transaction(self, scenario: Scenario, count: int) -> Iterable[Params]:
        assert scenario.insert is not None
        changed = self._update_one(scenario, count)
        inserted = self._some(scenario.insert.table, scenario.insert.columns, count)
        return ({**change, "row": row} for change, row in zip(changed, inserted, strict=False))

    def _upsert(self, scenario: Scenario, count: int) -> Iterable[Params]:
        """Yield rows that are there, with another value, and rows that are not, in turn."""
        there, absent = self._chosen(scenario.table, count), iter(self.spare[scenario.table])
        values = self._values(scenario)
        for number, old in enumerate(there):
            row = next(absent, old) if number % 2 else old
            yield {"row": self._writable(scenario, row) | {scenario.update: self.random.choice(values)}}

    def _writable(self, scenario: Scenario, row: Params) -> Params:
        made = self.derived.tables[scenario.table].columns
        return {name: value for name, value in row.items() if not made[name]["made"]}

    # rows that change

    def _update_one(self, scenario: Scenario, count: int) -> Iterable[Params]:
        values = self._values(scenario)
        rows = self._chosen(scenario.table, count)
        return [{"key": self._key(scenario.table, row), "value": self.random.choice(values)} for row in rows]

    def _delete_cascade(self, scenario: Scenario, count: int) -> Iterable[Params]:
        """Take parents with children first."""
        assert scenario.cascade
        table, link = self._table(scenario.table), scenario.cascade[0]
        child = self._table(link.table)
        has_children = exists().where(and_(*(table.columns[a] == child.columns[b] for a, b in link.pairs)))
        keys = [table.columns[name] for name in self.derived.tables[scenario.table].key]
        found = self._read(select(*map(_raw, keys)).order_by(not_(has_children), *keys).limit(count), keys)
        return [{"key": key} for key in found]

    # rows that are read

    def _point_read(self, scenario: Scenario, count: int) -> Iterable[Params]:
        return ({"key": self._key(scenario.table, row)} for row in self._chosen(scenario.table, count))

    def _filtered_list(self, scenario: Scenario, count: int) -> Iterable[Params]:
        pool = [row for row in self._pool(scenario.table) if row[scenario.filter] is not None]
        return ({"value": self.random.choice(pool)[scenario.filter]} for _ in range(count if pool else 0))

    def _list_to_one(self, scenario: Scenario, count: int) -> Iterable[Params]:
        return ({"after": self._key(scenario.table, row)} for row in self._chosen(scenario.table, count))

    def _keyset_page(self, scenario: Scenario, count: int) -> Iterable[Params]:
        chosen = self._chosen(scenario.table, count)
        return ({"after": {name: row[name] for name in scenario.order}} for row in chosen)

    def _nested_include(self, scenario: Scenario, count: int) -> Iterable[Params]:
        pool = self._pool(scenario.table)
        size = min(PARENTS, len(pool))
        for _ in range(count):
            yield {"keys": [self._key(scenario.table, row) for row in self.random.sample(pool, size)]}

    _deep_include = _nested_include

    def _aggregate(self, _scenario: Scenario, count: int) -> Iterable[Params]:
        return ({} for _ in range(count))

    def _json_filter(self, scenario: Scenario, count: int) -> Iterable[Params]:
        documents = [row[scenario.filter] for row in self._pool(scenario.table)]
        values = [d[scenario.path] for d in documents if isinstance(d, dict) and isinstance(d.get(scenario.path), str)]
        return ({"value": self.random.choice(values)} for _ in range(count if values else 0))

    # where they come from

    def _table(self, name: str) -> Table:
        return self.plan.metadata.tables[name]

    def _key(self, table: str, row: Params) -> Params:
        return {name: row[name] for name in self.derived.tables[table].key}

    def _pool(self, name: str) -> list[Params]:
        """Return rows of a table that reads choose from, the same ones each time."""
        if name not in self.pools:
            self.pools[name] = self._rows(name, POOL)
        return self.pools[name]

    def _chosen(self, name: str, count: int) -> list[Params]:
        pool = self._pool(name)
        return [self.random.choice(pool) for _ in range(count if pool else 0)]

    def _values(self, scenario: Scenario) -> list[Any]:
        """Return values that the updated column holds somewhere."""
        found = [row[scenario.update] for row in self._pool(scenario.table) if row[scenario.update] is not None]
        return found or [None]

    def _rows(self, name: str, limit: int) -> list[Params]:
        table = self._table(name)
        columns = self._columns(name)
        keys = [table.columns[key] for key in self.derived.tables[name].key]
        return self._read(select(*map(_raw, columns)).order_by(*keys).limit(limit), columns)

    def _columns(self, name: str) -> list[Column[Any]]:
        return [self._table(name).columns[column] for column in self.derived.tables[name].columns]

    def _read(self, statement: Any, columns: Sequence[Column[Any]]) -> list[Params]:
        kinds = [(column.name, kind_of(column) or "") for column in columns]
        rows = self.connection.execute(statement)
        own = found if self.connection.dialect.name == "sqlite" else _same
        return [
            {name: travelling(own(v, kind), kind) for (name, kind), v in zip(kinds, row, strict=True)} for row in rows
        ]

    # rows that are taken out to be inserted

    def _spared(self) -> dict[str, list[Params]]:
        """Take rows that no other refers to out of the tables that are inserted into; what those refer to stays."""
        inserted = {s.insert.table if s.insert else s.table for n, s in self.derived.scenarios.items() if n in _INSERTS}
        sort: Any = sort_tables_and_constraints
        ordered = [key_of(table) for table, _ in sort(self.plan.tables) if table is not None]
        with without_triggers(self.connection, self.plan.metadata):
            return {name: self._taken_out(name) for name in ordered if name in inserted}

    def _taken_out(self, name: str) -> list[Params]:
        table, columns = self._table(name), self._columns(name)
        keys = [table.columns[key] for key in self.derived.tables[name].key]
        most = self.connection.execute(select(keys[0]).select_from(table)).all()
        statement = select(*map(_raw, columns)).where(*self._unreferred(table)).order_by(*(key.desc() for key in keys))
        rows = self._read(statement.limit(min(len(most) // SHARE, 6 * BULK)), columns)
        ours = select(*keys).where(*self._unreferred(table)).order_by(*(key.desc() for key in keys)).limit(len(rows))
        gone = self.connection.execute(ours).all()
        for start in range(0, len(gone), BULK):
            part = [tuple(key) for key in gone[start : start + BULK]]
            self.connection.execute(delete(table).where(tuple_(*keys).in_(part)))
        self.random.shuffle(rows)
        return rows

    def _unreferred(self, table: Table) -> list[Any]:
        """Return conditions that no row refers to a row, also none of its own table."""
        conditions = []
        for other in self.plan.tables:
            for key in other.foreign_key_constraints:
                if key.referred_table is table and not other.info.get("is_view"):
                    child = other.alias()
                    pairs = (child.columns[e.parent.name] == table.columns[e.column.name] for e in key.elements)
                    conditions.append(not_(exists().where(and_(*pairs))))
        return conditions

    def _some(self, name: str, columns: Sequence[str], count: int) -> list[Params]:
        """Return spare rows with those columns; every scenario starts anew, for each has a database of its own."""
        return [{column: row[column] for column in columns} for row in self.spare[name][:count]]


def _same(value: Any, _: str) -> Any:
    return value


_INSERTS = ("insert_one", "bulk_insert", "upsert", "transaction")


def _raw(column: Column[Any]) -> Any:
    """Return a column as it stands in the database: an enum by its label, a decorated type as what lies beneath."""
    if kind_of(column) == "enum":
        return type_coerce(column, String()).label(column.key)
    if isinstance(column.type, TypeDecorator):
        return type_coerce(column, column.type.impl_instance).label(column.key)
    return column
