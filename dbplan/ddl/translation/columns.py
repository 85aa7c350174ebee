"""The twin of a column: its type, its default, and who numbers it, on another server."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    DefaultClause,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.exc import CompileError
from sqlalchemy.types import SchemaType, TypeEngine

from dbplan.ddl.translation import defaults
from dbplan.ddl.translation.clauses import sql_of
from dbplan.ddl.translation.expressions import Untranslatable
from dbplan.ddl.translation.kinds import Kind, bare, kind_of
from dbplan.ddl.translation.spellings import Spelled, quoted, spelled
from dbplan.ddl.translation.work import Work, kept
from dbplan.evidence import Place

_SERIAL = re.compile(r"(SMALL|BIG)?SERIAL[248]?$", re.IGNORECASE)
_FOREIGN = {"BLOB", "CLOB", "DATETIME", "NCHAR", "NVARCHAR", "BINARY", "VARBINARY", "DOUBLE"}
"""Types that SQLAlchemy writes for any server, and PostgreSQL does not have."""


def twin(column: Column[Any], work: Work) -> tuple[Column[Any], tuple[str, ...]]:
    """Return a column as the target has it, with the conditions on VALUE that its type leaves to a CHECK."""
    place = Place(str(column.table.key), column.name)
    was, made = _type(column, work)
    if made.said and not (was.folds and work.source in ("mysql", "mariadb", "mssql")):
        (work.warn if made.loose else work.note)(place, made.said)
    new: Column[Any] = Column(
        work.names.columns[str(column.table.key)][column.name],
        made.type,
        nullable=bool(column.nullable) and not was.required,
        comment=column.comment,
        info=kept(column.info),
        autoincrement=False,
    )
    _rename(column, new, work, place)
    work.columns[column], work.kinds[new] = new, made.kind
    _fill(column, new, was, made.kind, work, place)
    numbered = new.autoincrement is True or new.identity is not None
    return new, () if numbered else made.checks


def _rename(column: Column[Any], new: Column[Any], work: Work, place: Place) -> None:
    if new.name != column.name:
        work.note(place, f'it is called "{new.name}" here: {work.target.product} would not take its own name')
    if column.key != column.name:
        new.key = column.key


def _type(column: Column[Any], work: Work) -> tuple[Kind, Spelled]:
    name = work.source or work.target.name
    kind = bare(column.type, work.target.dialect, name)
    was = kind_of(kind, work.source)
    if work.source in ("mysql", "mariadb") and _is_document(column):
        was = Kind("json", "json")
    if was.family == "datetime" and _is_instant(column.type):
        was = replace(was, zone=True)
    if work.portable and _is_taken(kind, was, column.type, work):
        return was, Spelled(kind.copy() if isinstance(kind, SchemaType) else kind, was)
    if work.kindred and work.target.family == "mysql" and was.family not in ("uuid", "network"):
        return was, Spelled(kind.copy() if isinstance(kind, SchemaType) else kind, was)
    if was.family == "enum" and not was.name and work.target.family == "postgresql":
        was = _named(was, column, work)
    return was, spelled(was, work.target, portable=work.portable)


def _named(was: Kind, column: Column[Any], work: Work) -> Kind:
    """Return an enum with a name of its own: MySQL's have none."""
    schema, table = work.names.tables[str(column.table.key)]
    return replace(was, name=work.names.unique(("relation", schema), [f"{table}_{column.name}"]), schema=schema)


def _is_document(column: Column[Any]) -> bool:
    """Whether a text of MariaDB is its JSON: a CHECK of its own says so."""
    checks = (str(getattr(check, "sqltext", "")).replace("`", "") for check in column.table.constraints)
    return any(check.lower() == f"json_valid({column.name})".lower() for check in checks)


def _is_instant(declared: TypeEngine[Any]) -> bool:
    """Whether a decorated type is an instant, which a server without zones keeps in UTC."""
    return bool(getattr(getattr(declared, "impl_instance", None), "timezone", False))


def _is_taken(kind: TypeEngine[Any], was: Kind, declared: TypeEngine[Any], work: Work) -> bool:
    """Whether a portable type is the target's own already: PostgreSQL's and SQLite's as SQLAlchemy writes them."""
    own = type(kind).__module__.rpartition(".")[0].rpartition(".")[2]
    if work.target.family in ("mysql", "mssql"):
        return own == work.target.family and kind is not declared and not type(kind).__name__.startswith("_")
    if own not in ("sqlalchemy", "", work.target.family, "sql", "dialects") or was.family in ("array", "domain"):
        return work.target.name == "postgresql" and own == "postgresql"
    if work.target.family == "postgresql" and type(kind).__name__ in _FOREIGN:
        return False
    return work.target.name != "cockroachdb" and was.family != "enum" and _compiles(kind, work)


