"""The SQL that an engineer writes by hand for each scenario, in the words of one driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbplan.orms.adapters.joining import Row, attach, keys_of, needed
from dbplan.orms.scenarios import Link, Scenario, TableFacts


@dataclass(frozen=True)
class Words:
    """How a driver quotes a name, and marks the place of its n-th parameter."""

    tables: Mapping[str, TableFacts]
    quote: Callable[[str], str]
    mark: Callable[[int], str]
    is_sqlite: bool = False
    """Whether it is SQLite, which takes no list as a parameter, and locks no rows."""

    def table(self, key: str) -> str:
        """Return a table's name with its schema, quoted."""
        facts = self.tables[key]
        return ".".join(self.quote(name) for name in (facts.schema, facts.name) if name)

    def columns(self, names: Sequence[str], of: str = "") -> str:
        """Return columns, quoted, with commas between."""
        return ", ".join(f"{of}{self.quote(name)}" for name in names)

    def marks(self, count: int, start: int = 1) -> str:
        """Return places of parameters with commas between."""
        return ", ".join(self.mark(number) for number in range(start, start + count))

    def equal(self, names: Sequence[str], start: int = 1) -> str:
        """Return the condition that columns have the values of parameters."""
        return " AND ".join(f"{self.quote(name)} = {self.mark(start + at)}" for at, name in enumerate(names))

    def after(self, names: Sequence[str], *, descending: bool = False, of: str = "") -> str:
        """Return the condition that a row comes after the values of parameters, as a comparison of rows."""
        sign = "<" if descending else ">"
        if len(names) == 1:
            return f"{self.columns(names, of)} {sign} {self.mark(1)}"
        return f"({self.columns(names, of)}) {sign} ({self.marks(len(names))})"

    def order(self, names: Sequence[str], *, descending: bool = False, of: str = "") -> str:
        """Return ORDER BY; nothing without columns."""
        way = " DESC" if descending else ""
        return " ORDER BY " + ", ".join(f"{of}{self.quote(name)}{way}" for name in names) if names else ""

    def select(self, table: str, names: Sequence[str]) -> str:
        """Return SELECT … FROM."""
        return f"SELECT {self.columns(names)} FROM {self.table(table)}"

    def insert(self, table: str, names: Sequence[str]) -> str:
        """Return INSERT of one row."""
        if not names:
            return f"INSERT INTO {self.table(table)} DEFAULT VALUES"
        return f"INSERT INTO {self.table(table)} ({self.columns(names)}) VALUES ({self.marks(len(names))})"


@dataclass
class Bound:
    """A scenario with its statements; those of inserts are made once for each set of columns."""

    scenario: Scenario
    words: Words
    key: tuple[str, ...]
    sql: Any = None
    inserts: dict[tuple[str, ...], str] = field(default_factory=dict)

    def insert(self, row: Mapping[str, Any]) -> str:
        """Return the INSERT for a row of these columns, with what the scenario adds to it."""
        names = tuple(row)
        found = self.inserts.get(names)
        if found is None:
            found = self.inserts[names] = self.make(names)
        return found

    def make(self, names: Sequence[str]) -> str:
        """Return the INSERT of columns with its RETURNING or ON CONFLICT."""
        scenario, words = self.scenario, self.words
        table = scenario.insert.table if scenario.insert else scenario.table
        made = words.insert(table, names)
        if scenario.name == "insert_one":
            return f"{made} RETURNING {words.columns(scenario.columns)}"
        if scenario.name == "upsert":
            update = words.quote(scenario.update)
            return f"{made} ON CONFLICT ({words.columns(self.key)}) DO UPDATE SET {update} = EXCLUDED.{update}"
        return made


def bound(words: Words, scenario: Scenario) -> Bound:
    """Return a scenario with its statements, which its function of the adapter runs."""
    made = Bound(scenario, words, words.tables[scenario.table].key)
    write = _WRITERS.get(scenario.name)
    made.sql = write(words, scenario, made.key) if write else None
    return made


