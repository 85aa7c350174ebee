"""Pony on psycopg2 or sqlite3, as its documentation has it.

Each call is a `db_session`, whose connection is its thread's own; Pony sends DISCARD ALL to PostgreSQL when it ends. On
SQLite it begins with BEGIN IMMEDIATE whatever writes; keys that are UUIDs are texts to its models there. Queries are
given as text, which any version of Python can read. What belongs to rows comes by `prefetch`. Pony has no INSERT of
several rows and no upsert: objects are made one by one, and a row is read FOR UPDATE before it is set or made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pony
from pony import orm
from pony.orm import DBException, db_session, select
from pony.orm.core import OrmError

from dbplan.errors import NotCovered
from dbplan.orms.adapters.drivers import driver, is_sqlite, on_sqlite, timeout, zoneless
from dbplan.orms.adapters.pony_entities import Entities, Face, Reader, Row, load, reader
from dbplan.orms.scenarios import Link, Scenario, Study

IS_ASYNC = False
_WORDS = {name: getattr(orm, name) for name in ("count", "desc", "exists", "sum")}
"""What texts of queries speak of."""
NO_UPSERT = "Pony has no upsert: the row is read FOR UPDATE, then set or created"


class Database:
    """The database of the exported module, bound."""

    def __init__(self, study: Study) -> None:
        self.pony: Any = load(study.models).db
        if is_sqlite(study):
            self._bind_file(study)
        else:
            self._bind_server(study)
        self.pony.generate_mapping()
        self.entities = Entities(study, self.pony)

    def _bind_file(self, study: Study) -> None:
        self.pony.bind(provider="sqlite", filename=study.url["database"], timeout=timeout(study))

    def _bind_server(self, study: Study) -> None:
        names = {"host": "host", "port": "port", "user": "user", "password": "password", "database": "dbname"}
        told = {own: study.url[name] for name, own in names.items() if study.url[name] is not None}
        self.pony.bind(provider="postgres", **told)


@dataclass
class Bound:
    """A scenario with its entities and the text of its query."""

    scenario: Scenario
    own: Face
    read: Reader
    faces: dict[str, Face]
    text: str = ""
    names: Row | None = None
    note: str | None = None

    @property
    def target(self) -> Face:
        """Return the entity of which objects are made."""
        return self.faces[self.scenario.insert.table] if self.scenario.insert else self.own

    def asked(self, given: Row) -> Any:
        """Return the query, with values for its variables."""
        return select(self.text, self.names, given)


def open(study: Study) -> Database:
    """Import the entities, connect, and map them."""
    return Database(study)


def close(db: Database) -> None:
    """Disconnect."""
    db.pony.disconnect()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": pony.__version__, "driver": driver("psycopg2", "psycopg2-binary")}


def ping(db: Database) -> None:
    """Ask for an answer."""
    with db_session:
        db.pony.select("SELECT 1")


def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the entities of a scenario and write its query."""
    read = reader(db.entities, scenario)
    faces = {scenario.table: read.face}
    for link in _links(scenario):
        faces.setdefault(link.table, db.entities.face(link.table))
    b = Bound(scenario, read.face, read, faces, names={**_WORDS, "E": read.face.entity})
    b.note = NO_UPSERT if scenario.name == "upsert" else None
    write = _TEXTS.get(scenario.name)
    b.text = write(b) if write else ""
    return b


def _links(scenario: Scenario) -> Iterator[Link]:
    for link in (scenario.parent, scenario.children, scenario.insert, *scenario.cascade):
        while link is not None:
            yield link
            link = link.children


def _filtered(b: Bound) -> str:
    return f"x for x in E if x.{b.own.paths[b.scenario.filter]} == value"


def _after(b: Bound, columns: tuple[str, ...]) -> str:
    """Return a query of what comes after a row, whose columns are p0, p1 and so on."""
    sign = "<" if b.scenario.descending else ">"
    paths = [f"x.{b.own.paths[name]}" for name in columns]
    parts = []
    for place, path in enumerate(paths):
        equal = [f"{before} == p{number}" for number, before in enumerate(paths[:place])]
        parts.append(" and ".join([*equal, f"{path} {sign} p{place}"]))
    return f"x for x in E if {' or '.join(f'({part})' for part in parts)}"


def _with_parent(b: Bound) -> str:
    """Return a query of rows; of rows and parents where no relation leads to these."""
    if b.read.parent is not None:
        return _after(b, b.own.key)
    parent = b.scenario.parent
    assert parent is not None
    other, named = b.faces[parent.table], ", ".join(own for own, _ in parent.pairs)
    if any(not b.own.attributes[own][0].is_required for own, _ in parent.pairs):
        raise NotCovered(f"Pony has no relation along {b.own.table} ({named}), and no outer join without one")
    joined = " and ".join(f"x.{b.own.paths[own]} == p.{other.paths[target]}" for own, target in parent.pairs)
    b.names = {**_WORDS, "E": b.own.entity, "P": other.entity}
    condition = _after(b, b.own.key).partition(" if ")[2]
    return f"(x, p) for x in E for p in P if {joined} and ({condition})"


