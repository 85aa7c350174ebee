"""Mends as PostgreSQL statements: built from SQLAlchemy objects, quoted by the dialect, named by convention."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.schema import AddConstraint, CreateIndex
from sqlalchemy.sql.ddl import DDLElement
from sqlalchemy.types import NullType

from dbplan.linting.access import Access, formatted
from dbplan.linting.pgtypes import DIALECT
from dbplan.linting.schema import Reference, Schema

LONGEST = 63
"""PostgreSQL cuts an identifier after this many bytes (NAMEDATALEN - 1)."""

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
_SQLALCHEMY_INDEX = "ix_%(column_0_label)s"
_FIRST_WORDS = ("ALTER ", "CREATE ", "DROP ", "COMMENT ", "UPDATE ")


def is_ddl(mend: str) -> bool:
    """Return whether a mend is statements for a server, not words about the model."""
    return mend.startswith(_FIRST_WORDS) and mend.endswith(";")


def quote(name: str) -> str:
    """Return an identifier, quoted where PostgreSQL wants it."""
    return DIALECT.identifier_preparer.quote(name)


def quoted(table: Table) -> str:
    """Return a table's name with its schema, quoted where PostgreSQL wants it."""
    return DIALECT.identifier_preparer.format_table(table)


def literal(text: str) -> str:
    """Return a string literal."""
    return "'" + text.replace("'", "''") + "'"


def alter(table: Table, *actions: str) -> str:
    """Return one ALTER TABLE with these actions."""
    return f"ALTER TABLE {quoted(table)} {', '.join(actions)};"


def alter_column(column: Column[Any], *actions: str) -> str:
    """Return one ALTER TABLE with these actions on one column."""
    return alter(column.table, *(f"ALTER COLUMN {quote(column.name)} {action}" for action in actions))


def fill(column: Column[Any], value: str) -> str:
    """Return the UPDATE that puts a value where a column is NULL."""
    name = quote(column.name)
    return f"UPDATE {quoted(column.table)} SET {name} = {value} WHERE {name} IS NULL;"  # noqa: S608 - quoted names


def go_on_counting(column: Column[Any]) -> str:
    """Return the statement that lets a column's sequence go on after its largest value."""
    table, name = quoted(column.table), quote(column.name)
    sequence = f"pg_get_serial_sequence({literal(table)}, {literal(column.name)})"
    return f"SELECT setval({sequence}, (SELECT coalesce(max({name}), 0) + 1 FROM {table}), false);"  # noqa: S608


def create_index(
    schema: Schema,
    table: Table,
    columns: Sequence[str],
    *,
    unique: bool = False,
    tail: str = "",
    instead: str = "",
    **options: Any,
) -> str:
    """Return CREATE INDEX over columns; `options` are Index options, `tail` a WHERE, `instead` a name freed."""
    scratch = _scratch(table, columns)
    index = Index(None, *(scratch.c[name] for name in columns), unique=unique, **options)
    _name(schema, index, table, "uq" if unique else "ix", columns, instead)
    return _written(CreateIndex(index), tail)


def add_unique(
    schema: Schema, table: Table, columns: Sequence[str], *, nulls_not_distinct: bool = False, instead: str = ""
) -> str:
    """Return ALTER TABLE … ADD CONSTRAINT … UNIQUE; `instead` is a name that an earlier statement frees."""
    scratch = _scratch(table, columns)
    constraint = Unique(*(scratch.c[name] for name in columns), **_nulls(not_distinct=nulls_not_distinct))
    scratch.append_constraint(constraint)
    _name(schema, constraint, table, "uq", columns, instead)
    return _written(AddConstraint(constraint, isolate_from_table=False))


def _nulls(*, not_distinct: bool) -> dict[str, Any]:
    return {"postgresql_nulls_not_distinct": True} if not_distinct else {}


def add_primary_key(schema: Schema, table: Table, columns: Sequence[str]) -> str:
    """Return ALTER TABLE … ADD CONSTRAINT … PRIMARY KEY."""
    scratch = _scratch(table, columns)
    constraint = PrimaryKeyConstraint(*(scratch.c[name] for name in columns))
    scratch.append_constraint(constraint)
    _name(schema, constraint, table, "pk", ())
    return _written(AddConstraint(constraint, isolate_from_table=False))


def add_check(schema: Schema, table: Table, columns: Sequence[str], condition: str, suffix: str) -> str:
    """Return ALTER TABLE … ADD CONSTRAINT … CHECK."""
    scratch = _scratch(table, columns)
    constraint = CheckConstraint(condition.replace(":", r"\:"), name="_".join((*columns, suffix)))
    scratch.append_constraint(constraint)
    _name(schema, constraint, table, "ck", (*columns, suffix))
    return _written(AddConstraint(constraint, isolate_from_table=False))


