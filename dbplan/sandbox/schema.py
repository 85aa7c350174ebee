"""A plan's tables put into an empty database, and one clear line where that fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Constraint,
    Dialect,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    Table,
)
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.exc import CompileError, DBAPIError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex
from sqlalchemy.types import NullType, TypeEngine

from dbplan.ddl import Statement
from dbplan.ddl.native import schemas, statements_of
from dbplan.ddl.translation.kinds import bare
from dbplan.errors import NotCovered, SandboxError
from dbplan.evidence import Finding, Place, Severity
from dbplan.plan import Plan, copy_metadata

_PRODUCTS = {
    "postgresql": "PostgreSQL",
    "sqlite": "SQLite",
    "mariadb": "MariaDB",
    "mysql": "MySQL",
    "mssql": "SQL Server",
}
_OF_MYSQL = ("mariadb", "mysql")
_DISPENSABLE = frozenset(
    {"index", "extension", "routine", "view", "rule", "trigger", "policy", "statistics", "comment"}
)
"""Kinds of statements whose failure leaves the tables as they are."""
_LONGEST = 80
_MOST = 10


def create(plan: Plan, engine: Engine) -> tuple[Finding, ...]:
    """Create everything that the plan holds, by its own DDL.

    Return a finding for each index that the server refuses: it guards no row, so all else can be studied without;
    and for each view, routine, trigger, policy and extension that only that other server had the means for.
    Raises NotCovered for types and schemas that the database does not have, SandboxError for a statement that it
    refuses.
    """
    refuse(plan, engine)
    with engine.begin() as connection:
        try:
            return _create(plan, connection)
        except SQLAlchemyError as error:
            own = str(plan.metadata.info.get("dialect") or engine.dialect.name)
            mend = "mend the model" if own == engine.dialect.name else f"it was written for {_PRODUCTS.get(own, own)}"
            why = _why(error) + _of_default(error, plan.metadata, engine)
            raise SandboxError(f'plan "{plan.name}" cannot be created: {why}; {mend}') from None


def _create(plan: Plan, connection: Connection) -> tuple[Finding, ...]:
    metadata, lost = in_words_of(copy_metadata(plan.metadata), connection.dialect.name)
    for column in _columns(metadata):
        column.type = _taken(column.type, connection.dialect)
    connection.execution_options(no_parameters=True)
    unwritable = [_refused(*said) for table in metadata.tables.values() for said in _take_unwritable(table, connection)]
    made = [_execute(statement, connection) for statement in statements_of(metadata, connection.dialect.name)]
    _look_in_its_schema(metadata, connection)
    return (*lost, *unwritable, *(finding for finding in made if finding is not None))


def needs_translation(metadata: MetaData, dialect: str) -> bool:
    """Whether a schema has to be said in other words there.

    MySQL and MariaDB understand none but their own, and no server those that are meant for another. What was written
    for PostgreSQL goes to SQLite as it is, but for its bytes, or is refused by its types: PostgreSQL is the server to
    take instead.
    """
    own = metadata.info.get("dialect")
    return own != dialect and (dialect in _OF_MYSQL or own not in (None, "postgresql"))


def in_words_of(metadata: MetaData, dialect: str) -> tuple[MetaData, tuple[Finding, ...]]:
    """Return a schema in the words of the server that it goes to, and a finding for all that is another thing there."""
    if not needs_translation(metadata, dialect):
        return metadata, ()
    from dbplan.ddl import translated

    made = translated(metadata, dialect)
    why = "The plan was written for another server, or for any: measured is what this one makes of it."
    return made.metadata, tuple(replace(finding, rule="translated", why=why) for finding in made.lost)


def _execute(statement: Statement, connection: Connection) -> Finding | None:
    """Execute a statement; return the finding where the server refuses what can be done without."""
    if statement.kind == "extension" and statement.place != Place():
        _create_extension(statement, connection)
    elif statement.kind in _DISPENSABLE:
        return _try(statement, connection)
    else:
        connection.exec_driver_sql(statement.sql)
    return None


def _look_in_its_schema(metadata: MetaData, connection: Connection) -> None:
    """Let every session of the database begin in the schema that the plan's unqualified names are in."""
    if connection.dialect.name == "postgresql" and (schema := metadata.info.get("default_schema")):
        name = connection.exec_driver_sql("SELECT quote_ident(current_database())").scalar_one()
        quoted = connection.dialect.identifier_preparer.quote_identifier(schema)
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET search_path = {quoted}")