def _among(b: Bound) -> str:
    if len(b.own.key) > 1:
        return ""  # written for so many keys as there are
    return f"x for x in E if x.{b.own.paths[b.own.key[0]]} in keys"


def _grouped(b: Bound) -> str:
    s, group = b.scenario, f"x.{b.own.paths[b.scenario.group]}"
    parts = [group, "count(x)"]
    if s.total:
        total = f"x.{b.own.paths[s.total]}"
        parts += [f"sum({total})", f"count({total})"] if _may_be_null(b, s.total) else [f"sum({total})"]
    return f"({', '.join(parts)}) for x in E if {group} is not None"


def _may_be_null(b: Bound, column: str) -> bool:
    return not b.own.attributes[column][0].is_required


def _by_document(b: Bound) -> str:
    return f"x for x in E if x.{b.own.paths[b.scenario.filter]}[path] == value"


_TEXTS = {
    "filtered_list": _filtered,
    "keyset_page": lambda b: _after(b, b.scenario.order),
    "list_to_one": _with_parent,
    "nested_include": _among,
    "deep_include": _among,
    "aggregate": _grouped,
    "json_filter": _by_document,
}


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Name the values of rows and keys as the entities do."""
    if on_sqlite():
        params = _plain(params)
    made = dict(params)
    if "row" in params:
        made["row"] = b.target.given(params["row"])
        made["key"] = (
            {name: params["row"][name] for name in b.own.key} if b.scenario.name == "upsert" else params.get("key")
        )
    if "rows" in params:
        made["rows"] = [b.own.given(row) for row in params["rows"]]
    key = {name: params["row"][name] for name in b.own.key} if b.scenario.name == "upsert" else params.get("key")
    if key is not None:
        made["named"] = b.own.given(key)
    if b.scenario.update:
        value = params["row"][b.scenario.update] if b.scenario.name == "upsert" else params["value"]
        made["change"] = b.own.given({b.scenario.update: value})
    return made


def _plain(given: Any) -> Any:
    """Return parameters as Pony takes them on SQLite: moments without a zone, UUIDs as texts."""
    if isinstance(given, dict):
        return {name: _plain(value) for name, value in given.items()}
    if isinstance(given, list):
        return [_plain(one) for one in given]
    return given.hex if isinstance(given, UUID) else zoneless(given)


def explain(error: BaseException) -> dict[str, Any]:
    """Return what the driver's error says, which Pony's errors carry."""
    cause: Any = error
    while isinstance(cause, OrmError | DBException) and getattr(cause, "original_exc", None) is not None:
        cause = cause.original_exc
    diag = getattr(cause, "diag", None)
    constraint = getattr(diag, "constraint_name", None)
    code = getattr(cause, "pgcode", None) or getattr(cause, "sqlite_errorname", None)
    return {"code": code, "constraint": constraint, "columns": None}


def _made(face: Face, row: Row) -> Any:
    """Make an object; NULL in the place of what the server would fill in takes an UPDATE more."""
    found = face.entity(**row)
    empty = {name: None for name, value in row.items() if value is None and face.entity._adict_[name].sql_default}
    if empty:
        found.flush()
        found.set(**empty)
    return found


def insert_one(_: Database, b: Bound, params: Row) -> Row:
    """Make an object and write it."""
    with db_session:
        found = _made(b.own, params["row"])
        found.flush()
        return b.read.own(found)


def bulk_insert(_: Database, b: Bound, params: Row) -> int:
    """Make many objects; the end of the session writes them, one by one."""
    with db_session:
        return len([_made(b.own, row) for row in params["rows"]])


def point_read(_: Database, b: Bound, params: Row) -> Row | None:
    """Get an object by its key, or none."""
    with db_session:
        found = b.own.entity.get(**params["named"])
        return None if found is None else b.read.own(found)


def _page(b: Bound, given: Row, columns: tuple[str, ...]) -> Any:
    s = b.scenario
    order = b.own.order(columns, descending=s.descending)
    return b.asked(given).order_by(order, _WORDS).prefetch(*b.read.prefetched).limit(s.limit)


def filtered_list(_: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a value."""
    with db_session:
        return [b.read.own(found) for found in _page(b, {"value": params["value"]}, b.scenario.order)]


