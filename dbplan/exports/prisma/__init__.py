"""Prisma: a plan as `schema.prisma`, formatted as Prisma's own formatter does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Enum
from sqlalchemy.engine import Dialect

from dbplan.ddl.extensions import extensions
from dbplan.exports.facts import facts, server, sql_type
from dbplan.exports.prisma import losses
from dbplan.exports.prisma.context import Context
from dbplan.exports.prisma.enums import enumerations
from dbplan.exports.prisma.keys import Keys, keys
from dbplan.exports.prisma.layout import listed, quoted, settings
from dbplan.exports.prisma.links import is_join, links
from dbplan.exports.prisma.models import composites, in_order, model
from dbplan.exports.prisma.names import RESERVED, free, is_spelled, spelled
from dbplan.exports.prisma.scalars import PROVIDERS
from dbplan.exports.prisma.views import keys_of_view
from dbplan.exports.relations import Naming, camel, naming
from dbplan.exports.written import Written
from dbplan.plan import Plan

__all__ = ["write"]

_GENERATOR = {"provider": "prisma-client", "output": "../generated/prisma"}


def write(plan: Plan, dialect: str) -> Written:
    """Return a plan as one `schema.prisma` for Prisma 7, and by name what Prisma cannot say of it.

    `dialect` is the server of the datasource: postgresql, mysql, mariadb, sqlite, mssql, cockroachdb or mongodb; the
    plan is in that server's words. What Prisma has no type for becomes `Unsupported`, a table that no key tells the
    rows of `@@ignore`.
    """
    context = _context(plan, PROVIDERS.get(dialect, dialect), server("postgresql" if dialect == "mongodb" else dialect))
    found = {t.key: (keys_of_view if t.info.get("is_view") else keys)(t, context) for t in context.tables}
    ignored = frozenset(_ignored(context, found))
    related = links(context, found, ignored)
    models = [
        model(table, found[table.key], related, table.key in ignored, context)
        for table in in_order(context)
        if not is_join(table, context)
    ]
    losses.lose(context)
    blocks = [*_settings(context, found), *_enums(context), *composites(context), *models]
    return Written({"schema.prisma": "\n\n".join(blocks) + "\n"}, tuple(context.lost))


def _enums(context: Context) -> Iterator[str]:
    """Yield the enums: those that columns have, and those that a Prisma schema has besides."""
    for enum in context.enums.values():
        yield enum.text(context.home(enum.schema))


def _context(plan: Plan, provider: str, dialect: Dialect) -> Context:
    named = _named(plan)
    tables = [table for table in plan.tables if not table.info.get("partition_of")]
    columns = {(c.table.key, c.name): facts(c, dialect) for table in tables for c in table.columns}
    kinds = [(_called(c), columns[c.table.key, c.name].type) for table in tables for c in table.columns]
    others = (known for known in plan.metadata._objects if isinstance(known, Enum))
    kinds += sorted(((str(enum.name), sql_type(enum, dialect)) for enum in others), key=lambda kind: kind[0])
    enums = enumerations(kinds, provider, named.classes.values(), plan.metadata.info)
    return Context(plan, provider, dialect, named, columns, enums)


def _called(column: Column[Any]) -> str:
    """Return what to call the enum of a column that has no name."""
    return str(getattr(column.type, "name", None) or f"{column.table.name}_{column.name}")


def _named(plan: Plan) -> Naming:
    """Return the names of the plan, its classes spelled as Prisma takes them."""
    named = naming(plan, _style, models=RESERVED)
    wanted = {key: name for key, name in named.classes.items() if not is_spelled(name)}
    taken = set(named.classes.values()) - set(wanted.values())
    classes = {key: free(spelled(name, "Model"), taken) for key, name in wanted.items()}
    return replace(named, classes=dict(named.classes) | classes)


def _style(text: str) -> str:
    made = camel(text)
    if made == "constructor":  # of a row with such a field, the client leaves decimals and dates as they came
        return "constructor_"
    return made if is_spelled(made) else spelled(made, "field")


def _ignored(context: Context, found: Mapping[str, Keys]) -> Iterator[str]:
    """Yield the tables that Prisma's client cannot handle, or shall not."""
    for table in context.tables:
        if table.info.get("is_view"):
            continue
        if context.provider == "mongodb":
            continue
        if not found[table.key].identifies and not table.info.get("ignore"):
            context.lose("no key tells its rows apart, so that Prisma's client leaves it out (@@ignore)", table)
        if not found[table.key].identifies or table.info.get("ignore"):
            yield table.key


def _settings(context: Context, found: Mapping[str, Keys]) -> Iterator[str]:
    """Yield the generators and the datasource."""
    previews = list(_previews(context, found))
    kept = context.own.get("generators") or {"client": _GENERATOR}
    for name, told in kept.items():
        entries = dict(told)
        if str(told.get("provider", "")).startswith("prisma-client") and previews:
            listed_before = list(told.get("previewFeatures", ()))
            entries["previewFeatures"] = [*listed_before, *(p for p in previews if p not in listed_before)]
        yield settings("generator", name, {key: _value(value) for key, value in entries.items()})
    yield settings("datasource", context.own.get("datasource", {}).get("name", "db"), dict(_datasource(context)))


def _datasource(context: Context) -> Iterator[tuple[str, str]]:
    yield "provider", quoted(context.provider)
    if context.own.get("relation_mode") == "prisma" and context.provider != "mongodb":
        yield "relationMode", quoted("prisma")
    if context.schemas:
        yield "schemas", listed(map(quoted, context.schemas))
    if told := _extensions(context):
        yield "extensions", listed(told)


def _extensions(context: Context) -> list[str]:
    if context.provider != "postgresql":
        return []
    homes = context.plan.metadata.info.get("extension_schemas", {})
    found = []
    wanted = context.plan.metadata.info.get("extensions", ()) if context.keeps else extensions(context.plan.metadata)
    for name in wanted:
        word = name if is_spelled(name) else spelled(name, "extension")
        arguments = [f"map: {quoted(name)}"] if word != name else []
        arguments += [f"schema: {quoted(homes[name])}"] if name in homes else []
        found.append(f"{word}({', '.join(arguments)})" if arguments else word)
    return found


def _previews(context: Context, found: Mapping[str, Keys]) -> Iterator[str]:
    """Yield the preview features that the schema needs."""
    if any(keys.partial for keys in found.values()):
        yield "partialIndexes"
    if _extensions(context):
        yield "postgresqlExtensions"
    if any(table.info.get("is_view") for table in context.tables):
        yield "views"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return listed(_value(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else quoted(str(value))