def _point_read(words: Words, scenario: Scenario, key: Sequence[str]) -> str:
    return f"{words.select(scenario.table, scenario.columns)} WHERE {words.equal(key)}"


def _filtered_list(words: Words, scenario: Scenario, _: Sequence[str]) -> str:
    order = words.order(scenario.order, descending=scenario.descending)
    return (
        f"{words.select(scenario.table, scenario.columns)} "
        f"WHERE {words.quote(scenario.filter)} = {words.mark(1)}{order} LIMIT {scenario.limit:d}"
    )


def _keyset_page(words: Words, scenario: Scenario, _: Sequence[str]) -> str:
    after = words.after(scenario.order, descending=scenario.descending)
    order = words.order(scenario.order, descending=scenario.descending)
    return f"{words.select(scenario.table, scenario.columns)} WHERE {after}{order} LIMIT {scenario.limit:d}"


def _json_filter(words: Words, scenario: Scenario, key: Sequence[str]) -> str:
    """Return a list of rows by a key of a document; both the key and its value are parameters."""
    return (
        f"{words.select(scenario.table, scenario.columns)} "
        f"WHERE {words.quote(scenario.filter)} ->> {words.mark(1)} = {words.mark(2)}"
        f"{words.order(key)} LIMIT {scenario.limit:d}"
    )


def _aggregate(words: Words, scenario: Scenario, _: Sequence[str]) -> str:
    """Return counts and sums by group; by place, for a column may be called "total" as well."""
    group = words.quote(scenario.group)
    total = f"sum({words.quote(scenario.total)})" if scenario.total else "NULL"
    return (
        f'SELECT {group} AS "group", count(*) AS "count", {total} AS "total" FROM {words.table(scenario.table)} '
        f"WHERE {group} IS NOT NULL GROUP BY 1 ORDER BY 1"
    )


def _update_one(words: Words, scenario: Scenario, key: Sequence[str]) -> str:
    update = words.quote(scenario.update)
    return f"UPDATE {words.table(scenario.table)} SET {update} = {words.mark(1)} WHERE {words.equal(key, 2)}"


def _transaction(words: Words, scenario: Scenario, key: Sequence[str]) -> tuple[str, str]:
    lock = "" if words.is_sqlite else " FOR UPDATE"
    return f"{_point_read(words, scenario, key)}{lock}", _update_one(words, scenario, key)


@dataclass(frozen=True)
class Joined:
    """Rows with the row that each refers to, by one LEFT JOIN; its last column says whether there is one."""

    sql: str
    own: tuple[str, ...]
    parents: tuple[str, ...]

    def row(self, found: Sequence[Any]) -> Row:
        """Return a row of the result with its parent."""
        width = len(self.own)
        made = dict(zip(self.own, found[:width], strict=True))
        made["parent"] = dict(zip(self.parents, found[width:-1], strict=True)) if found[-1] else None
        return made


def _list_to_one(words: Words, scenario: Scenario, key: Sequence[str]) -> Joined:
    parent = _there(scenario.parent)
    on = " AND ".join(f"p.{words.quote(theirs)} = c.{words.quote(own)}" for own, theirs in parent.pairs)
    there = f"p.{words.quote(parent.pairs[0][1])} IS NOT NULL"
    text = (
        f"SELECT {words.columns(scenario.columns, 'c.')}, {words.columns(parent.columns, 'p.')}, {there} "
        f"FROM {words.table(scenario.table)} AS c LEFT JOIN {words.table(parent.table)} AS p ON {on} "
        f"WHERE {words.after(key, of='c.')}{words.order(key, of='c.')} LIMIT {scenario.limit:d}"
    )
    return Joined(text, scenario.columns, parent.columns)


