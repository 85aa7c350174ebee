"""Tables, written as the arguments of the call or class that makes them."""

from __future__ import annotations

from keyword import iskeyword
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Table
from sqlalchemy.schema import Constraint, PrimaryKeyConstraint
from sqlalchemy.sql.base import ColumnCollection

from dbplan.evidence import Place
from dbplan.exports.alchemy import columns, kinds
from dbplan.exports.alchemy.constraints import constraint, index, is_plain, primary
from dbplan.exports.alchemy.conventions import nameable
from dbplan.exports.alchemy.page import Page
from dbplan.exports.python import Group, Named, Node, Text, call, listed, literal, quoted, shown


def rules(page: Page, table: Table) -> list[Node]:
    """Return the constraints and plain indexes that stand with the table, not within its columns."""
    items: list[Node | None] = []
    for found in nameable(table):
        if page.takes(found):
            continue
        if isinstance(found, Index):
            if not _in_column(page, found) and is_plain(page, found):
                items.append(index(page, found, lambda column: column.key))
        elif not _is_said(page, found, table):
            items.append(constraint(page, found, table))
    return [item for item in items if item is not None]


def _is_said(page: Page, found: Constraint, table: Table) -> bool:
    """Say whether a constraint is written with its column."""
    if isinstance(found, PrimaryKeyConstraint):
        return not primary(page, table)
    if isinstance(found, CheckConstraint):
        return found.parent is not table
    keys = [columns.own_key(page, column) for column in table.columns if column.foreign_keys]
    return found in keys or columns.unique_alone(page, found) is not None


def _in_column(page: Page, found: Index) -> bool:
    """Say whether a column's `index=True` makes the index."""
    column = found.expressions[0] if found.expressions else None
    return isinstance(column, Column) and columns.own_index(page, column) is found


def options(page: Page, table: Table) -> dict[str, Node]:
    """Return the keywords of a table."""
    prefixes = [Text(str(getattr(prefix, "text", prefix))) for prefix in getattr(table, "_prefixes", ())]
    named: dict[str, Node | None] = {
        "schema": Text(str(table.schema)) if table.schema else None,
        "quote": page.quote(table.name),
        "prefixes": listed(prefixes) if prefixes else None,
        "comment": Text(table.comment) if table.comment is not None else None,
    }
    named |= {key: literal(value) for key, value in table.dialect_kwargs.items() if value}
    named["info"] = page.information(Place(table.key), table.info, _said(page, table))
    return {key: value for key, value in named.items() if value is not None}


def _said(page: Page, table: Table) -> frozenset[str]:
    """Return the words of a table's info that its class says: it bears the name."""
    return frozenset({"model"}) if page.is_class(table) else frozenset()


def later_indexes(page: Page, table: Table, refer: Any) -> list[str]:
    """Return the indexes of expressions as statements that follow the table."""
    indexes = [found for found in nameable(table) if isinstance(found, Index) and not is_plain(page, found)]
    later = [found for found in indexes if page.native is None or not page.is_native(found)]
    return [shown(index(page, found, refer)) for found in later]


def core(page: Page, table: Table) -> str:
    """Return a table that is no class: a view, or a table without a primary key."""
    variable = page.variables[table.key]
    items: list[Node] = [Text(str(table.name)), page.metadata]
    items += [_column(page, column) for column in table.columns]
    items += rules(page, table)
    named = (Named(f"{key}=", value) for key, value in options(page, table).items())
    made = shown(Group(page.sa("Table"), (*items, *named)), before=f"{variable} = ")
    later = later_indexes(page, table, lambda column: reference(page, column))
    return "\n".join((made, *later))


def _column(page: Page, column: Column[Any]) -> Node:
    usual = not column.primary_key
    given = columns.arguments(page, column, type_=kinds.kind(page, column), nullable=usual)
    return call(page.sa("Column"), Text(str(column.name)), *given)


def reference(page: Page, column: Column[Any]) -> str:
    """Return how a statement after the table calls one of its columns."""
    if page.is_class(column.table):
        return f"{page.naming.class_of(column.table)}.{page.naming.field_of(column)}"
    key, name = str(column.key), page.variables[column.table.key]
    attribute = key.isidentifier() and key.isascii() and not iskeyword(key) and not hasattr(ColumnCollection, key)
    return f"{name}.c.{key}" if attribute else f"{name}.c[{quoted(key)}]"
