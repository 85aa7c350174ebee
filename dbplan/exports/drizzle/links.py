"""`relations()`: the ways between tables that Drizzle's queries go."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Table

from dbplan.exports.drizzle.page import Page, key_of
from dbplan.exports.relations import Relation
from dbplan.exports.typescript import Arrow, List, Member, Node, Record, Text, Word, call, statement


def relations(page: Page, found: Table) -> str:
    """Return the statement that declares a table's relations; "" for none."""
    ways = [*_outward(page, found), *_inward(page, found)]
    if not ways:
        return ""
    page.used.add("relations")
    kinds = [kind for kind in ("one", "many") if any(kind == used for used, _, _ in ways)]
    body = Record(tuple((name, way) for _, name, way in ways), open=True)
    name = page.free(f"{page.tables[found.key]}Relations", f"{page.tables[found.key]}RelationsOf")
    made = call("relations", Word(page.tables[found.key]), Arrow(f"{{ {', '.join(kinds)} }}", body))
    return statement(f"export const {name}", made)


def _outward(page: Page, found: Table) -> Iterator[tuple[str, str, Node]]:
    for relation in page.naming.out_of(found):
        yield "one", relation.name, _one(page, relation.parent, relation.columns, relation.targets, relation)


def _inward(page: Page, found: Table) -> Iterator[tuple[str, str, Node]]:
    for relation in page.naming.into(found):
        if not relation.back:
            continue
        child = Word(page.tables[relation.child.key])
        if not relation.single:
            named = (Record((("relationName", Text(relation.label)),)),) if relation.label else ()
            yield "many", relation.back, call("many", child, *named)
        elif relation.label:
            yield "one", relation.back, _one(page, relation.child, relation.targets, relation.columns, relation)
        else:
            yield "one", relation.back, call("one", child)


def _one(
    page: Page,
    other: Table,
    columns: tuple[Column[object], ...],
    targets: tuple[Column[object], ...],
    relation: Relation,
) -> Node:
    entries: list[tuple[str, Node]] = [("fields", _fields(page, columns)), ("references", _fields(page, targets))]
    entries += [("relationName", Text(relation.label))] if relation.label else []
    return call("one", Word(page.tables[other.key]), Record(tuple(entries), open=True))


def _fields(page: Page, columns: tuple[Column[object], ...]) -> List:
    return List(tuple(Member(Word(page.tables[one.table.key]), key_of(page, one)) for one in columns))
