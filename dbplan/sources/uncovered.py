"""What a database holds and its plan does not, in words: nothing is left out in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sqlalchemy import Index, MetaData, Table, create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import DOMAIN, ENUM
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex

from dbplan.evidence import Catalog, Place, SchemaObject
from dbplan.sources.catalog import snapshot
from dbplan.sources.reflected import plain_tables

_NEVER_HELD = ("view", "trigger", "policy", "rule", "function", "statistics", "type", "extension")
_OF_A_TABLE = ("persistence", "of type", "row security", "replica identity", "access method")
_OF_A_COLUMN = ("storage", "compression", "statistics target", "options")
_OF_AN_INDEX = ("valid", "clustered on", "replica identity", "storage parameters")
_LOST_WORDS = re.compile(r"\b(WITHOUT OVERLAPS|PERIOD(?= )|NO INHERIT$|NOT ENFORCED$)")
_KINDS_OF_TABLE = {"foreign": "foreign table", "definition": "virtual table"}
_SAID_OTHERWISE = frozenset(("btree", "using", "asc", "only"))
_LONGEST = 60


def uncovered(metadata: MetaData, catalog: Catalog) -> Iterator[str]:
    """Yield what `catalog` holds and `metadata` does not, one line each."""
    if catalog.dialect == "sqlite":
        yield from _beside(catalog, plain_tables(catalog))
        yield from _against_a_copy(metadata, catalog)
        return
    plain = frozenset(metadata.tables)
    views = frozenset(found.place.table for found in catalog.objects if found.kind == "view")
    yield from _beside(catalog, plain)
    for found in catalog.objects:
        if found.place.table in plain:
            yield from _of_table(metadata.tables[found.place.table], found, dict(found.properties))
        elif found.place.table not in views:
            yield from _of_others(metadata, found, dict(found.properties))


def _beside(catalog: Catalog, plain: frozenset[str]) -> Iterator[str]:
    """Yield whole objects that no plan holds; partitions are told with the table that they are of."""
    for found in catalog.objects:
        facts, place = dict(found.properties), found.place
        if found.kind == "table" and place.table not in plain and "partition bound" not in facts:
            kind = next((words for key, words in _KINDS_OF_TABLE.items() if key in facts), "table")
            yield f"{kind} {place.table}"
        elif found.kind == "view" and "materialised" in facts:
            yield f"materialized view {place.table}"
        elif found.kind in _NEVER_HELD:
            yield f"{found.kind} {place}"


def _of_table(table: Table, found: SchemaObject, facts: Mapping[str, str]) -> Iterator[str]:
    """Yield the properties of a table, and of what hangs on it, that the plan does not hold."""
    if found.kind == "table":
        yield from (f"{key} of {found.place}: {facts[key]}" for key in _OF_A_TABLE if key in facts)
    elif found.kind == "column":
        yield from (f"{key} of {found.place}: {facts[key]}" for key in _OF_A_COLUMN if key in facts)
        if "," in facts.get("not null", ""):
            yield f"NOT NULL of {found.place}: {facts['not null'].partition(', ')[2]}"
    elif found.kind == "constraint":
        yield from _of_constraint(table, found.place, facts.get("definition", ""))
    elif found.kind == "foreign key":
        yield f"foreign key {found.place}: not enforced, its triggers are disabled"
    elif found.kind == "index":
        yield from _of_index(table, found.place, facts)


def _of_constraint(table: Table, place: Place, definition: str) -> Iterator[str]:
    held = {str(constraint.name) for constraint in table.constraints}
    if place.constraint not in held:
        yield f"constraint {place}: {_short(definition)}"
    elif lost := _LOST_WORDS.search(definition):
        yield f"{lost[0]} of constraint {place}"


def _of_index(table: Table, place: Place, facts: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{key} of index {place}: {facts[key]}" for key in _OF_AN_INDEX if key in facts)
    if "comment" in facts:
        yield f"comment of index {place}"
    definition = facts.get("definition", "")
    held = next((index for index in table.indexes if index.name == place.index), None)
    if held is None and definition:
        yield f"index {place}: {_short(definition)}"
    elif held is not None and (lost := _words(definition) - _words(_written(held)) - _SAID_OTHERWISE):
        yield f"index {place} is in the plan without: {', '.join(sorted(lost))}"


def _written(index: Index) -> str:
    try:
        return str(CreateIndex(index).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    except SQLAlchemyError:
        return ""


def _words(sql: str) -> set[str]:
    return set(re.findall(r"\w+", sql.lower()))


def _of_others(metadata: MetaData, found: SchemaObject, facts: Mapping[str, str]) -> Iterator[str]:
    """Yield types, sequences and comments that hang on no table of the plan."""
    name = found.place.table
    if found.kind == "schema" and "comment" in facts:
        yield f"comment of schema {name}"
    elif found.kind in ("enum", "domain") and name not in _types(metadata):
        yield f"{found.kind} {name}, which no column uses"
    elif found.kind == "constraint" and (domain := _types(metadata).get(name)) is not None:
        if found.place.constraint != getattr(domain, "constraint_name", None):
            yield f"constraint {found.place.constraint} of domain {name}: {_short(facts.get('definition', ''))}"
    elif found.kind == "sequence" and not facts.get("owned by") and name not in metadata._sequences:
        yield f"sequence {name}"


def _types(metadata: MetaData) -> dict[str, object]:
    """Return the named types of all columns, by name."""
    kinds = (getattr(c.type, "item_type", c.type) for table in metadata.tables.values() for c in table.columns)
    named = [kind for kind in kinds if isinstance(kind, DOMAIN | ENUM)]
    return {f"{kind.schema}.{kind.name}" if kind.schema else str(kind.name): kind for kind in named}


def _short(definition: str) -> str:
    text = " ".join(definition.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _against_a_copy(metadata: MetaData, catalog: Catalog) -> Iterator[str]:
    """Yield where a database made of the plan differs from the one that was read: SQLite makes one in memory."""
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            metadata.create_all(connection)
            made = {(f.kind, f.place): dict(f.properties) for f in snapshot(connection).objects}
    except SQLAlchemyError as error:
        yield f"what differs in detail: SQLite does not take the plan back ({str(error).splitlines()[0]})"
        return
    finally:
        engine.dispose()
    for found in catalog.objects:
        if found.place.table in metadata.tables and found.kind not in _NEVER_HELD:
            yield from _lost(found, made.get((found.kind, found.place)))


def _lost(found: SchemaObject, twin: Mapping[str, str] | None) -> Iterator[str]:
    if twin is None:
        yield f"{found.kind} {found.place}"
        return
    for key, value in found.properties:
        if twin.get(key, "") != value:
            here = f", in the plan {_short(twin[key])}" if twin.get(key) else ""
            yield f"{key} of {found.kind} {found.place}: {_short(value)}{here}"