def makes_boolean(check: Constraint) -> bool:
    """Whether a constraint is the CHECK that makes a boolean on SQLite: `done IN (0, 1)`."""
    said = re.fullmatch(r'"?(\w+)"? IN \(0, ?1\)', getattr(getattr(check, "sqltext", None), "text", ""))
    column = check.table.columns.get(said[1]) if said is not None and check.table is not None else None
    return column is not None and isinstance(column.type, Boolean)


def _take_unwritable(table: Table, connection: Connection) -> Iterator[tuple[Place, str, str]]:
    """Take the indexes that no statement can make out of a table, by name; yield the place, the reason, the mend."""
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        index.dialect_options["postgresql"]["concurrently"] = False  # the tables are empty, and this is a transaction
        reason = "" if index.unique else _unwritable(index, connection)
        if reason:
            table.indexes.discard(index)
            mend = "" if index.expressions else "name its columns, or take it out of the model"
            yield Place(table=str(table.key), index=str(index.name)), reason, mend


def _unwritable(index: Index, connection: Connection) -> str:
    if not index.expressions:
        return "it names no column"
    try:
        CreateIndex(index).compile(dialect=connection.dialect)
    except SQLAlchemyError as error:
        return _by(connection, _why(error))
    return ""


def _try(statement: Statement, connection: Connection) -> Finding | None:
    try:
        # MySQL and MariaDB commit with every CREATE, and with it would go the savepoint.
        with nullcontext() if connection.dialect.name in _OF_MYSQL else connection.begin_nested():
            connection.exec_driver_sql(statement.sql)
    except DBAPIError as error:
        said = _by(connection, _said(error))
        return _refused(statement.place, said) if statement.kind == "index" else _missed(statement, said)
    return None


def _missed(statement: Statement, reason: str) -> Finding:
    words = " ".join(statement.sql.split())
    subject = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
    why = "What stands there was made on another server; everything else of the plan is here."
    message = f"the {statement.kind} cannot be created: {reason}: {subject}"
    return Finding(f"{statement.kind}-refused", Severity.WARNING, statement.place, message, why=why)


def _by(connection: Connection, said: str) -> str:
    return f"{_PRODUCTS.get(connection.dialect.name, connection.dialect.name)} says: {said}"


def _refused(place: Place, reason: str, mend: str = "") -> Finding:
    why = "What the models declare cannot be created; measured is the schema without this index."
    return Finding("index-refused", Severity.ERROR, place, f"the index cannot be created: {reason}", mend, why)


def refuse(plan: Plan, engine: Engine) -> None:
    """Raise NotCovered for all that the engine's server does not have: types of columns, and schemas."""
    dialect = engine.dialect
    columns = [] if needs_translation(plan.metadata, dialect.name) else _unwritten(plan.metadata, dialect)
    names = sorted(schemas(plan.metadata)) if dialect.name in ("sqlite", *_OF_MYSQL) else []
    product, said = _PRODUCTS.get(dialect.name, dialect.name), []
    if columns:
        said.append(f": {_listed(columns)}, which {product} does not have")
    if names:
        why = "SQLite has none" if dialect.name == "sqlite" else "there a schema is a database, and this is one"
        said.append(f" lies in the schemas {_listed(names)}; {why}")
    if said:
        other = "PostgreSQL" if names or dialect.name == "sqlite" else "the server it was written for"
        raise NotCovered(f'plan "{plan.name}"{"; it".join(said)}; run it on {other}')


