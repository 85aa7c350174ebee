"""What the client fills in, as methods that TypeORM calls before it writes an entity."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Table

from dbplan.exports.facts import Facts
from dbplan.exports.typeorm.columns import dated, held
from dbplan.exports.typeorm.page import Page

_UUIDS = {"uuid()": "crypto.randomUUID()", "uuid(4)": "crypto.randomUUID()", "uuid(7)": "uuidv7()"}


def methods(page: Page, found: Table) -> Iterator[str]:
    """Yield the methods of an entity that give its keys and set the time of its last change."""
    every = [page.columns[found.key, column.name] for column in found.columns]
    given = [f"this.{page.field_of(facts.column)} ??= {made};" for facts in every if (made := _made(page, facts))]
    stamped = [f"this.{page.field_of(facts.column)} = new Date();" for facts in every if _is_stamped(page, facts)]
    for column in found.columns:
        _lose(page, column)
    if given or stamped:
        yield _method(page, found, "BeforeInsert", "fillIn", [*given, *stamped])
    if stamped:
        yield _method(page, found, "BeforeUpdate", "touch", stamped)


def _made(page: Page, facts: Facts) -> str:
    made = _UUIDS.get(facts.client, "")
    if not made or facts.default is not None or facts.type.dimensions or held(page, facts) != "string":
        return ""
    if made == "uuidv7()":
        page.functions.add("uuidv7")
    return made


def _is_stamped(page: Page, facts: Facts) -> bool:
    own = facts.updated and facts.column.computed is None and not facts.type.dimensions
    return own and held(page, facts) == "Date" and dated(page, facts) != "UpdateDateColumn"


def _lose(page: Page, column: Column[object]) -> None:
    facts = page.columns[column.table.key, column.name]
    if facts.client and facts.default is None and not _made(page, facts):
        said = f"the client fills it in by {facts.client}; no function does here: the application has to give the value"
        page.lose(said, column.table, column=column.name)
    stamps = _is_stamped(page, facts) or dated(page, facts) == "UpdateDateColumn"
    if column.info.get("updated_at") and not stamps:
        page.lose("nothing sets it when the row changes: the application has to", column.table, column=column.name)


def _method(page: Page, found: Table, decorator: str, name: str, lines: list[str]) -> str:
    page.used.add(decorator)
    taken = {page.field_of(column) for column in found.columns}
    taken |= {one.name for one in page.naming.out_of(found)} | {one.back for one in page.naming.into(found)}
    while name in taken:
        name += "_"
    body = "\n".join(f"    {line}" for line in lines)
    return f"  @{decorator}()\n  {name}(): void {{\n{body}\n  }}"
