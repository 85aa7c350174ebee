"""What SQLAlchemy would send to a server to create a schema, recorded element by element."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.exc import NoReferencedTableError
from sqlalchemy.schema import (
    AddConstraint,
    Constraint,
    CreateIndex,
    CreateSequence,
    CreateTable,
    ForeignKeyConstraint,
    SetColumnComment,
    SetTableComment,
    UniqueConstraint,
)
from sqlalchemy.sql.ddl import BaseDDLElement, SchemaGenerator, SetConstraintComment, sort_tables_and_constraints

from dbplan.ddl import postgresql
from dbplan.ddl.compilers import is_drawn_only
from dbplan.evidence import Place

_KINDS: dict[type, str] = {
    CreateTable: "table",
    CreateSequence: "sequence",
    AddConstraint: "key",
    SetTableComment: "comment",
    SetColumnComment: "comment",
    SetConstraintComment: "comment",
}


class Recorder:
    """Runs SQLAlchemy's own creation of a MetaData against no server, and keeps what it would have executed."""

    def __init__(self, metadata: MetaData, dialect: Dialect) -> None:
        self.metadata = metadata
        self.elements: list[Any] = []
        connection: Any = MockConnection(dialect, lambda element, _parameters=None: self.elements.append(element))
        generator: Any = SchemaGenerator
        self.generator = generator(dialect, connection)
        self.dialect = dialect

    def record(self, tables: Iterable[Table]) -> list[Any]:
        """Return the DDL elements of types, sequences, these tables in this order, and keys of tables yet to come."""
        wanted = list(tables)
        with self.generator.with_ddl_events(self.metadata, tables=wanted, checkfirst=False):
            self.elements.sort(key=_by_name)
            self._sequences()
            created: set[Table] = set()
            late = [key for table in wanted for key in self._table(table, created)]
        late = sorted(late, key=lambda constraint: -postgresql.depth(constraint.table))
        self.elements += [AddConstraint(key, isolate_from_table=False) for key in late]
        return self.elements

    def _sequences(self) -> None:
        for sequence in self.metadata._sequences.values():  # SQLAlchemy has no public list of them
            if sequence.column is None and self.generator._can_create_sequence(sequence):
                self.generator.traverse_single(sequence, create_ok=True)

    def _table(self, table: Table, created: set[Table]) -> list[Constraint]:
        """Record a table with the constraints that can stand in it; return the others."""
        created.add(table)
        start = len(self.elements)
        keys = [key for key in table.foreign_key_constraints if not is_drawn_only(key)]
        own = [key for key in keys if not self.dialect.supports_alter or stands_inside(key, created)]
        self.generator.traverse_single(
            table, create_ok=True, include_foreign_key_constraints=own, _is_metadata_operation=True
        )
        self.elements[start:] = sorted(self.elements[start:], key=_steady)
        late: list[Constraint] = [key for key in keys if key not in own]
        if self.dialect.name == "postgresql":
            late += [constraint for constraint in table.constraints if postgresql.comes_late(constraint)]
        meant = [constraint for constraint in late if constraint._should_create_for_compiler(self._compiler())]
        return sorted(meant, key=lambda constraint: constraint._creation_order)

    def _compiler(self) -> Any:
        make: Any = self.dialect.ddl_compiler
        return make(self.dialect, None)


def _by_name(element: Any) -> tuple[int, str]:
    """Return a key that gives enums, which SQLAlchemy takes from a set, the same order; domains are made of them."""
    enum = type(element).__name__ == "CreateEnumType"
    return (0, f"{element.element.schema or ''}.{element.element.name}") if enum else (1, "")


def _steady(element: Any) -> tuple[int, str]:
    """Return a key that gives what SQLAlchemy takes from sets (indexes, comments on constraints) the same order."""
    known = {CreateIndex: 1, SetConstraintComment: 2}.get(type(element), 0)
    return known, str(element.element.name) if known else ""


def stands_inside(key: ForeignKeyConstraint, created: Collection[Table]) -> bool:
    """Whether a foreign key can be part of its table's CREATE: what it refers to is there by then."""
    if key.use_alter or key.dialect_options["postgresql"]["not_valid"] or "NOT VALID" in key.info.get("definition", ""):
        return False
    parent = key.referred_table
    columns = {element.column.name for element in key.elements}
    return parent in created and any(columns == names for names in _keys(parent))


def _keys(table: Table) -> list[set[str]]:
    uniques = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    return [{column.name for column in key.columns} for key in (table.primary_key, *uniques)]


def in_order(tables: Iterable[Table], given: Sequence[Any] = ()) -> list[Table]:
    """Return tables in a given order of keys, the others so that parents come before children as cycles let them."""
    sort: Any = sort_tables_and_constraints
    place = {key: number for number, key in enumerate(given)}
    wanted = list(tables)
    try:
        found = [table for table, _ in sort(wanted) if table is not None]
    except NoReferencedTableError:  # which SQLite does not mind
        found = wanted
    return sorted(found, key=lambda table: place.get(str(table.key), -1))


def kind_of(element: BaseDDLElement) -> str:
    """Return what a DDL element makes, in one word."""
    if isinstance(element, CreateIndex):
        return "unique index" if element.element.unique else "index"
    return _KINDS.get(type(element)) or ("type" if "Type" in type(element).__name__ else "statement")


def place_of(element: BaseDDLElement) -> Place:
    """Return the place that a DDL element is for."""
    target: Any = getattr(element, "element", getattr(element, "target", None))
    if isinstance(target, Table):
        return Place(table=str(target.key))
    table = getattr(target, "table", None)
    if table is None:
        return Place(table=".".join(filter(None, (getattr(target, "schema", None), getattr(target, "name", None)))))
    name = str(getattr(target, "name", None) or "")
    part = {"CreateIndex": "index", "SetColumnComment": "column"}.get(type(element).__name__, "constraint")
    return Place(table=str(table.key), **{part: name})
