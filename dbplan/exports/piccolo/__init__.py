"""A plan as Piccolo tables: what Piccolo has words for, and by name what it has not."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Table

from dbplan.evidence import Place
from dbplan.exports.orm.circles import open_circles
from dbplan.exports.orm.mends import lose_key_name, lose_objects, lose_tables
from dbplan.exports.orm.page import Page, Stage, page_of
from dbplan.exports.orm.tables import Reasons, all_names, left_out
from dbplan.exports.piccolo import columns, constraints, keys
from dbplan.exports.piccolo.naming import OF_OBJECTS, RESERVED, name_columns
from dbplan.exports.python import Named, Node, Text, assigned, call, docstring, shown
from dbplan.exports.written import Written
from dbplan.plan import Plan

_LEFT_OUT = Reasons(
    odd="Piccolo takes no quotes and no braces in names, and no full stop in a table's: it has no class",
    no_key="it has no primary key, and Piccolo gives a class without one a key of its own: it has no class",
    twice="create_db_tables knows tables by their bare names: of those called {name} this one has no class",
)


def write(plan: Plan, dialect: str) -> Written:
    """Return `tables.py`: a class for each table that has a key, parents before their children.

    `lost` names what `create_db_tables` makes otherwise; on PostgreSQL with the SQL that mends it.
    """
    page = page_of(plan, "export-piccolo", dialect, RESERVED, frozenset())
    without = left_out(page, _is_odd, _LEFT_OUT)
    found = [t for t in plan.metadata.tables.values() if t.key not in without and not t.info.get("is_view")]
    keys.find(page, found)
    closing = open_circles(page, found)
    for table in found:
        name_columns(page, table)
    page.imports.avoid(page.attributes.values())
    lose_objects(page, dialect, "Piccolo")
    lose_tables(page, dialect, without)
    classes = []
    for table in keys.parents_first(page, found):
        classes.append(_class(page, table))
        keys.lose(page, table, closing)
    return Written({"tables.py": page.text(classes)}, page.findings())


def _is_odd(table: Table) -> bool:
    return any(sign in name for name in all_names(table) for sign in '"{}') or "." in table.name


def _class(page: Page, table: Table) -> str:
    base: list[Node] = [page.imports.name("piccolo.table", "Table"), Named("tablename=", Text(str(table.name)))]
    if table.schema and page.is_postgresql:
        base.append(Named("schema=", Text(table.schema)))
    if table.comment:
        base.append(Named("help_text=", Text(table.comment)))
        if page.is_postgresql:
            page.lose(Stage.REST, Place(table.key), "Piccolo keeps its comment in help_text alone")
    head = shown(call(page.naming.class_of(table), *base), 0, "class ", ":")
    lines = [head]
    if table.comment:
        lines += [docstring(table.comment), ""]
    lines += _lines(page, table)
    return "\n".join(lines)


def _lines(page: Page, table: Table) -> Iterator[str]:
    alone = len(table.primary_key.columns) == 1
    key: Column[object] = next(iter(table.primary_key.columns))
    unique = constraints.unique_columns(page, table)
    indexed = constraints.indexed_columns(page, table)
    for column in table.columns:
        words: dict[str, Node] = {"primary_key": "True"} if column is key else {}
        words |= {"unique": "True"} if column.name in unique else {}
        words |= {"index": "True", **indexed[column.name]} if column.name in indexed else {}
        way = page.keys.get((table.key, column.name))
        part = column is key and not alone
        node = (
            columns.plain(page, column, words, part=part) if way is None else keys.foreign(page, way, words, part=part)
        )
        yield assigned(page.attribute(column), node)
        if column.name in OF_OBJECTS:
            said = f"Piccolo makes no objects of rows with a column called {column.name}: select() reads them"
            page.lose(Stage.COLUMNS, Place(table.key, column.name), said)
    if alone:
        lose_key_name(page, table, "Piccolo")
    found = constraints.named(page, table, unique)
    if found:
        yield ""
        yield from (assigned(name, node) for name, node in found.items())
