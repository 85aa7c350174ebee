"""A plan's tables put into an empty database, and one clear line where that fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Constraint, DefaultClause, Engine, Index, MetaData, Table, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.exc import CompileError, DBAPIError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema
from sqlalchemy.types import NullType, TypeEngine

from dbplan.errors import NotCovered, SandboxError
from dbplan.evidence import Finding, Place, Severity
from dbplan.plan import Plan, copy_metadata

_PRODUCTS = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mariadb": "MariaDB", "mysql": "MySQL"}
_OF_MYSQL = ("mariadb", "mysql")
_TYPES = {
    "citext": "citext",
    "hstore": "hstore",
    "ltree": "ltree",
    "vector": "vector",
    "halfvec": "vector",
    "cube": "cube",
}
_FOREIGN = {"BLOB", "CLOB", "DATETIME", "NCHAR", "NVARCHAR", "BINARY", "VARBINARY"}
"""Types that SQLAlchemy writes for PostgreSQL, which has none of that name."""
_OPERATOR_CLASSES = {"gin_trgm_ops": "pg_trgm", "gist_trgm_ops": "pg_trgm"}


def create(plan: Plan, engine: Engine) -> tuple[Finding, ...]:
    """Create the plan's schemas, the extensions that it evidently needs, and its tables.

    Return a finding for each index that the server refuses: it guards no row, so all else can be studied without.
    Raises NotCovered for what the database has no type for, SandboxError for a table that it refuses.
    """
    refuse_types(plan, engine)
    if engine.dialect.name in ("sqlite", *_OF_MYSQL):
        _refuse_schemas(plan, engine)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for name in sorted(schemas(plan.metadata)):
                connection.execute(CreateSchema(name, if_not_exists=True))
            _create_extensions(plan, connection)
        try:
            return _create(plan, connection)
        except SQLAlchemyError as error:
            other = plan.source.startswith("sqlite") and engine.dialect.name != "sqlite"
            mend = "it was read from SQLite: run it there" if other else "mend the model"
            raise SandboxError(f'plan "{plan.name}" cannot be created: {_why(error)}; {mend}') from None


def _create(plan: Plan, connection: Connection) -> tuple[Finding, ...]:
    metadata = copy_metadata(plan.metadata)
    if connection.dialect.name == "postgresql" and plan.source.startswith("sqlite"):
        _translate(metadata)
    lost: tuple[Finding, ...] = ()
    if connection.dialect.name in _OF_MYSQL and metadata.info.get("dialect") not in _OF_MYSQL:
        from dbplan.sandbox.mariadb.fitting import fit

        lost = fit(metadata)
    indexes = [index for table in metadata.tables.values() for index in _set_aside(table)]
    metadata.create_all(connection)
    refused = (finding for index in indexes if (finding := _create_index(index, connection)) is not None)
    return (*lost, *refused)


def _translate(metadata: MetaData) -> None:
    """Give columns that were read from a SQLite file PostgreSQL's types, and its booleans their form."""
    for column in _columns(metadata):
        if type(column.type).__name__ in _FOREIGN:
            column.type = column.type.as_generic()
        default = re.sub(r"\W", "", str(getattr(column.server_default, "arg", "")))
        if isinstance(column.type, Boolean) and default in ("0", "1"):
            column.server_default = DefaultClause(text("true" if default == "1" else "false"))
    for table in metadata.tables.values():
        table.constraints.difference_update([check for check in table.constraints if makes_boolean(check)])


def makes_boolean(check: Constraint) -> bool:
    """Whether a constraint is the CHECK that makes a boolean on SQLite: `done IN (0, 1)`."""
    said = re.fullmatch(r'"?(\w+)"? IN \(0, ?1\)', str(getattr(check, "sqltext", "")))
    column = check.table.columns.get(said[1]) if said is not None and check.table is not None else None
    return column is not None and isinstance(column.type, Boolean)


def _set_aside(table: Table) -> list[Index]:
    """Take the indexes that guard nothing out of a table, by name."""
    found = sorted((index for index in table.indexes if not index.unique), key=lambda index: str(index.name))
    table.indexes.difference_update(found)
    return found


