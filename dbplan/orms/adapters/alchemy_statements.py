"""The statements of SQLAlchemy, the same for Core's Tables and the ORM's classes, for sync and async sessions.

They are built anew for each call, as applications do; SQLAlchemy caches what it compiles from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Delete, Insert, and_, delete, func, insert, null, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from dbplan.orms.adapters.alchemy_models import Face
from dbplan.orms.adapters.drivers import on_sqlite
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Link, Scenario


@dataclass
class Bound:
    """A scenario with the tables and columns that its statements are made of."""

    scenario: Scenario
    own: Face
    key: tuple[str, ...]
    what: tuple[Any, ...]
    """What is selected: a class, or columns of a Table."""
    select: Callable[..., Any]
    faces: Mapping[str, Face]
    """The tables at the other ends, by name."""
    read: Any = None
    """How rows are made of what is found."""
    options: tuple[Any, ...] = ()
    """How related rows are loaded."""
    inserted: Face | None = None
    note: str = ""

    @property
    def target(self) -> Face:
        """Return the table that rows are inserted into."""
        return self.inserted or self.own


def adapted(b: Bound, params: Row) -> Row:
    """Return parameters as a user holds them: members of enums, values of the plan's own types, attributes' names."""
    made = dict(params)
    made |= {name: b.own.values(params[name]) for name in ("key", "after") if name in params}
    if "keys" in params:
        made["keys"] = [b.own.values(key) for key in params["keys"]]
    if "row" in params:
        made["row"] = b.target.named(_said(b, params["row"])) | _nulls(b, params["row"])
    if "rows" in params:
        made["rows"] = [b.own.named(row) for row in params["rows"]]
    if "value" in params and b.scenario.name != "json_filter":
        made["value"] = b.own.value(b.scenario.update or b.scenario.filter, params["value"])
    return made


def _said(b: Bound, row: Row) -> Row:
    """Return what a new instance is given: it loads anew what it is told to be NULL, so documents are left out.

    SQLModel's are refreshed in any case, and have None where something is left out.
    """
    if b.scenario.name == "upsert" or b.target.mapper is None or hasattr(b.target.entity, "model_fields"):
        return row
    return {name: value for name, value in row.items() if value is not None or name not in b.target.documents}


def _nulls(b: Bound, row: Row) -> Row:
    """Return the NULLs of a new instance that are to be sent, for None leaves a column to its default."""
    if b.scenario.name == "upsert":
        return {}
    return {b.target.names[name]: null() for name in b.target.filled if name in row and row[name] is None}


def bulk_insert(b: Bound) -> Insert:
    """Return the insert of a class; an option has NULL sent where the server would fill the column."""
    made = insert(b.own.entity)
    return made.execution_options(render_nulls=True) if b.own.filled else made


def equal(face: Face, values: Row) -> ColumnElement[bool]:
    """Return the condition that columns have values."""
    return and_(*(face.columns[name] == value for name, value in values.items()))


def among(columns: Sequence[Any], keys: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    """Return the condition that columns have the values of one of many keys."""
    if len(columns) == 1:
        condition: ColumnElement[bool] = columns[0].in_([key[0] for key in keys])
        return condition
    return tuple_(*columns).in_(keys)


def after(columns: Sequence[Any], values: Sequence[Any], *, descending: bool = False) -> ColumnElement[bool]:
    """Return the condition that a row comes after values, as a comparison of rows."""
    row: Any = columns[0] if len(columns) == 1 else tuple_(*columns)
    given: Any = values[0] if len(columns) == 1 else tuple(values)
    condition: ColumnElement[bool] = row < given if descending else row > given
    return condition


def ordered(columns: Sequence[Any], *, descending: bool) -> list[Any]:
    """Return columns in a direction."""
    return [column.desc() for column in columns] if descending else list(columns)


def point_read(b: Bound, params: Row) -> Any:
    """Select a row by its key."""
    return b.select(*b.what).where(equal(b.own, params["key"]))


def filtered_list(b: Bound, params: Row) -> Any:
    """Select rows by a value."""
    s = b.scenario
    order = ordered(b.own.several(s.order), descending=s.descending)
    return b.select(*b.what).where(b.own.columns[s.filter] == params["value"]).order_by(*order).limit(s.limit)


def keyset_page(b: Bound, params: Row) -> Any:
    """Select the rows that come after one."""
    s = b.scenario
    columns = b.own.several(s.order)
    page = after(columns, [params["after"][name] for name in s.order], descending=s.descending)
    return b.select(*b.what).where(page).order_by(*ordered(columns, descending=s.descending)).limit(s.limit)


def list_to_one(b: Bound, params: Row) -> Any:
    """Select the rows that come after a key; the options say how what they refer to is loaded."""
    columns = b.own.several(b.key)
    page = after(columns, [params["after"][name] for name in b.key])
    return b.select(*b.what).options(*b.options).where(page).order_by(*columns).limit(b.scenario.limit)


def include(b: Bound, params: Row) -> Any:
    """Select rows by their keys; the options say how their children are loaded."""
    columns = b.own.several(b.key)
    keys = [tuple(key[name] for name in b.key) for key in params["keys"]]
    return b.select(*b.what).options(*b.options).where(among(columns, keys)).order_by(*columns)


def json_filter(b: Bound, params: Row) -> Any:
    """Select rows by a key of their document."""
    s = b.scenario
    value = b.own.columns[s.filter][s.path].as_string()
    return b.select(*b.what).where(value == params["value"]).order_by(*b.own.several(b.key)).limit(s.limit)


def aggregate(b: Bound) -> Any:
    """Select counts and sums by group."""
    group = b.own.columns[b.scenario.group]
    total = func.sum(b.own.columns[b.scenario.total]) if b.scenario.total else null()
    return b.select(group, func.count(), total).where(group.is_not(None)).group_by(group).order_by(group)


def totals(b: Bound, found: Sequence[Any]) -> list[Row]:
    """Return counts and sums by group as rows."""
    group = b.scenario.group
    return [{"group": b.own.label(group, row[0]), "count": row[1], "total": row[2]} for row in found]


def update_one(b: Bound, params: Row) -> Any:
    """Set a column of one row."""
    name = b.scenario.update
    return update(b.own.entity).where(equal(b.own, params["key"])).values({b.own.columns[name]: params["value"]})


def upsert(b: Bound, params: Row) -> Insert:
    """Insert a row, or set a column of the one that is there, by the database's own INSERT."""
    made: Any = (sqlite if on_sqlite() else postgresql).insert(b.own.entity).values(params["row"])
    keys, changed = [str(name) for name in b.key], b.scenario.update
    found: Insert = made.on_conflict_do_update(index_elements=keys, set_={changed: made.excluded[changed]})
    return found


def deletions(b: Bound, params: Row) -> Iterator[Delete]:
    """Yield the deletes in order: what the database does not delete by itself comes before its parent."""
    key = params["key"]
    condition = equal(b.own, key)
    for link in b.scenario.cascade:
        yield from _deletions(b, link, b.own, condition, key)
    yield delete(b.own.entity).where(condition)


def _deletions(
    b: Bound, link: Link, above: Face, condition: ColumnElement[bool], known: Mapping[str, Any]
) -> Iterator[Delete]:
    face = b.faces[link.table]
    own = [column for _, column in link.pairs]
    values = {column: known[target] for target, column in link.pairs if target in known}
    if len(values) == len(own):
        belonging = equal(face, values)
    else:
        values = {}
        belonging = _within(b, face.several(own), above.several(target for target, _ in link.pairs), condition)
    if link.children is not None:
        yield from _deletions(b, link.children, face, belonging, values)
    if not link.by_database:
        yield delete(face.entity).where(belonging)


def _within(b: Bound, own: list[Any], targets: list[Any], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    parents = b.select(*targets).where(condition)
    found: ColumnElement[bool] = own[0].in_(parents) if len(own) == 1 else tuple_(*own).in_(parents)
    return found
