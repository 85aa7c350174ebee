"""A plan as Tortoise models: what Tortoise has words for, and by name what it has not."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Table

from dbplan.evidence import Place
from dbplan.exports.orm.circles import open_circles
from dbplan.exports.orm.mends import lose_objects, lose_tables
from dbplan.exports.orm.page import Page, Stage, page_of
from dbplan.exports.orm.tables import Reasons, all_names, left_out
from dbplan.exports.python import Node, Text, assigned, docstring, listed, shown
from dbplan.exports.relations import Relation
from dbplan.exports.tortoise import fields, keys, meta
from dbplan.exports.tortoise.naming import RESERVED, name_fields
from dbplan.exports.written import Written
from dbplan.plan import Plan

_LEFT_OUT = Reasons(
    odd="Tortoise does not double quotes in names: the table has no model",
    no_key="it has no primary key, and Tortoise has no models without one: read and write it by raw SQL",
    twice="generate_schemas counts tables by their bare names: of those called {name} this one has no model",
)


def write(plan: Plan, dialect: str) -> Written:
    """Return `models.py`: a model for each table that has a key.

    `lost` names what `Tortoise.generate_schemas` makes otherwise; on PostgreSQL with the SQL that mends it.
    """
    page = page_of(plan, "export-tortoise", dialect, RESERVED, frozenset({"fields"}))
    without = left_out(page, _is_odd, _LEFT_OUT)
    models = [t for t in plan.metadata.tables.values() if t.key not in without and not t.info.get("is_view")]
    chosen = keys.chosen(page, models)
    closing = open_circles(page, models)
    for table in models:
        name_fields(page, table, chosen)
    lose_objects(page, dialect, "Tortoise")
    lose_tables(page, dialect, without)
    classes = [_model(page, table, chosen, closing) for table in models]
    return Written({"models.py": page.text(classes)}, page.findings())


def _is_odd(table: Table) -> bool:
    return any('"' in name or "`" in name for name in all_names(table))


def _model(page: Page, table: Table, chosen: dict[str, Column[object]], closing: list[Relation]) -> str:
    lines = [f"class {page.naming.class_of(table)}({page.imports.name('tortoise.models', 'Model')}):"]
    if table.comment:
        lines += [docstring(table.comment), ""]
    unique = meta.unique_columns(page, table)
    for column in table.columns:
        node = _field(page, column, chosen[table.key], unique)
        lines.append(assigned(page.attribute(column), node))
        if column.name == "cls":
            said = "Tortoise makes no objects of rows with a column called cls: values() reads them"
            page.lose(Stage.COLUMNS, Place(table.key, column.name), said)
    lines += ["", "    class Meta:"]
    lines += [f"        {line}" for line in _options(page, table, unique)]
    keys.lose_order(page, table)
    keys.lose_keys(page, table, closing)
    return "\n".join(lines)


def _field(page: Page, column: Column[object], key: Column[object], unique: set[str]) -> Node:
    way = page.keys.get((column.table.key, column.name))
    if way is not None:
        return keys.foreign(page, column, way, unique=column.name in unique)
    return fields.plain(page, column, key is column, unique=column.name in unique)


def _options(page: Page, table: Table, unique: set[str]) -> Iterator[str]:
    yield shown(Text(str(table.name)), 8, "table = ")
    if table.schema:
        yield shown(Text(table.schema), 8, "schema = ")
    if table.comment:
        yield shown(Text(table.comment), 8, "table_description = ")
        fields.lose_comment(page, Place(table.key), table.comment)
    if together := meta.together(page, table, unique):
        yield shown(listed(together), 8, "unique_together = ")
    if indexes := meta.indexes(page, table):
        yield shown(listed(indexes), 8, "indexes = ")
    meta.lose_checks(page, table)
