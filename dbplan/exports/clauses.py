"""Constraints and indexes in a server's words, taken apart: what exporters write, and what they may have to leave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, Constraint, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import AddConstraint, PrimaryKeyConstraint
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.types import TypeEngine

from dbplan.ddl.compilers import is_drawn_only, own_words
from dbplan.evidence import Place
from dbplan.exports.facts import SqlType, sql_type
from dbplan.plan import Plan

_LONGEST = 63
_NAMES = re.compile(r"\"((?:[^\"]|\"\")+)\"|`([^`]+)`|(?<![\w:])([^\W\d][\w$]*)(?!\w|\s*\()")
_LATE = re.compile(r"(?<!NOT )DEFERRABLE(?: INITIALLY (?:DEFERRED|IMMEDIATE))?|INITIALLY DEFERRED")
_MORE = r"NOT VALID|NO INHERIT|NOT ENFORCED|MATCH FULL|MATCH PARTIAL|INCLUDE \([^)]*\)|WITHOUT OVERLAPS|PERIOD "
_BESIDE = re.compile(rf"\b(?:{_MORE}|NULLS NOT DISTINCT|SET (?:NULL|DEFAULT) \([^)]*\))")
_KINDS = {PrimaryKeyConstraint: "pkey", UniqueConstraint: "key", ForeignKeyConstraint: "fkey", CheckConstraint: "check"}
_ORDER = {operators.desc_op: "desc", operators.asc_op: "asc"}
_NULLS = {operators.nulls_first_op: "first", operators.nulls_last_op: "last"}


@dataclass(frozen=True)
class Part:
    """One part of an index: a column, or SQL alone; `nulls` is first, last, or "" for the order's own place."""

    sql: str
    column: Column[Any] | None = None
    descending: bool = False
    nulls: str = ""
    operator_class: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is a column in ascending order and no more."""
        return self.column is not None and not (self.descending or self.nulls == "first" or self.operator_class)

    @property
    def words(self) -> str:
        """The part as SQL writes it."""
        nulls = f" NULLS {self.nulls.upper()}" if self.nulls else ""
        operator_class = f" {self.operator_class}" if self.operator_class else ""
        return f"{self.sql}{operator_class}{' DESC' if self.descending else ''}{nulls}"


@dataclass(frozen=True)
class IndexWords:
    """An index taken apart; `method` is "" for the server's usual one, `beside` holds clauses that few tools know."""

    index: Index
    name: str
    parts: tuple[Part, ...]
    unique: bool = False
    method: str = ""
    where: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    beside: tuple[str, ...] = ()


def sql_of(clause: Any, dialect: Dialect) -> str:
    """Return an expression as the server reads it, on a table of its own."""
    if isinstance(clause, str):
        return clause
    compiler: Any = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]
    return str(compiler.sql_compiler.process(clause, include_table=False, literal_binds=True))


def constraints(table: Table, dialect: Dialect) -> list[Constraint]:
    """Return the constraints that this server is given, without empty keys and relations that it does not guard.

    Of unique keys that are one to PostgreSQL there is the first that has a name, or else the first.
    """
    compiler: Any = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]
    found = sorted(table.constraints, key=lambda constraint: constraint._creation_order)
    made = [one for one in found if one._should_create_for_compiler(compiler) and not is_drawn_only(one)]
    made = [one for one in made if not isinstance(one, PrimaryKeyConstraint) or len(one.columns)]
    made = [one for one in made if not _is_key_again(one, table, dialect)]
    return [one for one in made if _kept(one, made, dialect) is one]


def _is_key_again(one: Constraint, table: Table, dialect: Dialect) -> bool:
    """Say whether a unique key is the primary key again, which PostgreSQL makes once, by the name that is told."""
    return isinstance(one, UniqueConstraint) and _is_same(one, table.primary_key, dialect)


def _kept(one: Constraint, made: list[Constraint], dialect: Dialect) -> Constraint:
    """Return what PostgreSQL makes of a unique key and of those that it takes for the same: the first, by any name."""
    if not isinstance(one, UniqueConstraint):
        return one
    same = [other for other in made if isinstance(other, UniqueConstraint) and _is_same(one, other, dialect)]
    return next((other for other in same if given_name(other, dialect)), same[0])


def _is_same(one: UniqueConstraint, other: UniqueConstraint | PrimaryKeyConstraint, dialect: Dialect) -> bool:
    """Say whether two keys are one to PostgreSQL: of the same columns, with the same options."""
    if [column.name for column in one.columns] != [column.name for column in other.columns]:
        return False
    return (timing(one), beside(one, dialect)) == (timing(other), beside(other, dialect))


