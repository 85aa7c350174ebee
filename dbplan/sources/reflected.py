"""Reflected metadata made true: what SQLAlchemy reads wrongly or not at all, and the server's catalog knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    String,
    Table,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import Constraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.sql.elements import ColumnElement, TextClause
from sqlalchemy.types import NullType, UserDefinedType

from dbplan.evidence import Catalog, Place

Facts = Mapping[str, str]
_NEXTVAL = re.compile(r"nextval\('(?P<name>(?:[^']|'')+)'(?:::regclass)?\)")
_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
_NOT_PLAIN = ("partition bound", "foreign", "definition")
_NUMBERS = {"start": "start", "increment": "increment", "minimum": "minvalue", "maximum": "maxvalue", "cache": "cache"}
_WHOLE = {"smallint": SmallInteger, "integer": Integer}


class ServerType(UserDefinedType[Any]):
    """A type that SQLAlchemy has no class for, in the words of the server that has it; no other server takes it."""

    cache_ok = True

    def __init__(self, words: str, dialect: str) -> None:
        self.words, self.dialect = words, dialect
        self.__visit_name__ = re.sub(r"\(.*|\[\]", "", words).rpartition(".")[2]


@compiles(ServerType)
def _write(kind: ServerType, compiler: Any, **_: Any) -> str:
    if compiler.dialect.name != kind.dialect:
        raise CompileError(f"{kind.words} is a type of {kind.dialect}")
    return kind.words


def plain_tables(catalog: Catalog) -> frozenset[str]:
    """Return the tables that hold rows themselves: no partition, no foreign and no virtual table."""
    tables = (found for found in catalog.objects if found.kind == "table")
    return frozenset(found.place.table for found in tables if not set(_NOT_PLAIN).intersection(dict(found.properties)))


def mend(metadata: MetaData, catalog: Catalog) -> Iterator[str]:
    """Correct reflected tables by the catalog; yield in words what is another thing in the plan than there."""
    facts = {(found.kind, found.place): dict(found.properties) for found in catalog.objects}
    elsewhere = [f"{found}." for found in _schemas_of_extensions(catalog)]
    for table in metadata.tables.values():
        yield from _one_table(table, facts.get(("table", Place(table.fullname)), {}), catalog)
        for column in table.columns:
            known = facts.get(("column", Place(table.fullname, column.name)), {})
            _give_type(column, known, catalog.dialect, elsewhere)
            _give_default(column, known, metadata, facts)
        for constraint in tuple(table.constraints):
            known = facts.get(("constraint", Place(table.fullname, constraint=str(constraint.name or ""))), {})
            _give_options(table, constraint, known.get("definition", ""))
        _write_colons(table)


def _schemas_of_extensions(catalog: Catalog) -> set[str]:
    found = (dict(thing.properties).get("schema", "") for thing in catalog.objects if thing.kind == "extension")
    return {schema for schema in found if schema}


def _one_table(table: Table, known: Facts, catalog: Catalog) -> Iterator[str]:
    """Make a partitioned or inheriting table one of its own, and say so."""
    options = table.dialect_options["postgresql"]
    if options["inherits"]:
        table.dialect_kwargs["postgresql_inherits"] = None
        yield f"{table.fullname} inherits from {known.get('parents', 'another table')}; here it is a table of its own"
    if key := known.get("partition key"):
        options["partition_by"] = None
        count = sum(table.fullname in found for found in _families(catalog))
        yield f"{table.fullname} is partitioned by {key}; its {count} partitions are one table here"


def _families(catalog: Catalog) -> Iterator[set[str]]:
    """Yield for each partition the tables that it is a part of, at any depth."""
    parent = {
        found.place.table: _plain_name(facts["parents"])
        for found in catalog.objects
        if found.kind == "table" and "partition bound" in (facts := dict(found.properties))
    }
    for name in tuple(parent):
        family: set[str] = set()
        while name in parent:
            name = parent[name]
            family.add(name)
        yield family


def _plain_name(words: str) -> str:
    return ".".join(identifiers(words))


def identifiers(words: str) -> tuple[str, ...]:
    """Return the parts of a dotted name as the server writes it, without quotes."""
    return tuple(a.replace('""', '"') or b for a, b in _IDENTIFIER.findall(words))


def _give_type(column: Column[Any], known: Facts, dialect: str, elsewhere: list[str]) -> None:
    kind = getattr(column.type, "item_type", column.type)
    if isinstance(kind, DOMAIN):
        kind.create_type = True  # reflection means it to be there already …
        kind.collation = None  # … and writes a collation twice, here and with the type below
    if not isinstance(kind, NullType) and type(kind) is not String:
        return
    words = known.get("type", "")
    for schema in elsewhere:
        words = words.removeprefix(schema)
    column.type = ServerType(words, dialect)


def _give_default(column: Column[Any], known: Facts, metadata: MetaData, facts: Mapping[Any, Facts]) -> None:
    """Let the plan have the sequence that a column draws from; one made for a primary key comes with the column."""
    made: Any = column.server_default
    if isinstance(made, Computed) and not str(made.sqltext):  # SQLite takes it without GENERATED ALWAYS, too
        made.sqltext = literal_column(known.get("generated", "").rpartition(" ")[0])
    match = _NEXTVAL.fullmatch(known.get("default", ""))
    if match is None or column.server_default is None:
        return
    parts = identifiers(match["name"].replace("''", "'"))
    sequence = facts.get(("sequence", Place(".".join(parts))), {})
    if _is_serial_key(column, sequence):
        column.server_default, column.autoincrement = None, True
        return
    column.server_default.arg = literal_column(known["default"])  # type: ignore[attr-defined]
    options: dict[str, Any] = {name: int(sequence[key]) for key, name in _NUMBERS.items() if key in sequence}
    options |= {"cycle": "cycle" in sequence or None, "data_type": _WHOLE.get(sequence.get("type", ""))}
    Sequence(parts[-1], schema=parts[-2] if len(parts) > 1 else None, metadata=metadata, **options)


def _is_serial_key(column: Column[Any], sequence: Facts) -> bool:
    alone = column.primary_key and len(column.table.primary_key) == 1 and isinstance(column.type, Integer)
    return alone and sequence.get("owned by") == f"{column.table.fullname}.{column.name}"


def _give_options(table: Table, constraint: Constraint, definition: str) -> None:
    if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
        constraint.deferrable = True if re.search(r"(?<!NOT )DEFERRABLE", definition) else None
        constraint.initially = "DEFERRED" if definition.endswith("INITIALLY DEFERRED") else None
    elif isinstance(constraint, CheckConstraint) and "dialect" in constraint.dialect_options:
        # SQLAlchemy 2.1 hands over the options of a reflected CHECK as one of a dialect named "dialect".
        table.constraints.discard(constraint)
        late = "NOT VALID" in definition.rpartition(")")[2]
        said = CheckConstraint(constraint.sqltext, name=constraint.name, comment=constraint.comment)
        said.dialect_options["postgresql"]["not_valid"] = late
        table.append_constraint(said)


def _write_colons(table: Table) -> None:
    """Keep `:word` inside reflected SQL from being taken for a bind parameter."""
    for column in table.columns:
        default: Any = column.server_default
        for name in ("arg", "sqltext"):
            if _binds(getattr(default, name, None)):
                setattr(default, name, literal_column(getattr(default, name).text))
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint) and _binds(constraint.sqltext):
            constraint.sqltext = literal_column(constraint.sqltext.text)
    for index in table.indexes:
        bound: Any = [literal_column(e.text) if _binds(e) else e for e in index.expressions]
        index.expressions = index._table_bound_expressions = bound  # the latter are what a copy is made of
        for dialect in ("postgresql", "sqlite"):
            where = index.dialect_options[dialect]["where"]
            text = where if isinstance(where, str) else where.text if _binds(where) else None
            if text:
                index.dialect_options[dialect]["where"] = literal_column(text)


def _binds(clause: Any) -> TypeGuard[TextClause]:
    return isinstance(clause, TextClause) and bool(clause._bindparams)


def bound(sql: str) -> TextClause | ColumnElement[Any]:
    """Return a server's SQL as it stands: `:word` inside it is no bind parameter."""
    said = text(sql)
    return literal_column(sql) if said._bindparams else said
