"""SQL as a person reads it: one script that creates a plan on an empty database of one server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sqlalchemy import Table

from dbplan.ddl import Statement, statements, translated
from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.facts import server
from dbplan.exports.written import Written
from dbplan.plan import Plan

_PRODUCTS = {
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "sqlite": "SQLite",
    "mssql": "SQL Server",
    "cockroachdb": "CockroachDB",
}
_TITLES = {
    "setting": "Settings",
    "schema": "Schemas",
    "extension": "Extensions",
    "type": "Types",
    "sequence": "Sequences",
    "key": "Foreign keys of tables that refer to each other",
    "attachment": "Partitions",
    "alteration": "Alterations",
    "rule": "Rules",
    "trigger": "Triggers",
    "policy": "Policies",
    "statistics": "Statistics",
    "event": "Events",
    "comment": "Comments",
}
_OF_A_TABLE = ("unique index", "index", "comment")
_BODIES = ("table", "view")
_ALONE = ("schema", "view", "routine", "trigger")
"""What SQL Server wants to be the first statement of a batch."""
_LOST_IN_HEADER = 40
_WIDTH = 118


def write(plan: Plan, dialect: str) -> Written:
    """Return `NAME.sql`, which creates the plan on a server of `dialect`, and what that server cannot say.

    Raises UnknownName for another dialect, SourceError for a model that cannot be written.
    """
    translation = translated(plan.metadata, dialect)
    lost = (*translation.lost, *(_without_select(plan) if translation.metadata is plan.metadata else ()))
    spoken = replace(plan, metadata=translation.metadata, queries=(), rows={}, retention={})
    found = statements(spoken, dialect)
    blocks = [_header(plan, dialect, lost), *_sections(found, spoken, dialect)]
    text = "\n\n".join(blocks).replace("GO\n\nGO\n", "GO\n")
    name = re.sub(r"[^\w.-]+", "_", plan.name) or "plan"
    return Written({f"{name}.sql": text + "\n"}, lost)


def _without_select(plan: Plan) -> Iterator[Finding]:
    """Yield the views of which the source tells no SELECT."""
    for table in plan.tables:
        if table.info.get("is_view") and not (table.info.get("view") or table.info.get("definition")):
            said = "the view is left out (its SELECT is not known)"
            yield Finding("export-ddl", Severity.WARNING, Place(str(table.key)), said)


def _header(plan: Plan, dialect: str, lost: tuple[Finding, ...]) -> str:
    tables = sum(not table.info.get("is_view") for table in plan.tables)
    lines = [f"-- {_one_line(plan.name)} on {_PRODUCTS[dialect]}: {tables} table{'s' * (tables != 1)}"]
    lines += _wrapped(plan.summary) if plan.summary else []
    if lost:
        lines += ["--", f"-- {len(lost)} thing{'s' * (len(lost) != 1)} said otherwise here:"]
        lines += [line for finding in lost[:_LOST_IN_HEADER] for line in _wrapped(_said(finding), "  ")]
        lines += [f"--   … and {len(lost) - _LOST_IN_HEADER} more"] if len(lost) > _LOST_IN_HEADER else []
    return "\n".join(lines)


def _said(finding: Finding) -> str:
    return f"{finding.place}: {finding.message}" if str(finding.place) else finding.message


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Return a text as lines of comment; what follows the first is indented further."""
    lines, line = [], ""
    for word in _one_line(text).split(" "):
        if line and len(line) + len(word) > _WIDTH - len(indent):
            lines.append(line)
            line = f"  {word}" if indent else word
        else:
            line = f"{line} {word}" if line else word
    return [f"-- {indent}{each}" for each in (*lines, line)]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _sections(found: tuple[Statement, ...], plan: Plan, dialect: str) -> Iterator[str]:
    """Yield the statements in order; what belongs to a table stands beneath it."""
    if dialect in ("mysql", "mariadb"):
        yield "SET NAMES utf8mb4;"
    beneath = _beneath(found)
    moved = {id(statement) for below in beneath.values() for statement in below}
    title = ""
    for statement in found:
        if id(statement) in moved:
            continue
        now = _TITLES.get(statement.kind, "")
        if now and now != title:
            yield f"-- {now}"
        title = now
        yield _text(statement, plan, dialect)
        if statement.kind in _BODIES:
            below = beneath.get(statement.place.table, ())
            yield from _joined(below, plan, dialect)


def _beneath(found: Iterable[Statement]) -> Mapping[str, list[Statement]]:
    """Return by table what can follow it at once: its indexes and comments.

    Indexes of partitioned tables wait until their partitions are there.
    """
    kinds = {statement.kind for statement in found}
    follow = ("comment",) if "attachment" in kinds else _OF_A_TABLE
    bodies = {statement.place.table for statement in found if statement.kind in _BODIES}
    beneath: dict[str, list[Statement]] = {}
    for statement in found:
        late = statement.kind == "comment" and (statement.place.index or statement.place.constraint)
        if statement.kind in follow and statement.place.table in bodies and not late:
            beneath.setdefault(statement.place.table, []).append(statement)
    return beneath


def _joined(below: Iterable[Statement], plan: Plan, dialect: str) -> Iterator[str]:
    """Yield a table's indexes as one block, and its comments as another."""
    for wanted in ((*_OF_A_TABLE[:2],), _OF_A_TABLE[2:]):
        texts = [_text(statement, plan, dialect) for statement in below if statement.kind in wanted]
        if texts:
            yield "\n".join(texts)


def _text(statement: Statement, plan: Plan, dialect: str) -> str:
    sql = statement.sql
    if statement.kind == "table" and (dialect == "sqlite" or plan.metadata.info.get("uncommented")):
        sql = _with_comments(sql, plan.metadata.tables[statement.place.table], dialect)
    if dialect == "mssql" and statement.kind in _ALONE:
        return f"GO\n\n{sql};\nGO"
    if dialect in ("mysql", "mariadb") and ";" in sql and statement.kind in ("routine", "trigger", "event"):
        return f"DELIMITER $$\n{sql} $$\nDELIMITER ;"
    return f"{sql};"


def _with_comments(sql: str, table: Table, dialect: str) -> str:
    """Return a CREATE TABLE with what its columns mean, each above its line, for a database without comments."""
    lines = sql.split("\n")
    written = [*_wrapped(table.comment)] if table.comment else []
    quote = server(dialect).identifier_preparer.quote
    waiting = [(f"    {quote(column.name)} ", column.comment) for column in table.columns]
    for line in lines:
        if waiting and line.startswith(waiting[0][0]):
            _, comment = waiting.pop(0)
            written += [f"    {each}" for each in _wrapped(comment)] if comment else []
        written.append(line)
    return "\n".join(written)
