"""What a schema says beside its models: generators, datasource, extensions, enums and composite types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql

from dbplan.sources.prisma.scope import Scope, argument, items, mapped, text, written
from dbplan.sources.prisma.syntax import Call, Literal, Many, Model, Settings, Value


def about(scope: Scope) -> dict[str, Any]:
    """Return what an export to Prisma writes back."""
    return {
        "generators": {found.name: _entries(found) for found in scope.schema.settings if found.kind == "generator"},
        "datasource": {"name": scope.datasource.name} | _entries(scope.datasource) if scope.datasource else {},
        "relation_mode": "foreignKeys" if scope.enforced else "prisma",
        "enums": {found.name: _enum(found) for found in scope.schema.enums},
        "types": {model.name: _composite(model) for model in scope.schema.models if model.kind == "type"},
    }


def _entries(settings: Settings) -> dict[str, Any]:
    return {key: _plain(value) for key, value in settings.entries}


def _plain(value: Value) -> Any:
    if isinstance(value, Many):
        return [_plain(item) for item in value.items]
    return text(value) if isinstance(value, Literal) else written(value)


def _enum(found: Any) -> dict[str, Any]:
    """Return an enum's name in the database, and its values: label in the database → name and comment."""
    values = {mapped(value): (value.name, value.comment) for value in found.values}
    return {"table": mapped(found), "values": values, "comment": found.comment}


def _composite(model: Model) -> dict[str, tuple[str, str]]:
    """Return the fields of a composite type: name in the database → type and arity."""
    return {mapped(field): (field.type, field.arity) for field in model.fields}


def extensions(scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield the extensions that the datasource names, each with its schema or ""."""
    for item in items(scope.setting("extensions")):
        call = item if isinstance(item, Call) else None
        yield text(argument(call, "map")) or (call.name if call else text(item)), text(argument(call, "schema"))


def add_unused_enums(scope: Scope, metadata: MetaData) -> None:
    """Keep the enums that no column has: Prisma makes them all the same."""
    if scope.dialect not in ("postgresql", "cockroachdb"):
        return
    used = {field.type for model in scope.schema.models if model.kind != "type" for field in model.fields}
    for found in scope.schema.enums:
        if found.name not in used:
            labels = [mapped(value) for value in found.values]
            postgresql.ENUM(*labels, name=mapped(found), schema=scope.namespace(found), metadata=metadata)