def names(table: Table, dialect: Dialect) -> dict[Constraint, str]:
    """Return the name of each constraint: its own, or the one that PostgreSQL gives to it."""
    found = {one: given_name(one, dialect) for one in constraints(table, dialect)}
    if table.primary_key in found and not found[table.primary_key]:
        again = (one for one in table.constraints if _is_key_again(one, table, dialect))
        found[table.primary_key] = next((name for one in again if (name := given_name(one, dialect))), "")
    taken = set(found.values())
    for one, name in found.items():
        if not name:
            found[one] = _free(_automatic(one, table, dialect), taken)
    return found


def given_name(item: Constraint | Index, dialect: Dialect) -> str:
    """Return the name that a constraint or index has in the plan; "" for none."""
    preparer: Any = dialect.identifier_preparer
    return str(preparer.format_constraint(item, _alembic_quote=False) or "") if item.name is not None else ""


def _automatic(constraint: Constraint, table: Table, dialect: Dialect) -> str:
    suffix = next((words for kind, words in _KINDS.items() if isinstance(constraint, kind)), "excl")
    columns = [] if suffix == "pkey" else [column.name for column in getattr(constraint, "columns", ())]
    for one in constraint.dialect_kwargs.get("postgresql_include") or () if columns else ():
        columns.append(_free(str(getattr(one, "name", one)), set(columns)))
    if isinstance(constraint, CheckConstraint):
        told = _spoken_of(sql_of(constraint.sqltext, dialect))
        columns = [one.name for one in table.columns if one.name in told]
        columns = columns if len(columns) == 1 else []
    return shortened(table.name, "_".join(columns), suffix)


def _spoken_of(sql: str) -> set[str]:
    """Return the names in SQL that may be those of columns: the quoted as they are, the bare in lower case."""
    found = _NAMES.finditer(re.sub(r"'[^']*'", "''", sql))
    return {(match[1] or match[2] or "").replace('""', '"') or match[3].lower() for match in found}


def shortened(first: str, second: str, suffix: str) -> str:
    """Return the parts joined as PostgreSQL joins them: the longer part loses what is more than a name may have."""
    one, other = first.encode(), second.encode()
    room = _LONGEST - len(suffix.encode()) - 1 - bool(other)
    while len(one) + len(other) > room:
        if len(one) > len(other):
            one = one[:-1]
        else:
            other = other[:-1]
    return "_".join(part for part in (one.decode(errors="ignore"), other.decode(errors="ignore"), suffix) if part)


def _free(name: str, taken: set[str]) -> str:
    number, free = 0, name
    while free in taken:
        number += 1
        free = f"{name}{number}"
    taken.add(free)
    return free


def target_of(key: ForeignKeyConstraint) -> str:
    """Return the first column that a foreign key leads to, as people write it."""
    return ".".join(name for name in key.elements[0].target_tokens if name)


def parent_of(key: ForeignKeyConstraint) -> Table | None:
    """Return the table that a foreign key leads to; None where the plan does not hold it."""
    try:
        return next(element.column.table for element in key.elements)
    except SQLAlchemyError:
        return None


def types_of(plan: Plan, dialect: Dialect) -> list[SqlType]:
    """Return the named types of a plan that stand by themselves, by schema and name; columns may use them or not."""
    kinds = (known for known in plan.metadata._objects if isinstance(known, TypeEngine))
    found = (sql_type(kind, dialect) for kind in kinds)
    named = {(kind.schema, kind.name): kind for kind in found if kind.native or kind.base is not None}
    return [named[key] for key in sorted(named)]


def place_of(kind: SqlType) -> Place:
    """Return the place of a named type, as a catalog tells it."""
    return Place(f"{kind.schema}.{kind.name}" if kind.schema else kind.name)


def condition(constraint: CheckConstraint, dialect: Dialect) -> str:
    """Return what a CHECK says."""
    return sql_of(constraint.sqltext, dialect)


def exclusion(constraint: ExcludeConstraint, dialect: Dialect) -> str:
    """Return what follows EXCLUDE."""
    whole = own_words(constraint) or str(AddConstraint(constraint, isolate_from_table=False).compile(dialect=dialect))
    return _LATE.sub("", whole.partition("EXCLUDE ")[2]).strip()