def _compiles(kind: TypeEngine[Any], work: Work) -> bool:
    try:
        work.target.compiled(kind)
    except (CompileError, NotImplementedError, AttributeError):
        return False
    return True


def _fill(column: Column[Any], new: Column[Any], was: Kind, now: Kind, work: Work, place: Place) -> None:
    """Give a twin what fills it in: a number, an expression or a default."""
    made: Any = column.server_default
    _keep_up(column, new, work, place)
    if isinstance(made, Computed):
        _compute(column, new, made, work, place)
    elif is_numbered(column):
        _number(column, new, work, place)
    elif made is not None and getattr(made, "arg", None) is not None:
        _default(new, made.arg, was, now, work, place)
    elif made is None and was.default:
        _default(new, literal_column(was.default), was, now, work, place)


def _keep_up(column: Column[Any], new: Column[Any], work: Work, place: Place) -> None:
    """Say that no UPDATE writes a column anew any more; MySQL and MariaDB have words for it."""
    made = getattr(column.server_default, "arg", None)
    text = sql_of(made, work.source) if made is not None else ""
    if not column.info.get("on_update") and not defaults.updates_itself(text):
        return
    if work.target.family == "mysql":
        new.info["on_update"] = column.info.get("on_update") or "current_timestamp()"
    else:
        work.note(place, "each UPDATE set it anew there; here the application has to")


def is_numbered(column: Column[Any]) -> bool:
    """Whether the server numbers the rows in a column."""
    if column.identity is not None or column is column.table._autoincrement_column or counts_beside_key(column):
        return True
    drawn = drawn_from(column)
    alone = column.primary_key and len(column.table.primary_key.columns) == 1
    return bool(drawn) and (alone or drawn.endswith(f"{column.table.name}_{column.name}_seq"))


def counts_beside_key(column: Column[Any]) -> bool:
    """Whether a column that need not be the key counts by its type or its server's own word: SERIAL, AUTO_INCREMENT."""
    if _SERIAL.match(str(getattr(column.type, "words", ""))):
        return True
    return column.autoincrement is True and column.table.metadata.info.get("dialect") in ("mysql", "mariadb")


def drawn_from(column: Column[Any]) -> str:
    """Return the sequence that a column's default draws from; "" for none."""
    made = getattr(column.server_default, "arg", None)
    sql = sql_of(made, "postgresql") if made is not None else ""
    return defaults.sequence(sql)


def _number(column: Column[Any], new: Column[Any], work: Work, place: Place) -> None:
    if work.as_is:
        _as_it_was(column, new)
    elif work.target.family == "sqlite" or work.target.family == "mysql":
        _number_key(column, new, work, place)
    else:
        _give_identity(column, new, work, place)


def _as_it_was(column: Column[Any], new: Column[Any]) -> None:
    """Have a column numbered as SQLAlchemy would on PostgreSQL."""
    new.autoincrement = column.autoincrement
    if column.identity is not None:
        new._init_items(column.identity._copy())
    elif isinstance(column.default, Sequence):
        new._init_items(column.default._copy())


def _number_key(column: Column[Any], new: Column[Any], work: Work, place: Place) -> None:
    """Have a primary key numbered; of other columns MySQL numbers one, the first of a key."""
    alone = len(column.table.primary_key.columns) == 1
    another = any(other.autoincrement is True for other in _siblings(column, work))
    if column.primary_key and (alone or (work.target.family == "mysql" and not another)):
        new.autoincrement = True
        if work.target.family == "sqlite":
            new.type = Integer()
        return
    if work.target.family == "mysql" and leads_key(column) and not any(map(is_numbered, _others(column))):
        new.autoincrement = True
        new.nullable = False
        return
    work.note(place, f"{work.target.product} numbers only a key of its own: the application has to give the number")


def leads_key(column: Column[Any]) -> bool:
    """Whether a unique constraint or an index of plain columns begins with a column."""
    keys = [[*one.columns] for one in column.table.constraints if isinstance(one, UniqueConstraint)]
    keys += [[*one.expressions] for one in column.table.indexes if is_plain(one)]
    return any(key[0] is column for key in keys if key)