@dataclass(frozen=True)
class Among:
    """Rows whose columns have the values of one of many keys: `= ANY` of one column, a list of rows of several."""

    words: Words
    head: str
    columns: tuple[str, ...]
    tail: str

    def sql(self, count: int) -> str:
        """Return the statement for so many keys."""
        width, columns = len(self.columns), self.words.columns(self.columns)
        if width == 1:
            one = f"IN ({self.words.marks(count)})" if self.words.is_sqlite else f"= ANY({self.words.mark(1)})"
            return f"{self.head} WHERE {columns} {one}{self.tail}"
        rows = ", ".join(f"({self.words.marks(width, 1 + width * at)})" for at in range(count))
        values = "VALUES " if self.words.is_sqlite else ""
        return f"{self.head} WHERE ({columns}) IN ({values}{rows}){self.tail}"

    def given(self, keys: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the parameters for keys."""
        if len(self.columns) == 1 and not self.words.is_sqlite:
            return [[key[0] for key in keys]]
        return [value for key in keys for value in key]


@dataclass(frozen=True)
class Level:
    """The children of rows that were read, and the children of those."""

    among: Among
    above: tuple[str, ...]
    """The columns of the row above that a child's refer to."""
    below: Level | None

    def keys(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        """Return what children of the rows may refer to."""
        return keys_of(rows, self.above)

    def attach(self, rows: Sequence[Row], children: Sequence[Row]) -> None:
        """Give each row its children."""
        attach(rows, self.above, children, self.among.columns)


def _include(words: Words, scenario: Scenario, key: Sequence[str]) -> tuple[Among, Level]:
    """Return the statements of two or three levels, one for each."""
    children = _there(scenario.children)
    head = words.select(scenario.table, needed(scenario.columns, [above for above, _ in children.pairs]))
    return Among(words, head, tuple(key), words.order(key)), _level(words, children)


def _level(words: Words, link: Link) -> Level:
    own = tuple(column for _, column in link.pairs)
    above = tuple(column for column, _ in link.pairs)
    wanted = [column for column, _ in link.children.pairs] if link.children else []
    head = words.select(link.table, needed(link.columns, [*own, *wanted]))
    below = _level(words, link.children) if link.children else None
    return Level(Among(words, head, own, words.order(link.order)), above, below)


def _there(link: Link | None) -> Link:
    if link is None:
        raise ValueError("the scenario names no table at the other end")
    return link


Delete = tuple[str, tuple[str, ...]]
"""A DELETE, and the columns of the key whose values it takes, in order."""


def _delete_cascade(words: Words, scenario: Scenario, key: Sequence[str]) -> list[Delete]:
    """Return the deletes in order: what the database does not delete by itself comes before its parent."""
    own = (words.equal(key), tuple(key))
    made = [found for link in scenario.cascade for found in _deletes(words, link, scenario.table, own)]
    return [*made, (f"DELETE FROM {words.table(scenario.table)} WHERE {own[0]}", own[1])]


def _deletes(words: Words, link: Link, above: str, condition: Delete) -> Iterator[Delete]:
    where = _belonging(words, link, above, condition)
    if link.children is not None:
        yield from _deletes(words, link.children, link.table, where)
    if not link.by_database:
        yield f"DELETE FROM {words.table(link.table)} WHERE {where[0]}", where[1]


def _belonging(words: Words, link: Link, above: str, condition: Delete) -> Delete:
    """Return the condition of rows that belong to those of the table above that meet a condition."""
    text, names = condition
    targets, own = [a for a, _ in link.pairs], [b for _, b in link.pairs]
    if set(targets) <= set(names) and text == words.equal(names):
        return words.equal(own), tuple(targets)
    columns = words.columns(own) if len(own) == 1 else f"({words.columns(own)})"
    return f"{columns} IN ({words.select(above, targets)} WHERE {text})", names


_WRITERS: Mapping[str, Callable[[Words, Scenario, Sequence[str]], Any]] = {
    "point_read": _point_read,
    "filtered_list": _filtered_list,
    "keyset_page": _keyset_page,
    "json_filter": _json_filter,
    "aggregate": _aggregate,
    "update_one": _update_one,
    "transaction": _transaction,
    "list_to_one": _list_to_one,
    "nested_include": _include,
    "deep_include": _include,
    "delete_cascade": _delete_cascade,
}
