"""Prisma schemas: one file, or a folder of them, as a Plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from dbplan.plan import Plan
    from dbplan.sources.prisma.scope import Scope
    from dbplan.sources.prisma.syntax import Schema

__all__ = ["read"]

_SAYS_NOTHING = {"prisma", "schema", "schemas", "models", "db", "database", "src", "packages", "server", "backend", ""}


def read(path: str | Path) -> Plan:
    """Return the plan of a Prisma schema: one file, or every `.prisma` file of a folder.

    Raises SourceError, with file, line and column, for what Prisma would refuse.
    """
    from dbplan.plan import Plan
    from dbplan.sources.prisma.check import check
    from dbplan.sources.prisma.parse import load

    schema = load(path)
    check(schema)
    return Plan(_name(Path(path)), metadata(schema), source=str(path))


def _name(path: Path) -> str:
    """Return the first name that means something, from the file upwards."""
    full = path.resolve()
    found = (part for part in (full.stem, *(parent.name for parent in full.parents)))
    return next((part for part in found if part.lower() not in _SAYS_NOTHING), "schema")


def metadata(schema: Schema) -> MetaData:
    """Return the tables of a schema, as Prisma's own DDL would make them."""
    from sqlalchemy import MetaData

    from dbplan.sources.prisma import join_tables, relations, settings, tables
    from dbplan.sources.prisma.scope import Scope

    scope = Scope(schema)
    made = MetaData(info=_info(scope))
    settings.add_unused_enums(scope, made)
    models = [model for model in schema.models if model.kind != "type"]
    found = {model.name: tables.add_table(model, scope, made) for model in models}
    for link in relations.links(scope):
        relations.add_foreign_key(link, scope, found)
    for join in relations.joins(scope):
        join_tables.add_join_table(join, scope, found, made)
    for table in found.values():
        tables.mend_counting(table)
    if told := list(relations.in_arrays(scope)):
        made.info.setdefault("not_covered", []).extend(told)
    return made


def _info(scope: Scope) -> dict[str, Any]:
    from dbplan.sources.prisma.settings import about, extensions

    info: dict[str, Any] = {"dialect": scope.dialect, "uncommented": True, "prisma": about(scope)}
    if found := list(extensions(scope)):
        info["extensions"] = [name for name, _ in found]
        info["extension_schemas"] = {name: schema for name, schema in found if schema}
    return info