def is_plain(index: Index) -> bool:
    """Whether an index is of whole columns and all rows."""
    partial = any(name.endswith("_where") and value is not None for name, value in index.dialect_kwargs.items())
    return not partial and all(isinstance(part, Column) for part in index.expressions)


def _others(column: Column[Any]) -> list[Column[Any]]:
    return [other for other in column.table.columns if other is not column]


def _give_identity(column: Column[Any], new: Column[Any], work: Work, place: Place) -> None:
    if work.target.name == "mssql" and any(other.identity is not None for other in _siblings(column, work)):
        work.note(place, "SQL Server numbers one column of a table: the application has to give this number")
        return
    own = column.identity
    new.autoincrement = "auto"
    start, step = (own.start, own.increment) if own is not None else (None, None)
    new._init_items(Identity(always=bool(own is not None and own.always), start=start, increment=step))
    new.nullable = False
    if new.type.python_type is not int:
        new.type = BigInteger()


def _siblings(column: Column[Any], work: Work) -> list[Column[Any]]:
    return [work.columns[other] for other in _others(column) if other in work.columns]


def _default(new: Column[Any], arg: Any, was: Kind, now: Kind, work: Work, place: Place) -> None:
    if work.as_is:
        DefaultClause(arg)._set_parent_with_dispatch(new)
        return
    sql = quoted(arg) if isinstance(arg, str) else sql_of(arg, work.source)
    if work.kindred and work.target.family == "mysql" and not defaults.is_drawn(sql):
        again = f" ON UPDATE {new.info['on_update']}" if new.info.get("on_update") and "ON UPDATE" not in sql else ""
        # MySQL takes a default of a document or a long text in parentheses alone; MariaDB in both ways.
        long = sql.startswith("'") and (now.family == "json" or (now.family == "string" and now.length is None))
        words = f"({sql})" if long else sql + again
        DefaultClause(literal_column(words))._set_parent_with_dispatch(new)
        return
    known = any(sequence.name == defaults.sequence(sql) for sequence in work.metadata._sequences.values())
    if defaults.is_drawn(sql) and work.target.sequences and known:
        DefaultClause(literal_column(_drawn(sql, work)))._set_parent_with_dispatch(new)
        return
    try:
        words = defaults.default(sql, work.source, work.target, was, now)
    except Untranslatable as untranslatable:
        reason = "its sequence is not here" if defaults.is_drawn(sql) else str(untranslatable)
        if work.kindred and not defaults.is_drawn(sql):
            DefaultClause(literal_column(sql))._set_parent_with_dispatch(new)
            return
        work.note(place, f"its default {_short(sql)} is left out ({reason}): the application has to give the value")
        return
    if words != "NULL":
        DefaultClause(literal_column(words))._set_parent_with_dispatch(new)


def _drawn(sql: str, work: Work) -> str:
    """Return the next number of a sequence in the target's words."""
    if work.kindred:
        return sql
    name = work.target.dialect.identifier_preparer.quote(defaults.sequence(sql))
    return f"nextval({quoted(name)})" if work.target.family == "postgresql" else f"NEXT VALUE FOR {name}"


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def refuse_numbered(words: str, table: Table, work: Work) -> None:
    """Raise Untranslatable for an expression over a column that MySQL numbers."""
    if work.target.family != "mysql":
        return
    names = work.names.columns[str(table.key)]
    if any(is_numbered(column) and mentions(words, names[column.name]) for column in table.columns):
        raise Untranslatable("MySQL allows none on a column that it numbers")


def mentions(words: str, name: str) -> bool:
    """Whether an expression of MySQL names a column."""
    return re.search(rf"(?<![\w'])`?{re.escape(name)}`?(?![\w'])", words) is not None


def _compute(column: Column[Any], new: Column[Any], made: Computed, work: Work, place: Place) -> None:
    table: Table = column.table
    if work.unchanged(table):
        new._init_items(Computed(made.sqltext, persisted=made.persisted))
        return
    names = work.names.columns[str(table.key)]
    try:
        words = work.expressions.value(sql_of(made.sqltext, work.source), names, work.booleans(table))
        refuse_numbered(words, table, work)
    except Untranslatable as reason:
        work.warn(place, f"it is no longer computed ({reason}): the application has to keep it right")
        return
    new._init_items(Computed(literal_column(words), persisted=made.persisted))