def keyset_page(_: Database, b: Bound, params: Row) -> list[Row]:
    """Select what comes after a row."""
    given = {f"p{place}": params["after"][name] for place, name in enumerate(b.scenario.order)}
    with db_session:
        return [b.read.own(found) for found in _page(b, given, b.scenario.order)]


def json_filter(_: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a key of a document."""
    with db_session:
        given = {"path": b.scenario.path, "value": params["value"]}
        return [b.read.own(found) for found in _page(b, given, b.own.key)]


def list_to_one(_: Database, b: Bound, params: Row) -> list[Row]:
    """Select with parents, by prefetch; by a join where no relation leads to them."""
    given = {f"p{place}": params["after"][name] for place, name in enumerate(b.own.key)}
    with db_session:
        query = _page(b, given, b.own.key)
        if b.read.parent is not None:
            return [b.read.row(found) for found in query]
        return [_paired(b, *found) for found in query]


def _paired(b: Bound, found: Any, parent: Any) -> Row:
    link = b.scenario.parent
    assert link is not None
    return {**b.read.own(found), "parent": b.faces[link.table].reading(link.columns)(parent)}


def nested_include(_: Database, b: Bound, params: Row) -> list[Row]:
    """Select with children, by prefetch."""
    with db_session:
        query = _several(b, params["keys"]).order_by(b.own.order(b.own.key), _WORDS)
        return [b.read.row(found) for found in query.prefetch(*b.read.prefetched)]


deep_include = nested_include


def _several(b: Bound, keys: list[Row]) -> Any:
    """Return the query of objects with those keys."""
    if b.text:
        return b.asked({"keys": [key[b.own.key[0]] for key in keys]})
    names = [{name: f"k{row}_{place}" for place, name in enumerate(b.own.key)} for row in range(len(keys))]
    text = " or ".join(f"({b.own.is_key(one)})" for one in names)
    given = {named[name]: key[name] for named, key in zip(names, keys, strict=True) for name in b.own.key}
    return select(f"x for x in E if {text}", b.names, given)


def aggregate(_: Database, b: Bound, params: Row) -> list[Row]:
    """Select counts and sums; Pony's sum of nothing is 0, so what is summed is counted where it may be NULL."""
    with db_session:
        found = b.asked({}).order_by(1)
        return [{"group": row[0], "count": row[1], "total": _total(b, row)} for row in found]


def _total(b: Bound, row: Any) -> Any:
    return None if not b.scenario.total or (len(row) > 3 and not row[3]) else row[2]


def update_one(_: Database, b: Bound, params: Row) -> int:
    """Get an object and change it."""
    with db_session:
        b.own.entity.get(**params["named"]).set(**params["change"])
        return 1


def upsert(_: Database, b: Bound, params: Row) -> int:
    """Get an object for update and change it; make it where there is none."""
    with db_session:
        found = b.own.entity.get_for_update(**params["named"])
        if found is None:
            _made(b.own, params["row"])
        else:
            found.set(**params["change"])
        return 1


def transaction(_: Database, b: Bound, params: Row) -> Row:
    """Lock an object, change it and make another, in one session."""
    with db_session:
        found = b.own.entity.get_for_update(**params["named"])
        if found is None:
            raise LookupError("the row to lock is not there")
        row = b.read.own(found)
        found.set(**params["change"])
        _made(b.target, params["row"])
        return row


def delete_cascade(_: Database, b: Bound, params: Row) -> int:
    """Delete an object, and before it in bulk what the database would not delete with it."""
    with db_session:
        found = b.own.entity.get(**params["named"])
        values = {f"v{place}": value for place, value in enumerate(params["key"].values())}
        known = dict(zip(params["key"], values, strict=True))
        for link in b.scenario.cascade:
            for text, names in _deletions(b, link, b.own, b.own.is_key(known, "x"), {"x": b.own}):
                select(text, names, values).delete(bulk=True)
        found.delete()
        return 1


def _deletions(b: Bound, link: Link, above: Face, condition: str, outer: dict[str, Face]) -> Iterator[tuple[str, Row]]:
    """Yield the queries of what belongs to the rows above, children of children first."""
    face, name, level = b.faces[link.table], f"c{len(outer)}", [*outer][-1]
    joined = " and ".join(f"{level}.{above.paths[target]} == {name}.{face.paths[own]}" for target, own in link.pairs)
    belongs = f"exists({level} for {level} in E_{level} if {joined} and {condition})"
    several = {**outer, name: face}
    if link.children is not None:
        yield from _deletions(b, link.children, face, belongs, several)
    if not link.by_database:
        names = _WORDS | {f"E_{one}": known.entity for one, known in several.items()}
        yield f"{name} for {name} in E_{name} if {belongs}", names
