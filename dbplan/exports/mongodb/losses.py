"""What MongoDB leaves to the application, each by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table

from dbplan.exports.clauses import given_name
from dbplan.exports.facts import counts
from dbplan.exports.mongodb.kinds import is_text_instead, names
from dbplan.exports.mongodb.page import Page, listed
from dbplan.exports.relations import Relation

_FOLLOWING = {"triggers": "triggers", "policies": "row policies", "rules": "rules"}


def lose(page: Page) -> None:
    """Say what the script does not hold."""
    for found in page.plan.tables:
        for said in _of_table(found):
            page.lose(said, found)
        if found.info.get("is_view") or found.info.get("partition_of"):
            continue
        for column in found.columns:
            for said in _of_column(page, column):
                page.lose(said, found, column=column.name)
        if found.key not in page.shape.joins:
            _of_relations(page, found)
    for sequence in page.plan.metadata._sequences.values():
        page.lose(f"the sequence {sequence.name} is left out: keep a counter in a document, raised by findOneAndUpdate")
    for sql in page.plan.metadata.info.get("routines", ()):
        page.lose(f"routines are the application's: {' '.join(str(sql).split())[:80]}")
    if any("date" in names(page.value(c)) for t in page.plan.tables for c in t.columns):
        page.lose("dates keep milliseconds, and no time zone")


def _of_table(found: Table) -> Iterator[str]:
    if found.info.get("partition_of"):
        yield f"it is a partition of {found.info['partition_of'][0]}, which is one collection"
    yield from (f"its {words} are left out" for key, words in _FOLLOWING.items() if found.info.get(key))
    if found.info.get("row_security"):
        yield "its row level security is left out"


def _of_column(page: Page, column: Column[Any]) -> Iterator[str]:
    kind, filled = page.columns[column.table.key, column.name]
    if column.computed is not None:
        yield f"the application computes it: {column.computed.sqltext}"
    elif counts(column) and page.plan.metadata.info.get("dialect") != "mongodb":
        yield "no server numbers documents: keep a counter, or let _id be an ObjectId"
    elif filled is not None and filled.value is not None:
        words = filled.sql.strip("()") if filled.kind == "literal" else filled.sql
        yield f"no server fills it in: the application puts {words}"
    if kind.name in ("numeric", "decimal") and kind.arguments:
        yield f"numeric({listed(kind.arguments)}): a Decimal128 keeps the digits that it is given"
    if kind.name in ("json", "jsonb") and not column.info.get("bson"):
        held = page.value(column)["bsonType"] if not kind.dimensions else "object"
        yield f"it holds {'objects' if held == 'object' else 'lists' if held == 'array' else 'objects and lists'} alone"
    if is_text_instead(column, kind):
        yield f"{kind.name or column.type.__class__.__name__} is text there"


def _of_relations(page: Page, found: Table) -> None:
    """Say of each foreign key that no server guards it, but for one that holds a child within its parent."""
    inner = page.shape.embedded.get(found.key)
    for relation in page.naming.out_of(found):
        if inner is None or inner.relation is not relation:
            name = given_name(relation.constraint, page.dialect)
            page.lose(_unguarded(page, relation), found, key=name)


def _unguarded(page: Page, relation: Relation) -> str:
    parent = page.collections[relation.parent.key]
    here = listed(page.name(column) for column in relation.columns)
    there = listed(f"{parent}.{page.name(column)}" for column in relation.targets)
    key = relation.constraint
    told = [
        f"{word} {action.upper()}"
        for word, action in (("ON DELETE", key.ondelete), ("ON UPDATE", key.onupdate))
        if action
    ]
    return f"no server guards {here} → {there}: {f'{listed(told)} is' if told else 'it is'} the application's"
