"""Names of attributes: columns are called as they are in the database, wherever Python can read that."""

from __future__ import annotations

from keyword import iskeyword

from sqlalchemy import Table

from dbplan.exports.orm.page import Page

_OWN = """
add_m2m all_columns all_related alter count create_index create_table delete drop_index exists from_dict get_m2m
get_readable get_related indexes insert objects querystring raw ref refresh remove remove_m2m save select table_exists
to_dict update update_self
"""
RESERVED = frozenset(_OWN.split()) | {"ServerColumn", "ServerDefault", "InSql", "PartOfKey"}
"""What Piccolo's own class has, and a column cannot be called."""


def name_columns(page: Page, table: Table) -> None:
    """Name the columns of a table; those of keys too: a joined column is `Order.user_id.email`."""
    taken: set[str] = set()
    for column in table.columns:
        wanted = page.naming.field_of(column)
        name = wanted if not wanted.startswith("_") else wanted.strip("_") or "column"
        name = name if name.isidentifier() and not iskeyword(name) else f"n{name}"
        while name in taken or name in RESERVED:
            name = f"{name}_"
        taken.add(name)
        page.attributes[table.key, column.name] = name
