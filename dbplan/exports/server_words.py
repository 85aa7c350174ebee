"""What a plan holds in the words of one server alone, and the files of a tool do not: each by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Index, Table

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.clauses import measures
from dbplan.plan import Plan

_KEEP_ALL = frozenset({"ddl", "models"})
_FAMILY = ("mariadb", "mysql")
_TEXT = re.compile(r"'(?:[^']|'')*'|`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"")
_INVISIBLE = re.compile(r"\bINVISIBLE\b|\bIGNORED\b", re.IGNORECASE)
_VERSIONED = re.compile(r"\bWITH SYSTEM VERSIONING\b", re.IGNORECASE)
_PLAIN_NOW = re.compile(r"(?:current_timestamp|now)(?:\(\))?", re.IGNORECASE)
_SAID = {
    "option": frozenset({"sqlmodel"}),
    "index": frozenset({"sqlmodel", "prisma", "typeorm", "dbml"}),
    "spatial": frozenset({"sqlmodel", "typeorm", "dbml"}),
    "length": frozenset({"sqlmodel", "drizzle", "dbml", "prisma", "typeorm"}),
    "update": frozenset({"typeorm"}),
    "charset": frozenset({"sqlmodel", "django", "dbml"}),
}
"""The tools that have words of their own for a thing, or say themselves that they have none."""


def kept_by_server(plan: Plan, tool: str, server: str) -> tuple[Finding, ...]:
    """Return a finding for each thing that only the plan's own server has words for, and the tool's files lack."""
    own = str(plan.metadata.info.get("dialect") or "")
    if tool in _KEEP_ALL and server == own:
        return ()
    found = [pair for table in plan.metadata.tables.values() for pair in _beyond(table)]
    if server in (own, "mongodb") or {server, own} <= set(_FAMILY):
        found += [(Place(), said) for said in _of_database(plan, tool)]
        found += [pair for table in plan.metadata.tables.values() for pair in _of_table(table, tool, own)]
    return tuple(Finding(f"export-{tool}", Severity.NOTE, place, said) for place, said in found)


_Found = Iterator[tuple[Place, str]]


def _beyond(table: Table) -> _Found:
    """Yield what SQLAlchemy has no place for, as the source has listed it."""
    for said in table.info.get("beyond", ()):
        yield Place(str(table.key)), f"only its own server's text says it: {said}"
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        for said in index.info.get("beyond", ()):
            yield Place(str(table.key), index=str(index.name)), f"only its own server's text says it: {said}"


def _of_database(plan: Plan, tool: str) -> Iterator[str]:
    if tool in _KEEP_ALL:
        return
    for key, called in (("virtual_tables", "virtual table"), ("events", "event")):
        for sql in plan.metadata.info.get(key, ()):
            yield f"the {called} is not there: {' '.join(str(sql).split())}"


def _of_table(table: Table, tool: str, own: str) -> _Found:
    if tool in _KEEP_ALL or table.info.get("is_view"):
        return
    yield from ((Place(str(table.key)), said) for said in _of_options(table, tool, own))
    for column in table.columns:
        place = Place(str(table.key), column=column.name)
        yield from ((place, said) for said in _of_column(column, tool, own))
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        place = Place(str(table.key), index=str(index.name))
        yield from ((place, said) for said in _of_index(index, tool, own))


def _of_options(table: Table, tool: str, own: str) -> Iterator[str]:
    """Yield how a table is kept."""
    if own == "sqlite" and tool not in _SAID["option"]:
        options = table.dialect_options["sqlite"]
        if options["strict"]:
            yield "it is STRICT; there its columns take values of any type"
        if not options["with_rowid"]:
            yield "it is WITHOUT ROWID; there its rows are numbered, too"
    if own in _FAMILY and tool not in _SAID["option"]:
        told = {key: value for key, value in table.dialect_kwargs.items() if key.startswith(f"{own}_") and value}
        for key, value in told.items():
            yield f"its {key.removeprefix(f'{own}_').replace('_', ' ').upper()} {value} is the server's own there"
    if _VERSIONED.search(_bare(table, own)):
        yield "it keeps its history (WITH SYSTEM VERSIONING); there it does not"
    if table.info.get("periods"):
        yield "it has a period of time, which is not there"


def _of_column(column: Column[Any], tool: str, own: str) -> Iterator[str]:
    again = str(column.info.get("on_update") or "")
    if again and tool not in _SAID["update"] and not (tool == "drizzle" and is_plain_now(column)):
        yield f"whenever the row changes, the server puts in {again} (ON UPDATE); there it does not"
    if own in _FAMILY and _INVISIBLE.search(_bare(column, own)):
        yield "it is INVISIBLE; there SELECT * shows it"
    charset = getattr(column.type, "charset", None)
    if charset and not getattr(column.type, "collation", None) and tool not in _SAID["charset"]:
        yield f"its character set {charset} is the table's own there"


def is_plain_now(column: Column[Any]) -> bool:
    """Say whether a TIMESTAMP of whole seconds takes the present time whenever its row changes."""
    plain = getattr(column.type, "__visit_name__", "") == "TIMESTAMP" and not getattr(column.type, "fsp", None)
    return plain and _PLAIN_NOW.fullmatch(str(column.info.get("on_update") or "")) is not None


def _of_index(index: Index, tool: str, own: str) -> Iterator[str]:
    if own not in _FAMILY:
        return
    kind = str(option(index, "prefix") or "").upper()
    if kind and tool not in _SAID["spatial" if kind == "SPATIAL" else "index"]:
        yield f"it is a {kind} index; there it is a plain one"
    if option(index, "with_parser"):
        yield f"its parser {option(index, 'with_parser')} is left out"
    lengths = option(index, "length")
    if lengths and tool not in _SAID["length"]:
        yield f"it holds the first characters alone ({measures(lengths)}); there it holds all of them"
    if _INVISIBLE.search(_bare(index, own)):
        yield "the server ignores it; there it does not"


def option(index: Index, name: str) -> Any:
    """Return an option of an index that MariaDB and MySQL have, under either name."""
    return next(filter(None, (index.dialect_kwargs.get(f"{own}_{name}") for own in _FAMILY)), None)


def _bare(thing: Any, own: str) -> str:
    """Return the server's own words for a thing, without names and texts."""
    return _TEXT.sub("", str(thing.info.get(own) or ""))
