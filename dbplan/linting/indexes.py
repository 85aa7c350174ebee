"""Rules about indexes: the ones the server refuses, the ones that say the same twice, the ones no plan will use."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from sqlalchemy import Column, Computed, Enum, Table

from dbplan.evidence import Place, Severity
from dbplan.linting import ddl
from dbplan.linting.access import Access, Key
from dbplan.linting.pgtypes import underlying
from dbplan.linting.schema import Schema
from dbplan.rule import Hit, rule

_MOST_INDEXES = 6
_MOST_EXTRA_KEYS = 2
_FEW_VALUES = 3
_CONTAINERS = ("array", "jsonb", "tsvector")


@rule(
    "idx-no-opclass",
    Severity.ERROR,
    condition="An index method has no default operator class for the type of a column, and none is named.",
    why='CREATE INDEX fails: "data type text has no default operator class for access method gin".',
    mend="Name the operator class (text search: gin_trgm_ops of pg_trgm), or use the method that fits the type.",
    source="PostgreSQL 18: pg_opclass",
)
def idx_no_opclass(schema: Schema) -> Iterator[Hit]:
    """Find what the server refuses to index; GIN over a scalar beside a container means btree_gin, and is spared."""
    for table in schema.tables:
        columns = {column.name: column for column in table.columns}
        for access in schema.accesses[table]:
            for column in (columns[key.column] for key in access.keys if key.column and not key.opclass):
                if schema.of(column).default_class(access.method) is False and not _extended(schema, access, columns):
                    yield (
                        _place(access),
                        f"{_title(access)} uses {access.method} on {column.name}, which is {schema.of(column).text}: "
                        "there is no default operator class.",
                        _class_mend(schema, access, column),
                    )


def _extended(schema: Schema, access: Access, columns: dict[str, Column[Any]]) -> bool:
    """Return whether the index looks made for btree_gin or btree_gist: scalars beside what the method is for."""
    if access.method not in ("gin", "gist"):
        return False
    return access.kind == "exclusion constraint" or any(
        key.opclass or not key.column or schema.of(columns[key.column]).default_class(access.method)
        for key in access.keys
    )


def _class_mend(schema: Schema, access: Access, column: Column[Any]) -> str:
    kind = schema.of(column).kind
    if kind == "json":
        return ddl.alter_column(column, f"TYPE jsonb USING {ddl.quote(column.name)}::jsonb")
    if access.kind != "index" or len(access.keys) > 1:
        return f"Name an operator class for {column.name} in postgresql_ops, or choose another method."
    if access.method == "gin" and kind == "string":
        options: dict[str, Any] = {"postgresql_using": "gin", "postgresql_ops": {column.name: "gin_trgm_ops"}}
        made = ddl.create_index(schema, access.table, [column.name], **options)
        return f"CREATE EXTENSION IF NOT EXISTS pg_trgm;\n{made}"
    method = "gist" if kind == "geometry" else "btree"
    return ddl.create_index(schema, access.table, [column.name], postgresql_using=method)


@rule(
    "idx-on-virtual",
    Severity.ERROR,
    condition="An index, key or unique constraint covers a virtual generated column.",
    why="PostgreSQL 18 refuses it; only stored generated columns can be indexed.",
    mend="Store the column: Computed(…, persisted=True); or index the expression itself.",
    source="PostgreSQL documentation: generated columns",
)
def idx_on_virtual(schema: Schema) -> Iterator[Hit]:
    """Find indexes over generated columns that are not stored."""
    for table in schema.tables:
        virtual = {c.name for c in table.columns if isinstance(c.computed, Computed) and c.computed.persisted is False}
        for access in schema.accesses[table]:
            for name in sorted(virtual & set(access.columns)):
                yield (
                    _place(access),
                    f"{_title(access)} covers {name}, a virtual generated column.",
                    f"Store it: Computed(…, persisted=True) on {table.fullname}.{name}.",
                )


@rule(
    "idx-duplicate",
    Severity.WARNING,
    condition="Two indexes have the same method, keys, order, operator classes, predicate and included columns.",
    why="Every write pays twice for one way in.",
    mend="Drop the one that enforces nothing.",
    source="splinter 0009, pg-index-health",
)
def idx_duplicate(schema: Schema) -> Iterator[Hit]:
    """Find indexes that another one, or the index behind a constraint, equals."""
    for table in schema.tables:
        seen: list[Access] = []
        for access in sorted(schema.accesses[table], key=_rank):
            first = next((other for other in seen if _same(access, other)), None)
            if first is None:
                seen.append(access)
            elif not _needed(schema, access):
                yield (
                    _place(access),
                    f"{_title(access)} is the same as the {_kind(first)} on ({_keys(first)}).",
                    ddl.drop(access),
                )


def _same(access: Access, other: Access) -> bool:
    """Return whether `other` does all that `access` does; what is unique can stand in for what is not."""
    enough = other.unique or not access.unique
    nulls = other.nulls_distinct == access.nulls_distinct or not access.unique
    alike = access.shape == other.shape and access.keys == other.keys and access.include <= other.include
    return enough and nulls and alike


def _rank(access: Access) -> tuple[int, bool, int, str]:
    kinds = ("primary key", "unique constraint", "exclusion constraint", "index")
    return kinds.index(access.kind), not access.unique, -len(access.include), access.name


def _needed(schema: Schema, access: Access) -> bool:
    """Return whether an exclusion constraint enforces more than its index shape says."""
    return access.kind in ("primary key", "exclusion constraint") or not access.keys


@rule(
    "idx-prefix-redundant",
    Severity.WARNING,
    condition="A plain index is the left prefix of another with the same method, predicate and operator classes, "
    "which has at most two keys more.",
    why="The longer index answers what the shorter one answers; every write pays for both.",
    mend="Drop the shorter one, unless it is much smaller and read much more.",
    source="pg-index-health: intersected indexes",
)
def idx_prefix_redundant(schema: Schema) -> Iterator[Hit]:
    """Find non-unique indexes whose keys start another index, read forwards or backwards."""
    for table in schema.tables:
        found: set[Access] = set()
        for short, long in permutations(schema.accesses[table], 2):
            extra = len(long.keys) - len(short.keys)
            if short.kind != "index" or short.unique or short in found or not 0 < extra <= _MOST_EXTRA_KEYS:
                continue
            if short.method == "btree" and short.shape == long.shape and short.starts(long) and not short.include:
                found.add(short)
                yield (
                    _place(short),
                    f"{_title(short)} starts the {_kind(long)} on ({_keys(long)}).",
                    ddl.drop(short),
                )


@rule(
    "idx-too-many",
    Severity.NOTE,
    condition="A table has more than 6 indexes besides its primary key.",
    why="Each insert writes to every one of them, and each indexed column that changes costs a heap-only update.",
    mend="Measure which ones the named queries use (`dbplan benchmark`), and drop the rest.",
    source="SchemaCrawler, Azimutt",
)
def idx_too_many(schema: Schema) -> Iterator[Hit]:
    """Find tables with many indexes."""
    for table in schema.tables:
        number = sum(access.kind != "primary key" for access in schema.accesses[table])
        if number > _MOST_INDEXES:
            yield (
                Place(table.fullname),
                f"{table.fullname} has {number} indexes besides its primary key.",
                "Run `dbplan benchmark` and drop the ones that no named query uses.",
            )


@rule(
    "idx-low-cardinality",
    Severity.NOTE,
    condition="A full btree index covers a single boolean, or a single enum of at most three values.",
    why="Each value fits a large part of the table, so the planner reads the table instead.",
    mend="A partial index for the rare value, over the columns that its queries look for.",
    source="pg-index-health",
)
def idx_low_cardinality(schema: Schema) -> Iterator[Hit]:
    """Find indexes with too few values to select by."""
    for table in schema.tables:
        columns = {column.name: column for column in table.columns}
        for access in schema.accesses[table]:
            if access.kind != "index" or access.unique or access.predicate or access.method != "btree":
                continue
            column = columns.get(access.columns[0]) if access.plain and len(access.keys) == 1 else None
            values = _values(schema, column) if column is not None and not column.foreign_keys else None
            if column is not None and values is not None and values <= _FEW_VALUES:
                yield (
                    _place(access),
                    f"{_title(access)} has {values} values at most.",
                    _partial(schema, access, table, column),
                )


def _values(schema: Schema, column: Column[Any]) -> int | None:
    """Return how many values a column can have, where its type says so."""
    if schema.of(column).kind == "boolean":
        return 2
    if not schema.of(column).known:
        return None
    type_ = underlying(column.type)
    return len(type_.enums) if isinstance(type_, Enum) and type_.enums else None


def _partial(schema: Schema, access: Access, table: Table, column: Column[Any]) -> str:
    key = [c.name for c in table.primary_key.columns]
    if schema.of(column).kind != "boolean" or not key:
        return ddl.drop(access)
    tail = f"WHERE {ddl.quote(column.name)}"
    return f"{ddl.drop(access)}\n{ddl.create_index(schema, table, key, tail=tail, instead=access.name)}"


@rule(
    "idx-btree-container",
    Severity.WARNING,
    condition="A plain btree index covers an array, a jsonb or a tsvector column.",
    why="It finds equal values as a whole, not what they contain; and a value over 2,704 bytes cannot be inserted.",
    mend="Use GIN.",
    source="PostgreSQL documentation: GIN",
)
def idx_btree_container(schema: Schema) -> Iterator[Hit]:
    """Find btree indexes over what is searched by content."""
    for table in schema.tables:
        columns = {column.name: column for column in table.columns}
        for access in schema.accesses[table]:
            if access.kind != "index" or access.method != "btree" or access.unique or len(access.keys) != 1:
                continue
            column = columns.get(access.keys[0].column)
            if column is not None and schema.of(column).kind in _CONTAINERS and not access.predicate:
                made = ddl.create_index(schema, table, [column.name], instead=access.name, postgresql_using="gin")
                yield (
                    _place(access),
                    f"{_title(access)} is a btree over {schema.of(column).text}.",
                    f"{ddl.drop(access)}\n{made}",
                )


@rule(
    "idx-range-first",
    Severity.NOTE,
    condition="A plain index has a point in time before a foreign key, a boolean or an enum.",
    why="A range of time ends the usable prefix: the columns after it only filter, they do not find.",
    mend="Put the columns that are compared for equality first, the range last.",
    source="use-the-index-luke.com: multi-column indexes",
)
def idx_range_first(schema: Schema) -> Iterator[Hit]:
    """Find indexes with time before equality; (created_at, id) pages through rows, and is spared."""
    for table in schema.tables:
        columns = {column.name: column for column in table.columns}
        for access in schema.accesses[table]:
            if access.kind != "index" or access.unique or access.method != "btree" or not access.plain:
                continue
            late = _late_equalities(schema, [columns[name] for name in access.columns])
            if late and not access.predicate and _first_kind(schema, columns, access.keys[0]) == "instant":
                order = [*late, *(name for name in access.columns if name not in late)]
                yield (
                    _place(access),
                    f"{_title(access)} has {access.columns[0]} before {', '.join(late)}.",
                    f"{ddl.drop(access)}\n{ddl.create_index(schema, table, order, instead=access.name)}",
                )


def _first_kind(schema: Schema, columns: dict[str, Column[Any]], key: Key) -> str:
    return schema.of(columns[key.column]).kind


def _late_equalities(schema: Schema, columns: list[Column[Any]]) -> list[str]:
    equal = [c for c in columns[1:] if c.foreign_keys or _values(schema, c) is not None]
    return [column.name for column in equal]


def _kind(access: Access) -> str:
    return "unique index" if access.kind == "index" and access.unique else access.kind


def _keys(access: Access) -> str:
    return ", ".join((key.column or key.expression) + (" DESC" if key.descending else "") for key in access.keys)


def _title(access: Access) -> str:
    name = access.name or f"({_keys(access)})"
    return f"{'Index' if access.kind == 'index' else access.kind.capitalize()} {name} on {access.table.fullname}"


def _place(access: Access) -> Place:
    if access.kind == "index":
        return Place(access.table.fullname, index=access.name or _keys(access))
    return Place(access.table.fullname, constraint=access.name or _keys(access))
