"""What a tool cannot say, as SQL that follows what it makes: with it, the database is the plan's again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlalchemy import CheckConstraint, Constraint, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import AddConstraint, CreateIndex

from dbplan.ddl import statements
from dbplan.evidence import Finding, Place
from dbplan.exports.facts import server
from dbplan.plan import Plan

_SERVERS = frozenset({"postgresql", "cockroachdb"})
_AFTER_A_TABLE = frozenset({"comment", "trigger", "policy", "rule", "view", "alteration"})


def mended(plan: Plan, lost: Iterable[Finding], dialect: str) -> tuple[Finding, ...]:
    """Return the findings, each with the SQL that makes up for it where there is some."""
    found = tuple(lost)
    if dialect not in _SERVERS or not found:
        return found
    given, after = "\n".join(finding.mend for finding in found), _after(plan, dialect)
    made = (_mend(plan, finding.place, server(dialect), after) for finding in found)
    return tuple(f if f.mend or mend in given else replace(f, mend=mend) for f, mend in zip(found, made, strict=True))


def script(findings: Iterable[Finding]) -> str:
    """Return the mends as one SQL file, each under what it makes up for; "" for none."""
    parts: dict[str, list[str]] = {}
    for finding in findings:
        if finding.mend:
            said = ": ".join(filter(None, (str(finding.place), " ".join(finding.message.split()))))
            parts.setdefault(finding.mend, []).append(f"-- {said}")
    return "\n\n".join("\n".join((*said, sql)) for sql, said in parts.items()) + "\n" if parts else ""


def _after(plan: Plan, dialect: str) -> dict[Place, list[str]]:
    """Return the statements that follow tables, by place."""
    found: dict[Place, list[str]] = {}
    for statement in statements(plan, dialect):
        if statement.kind in _AFTER_A_TABLE:
            found.setdefault(statement.place, []).append(f"{statement.sql};")
    return found


def _mend(plan: Plan, place: Place, dialect: Dialect, after: dict[Place, list[str]]) -> str:
    table = plan.metadata.tables.get(place.table)
    if table is None or place.column:
        return "\n".join(after.get(place, ()))
    if place.index:
        index = next((found for found in table.indexes if found.name == place.index), None)
        return "\n".join(_index(index, dialect)) if index is not None else ""
    if place.constraint:
        return "\n".join(_constraint(table, place.constraint, dialect))
    return "\n".join(after.get(place, ()))


def _index(index: Index, dialect: Dialect) -> Iterator[str]:
    try:
        made = str(CreateIndex(index).compile(dialect=dialect))
    except SQLAlchemyError:
        return
    yield f"DROP INDEX IF EXISTS {_beside(index, dialect)};"
    yield f"{made};"


def _beside(index: Index, dialect: Dialect) -> str:
    schema = index.table.schema if index.table is not None else None
    names = [schema, str(index.name)] if schema else [str(index.name)]
    return ".".join(dialect.identifier_preparer.quote(name) for name in names)


def _constraint(table: Table, name: str, dialect: Dialect) -> Iterator[str]:
    """Yield what puts a constraint in the place of what the tool has made under its name."""
    constraint = next((found for found in table.constraints if _named(found, dialect) == name), None)
    whole = dialect.identifier_preparer.format_table(table)
    quoted = dialect.identifier_preparer.quote(name)
    if isinstance(constraint, UniqueConstraint) and not (constraint.deferrable or constraint.info):
        yield f"ALTER TABLE {whole} ADD CONSTRAINT {quoted} UNIQUE USING INDEX {quoted};"
    elif isinstance(constraint, CheckConstraint | ForeignKeyConstraint | ExcludeConstraint | UniqueConstraint):
        yield f"ALTER TABLE {whole} DROP CONSTRAINT IF EXISTS {quoted};"
        yield f"{AddConstraint(constraint, isolate_from_table=False).compile(dialect=dialect)};"


def _named(constraint: Constraint, dialect: Dialect) -> str:
    named = dialect.identifier_preparer.format_constraint(constraint) if constraint.name else None
    return str(named or "").strip('"')
