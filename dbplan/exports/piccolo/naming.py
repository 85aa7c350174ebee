"""Names of attributes: columns are called as they are in the database, wherever Python can read that."""

from __future__ import annotations

from keyword import iskeyword

from sqlalchemy import Table

from dbplan.exports.orm.page import Page

_OWN = """
add_m2m all_columns all_related alter count create_index create_table delete drop_index exists from_dict get_m2m
get_readable get_related indexes insert objects querystring raw ref refresh remove remove_m2m save select table_exists
self to_dict update update_self
"""
_OF_KEYS = """
as_alias column_type copy ddl default get_default_value get_select_string get_sql_value get_where_string ilike is_in
is_not_null is_null join_on like not_in not_like reverse set_proxy_columns table_alias value_type
"""
RESERVED = frozenset((_OWN + _OF_KEYS).split()) | {
    "ServerColumn",
    "ServerDefault",
    "InSql",
    "PartOfKey",
    "dict",
    "list",
}
"""What Piccolo's own class has, its foreign keys, which get the columns of what they lead to, and classes' bodies."""

OF_OBJECTS = frozenset({"self", "_data", "_exists_in_db", "_ignore_missing"})
"""What Piccolo itself gives to new objects, beside what a row holds: those of a row with such a column are not made."""


def name_columns(page: Page, table: Table) -> None:
    """Name the columns of a table; those of keys too: a joined column is `Order.user_id.email`.

    A column keeps its own name where it can; no other is called so, for Piccolo reads rows by either.
    """
    own = {str(column.name) for column in table.columns}
    taken, classes = set[str](), set(page.naming.classes.values())
    for column in table.columns:
        name = str(column.name)
        if not _is_good(name) or name in classes:
            name = _accepted(page.naming.field_of(column))
            while name in taken | own | classes:
                name = f"{name}_"
        taken.add(name)
        page.attributes[table.key, column.name] = name


def _is_good(name: str) -> bool:
    odd = iskeyword(name) or name in RESERVED or name.startswith("_") or not name.isascii()
    return name.isidentifier() and not odd


def _accepted(wanted: str) -> str:
    name = wanted.strip("_") or "column"
    name = name if name.isidentifier() and not iskeyword(name) else f"n{name}"
    return f"{name}_" if name in RESERVED else name
