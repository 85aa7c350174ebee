"""Violations, counted by the server over what was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Dialect,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    and_,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.sql import ColumnElement

from dbplan.sandbox.schema import makes_boolean
from dbplan.seeding.constraints.checks import check_constraints
from dbplan.seeding.constraints.heirs import own_rows
from dbplan.seeding.constraints.held import NOTHING, Held
from dbplan.seeding.constraints.uniques import SPEAKERS, condition_of, without_order

UNIQUE_LIMIT = 2_000_000
"""Rows up to which duplicates are counted; beyond, the unique index of the server is relied upon, once it is seen."""
EXCLUDED_LIMIT = 20_000
"""Rows up to which each is held against each other one by exclusion constraints; beyond, as above."""
Where = ColumnElement[bool]


def violations(connection: Connection, table: Table, rows: int, held: Held = NOTHING) -> int:
    """Return how many rows of `table` break a foreign key, a CHECK, a NOT NULL, a unique or an exclusion constraint.

    What the server is known to have `held` is not counted again.
    """
    dialect = connection.dialect
    references = (c for c in table.foreign_key_constraints if not held.reference(c))
    checks = (c for c in check_constraints(table) if _is_there(c, dialect) and not held.check(c))
    found = sum(_orphans(connection, table, constraint) for constraint in references)
    found += sum(_broken(connection, table, constraint) for constraint in checks)
    found += _missing(connection, table, held)
    if rows <= UNIQUE_LIMIT or dialect.name == "postgresql":
        uniques = (asked for name, *asked in _uniques(table, dialect) if not held.unique(name, *asked[:2]))
        found += sum(_duplicates(connection, table, *asked) for asked in uniques)
    if rows <= EXCLUDED_LIMIT and dialect.name == "postgresql":
        excluded = (c for c in table.constraints if isinstance(c, ExcludeConstraint))
        found += sum(_excluded(connection, table, constraint) for constraint in excluded)
    return found


def _is_there(check: CheckConstraint, dialect: Dialect) -> bool:
    """Whether a CHECK is meant for this server; one that makes a boolean of an integer is SQLite's alone."""
    wanted = getattr(check._ddl_if, "dialect", None) or dialect.name
    meant = dialect.name == wanted if isinstance(wanted, str) else dialect.name in wanted
    return meant and (dialect.name == "sqlite" or not makes_boolean(check))


def _orphans(connection: Connection, table: Table, constraint: ForeignKeyConstraint) -> int:
    parent = constraint.referred_table.alias("parent")
    pairs = [(_bare(table.columns[e.parent.name]), _bare(parent.columns[e.column.name])) for e in constraint.elements]
    whole = and_(*(child.is_not(None) for child, _ in pairs))
    there = exists().where(and_(*(child == other for child, other in pairs)))
    return _count(connection, table, and_(whole, not_(there)))


def _broken(connection: Connection, table: Table, constraint: CheckConstraint) -> int:
    return _count(connection, table, not_(_in_parentheses(constraint.sqltext, connection.dialect)))


def _bare(column: Any) -> Any:
    """Return a column to compare as the server does, whatever its type makes of that in Python."""
    return type_coerce(column, Text())


def _missing(connection: Connection, table: Table, held: Held) -> int:
    required = [_bare(column).is_(None) for column in table.columns if not (column.nullable or held.not_null(column))]
    return _count(connection, table, or_(*required)) if required else 0


def _count(connection: Connection, table: Table, condition: Where) -> int:
    return int(connection.execute(own_rows(table, func.count()).where(condition)).scalar_one())


def _sql(clause: Any, dialect: Dialect) -> str:
    """Return a clause as SQL without its table; a text's colons and percent signs are SQL, not parameters."""
    if isinstance(clause, TextClause | str):
        return clause if isinstance(clause, str) else clause.text
    own = _plain(type(dialect))
    return str(clause.compile(dialect=own, compile_kwargs={"literal_binds": True, "include_table": False}))


def _plain(kind: Any) -> Dialect:
    """Return a dialect whose percent signs are themselves; the connection's own remembers what it has quoted."""
    made: Dialect = kind()
    made.identifier_preparer._double_percents = False
    return made


def _in_parentheses(clause: Any, dialect: Dialect) -> Where:
    return literal_column(f"({_sql(clause, dialect)})", Boolean()).self_group()


def _uniques(table: Table, dialect: Dialect) -> Iterator[tuple[object, list[Any], Any, bool]]:
    """Yield a unique's name, what rows differ in, which rows, and whether NULLs count as alike."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint) and len(constraint.columns):
            yield constraint.name, list(constraint.columns), None, _nulls_count(constraint, dialect)
    for index in table.indexes:
        if index.unique and (dialect.name in SPEAKERS or condition_of(index) is None):  # else it is left out, or full
            where = index.dialect_options[dialect.name].get("where") if dialect.name in SPEAKERS else None
            bare = map(without_order, index.expressions)
            parts = [p if isinstance(p, Column) else _in_parentheses(p, dialect) for p in bare]
            asked = None if where is None else _in_parentheses(where, dialect)
            yield index.name, parts, asked, _nulls_count(index, dialect)
    named = {tuple(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint)}
    named |= {tuple(index.columns) for index in table.indexes if index.unique}
    yield from ((None, [column], None, False) for column in table.columns if column.unique and (column,) not in named)


def _nulls_count(asked: UniqueConstraint | PrimaryKeyConstraint | Index, dialect: Dialect) -> bool:
    return dialect.name == "postgresql" and bool(asked.dialect_options["postgresql"].get("nulls_not_distinct"))


def _duplicates(connection: Connection, table: Table, parts: list[Any], where: Any, nulls_count: bool) -> int:
    """Return how many groups of rows are alike; the columns of a copied index are another table's, of the same name."""
    own = [table.columns[p.name] if isinstance(p, Column) else p for p in parts]
    named = [part.label(f"part_{n}") for n, part in enumerate(own)]
    rows = own_rows(table, *named)
    rows = rows if where is None else rows.where(where)
    inner = rows.subquery()
    groups = select(func.count().label("n")).select_from(inner).group_by(*inner.columns).having(func.count() > 1)
    groups = groups if nulls_count else groups.where(*(_bare(column).is_not(None) for column in inner.columns))
    return int(connection.execute(select(func.count()).select_from(groups.subquery())).scalar_one())


def _excluded(connection: Connection, table: Table, constraint: ExcludeConstraint) -> int:
    """Return how many rows stand in the way of another one."""
    dialect = connection.dialect
    parts = enumerate(constraint._render_exprs)
    clauses: list[Any] = [
        literal_column(f"({_sql(clause, dialect)})").label(f"part_{n}") for n, (clause, _, _) in parts
    ]
    asked = own_rows(table, *clauses, literal_column("ctid").label("at"))
    if constraint.where is not None:
        asked = asked.where(_in_parentheses(constraint.where, dialect))
    one, other = asked.subquery("one"), asked.subquery("other")
    meets = [one.c[f"part_{n}"].op(o)(other.c[f"part_{n}"]) for n, (_, _, o) in enumerate(constraint._render_exprs)]
    statement = select(func.count()).select_from(one.join(other, and_(one.c.at != other.c.at, *meets)))
    return int(connection.execute(statement).scalar_one())