def add_foreign_key(
    schema: Schema, table: Table, columns: Sequence[str], target: Table, targets: Sequence[str], **options: Any
) -> str:
    """Return ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY; `options` as of ForeignKeyConstraint."""
    scratch = _scratch(table, columns)
    other = scratch if target is table else _scratch(target, targets, scratch.metadata)
    for name in (n for n in targets if n not in other.c):
        other.append_column(Column(name, NullType()))
    constraint = ForeignKeyConstraint(list(columns), [other.c[name] for name in targets], **options)
    scratch.append_constraint(constraint)
    _name(schema, constraint, table, "fk", (*columns, target.name))
    return _written(AddConstraint(constraint, isolate_from_table=False))


def drop(access: Access) -> str:
    """Return the statement that drops an index, or the constraint that an index stands behind."""
    if access.kind == "index":
        prefix = f"{quote(access.table.schema)}." if access.table.schema else ""
        return f"DROP INDEX IF EXISTS {prefix}{quote(access.name)};"
    label = {"primary key": "pkey", "unique constraint": "key"}.get(access.kind, "excl")
    columns = () if access.kind == "primary key" else access.columns
    return alter(
        access.table, f"DROP CONSTRAINT IF EXISTS {quote(access.name or chosen_name(access.table, columns, label))}"
    )


def drop_reference(reference: Reference) -> str:
    """Return the statement that drops a foreign key."""
    return alter(reference.table, f"DROP CONSTRAINT IF EXISTS {quote(reference_name(reference))}")


def reference_name(reference: Reference) -> str:
    """Return the name of a foreign key, the one that PostgreSQL gives where the model gives none."""
    return formatted(reference.constraint) or chosen_name(reference.table, reference.names, "fkey")


def chosen_name(table: Table, columns: Sequence[str], label: str) -> str:
    """Return the name that PostgreSQL gives to what has none (ChooseRelationName, makeObjectName)."""
    first, second = table.name.encode(), "_".join(columns).encode()
    room = LONGEST - len(label) - 1 - bool(second)
    while len(first) + len(second) > room:
        first, second = (first[:-1], second) if len(first) > len(second) else (first, second[:-1])
    parts = (part.decode(errors="ignore") for part in (first, second) if part)
    return "_".join((*parts, label))


def _scratch(table: Table, columns: Sequence[str], metadata: MetaData | None = None) -> Table:
    """Return a bare stand-in for `table`: an Index or constraint made on it does not change the plan."""
    metadata = MetaData(naming_convention=_convention(table)) if metadata is None else metadata
    key = f"{table.schema}.{table.name}" if table.schema else table.name
    if key in metadata.tables:
        return metadata.tables[key]
    return Table(
        table.name, metadata, *(Column(name, NullType()) for name in dict.fromkeys(columns)), schema=table.schema
    )


def _convention(table: Table) -> dict[str, Any]:
    own = dict(table.metadata.naming_convention or {})
    if own.get("ix") == _SQLALCHEMY_INDEX:
        del own["ix"]
    return CONVENTION | own


def _name(schema: Schema, item: Any, table: Table, prefix: str, columns: Sequence[str], freed: str = "") -> None:
    """Leave the name that the convention gives, unless it is taken or too long for PostgreSQL."""
    taken = schema.relation_names.get(table.schema, frozenset()) - {freed}
    name = formatted(item)
    if name and name not in taken and len(name.encode()) <= LONGEST:
        return
    item.name = free_name(schema, table, prefix, columns, freed)


def free_name(schema: Schema, table: Table, prefix: str, columns: Sequence[str], freed: str = "") -> str:
    """Return prefix_table_columns, cut to fit PostgreSQL and numbered where it is taken."""
    taken = schema.relation_names.get(table.schema, frozenset()) - {freed}
    wanted = "_".join((prefix, table.name, *columns))
    tries = (wanted, *(f"{wanted}_{n}" for n in range(2, 100)))
    return next(short for short in map(_short, tries) if short not in taken)


def _short(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    return name.encode()[: LONGEST - 9].decode(errors="ignore") + "_" + sha256(name.encode()).hexdigest()[:8]


def _written(element: DDLElement, tail: str = "") -> str:
    statement = str(element.compile(dialect=DIALECT)).strip()
    return f"{statement}{' ' + tail if tail else ''};"
