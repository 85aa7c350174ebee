"""Deriving: which tables of a plan each scenario is about, or why the plan has none for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, Table, func, select

from dbplan.errors import NotCovered
from dbplan.orms.documents import keys_of_documents
from dbplan.orms.relations import (
    CHILDREN,
    PARENT,
    Reference,
    Schema,
    bound_columns,
    indexed_columns,
    is_counted,
    is_insertable,
    is_made,
    is_stamped,
    key_of,
    kind_of,
    schema_of,
    unique_keys,
)
from dbplan.orms.scenarios import SCENARIOS, Link, Scenario, TableFacts
from dbplan.plan import Plan

LIMIT = 50
"""Rows of a list."""
PAGE = 20
"""Rows of a page."""
FEW = 50
"""Different values up to which a column is one to filter or group by."""
FAMILY = 8
"""Children of a parent that are near what applications show."""
LOOKED_AT = 8
"""Tables whose values are counted, the largest first."""
UPDATABLE = ("text", "decimal", "int", "float", "bool", "timestamptz", "timestamp", "date")
"""Kinds of columns that an update sets, the best first."""
TOTALS = ("decimal", "int")
"""Kinds of columns that are summed, the best first."""


INSERTS, UPDATES, UPSERTS, DELETES = "inserts", "updates", "upserts", "deletes"
"""The ways in which scenarios write."""
Refused = Mapping[tuple[str, str], str]
"""By way and table: why the server refuses to be written to so."""


class Missing(Exception):
    """A plan has no table for a scenario; says what is missing."""


@dataclass(frozen=True)
class Derived:
    """The scenarios of a plan by name, the reasons for those it has no table for, its tables, and what is left out."""

    scenarios: Mapping[str, Scenario]
    missing: Mapping[str, str]
    tables: Mapping[str, TableFacts]
    left_out: tuple[str, ...]
    """Columns whose types take no part, as `table.column type`, and those of one scenario, with the reason."""


def derive(plan: Plan, connection: Connection, refused: Refused | None = None) -> Derived:
    """Return the scenarios of a plan, whose tables hold rows already; NotCovered where no table has a key.

    Where the server is known to refuse writes of a table, other tables are written to.
    """
    deriver = _Deriver(schema_of(plan, connection), connection, refused or {})
    scenarios, missing = {}, {}
    for name in SCENARIOS:
        try:
            scenarios[name] = getattr(deriver, name)()
        except Missing as error:
            missing[name] = str(error)
    return Derived(scenarios, missing, deriver.schema.facts(), tuple(_left_out(deriver.schema, scenarios)))


def _left_out(schema: Schema, scenarios: Mapping[str, Scenario]) -> Iterator[str]:
    """Yield the columns that take no part at all, and those that a scenario leaves out for their names."""
    for table in schema.tables.values():
        for column in table.columns:
            if kind_of(column) is None:
                yield f"{key_of(table)}.{column.name} {column.type!r}"
    for scenario in scenarios.values():
        for name in _RELATED.get(scenario.name, ()):
            for link in _lines(scenario, name):
                if name in schema.tables[link.table].columns and name not in link.columns:
                    yield f"{link.table}.{name} in {scenario.name}, whose results call other rows so"


_RELATED = {"list_to_one": (PARENT,), "nested_include": (CHILDREN,), "deep_include": (CHILDREN,)}


def _lines(scenario: Scenario, name: str) -> Iterator[Scenario | Link]:
    """Yield whose rows have rows at other ends."""
    found: Scenario | Link | None = scenario
    while found is not None and getattr(found, name):
        yield found
        found = found.children if name == CHILDREN else None


class _Deriver:
    """One method for each scenario."""

    def __init__(self, schema: Schema, connection: Connection, refused: Refused) -> None:
        self.schema, self.connection, self.refused = schema, connection, refused
        if not schema.tables:
            raise NotCovered(
                f'plan "{schema.plan.name}" has no table with a primary key of a common type; ORMs know rows by keys'
            )
        self.values: dict[tuple[str, str], int] = {}

    # rows that come and go

    def insert_one(self) -> Scenario:
        """Take a row of a table that others need least."""
        table = self._leaf()
        return self._of("insert_one", table, columns=self._given(table))

    def bulk_insert(self) -> Scenario:
        """Take many rows of the same table."""
        table = self._leaf()
        return self._of("bulk_insert", table, columns=self._given(table))

    def update_one(self) -> Scenario:
        """Take a column that no key, index or CHECK reads."""
        table, column = self._updatable()
        return self._of("update_one", table, update=column)

    def upsert(self) -> Scenario:
        """Take a row that is there or not, of a table whose key may be given."""
        for table in self._hubs():
            column = _update_of(table)
            given = is_insertable(table) and not any(is_made(c) for c in table.primary_key.columns)
            if column and given and self._takes(UPSERTS, table):
                return self._of("upsert", table, update=column)
        raise self._lacks(UPSERTS, "no table has a key that may be given and a column that is free to change")

    def transaction(self) -> Scenario:
        """Take a row read and changed, and one inserted elsewhere."""
        table, column = self._updatable()
        other = self._leaf(but=table)
        # where there are few rows, one is read again after its update, by when some models have stamped it
        read = tuple(name for name in self.schema.columns(table) if not is_stamped(table.columns[name]))
        return self._of(
            "transaction", table, columns=read, update=column, insert=Link(key_of(other), self._given(other), ())
        )

    def delete_cascade(self) -> Scenario:
        """Take a parent whose children go with it, at most two levels down."""
        found = [
            (len(links), -self.schema.count(table), key_of(table), table, links)
            for table, links in self._families()
            if self._takes(DELETES, table)
        ]
        if not found:
            raise self._lacks(DELETES, "no table has children that can be deleted with it")
        *_, table, links = min(found, key=lambda one: one[:3])
        return self._of("delete_cascade", table, cascade=links)

    # rows that are read

    def point_read(self) -> Scenario:
        """Take the table that most others refer to."""
        return self._of("point_read", next(self._hubs()))

    def filtered_list(self) -> Scenario:
        """Take a table with a column of few values, newest first."""
        for table in self._large():
            for column in self._choices(table):
                return self._of(
                    "filtered_list", table, filter=column, order=self._newest(table), descending=True, limit=LIMIT
                )
        raise Missing(f"no column of a table has between 2 and {FEW} different values")

    def keyset_page(self) -> Scenario:
        """Take the page after a row, newest first."""
        table = max(self._large(), key=lambda t: len(self._newest(t)) > len(self.schema.key(t)))
        return self._of("keyset_page", table, order=self._newest(table), descending=True, limit=PAGE)

    def list_to_one(self) -> Scenario:
        """Take the largest table that refers to another, of those of like size the one that refers to most."""
        tables, schema = [*self._large(every=True)], self.schema
        ranks = {key_of(t): (schema.size(key_of(t)), -len(schema.parents(t))) for t in tables}
        for table in sorted(tables, key=lambda t: ranks[key_of(t)]):
            for reference in sorted(self.schema.parents(table), key=lambda r: (_is_optional(r), *self._oddity(r))):
                parent, columns = reference.to_parent(self.schema), self._but(PARENT, table)
                return self._of("list_to_one", table, columns=columns, parent=parent, limit=LIMIT)
        raise Missing("no table refers to another")

    def nested_include(self) -> Scenario:
        """Take parents with a handful of children each."""
        reference = self._best(self._included(), "no table refers to another")
        columns, children = self._but(CHILDREN, reference.parent), reference.to_children(self.schema)
        return self._of("nested_include", reference.parent, columns=columns, children=children)

    def deep_include(self) -> Scenario:
        """Take parents, children, and theirs."""
        chains = [
            (self._distance(upper) + self._distance(lower), self._oddity(upper), self._oddity(lower), upper, lower)
            for upper in self._included()
            for lower in self._included()
            if lower.parent is upper.child
            and lower.child is not upper.parent
            and self._family(upper)
            and self._family(lower)
        ]
        if not chains:
            raise Missing("no three tables refer to each other in a row")
        *_, upper, lower = min(chains, key=lambda one: one[:3])
        children = upper.to_children(self.schema, lower.to_children(self.schema))
        return self._of("deep_include", upper.parent, columns=self._but(CHILDREN, upper.parent), children=children)

    def aggregate(self) -> Scenario:
        """Take counts by a column of few values, and a total where there is one."""
        found = [(table, column) for table in self._large() for column in islice(self._choices(table), 1)]
        if not found:
            raise Missing(f"no column of a table has between 2 and {FEW} different values")
        table, column = min(found, key=lambda one: not _total_of(one[0]))
        return self._of("aggregate", table, group=column, total=_total_of(table))

    def json_filter(self) -> Scenario:
        """Take a JSON column whose documents share a key with texts."""
        columns = [(t, c) for t in self._large(every=True) for c in t.columns if kind_of(c) == "json"]
        if not columns:
            raise Missing("no table has a JSON column")
        for table, column in columns:
            for path in keys_of_documents(self.connection, column):
                return self._of("json_filter", table, filter=column.name, path=path, limit=LIMIT)
        seen = ", ".join(f"{key_of(table)}.{column.name}" for table, column in columns[:LOOKED_AT])
        raise Missing(f"no JSON column holds objects that share a key with texts ({seen}); a recipe can give them such")

    # what they are chosen by

    def _of(self, name: str, table: Table, **more: object) -> Scenario:
        columns = more.pop("columns", None) or self.schema.columns(table)
        return Scenario(name, key_of(table), columns, **more)  # type: ignore[arg-type]

    def _but(self, name: str, table: Table) -> tuple[str, ...]:
        """Return the columns of a table without one that is called as the results call rows at the other end."""
        return tuple(column for column in self.schema.columns(table) if column != name)

    def _included(self) -> list[Reference]:
        """Return the relations along which children are read: no parent's key is called as they are."""
        return [one for one in self.schema.references if CHILDREN not in {parent for _, parent in one.pairs}]

    def _given(self, table: Table) -> tuple[str, ...]:
        """Return the columns that an application gives when it inserts."""
        known = self.schema.columns(table)
        return tuple(c.name for c in table.columns if c.name in known and not is_made(c) and not is_counted(c))

    def _large(self, *, every: bool = False) -> Iterator[Table]:
        """Yield the tables that hold rows, the largest first."""
        tables = [table for table in self.schema.tables.values() if self.schema.count(table) > 1]
        if not tables:
            raise Missing("no table holds two rows")
        yield from tables if every else tables[:LOOKED_AT]

    def _hubs(self) -> Iterator[Table]:
        """Yield the tables that hold rows, those that most others refer to first."""
        yield from sorted(self._large(every=True), key=lambda t: (-len(self.schema.children(t)), key_of(t)))

    def _leaf(self, but: Table | None = None) -> Table:
        """Return the largest table that can be inserted into; first those that nobody refers to."""
        found = [t for t in self._large(every=True) if t is not but and is_insertable(t) and self._takes(INSERTS, t)]
        if not found:
            raise self._lacks(INSERTS, "every table has a column that must be given and has no value of a common kind")
        return min(found, key=lambda t: (bool(self.schema.inbound(t)), not self.schema.parents(t)))

    def _updatable(self) -> tuple[Table, str]:
        for table in self._hubs():
            column = _update_of(table)
            if column and self._takes(UPDATES, table):
                return table, column
        raise self._lacks(
            UPDATES, "no table has a column that is free to change: keys, indexes or CHECKs read them all"
        )

    def _takes(self, way: str, table: Table) -> bool:
        """Return whether the server is not known to refuse such writes."""
        return (way, key_of(table)) not in self.refused

    def _lacks(self, way: str, why: str) -> Missing:
        """Return why no table is written to so: the server's reason comes first."""
        refused = [f"{name} ({reason})" for (how, name), reason in self.refused.items() if how == way]
        return Missing(
            f"the server refuses {way} of {', '.join(refused)}, and no other table will do" if refused else why
        )

    def _choices(self, table: Table) -> Iterator[str]:
        """Yield columns with few different values, those made for it first."""
        order = {"enum": 0, "bool": 1, "text": 2, "int": 3}
        inside = {c.name for c in table.primary_key.columns}
        columns = [c for c in table.columns if kind_of(c) in order and c.name not in inside]
        for column in sorted(columns, key=lambda c: order[str(kind_of(c))]):
            if 2 <= self._different(table, column.name) <= FEW:
                yield column.name

    def _different(self, table: Table, column: str) -> int:
        place = key_of(table), column
        if place not in self.values:
            count = select(func.count(table.columns[column].distinct()))
            self.values[place] = self.connection.execute(count).scalar_one()
        return self.values[place]

    def _newest(self, table: Table) -> tuple[str, ...]:
        """Return a moment and the key, or the key alone."""
        key = self.schema.key(table)
        moments = [c.name for c in table.columns if kind_of(c) in ("timestamptz", "timestamp") and not c.nullable]
        indexed = {index.columns.keys()[0] for index in table.indexes if index.columns}
        best = sorted(moments, key=lambda name: (name not in indexed, "creat" not in name))
        return tuple(dict.fromkeys((*best[:1], *key)))

    def _family(self, reference: Reference) -> float:
        """Return how many children a parent has on average."""
        parents = self.schema.count(reference.parent)
        return self.schema.count(reference.child) / parents if parents else 0.0

    def _best(self, references: Iterable[Reference], why: str) -> Reference:
        found = [one for one in references if self._family(one)]
        if not found:
            raise Missing(why)
        return min(found, key=lambda r: (self._distance(r), *self._oddity(r)))

    def _distance(self, reference: Reference) -> int:
        """Return how many children more or fewer than usual a parent has."""
        return round(abs(self._family(reference) - FAMILY))

    def _oddity(self, reference: Reference) -> tuple[object, ...]:
        """Return what sets a relation behind others: one to one, by several columns, between tables with few keys."""
        parent, child, joined = reference.parent, reference.child, self.schema.joined
        single = frozenset(own for own, _ in reference.pairs) in unique_keys(child)
        links = -joined[key_of(parent)] - joined[key_of(child)]
        return single, len(reference.pairs) > 1, links, key_of(parent), key_of(child), reference.pairs

    def _families(self) -> Iterator[tuple[Table, tuple[Link, ...]]]:
        """Yield the tables whose rows can be deleted, with the children that go: by the database or before."""
        for table in self._large(every=True):
            inbound = self.schema.inbound(table)
            children = self.schema.children(table)
            if children and len(children) == len(inbound):
                links = tuple(self._gone(one) for one in children if one.on_delete not in _FORGOTTEN)
                if links and None not in links:
                    yield table, links  # type: ignore[misc]

    def _gone(self, reference: Reference) -> Link | None:
        """Return the children that go with a parent; None where that takes more than this."""
        below = self.schema.inbound(reference.child)
        if all((key.ondelete or "").upper() in ("CASCADE", *_FORGOTTEN) and self._ends(key.parent) for key in below):
            return reference.to_children(self.schema, by_database=reference.on_delete == "CASCADE")
        return None

    def _ends(self, table: object) -> bool:
        return isinstance(table, Table) and not self.schema.inbound(table)


_FORGOTTEN = ("SET NULL", "SET DEFAULT")


def _is_optional(reference: Reference) -> bool:
    return any(reference.child.columns[column].nullable for column, _ in reference.pairs)


def _update_of(table: Table) -> str:
    """Return the best column to update, empty for none."""
    bound, indexed = bound_columns(table), indexed_columns(table)
    free = [
        c
        for c in table.columns
        if c.name not in bound and kind_of(c) in UPDATABLE and not is_made(c) and not is_stamped(c)
    ]
    best = min(free, key=lambda c: (c.name in indexed, UPDATABLE.index(str(kind_of(c)))), default=None)
    return "" if best is None else best.name


def _total_of(table: Table) -> str:
    """Return the best column to sum, empty for none: sums of floats depend on the order."""
    keys = {c.name for c in table.primary_key.columns} | {key.parent.name for key in table.foreign_keys}
    columns = [c for c in table.columns if kind_of(c) in TOTALS and c.name not in keys]
    best = min(columns, key=lambda c: TOTALS.index(str(kind_of(c))), default=None)
    return "" if best is None else best.name
