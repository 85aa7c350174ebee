"""Names of fields: columns after themselves, keys after what they lead to."""

from __future__ import annotations

from keyword import iskeyword
from typing import Any

from sqlalchemy import Column, Table

from dbplan.exports.orm.page import Page

_OWN = """
Meta all annotate build_meta bulk_create bulk_update clone construct create delete describe earliest exclude exists
fetch_for_list fetch_related filter first get get_or_create get_or_none get_table in_bulk last latest pk raw mro
refresh_from_db register_listener save select_for_update self update_from_dict update_or_create fields
cls using_db defaults
"""
RESERVED = frozenset(_OWN.split()) | {"ServerField", "ServerKey", "JsonField", "dict", "list"}
"""What Tortoise's own class has, or fields are made of, and a field cannot be called."""


def name_fields(page: Page, table: Table, chosen: dict[str, Column[Any]]) -> None:
    """Name the fields of a table, and note which columns are the way to another."""
    taken: set[str] = {way.back for way in page.naming.into(table) if way.back}
    for column in table.columns:
        way = page.keys.get((table.key, column.name))
        wanted = page.naming.field_of(column) if way is None else way.name
        name = _accepted(wanted, column, chosen[table.key] is column)
        while name in taken or (way is not None and f"{name}_id" in taken):
            name = f"{name}_field"
        taken |= {name, f"{name}_id"} if way is not None else {name}
        page.attributes[table.key, column.name] = name


def _accepted(name: str, column: Column[Any], is_key: bool) -> str:
    """Return a name that Tortoise takes: two underscores stand between a field and its lookup."""
    while "__" in name:
        name = name.replace("__", "_")
    name = name.strip("_") or "field"
    name = name if name.isidentifier() else f"n{name}"
    odd = iskeyword(name) or name in RESERVED
    return f"{name}_field" if odd else name


def column_field(page: Page, column: Column[Any]) -> str:
    """Return the field that holds a column's own value: beside a relation that is its name with `_id`."""
    name = page.attribute(column)
    return f"{name}_id" if (column.table.key, column.name) in page.keys else name