def timing(constraint: Constraint) -> str:
    """Return when a constraint is looked at: "", INITIALLY IMMEDIATE or INITIALLY DEFERRED."""
    written = _LATE.search(own_words(constraint) or "")
    late = constraint.deferrable or bool(constraint.initially) or written is not None
    told = (constraint.initially or "").upper() or ("DEFERRED" if written and "DEFERRED" in written[0] else "")
    return f"INITIALLY {told or 'IMMEDIATE'}" if late else ""


def beside(constraint: Constraint, dialect: Dialect) -> tuple[str, ...]:
    """Return the clauses of a constraint that few tools know, such as NOT VALID."""
    whole = own_words(constraint)
    if isinstance(constraint, ForeignKeyConstraint):
        late = constraint.dialect_kwargs.get("postgresql_not_valid")
        match = f"MATCH {constraint.match.upper()}" if constraint.match and constraint.match.upper() != "SIMPLE" else ""
        whole = whole or f"{match} {constraint.ondelete or ''}{' NOT VALID' if late else ''}"
    elif whole is None and not isinstance(constraint, ExcludeConstraint | CheckConstraint):
        whole = str(AddConstraint(constraint, isolate_from_table=False).compile(dialect=dialect))
    if isinstance(constraint, CheckConstraint):
        whole = (whole or "").rpartition(")")[2]
        whole += " NOT VALID" if constraint.dialect_kwargs.get("postgresql_not_valid") else ""
    outside = re.sub(r"\"[^\"]*\"", '""', whole or "")
    return tuple(dict.fromkeys(match.strip() for match in _BESIDE.findall(outside)))


def index_words(index: Index, dialect: Dialect) -> IndexWords:
    """Return an index taken apart."""
    options = (f"{dialect.name}_",) if dialect.name in ("postgresql", "sqlite") else ("mysql_", "mariadb_")
    told: dict[str, Any] = {
        key.partition("_")[2]: value for key, value in index.dialect_kwargs.items() if key.startswith(options)
    }
    where = told.get("where")
    return IndexWords(
        index,
        given_name(index, dialect),
        tuple(_part(expression, told.get("ops") or {}, dialect) for expression in index.expressions),
        bool(index.unique),
        str(told.get("using") or told.get("prefix") or ""),
        sql_of(where, dialect) if where is not None else "",
        tuple((str(key), str(value)) for key, value in (told.get("with") or {}).items()),
        tuple(_clauses(told)),
    )


def _clauses(told: dict[str, Any]) -> Iterator[str]:
    if told.get("include"):
        yield f"INCLUDE ({', '.join(str(getattr(column, 'name', column)) for column in told['include'])})"
    if told.get("nulls_not_distinct"):
        yield "NULLS NOT DISTINCT"
    if told.get("length"):
        yield f"the prefix length {measures(told['length'])}"


def measures(told: Any) -> str:
    """Return options for people: of a dict `about=20`, of a list its items, of anything else itself."""
    if isinstance(told, dict):
        return ", ".join(f"{name}={value}" for name, value in told.items())
    return ", ".join(map(str, told)) if isinstance(told, list | tuple) else str(told)


def _part(expression: Any, classes: dict[str, Any], dialect: Dialect) -> Part:
    order, nulls, bare = "", "", expression
    while isinstance(bare, UnaryExpression) and bare.modifier in {**_ORDER, **_NULLS}:
        order = _ORDER.get(bare.modifier, order)
        nulls = _NULLS.get(bare.modifier, nulls)
        bare = bare.element
    known = classes.get(str(getattr(expression, "key", None) or ""), "")  # as SQLAlchemy has it: of a bare column
    column = bare if isinstance(bare, Column) else None
    descending = order == "desc"
    usual = "first" if descending else "last"
    sql = sql_of(bare, dialect)
    if column is None and not re.fullmatch(r"\w+\(.*\)|\(.*\)", sql) and not isinstance(bare, str):
        sql = _as_part(bare, sql)
    return Part(sql, column, descending, "" if nulls == usual else nulls, str(known or ""))


def _as_part(bare: Any, sql: str) -> str:
    """Return an expression as an index takes it: text as it was written, all else in parentheses."""
    from sqlalchemy.sql.elements import ColumnClause, TextClause
    from sqlalchemy.sql.functions import FunctionElement

    plain = isinstance(bare, TextClause | FunctionElement) or (isinstance(bare, ColumnClause) and not bare.is_literal)
    return sql if plain else f"({sql})"


def is_named_as_usual(constraint: Constraint, table: Table, dialect: Dialect) -> bool:
    """Say whether a constraint's name is the one that PostgreSQL would give to it."""
    given = given_name(constraint, dialect)
    return not given or given == _automatic(constraint, table, dialect)