def _unwritten(metadata: MetaData, dialect: Dialect) -> list[str]:
    """Return the columns whose types the dialect cannot write, each with its type."""
    return [f"{c.table.key}.{c.name} is {_name(c.type)}" for c in _columns(metadata) if not _writes(c.type, dialect)]


def _writes(kind: TypeEngine[Any], dialect: Dialect) -> bool:
    if isinstance(kind, NullType):  # no type or a foreign key that leads nowhere: creation will say which
        return True
    try:
        _taken(kind, dialect).compile(dialect)
    except (CompileError, NotImplementedError):
        return False
    return True


def _listed(items: list[str]) -> str:
    """Return the first items, and how many more there are."""
    more = f" and {len(items) - _MOST} more" if len(items) > _MOST else ""
    return f"{', '.join(items[:_MOST])}{more}"


def _columns(metadata: MetaData) -> Iterator[Column[Any]]:
    for table in metadata.tables.values():
        yield from table.columns


def _taken(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Return a type as the server takes it: PostgreSQL's bytes are a BLOB on SQLite, which holds the very same."""
    if dialect.name == "sqlite" and isinstance(bare(kind, dialect, "sqlite"), BYTEA):
        return LargeBinary()
    return kind


def _name(kind: TypeEngine[Any]) -> str:
    return str(getattr(kind, "__visit_name__", type(kind).__name__)).upper()


def _create_extension(statement: Statement, connection: Connection) -> None:
    try:
        connection.exec_driver_sql(statement.sql)
    except DBAPIError as error:
        name = statement.sql.partition('"')[2].partition('"')[0]
        raise SandboxError(
            f'{statement.place or "the plan"} needs the extension "{name}", which this server does not give us: '
            f"{_said(error)}; install it there, or run on another server"
        ) from None


def _why(error: SQLAlchemyError) -> str:
    if not isinstance(error, DBAPIError):
        return " ".join(str(error).split())
    statement = " ".join((error.statement or "").split())
    subject = re.match(r"(CREATE|ALTER|COMMENT ON)\s.*?(?= \(| AS | IS | ADD |$)", statement, re.IGNORECASE)
    return f"{subject[0] if subject else statement[:80]}: {_said(error)}"


def _of_default(error: SQLAlchemyError, metadata: MetaData, engine: Engine) -> str:
    """Name the columns whose defaults SQLite cannot read: of a table that it refuses, it names a character alone."""
    if engine.dialect.name != "sqlite":
        return ""
    statement, preparer = getattr(error, "statement", "") or "", engine.dialect.identifier_preparer
    refused = (t for t in metadata.tables.values() if f"CREATE TABLE {preparer.format_table(t)} (" in statement)
    said = [
        f"{column.table.key}.{column.name} has the default {default}"
        for column in (column for table in refused for column in table.columns)
        if (default := _default(column, engine)) and not _reads(default, engine)
    ]
    return f" ({', '.join(said)}, which SQLite cannot read)" if said else ""


def _default(column: Column[Any], engine: Engine) -> str | None:
    compiler = engine.dialect.ddl_compiler(engine.dialect, None)  # type: ignore[arg-type]
    return compiler.get_column_default_string(column)


def _reads(default: str, engine: Engine) -> bool:
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql(f"CREATE TEMP TABLE dbplan_default (it DEFAULT {default})")
        except DBAPIError:
            return False
        connection.exec_driver_sql("DROP TABLE temp.dbplan_default")
    return True


def _said(error: DBAPIError) -> str:
    diagnosis = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    if diagnosis is None and error.orig is not None and len(error.orig.args) == 2:  # PyMySQL's (code, text)
        diagnosis = error.orig.args[1]
    lines = str(diagnosis or error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
