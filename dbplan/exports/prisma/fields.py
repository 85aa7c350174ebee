"""Fields: the columns of a model, with native types, defaults and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum as PythonEnum
from typing import Any

from sqlalchemy import Column

from dbplan.exports.clauses import shortened
from dbplan.exports.facts import Facts, drawn_from
from dbplan.exports.prisma.context import Context, Said
from dbplan.exports.prisma.defaults import default
from dbplan.exports.prisma.layout import Row, documented, quoted

_BRACKETS = re.compile(r"(\[\d*\])+$")
_SEQUENCE = {
    "minValue": "minvalue",
    "maxValue": "maxvalue",
    "cache": "cache",
    "increment": "increment",
    "start": "start",
}
_INTEGERS = ("Int", "BigInt")


def row(column: Column[Any], keys: list[str], context: Context) -> Row:
    """Return the line of a column; `keys` are its `@id` and `@unique`."""
    said = context.said(column)
    attributes = [*keys, *_attributes(column, said, context)]
    cells = (context.field(column), _type(column, said, context), " ".join(attributes))
    above = (*documented(column.comment or column.info.get("comment")), *_values(said))
    return Row(cells if attributes else cells[:2], above)


def _type(column: Column[Any], said: Said, context: Context) -> str:
    name = said.type or f"Unsupported({quoted(_words(said.facts))})"
    if is_list(column, context):
        return f"{name}[]"
    return f"{name}?" if column.nullable else name


def is_list(column: Column[Any], context: Context) -> bool:
    """Whether a column holds several values."""
    if context.provider == "mongodb":
        return bool(column.info.get("many", context.said(column).facts.type.dimensions))
    return bool(context.said(column).facts.type.dimensions)


def _words(facts: Facts) -> str:
    """Return a type as the server writes it, without its collation and what makes it a list."""
    kind, own = facts.type, getattr(facts.column.type, "words", None)
    words = kind.words.replace(f" COLLATE {kind.collation}", "") if kind.collation else kind.words
    words = _BRACKETS.sub("", words) if kind.dimensions else words
    return words.lower() if words.isupper() and not own and not set(words) & {'"', "'"} else words


def _attributes(column: Column[Any], said: Said, context: Context) -> Iterator[str]:
    facts, name = said.facts, context.field(column)
    if (filled := _default(column, said, context)) is not None:
        yield f"@default({filled})"
    if _is_updated(facts, said):
        yield "@updatedAt"
    kept = "_id" if context.is_document_key(column) else _kept(column, name, context)
    if name != kept:
        yield f"@map({quoted(kept)})"
    if column.info.get("ignore"):
        yield "@ignore"
    if said.scalar and said.scalar.native:
        yield f"@{context.prefix}.{said.scalar.native}"
    _lose(column, said, context)


def _kept(column: Column[Any], name: str, context: Context) -> str:
    """Return what the server calls a column: MongoDB takes no `$` and no dot."""
    if context.provider != "mongodb" or not set(column.name) & {"$", "."}:
        return column.name
    context.lose(f"MongoDB takes no field of that name: it is {name} there", column.table, column=column.name)
    return name


def _is_updated(facts: Facts, said: Said) -> bool:
    return facts.updated and said.type == "DateTime" and not facts.type.dimensions and not facts.column.computed


def _default(column: Column[Any], said: Said, context: Context) -> str | None:
    facts = said.facts
    if column.computed is not None:
        return "dbgenerated()" if context.provider != "mongodb" else None
    if context.provider == "mongodb" and facts.counts:
        context.lose("MongoDB numbers no rows: the client must give the value", column.table, column=column.name)
        return None
    if facts.counts and said.type in _INTEGERS and not facts.type.dimensions:
        return _numbering(column, said, context)
    filled = default(facts, said.type, context.provider, said.enum.values if said.enum else None)
    if context.provider == "mongodb" and (filled or "").startswith("dbgenerated"):
        context.lose(f"MongoDB fills in no {filled}; nothing does there", column.table, column=column.name)
        return None
    name = column.info.get("default_name")
    return f"{filled}, map: {quoted(name)}" if filled and name and context.provider == "sqlserver" else filled


def _numbering(column: Column[Any], said: Said, context: Context) -> str:
    """Return Prisma's word for a server's numbering: on CockroachDB a sequence must be asked for."""
    drawn = drawn_from(column)
    if context.provider != "cockroachdb" or (said.type == "BigInt" and not drawn):
        return "autoincrement()"
    known = {str(found.name): found for found in context.plan.metadata._sequences.values()}
    sequence = known.get(drawn.rpartition(".")[2].strip('"'))
    told = {name: getattr(sequence, key, None) for name, key in _SEQUENCE.items()}
    return f"sequence({', '.join(f'{name}: {value}' for name, value in told.items() if value is not None)})"


def _values(said: Said) -> tuple[str, ...]:
    """Return the values of an enum that is kept as text, for the people who read the schema."""
    labels = said.facts.type.labels
    return (f"// One of: {', '.join(labels)}",) if labels and said.enum is None else ()


def _lose(column: Column[Any], said: Said, context: Context) -> None:
    for message in _lost(column, said, context):
        context.lose(message, column.table, column=column.name)


def _lost(column: Column[Any], said: Said, context: Context) -> Iterator[str]:
    """Yield what becomes of a column in Prisma's DDL, where that is something else."""
    kind = said.facts.type
    yield from _lost_numbering(column, context)
    if said.domain:
        yield f"the domain {said.domain} is its base type {kind.words} there, without the domain's own checks"
    if kind.labels and said.enum is None:
        yield f"its values ({', '.join(kind.labels)}) are kept as text, and stand there in a comment"
    if is_list(column, context) and not column.nullable and context.provider != "mongodb":
        yield "a list is never NOT NULL there"
    if kind.collation:
        yield f"the collation {kind.collation} is the database's own there"
    if said.scalar and not said.scalar.exact:
        was = f"its type {kind.words}" if kind.words else "its type (it has none)"
        yield f"{was} is another one there: Prisma knows only {said.scalar.name} on that server"
    yield from _lost_filling(column, said, context)


def _lost_numbering(column: Column[Any], context: Context) -> Iterator[str]:
    if column.computed is not None:
        yield f"it is generated as {context.sql(column.computed.sqltext)}; there it is a column that nothing fills"
    elif column.identity is not None and context.provider not in ("sqlserver", "mongodb"):
        kind = "ALWAYS" if column.identity.always else "BY DEFAULT"
        own = shortened(str(column.table.name), column.name, "seq")
        yield f"its identity (GENERATED {kind}) is a DEFAULT there (SERIAL), from the sequence {own} by one"


def _lost_filling(column: Column[Any], said: Said, context: Context) -> Iterator[str]:
    facts, made = said.facts, column.default
    if (
        made is None
        or _is_updated(facts, said)
        or facts.default is not None
        or facts.counts
        or column.computed is not None
    ):
        return
    if default(facts, said.type, context.provider) is None:
        what = repr(_plain(getattr(made, "arg", ""))) if made.is_scalar else "a function"
        yield f"the application fills it in with {what}, which Prisma's client does not know"


def _plain(value: Any) -> Any:
    """Return what an enum's member stands for, anything else as it is."""
    return value.value if isinstance(value, PythonEnum) else value