def _create_index(index: Index, connection: Connection) -> Finding | None:
    """Create an index; return the finding where the server refuses it."""
    place = Place(table=str(index.table.key) if index.table is not None else "", index=str(index.name))
    if not index.expressions:
        return _refused(place, "it names no column", "name its columns, or take it out of the model")
    index.dialect_options["postgresql"]["concurrently"] = False  # the tables are empty, and this is a transaction
    try:
        # MySQL and MariaDB commit with every CREATE, and with it would go the savepoint.
        with nullcontext() if connection.dialect.name in _OF_MYSQL else connection.begin_nested():
            index.create(connection)
    except SQLAlchemyError as error:
        said = _said(error) if isinstance(error, DBAPIError) else _why(error)
        return _refused(place, f"{_PRODUCTS.get(connection.dialect.name, connection.dialect.name)} says: {said}")
    return None


def _refused(place: Place, reason: str, mend: str = "") -> Finding:
    why = "What the models declare cannot be created; measured is the schema without this index."
    return Finding("index-refused", Severity.ERROR, place, f"the index cannot be created: {reason}", mend, why)


def schemas(metadata: MetaData) -> set[str]:
    """Return the names of the schemas that tables and their types lie in, the default one left out."""
    own = {table.schema for table in metadata.tables.values()}
    of_types = {getattr(column.type, "schema", None) for column in _columns(metadata)}
    return {name for name in own | of_types if name}


def refuse_types(plan: Plan, engine: Engine) -> None:
    """Raise NotCovered for the first column whose type the engine's dialect cannot write."""
    for column in _columns(plan.metadata):
        if isinstance(column.type, NullType):  # no type or a foreign key that leads nowhere: creation will say which
            continue
        try:
            column.type.compile(engine.dialect)
        except (CompileError, NotImplementedError):
            product = _PRODUCTS.get(engine.dialect.name, engine.dialect.name)
            other = "PostgreSQL" if engine.dialect.name == "sqlite" else "the server it was written for"
            raise NotCovered(
                f'plan "{plan.name}": {column.table.key}.{column.name} is {_name(column.type)}, '
                f"which {product} does not have; run it on {other}"
            ) from None


def _refuse_schemas(plan: Plan, engine: Engine) -> None:
    names = sorted(schemas(plan.metadata))
    if names:
        why = "SQLite has none" if engine.dialect.name == "sqlite" else "there a schema is a database, and this is one"
        raise NotCovered(f'plan "{plan.name}" lies in the schemas {", ".join(names)}; {why}: run it on PostgreSQL')


def _columns(metadata: MetaData) -> Iterator[Column[Any]]:
    for table in metadata.tables.values():
        yield from table.columns


def _name(kind: TypeEngine[Any]) -> str:
    return str(getattr(kind, "__visit_name__", type(kind).__name__)).upper()


def extensions(plan: Plan) -> dict[str, str]:
    """Return the extensions that types, operator classes and exclusions evidently need, each with a place."""
    found: dict[str, str] = {}
    for table in plan.tables:
        for column in table.columns:
            if extension := _TYPES.get(_name(_item(column.type)).lower()):
                found.setdefault(extension, f"{table.key}.{column.name}")
        for index in table.indexes:
            for operator_class in index.dialect_kwargs.get("postgresql_ops", {}).values():
                if extension := _OPERATOR_CLASSES.get(str(operator_class).lower()):
                    found.setdefault(extension, f"{table.key} ({index.name})")
        for constraint in table.constraints:
            if isinstance(constraint, ExcludeConstraint) and "=" in constraint.operators.values():
                found.setdefault("btree_gist", f"{table.key} ({constraint.name})")
    return found


def _item(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return getattr(kind, "item_type", kind)


def _create_extensions(plan: Plan, connection: Connection) -> None:
    for name, place in extensions(plan).items():
        try:
            connection.execute(text(f'CREATE EXTENSION IF NOT EXISTS "{name}"'))
        except DBAPIError as error:
            raise SandboxError(
                f'{place} needs the extension "{name}", which this server does not give us: {_said(error)}; '
                "install it there, or run on another server"
            ) from None


def _why(error: SQLAlchemyError) -> str:
    if not isinstance(error, DBAPIError):
        return " ".join(str(error).split())
    statement = " ".join((error.statement or "").split())
    subject = re.match(r"(CREATE|ALTER|COMMENT ON)\s.*?(?= \(| AS | IS | ADD |$)", statement, re.IGNORECASE)
    return f"{subject[0] if subject else statement[:80]}: {_said(error)}"


def _said(error: DBAPIError) -> str:
    diagnosis = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    if diagnosis is None and error.orig is not None and len(error.orig.args) == 2:  # PyMySQL's (code, text)
        diagnosis = error.orig.args[1]
    lines = str(diagnosis or error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
