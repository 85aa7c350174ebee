"""What PostgreSQL's DDL has beyond SQLAlchemy's: definitions in its own words, partitions, and what follows a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Column, DefaultClause, MetaData, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import Constraint

from dbplan.ddl.extensions import extensions
from dbplan.ddl.statement import Statement
from dbplan.evidence import Place

_WITH_DEFINITIONS = (
    "check_constraint",
    "foreign_key_constraint",
    "primary_key_constraint",
    "unique_constraint",
    "exclude_constraint",
)


_OWN_LINE = re.compile(r"\n (?=(?:INHERITS|PARTITION BY|USING|WITH|WITHOUT|ON COMMIT|TABLESPACE) )")


def compiler(base: Any) -> Any:
    """Return a DDL compiler like `base` that takes the `definition` of a constraint or index for what it is."""

    class NativePostgreSQL(base):  # type: ignore[misc]
        def post_create_table(self, table: Table) -> str:
            options = table.dialect_options["postgresql"]
            inherits, options["inherits"] = options["inherits"], None
            try:
                said = _inheriting(table, inherits, self.preparer) + str(super().post_create_table(table))
                return _OWN_LINE.sub(" ", said)
            finally:
                options["inherits"] = inherits

        def get_column_specification(self, column: Column[Any], **options: Any) -> str:
            said = str(super().get_column_specification(column, **options))
            name = column.info.get("not_null") if is_native(column.table) else None
            words = f" CONSTRAINT {self.preparer.quote(name)} NOT NULL" if name else ""
            return said.removesuffix(" NOT NULL") + words if words else said

        def get_column_default_string(self, column: Column[Any]) -> str | None:
            late = is_native(column.table) and column.info.get("late")
            return None if late else super().get_column_default_string(column)

        def get_identity_options(self, identity: Any) -> str:
            column = getattr(identity, "column", None)
            name = column.info.get("sequence") if column is not None and is_native(column.table) else None
            said = str(super().get_identity_options(identity))
            return f"SEQUENCE NAME {name} {said}".rstrip() if name else said

        def _constraint_line(self, constraint: Constraint) -> str | None:
            return None if comes_late(constraint) else super()._constraint_line(constraint)

    for kind in _WITH_DEFINITIONS:
        setattr(NativePostgreSQL, f"visit_{kind}", _defined(f"visit_{kind}", NativePostgreSQL))
    return NativePostgreSQL


def _defined(name: str, owner: Any) -> Any:
    def visit(self: Any, constraint: Constraint, **options: Any) -> str:
        definition = own_words(constraint)
        if definition is None:
            return str(getattr(super(owner, self), name)(constraint, **options))
        known = self.preparer.format_constraint(constraint) if constraint.name is not None else None
        return f"CONSTRAINT {known} {definition}" if known else definition

    return visit


def _inheriting(table: Table, parents: Any, preparer: Any) -> str:
    names = [parents] if isinstance(parents, str) else list(parents or ())
    known = [table.metadata.tables.get(str(name)) for name in names]
    written = [
        preparer.quote(name) if found is None else preparer.format_table(found)
        for name, found in zip(names, known, strict=True)
    ]
    return f"\n INHERITS ({', '.join(written)})" if written else ""


def own_words(constraint: Constraint) -> str | None:
    """Return a constraint as its server wrote it, where the plan holds that and the words are PostgreSQL's."""
    definition = constraint.info.get("definition")
    return str(definition) if definition and is_native(getattr(constraint, "table", None)) else None


def is_native(table: Table | None) -> bool:
    """Whether a table's `.info` is in PostgreSQL's own words."""
    return table is not None and table.metadata.info.get("dialect") == "postgresql"


def comes_late(constraint: Constraint) -> bool:
    """Whether a constraint has to be added to a table that is there: rows are not checked, or a circle is closed."""
    options = getattr(constraint, "dialect_options", {})
    not_valid = isinstance(constraint, CheckConstraint) and options["postgresql"]["not_valid"]
    return bool(not_valid or (is_native(constraint.table) and constraint.info.get("late")))


def before(metadata: MetaData, dialect: Dialect, own: bool) -> Iterator[Statement]:
    """Yield settings and extensions."""
    quote = dialect.identifier_preparer.quote_identifier
    elsewhere = metadata.info.get("extension_schemas", {}) if own else {}
    if own and metadata.info.get("routines"):  # which may speak of tables that are yet to come
        yield Statement(Place(), "setting", "SET check_function_bodies = off")
    if own and (default := metadata.info.get("default_schema")):
        yield Statement(Place(default), "schema", f"CREATE SCHEMA IF NOT EXISTS {quote(default)}")
        yield Statement(Place(default), "search path", f"SET search_path TO {quote(default)}")
    for name, place in extensions(metadata).items():
        schema = f" SCHEMA {quote(elsewhere[name])}" if name in elsewhere else ""
        yield Statement(place, "extension", f"CREATE EXTENSION IF NOT EXISTS {quote(name)}{schema}")


def after(metadata: MetaData, dialect: Dialect) -> Iterator[Statement]:
    """Yield what follows the tables: partitions attached, defaults of circles, row security, statistics, comments."""
    for key in sorted(metadata.tables):
        yield from _table(metadata.tables[key], dialect)
    info = metadata.info
    yield from (Statement(Place(), "alteration", sql) for sql in info.get("alterations", ()))
    yield from (Statement(Place(), "statistics", sql) for sql in info.get("statistics", ()))
    yield from (Statement(Place(), "comment", sql) for sql in info.get("comments", ()))
    if info.get("routines"):
        yield Statement(Place(), "reset", "RESET check_function_bodies")


def _table(table: Table, dialect: Dialect) -> Iterator[Statement]:
    quote, place = dialect.identifier_preparer, Place(table=str(table.key))
    name = quote.format_table(table)
    if "partition_of" in table.info:
        parent, bound = table.info["partition_of"]
        there = quote.format_table(table.metadata.tables[parent])
        yield Statement(place, "attachment", f"ALTER TABLE ONLY {there} ATTACH PARTITION {name} {bound}")
    for column in table.columns:
        default = column.server_default
        if column.info.get("late") and isinstance(default, DefaultClause):
            words = f"ALTER TABLE ONLY {name} ALTER COLUMN {quote.quote(column.name)} SET DEFAULT {default.arg}"
            yield Statement(Place(str(table.key), column.name), "key", words)
    if security := table.info.get("row_security"):
        yield Statement(place, "policy", f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        if security == "forced":
            yield Statement(place, "policy", f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    yield from (Statement(place, "alteration", sql) for sql in table.info.get("alterations", ()))
    yield from (Statement(place, "rule", sql) for sql in table.info.get("rules", ()))


def depth(table: Table) -> int:
    """Return how many ancestors a partition or inheriting table has: the server wants what is below to be there."""
    parents = [table.info["partition_of"][0]] if "partition_of" in table.info else []
    inherits = table.dialect_options["postgresql"]["inherits"]
    parents += [inherits] if isinstance(inherits, str) else list(inherits or ())
    known = (table.metadata.tables.get(str(name)) for name in parents)
    return max((1 + depth(parent) for parent in known if parent is not None), default=0)
