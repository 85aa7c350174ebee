"""What a tool cannot say, as SQL that follows what it makes: with it, the database is the plan's again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from sqlalchemy import Constraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import AddConstraint, CreateIndex

from dbplan.ddl import statements
from dbplan.evidence import Finding, Place
from dbplan.exports.clauses import names, parent_of
from dbplan.exports.facts import server
from dbplan.plan import Plan

_SERVERS = frozenset({"postgresql", "cockroachdb"})
_HOLDERS = ("CREATE EXTENSION", "CREATE SCHEMA")
_WITH_TYPES = frozenset({"export-peewee"})
"""Targets whose columns are of the plan's own types: these, and functions that columns draw on, come first."""
_TYPES = re.compile(r"CREATE (?:OR REPLACE )?(?:TYPE|DOMAIN|FUNCTION|PROCEDURE|AGGREGATE)\b|SET check_function_bodies")
_AFTER_A_TABLE = frozenset({"comment", "trigger", "policy", "rule", "view", "alteration"})


def mended(plan: Plan, lost: Iterable[Finding], dialect: str) -> tuple[Finding, ...]:
    """Return the findings, each with the SQL that makes up for it where there is some."""
    found = tuple(lost)
    if dialect not in _SERVERS or not found:
        return found
    given, after = "\n".join(finding.mend for finding in found), _after(plan, dialect)
    later = {finding.place.table for finding in found if finding.mend.startswith("CREATE TABLE")}
    there = [table for table in plan.tables if table.key not in later]  # no mend of another has its keys yet
    made = (_mend(plan, there, finding.place, server(dialect), after) for finding in found)
    return tuple(f if f.mend or mend in given else replace(f, mend=mend) for f, mend in zip(found, made, strict=True))


def needed_first(finding: Finding) -> bool:
    """Say whether a mend must have run before the tool does: what its tables lie in, come with, and draw from."""
    free = finding.mend.startswith("CREATE SEQUENCE") and " OWNED BY " not in finding.mend
    free = free or (finding.rule in _WITH_TYPES and _TYPES.match(finding.mend) is not None)
    return free or finding.mend.startswith(_HOLDERS)


def script(findings: Iterable[Finding]) -> str:
    """Return the mends as one SQL file, each under what it makes up for; "" for none."""
    parts: dict[str, list[str]] = {}
    for finding in sorted(findings, key=_rank):
        if finding.mend:
            said = ": ".join(filter(None, (str(finding.place), " ".join(finding.message.split()))))
            parts.setdefault(finding.mend, []).append(f"-- {said}")
    return "\n\n".join("\n".join((*said, sql)) for sql, said in parts.items()) + "\n" if parts else ""


def _rank(finding: Finding) -> int:
    """Return when a mend comes: what types lie in and come with, then types, then all else."""
    return 2 - finding.mend.startswith(("CREATE TYPE", "CREATE DOMAIN")) - 2 * finding.mend.startswith(_HOLDERS)


def _after(plan: Plan, dialect: str) -> dict[Place, list[str]]:
    """Return the statements that follow tables, by place."""
    found: dict[Place, list[str]] = {}
    for statement in statements(plan, dialect):
        if statement.kind in _AFTER_A_TABLE:
            found.setdefault(statement.place, []).append(f"{statement.sql};")
    return found


def _mend(plan: Plan, there: Iterable[Table], place: Place, dialect: Dialect, after: dict[Place, list[str]]) -> str:
    table = plan.metadata.tables.get(place.table)
    if table is None or place.column:
        return "\n".join(after.get(place, ()))
    if place.index:
        index = next((found for found in table.indexes if found.name == place.index), None)
        return "\n".join(_index(index, table, dialect)) if index is not None else ""
    if place.constraint:
        return "\n".join(_constraint(there, table, place.constraint, dialect))
    return "\n".join(after.get(place, ()))


def _index(index: Index, table: Table, dialect: Dialect) -> Iterator[str]:
    try:
        made = str(CreateIndex(index).compile(dialect=dialect))
    except SQLAlchemyError:
        return
    yield f"DROP INDEX IF EXISTS {_beside(table, str(index.name), dialect)};"
    yield f"{made};"


def _beside(table: Table, name: str, dialect: Dialect) -> str:
    """Return the name of an index, which lies in the schema of its table."""
    named = [table.schema, name] if table.schema else [name]
    return ".".join(dialect.identifier_preparer.quote(name) for name in named)


def _constraint(there: Iterable[Table], table: Table, name: str, dialect: Dialect) -> Iterator[str]:
    """Yield what puts a constraint in the place of the constraint or index that the tool has made under its name."""
    found = next((one for one, given in names(table, dialect).items() if given == name), None)
    if found is None:
        return
    keys = list(_keys_to(found, there, dialect))
    yield from (_dropped(key, given, dialect) for key, given in keys)
    yield _dropped(found, name, dialect)
    if isinstance(found, UniqueConstraint):
        yield f"DROP INDEX IF EXISTS {_beside(table, name, dialect)};"
    yield _added(found, name, dialect)
    yield from (_added(key, given, dialect) for key, given in keys)


def _keys_to(found: Constraint, there: Iterable[Table], dialect: Dialect) -> Iterator[tuple[Constraint, str]]:
    """Yield the foreign keys, by name, that hang on a unique or primary key."""
    if not isinstance(found, PrimaryKeyConstraint | UniqueConstraint):
        return
    columns = {*found.columns}
    for table in there:
        if any(parent_of(key) is found.table for key in table.foreign_key_constraints):
            for key, name in names(table, dialect).items():
                if isinstance(key, ForeignKeyConstraint) and {part.column for part in key.elements} == columns:
                    yield key, name


def _dropped(constraint: Constraint, name: str, dialect: Dialect) -> str:
    prepare = dialect.identifier_preparer
    return f"ALTER TABLE {prepare.format_table(constraint.table)} DROP CONSTRAINT IF EXISTS {prepare.quote(name)};"


def _added(constraint: Constraint, name: str, dialect: Dialect) -> str:
    prepare = dialect.identifier_preparer
    made = str(AddConstraint(constraint, isolate_from_table=False).compile(dialect=dialect))
    if constraint.name is None:
        start = f"ALTER TABLE {prepare.format_table(constraint.table)} ADD "
        made = f"{start}CONSTRAINT {prepare.quote(name)} {made.removeprefix(start)}"
    return f"{made};"
