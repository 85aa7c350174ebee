"""Models and views: one block for a table."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy.schema import Table

from dbplan.exports.prisma.context import Context
from dbplan.exports.prisma.fields import row
from dbplan.exports.prisma.keys import Keys
from dbplan.exports.prisma.layout import Row, block, documented, quoted
from dbplan.exports.prisma.links import Links
from dbplan.exports.prisma.names import free, is_spelled, spelled


def model(table: Table, keys: Keys, links: Links, ignored: bool, context: Context) -> str:
    """Return the block of a table or view."""
    kind = "view" if table.info.get("is_view") else "model"
    name = context.naming.class_of(table)
    columns = [row(column, keys.single.get(column.name, []), context) for column in table.columns]
    if context.provider == "mongodb" and kind == "model" and len(table.primary_key.columns) != 1:
        columns.insert(0, _document_key(table, context))
    attributes = [*keys.whole, *_block_attributes(table, name, ignored, context)]
    relations = [*links.out.get(table.key, ()), *links.back.get(table.key, ())]
    return block(kind, name, [columns, relations], attributes, documented(table.comment))


def _document_key(table: Table, context: Context) -> Row:
    """Return the field that MongoDB wants in every collection."""
    taken = {context.field(column) for column in table.columns}
    taken |= {relation.name for relation in context.naming.out_of(table)}
    taken |= {relation.back for relation in context.naming.into(table)}
    return Row((free("id", taken), "String", '@id @default(auto()) @map("_id") @db.ObjectId'))


def composites(context: Context) -> Iterator[str]:
    """Yield the composite types that a Prisma schema for MongoDB had."""
    for name, fields in context.own.get("types", {}).items() if context.provider == "mongodb" else ():
        rows = []
        for kept, (kind, arity) in fields.items():
            field = kept if is_spelled(kept) else spelled(kept, "field")
            rows.append(Row((field, f"{kind}{arity}", *([f"@map({quoted(kept)})"] if field != kept else []))))
        yield block("type", name, [rows])


def _block_attributes(table: Table, name: str, ignored: bool, context: Context) -> list[str]:
    kept = table.name
    if context.provider == "mongodb" and table.schema:
        kept = f"{table.schema}_{table.name}"
        context.lose(f"MongoDB has no schemas: the collection is {kept}", table)
    found = [f"@@map({quoted(kept)})"] if kept != name else []
    found += ["@@ignore"] if ignored else []
    home = context.home(table.schema)
    return [*found, f"@@schema({quoted(home)})"] if home else found


def in_order(context: Context) -> list[Table]:
    """Return the tables as a person would read them: parents first, by name; Prisma's own in their own order."""
    if context.keeps:
        kept = {table.key for table in context.tables}
        return [table for table in context.plan.metadata.tables.values() if table.key in kept]
    return [*_parents_first([t for t in context.tables if not t.info.get("is_view")], context)] + [
        table for table in context.tables if table.info.get("is_view")
    ]


def _parents_first(tables: list[Table], context: Context) -> list[Table]:
    """Sort by name within what the tables before allow; a circle is broken at its first name."""
    by_key = {table.key: table for table in tables}
    parents: dict[str, set[str]] = {key: set() for key in by_key}
    children = defaultdict(set)
    for relation in context.naming.relations:
        child, parent = relation.child.key, relation.parent.key
        if child != parent and child in by_key and parent in by_key:
            parents[child].add(parent)
            children[parent].add(child)
    free = [key for key in sorted(by_key) if not parents[key]]
    waiting, found = sorted(set(by_key) - set(free)), []
    done: set[str] = set(free)
    while free or waiting:
        key = heapq.heappop(free) if free else waiting.pop(0)
        done.add(key)
        found.append(by_key[key])
        for child in sorted(children[key]):
            parents[child].discard(key)
            if not parents[child] and child not in done:
                heapq.heappush(free, child)
                done.add(child)
        waiting = [name for name in waiting if name not in done]
    return found
