"""Views that read plain columns of one collection, as `createView`; all others are left out."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlglot import exp

from dbplan.ddl import views_in_order
from dbplan.exports.mongodb.conditions import Untranslatable, holds, parsed
from dbplan.exports.mongodb.page import Page

_MORE = ("joins", "group", "having", "order", "limit", "offset", "distinct", "with_", "with", "windows", "laterals")


def views(page: Page) -> list[str]:
    """Return the statements that create the views that MongoDB can say, and lose the others."""
    made = []
    for view in views_in_order(page.plan.metadata):
        try:
            made.append(_view(page, view))
        except Untranslatable as error:
            page.lose(f"the view is left out: {error}", view)
    return made


def _view(page: Page, view: Table) -> str:
    from dbplan.exports.mongodb.script import literal
    from dbplan.exports.typescript import Text, call, expression

    if view.info.get("materialized") or not view.info.get("view"):
        raise Untranslatable("it is materialized" if view.info.get("materialized") else "its SELECT is not known")
    select = parsed(str(view.info["view"]).strip().rstrip(";"), page.server)
    source = _source(page, select)
    pipeline: list[Any] = []
    if where := select.args.get("where"):
        pipeline.append({"$match": {"$expr": holds(where.this, page.scope(source, "$"))}})
    pipeline.append({"$project": _projected(page, select, source)})
    name, of = page.collections[view.key], page.collections[source.key]
    return expression(call("db.createView", Text(name), Text(of), literal(pipeline)))


def _source(page: Page, select: exp.Expression) -> Table:
    """Return the one table that a SELECT reads."""
    tables = list(select.find_all(exp.Table))
    if not isinstance(select, exp.Select) or len(tables) != 1 or any(select.args.get(word) for word in _MORE):
        raise Untranslatable("it reads more than columns of one table")
    schema, name = tables[0].db, tables[0].name
    for found in page.roots:
        if found.name == name and (found.schema or "") in (schema, "" if schema == "public" else schema):
            return found
    raise Untranslatable(f"{name} is no collection")


def _projected(page: Page, select: exp.Expression, source: Table) -> dict[str, Any]:
    scope = page.scope(source, "$")
    made: dict[str, Any] = {"_id": 0}
    for one in select.expressions:
        inner = one.this if isinstance(one, exp.Alias) else one
        if not isinstance(inner, exp.Column) or inner.name not in scope:
            raise Untranslatable(f"it computes {one.sql()}")
        path, name = scope[inner.name].path, one.alias_or_name
        made[name.replace(".", "_").replace("$", "_")] = path
    if made.get("_id") == 0 and len(made) == 1:
        raise Untranslatable("it has no columns")
    return made
