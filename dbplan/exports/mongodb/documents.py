"""Documents: the `$jsonSchema` of a collection, and the conditions across its fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from dbplan.exports.clauses import condition, constraints, exclusion, names
from dbplan.exports.mongodb.bounds import bound, in_order, merged
from dbplan.exports.mongodb.conditions import Scope, Untranslatable, all_of, any_of, conjuncts, is_null, parsed, passes
from dbplan.exports.mongodb.kinds import Schema, nullable
from dbplan.exports.mongodb.page import Page, free, listed, sayable
from dbplan.exports.mongodb.shape import Embedded, References


@dataclass
class Document:
    """What a collection, or an embedded child, holds: `rules` are expressions that must all be true."""

    properties: Schema = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    rules: list[Any] = field(default_factory=list)
    description: str = ""

    @property
    def schema(self) -> Schema:
        """The document as `$jsonSchema` says it."""
        made: Schema = {"bsonType": "object"}
        made |= {"description": self.description} if self.description else {}
        made |= {"required": self.required} if self.required else {}
        return made | {"additionalProperties": False, "properties": self.properties}

    @property
    def validator(self) -> Schema:
        """The validator of a collection of such documents."""
        return {"$jsonSchema": self.schema} | ({"$expr": all_of(self.rules)} if self.rules else {})


def document(page: Page, table: Table) -> Document:
    """Return the document of a collection, with what is embedded in it."""
    made = _own(page, table, "$", frozenset())
    if "_id" not in made.properties:
        made.properties = {"_id": {"bsonType": "objectId"}} | made.properties
    taken = set(made.properties)
    for array in page.shape.arrays(table):
        made.properties[free(sayable(array.field), taken)] = _references(page, array)
    for child in page.shape.within(table):
        _embed(page, made, child, taken)
    return made


def _own(page: Page, table: Table, prefix: str, without: frozenset[str]) -> Document:
    """Return the fields of a table's own columns, in their order, the key first."""
    made = Document(description=" ".join(str(table.comment or table.info.get("comment") or "").split()))
    columns = [column for column in table.columns if column.name not in without]
    scope, said = page.scope(table, prefix, without), {column.name: page.value(column) for column in columns}
    for name, tree in _checks(page, table, scope):
        try:
            if found := bound(tree, scope):
                said[found[0]] = merged(said[found[0]], found[1])
            else:
                made.rules.append(passes(tree, scope))
        except Untranslatable as error:
            page.lose(f"no validator says it: {error}", table, key=name)
    for column in sorted(columns, key=lambda column: page.name(column) != "_id"):
        made.properties[page.name(column)] = _described(column, nullable(said[column.name], bool(column.nullable)))
    made.required = [page.name(column) for column in columns if not column.nullable and page.name(column) != "_id"]
    return made


def _described(column: Column[Any], schema: Schema) -> Schema:
    words = " ".join(str(column.comment or column.info.get("comment") or "").split())
    return in_order(schema | ({"description": words} if words else {}))


def _checks(page: Page, table: Table, scope: Scope) -> list[tuple[str, Any]]:
    """Return the CHECKs of a table, each cut at its ANDs, with their names."""
    found: list[tuple[str, Any]] = []
    named = names(table, page.dialect)
    for one in constraints(table, page.dialect):
        if isinstance(one, ExcludeConstraint):
            page.lose(f"nothing excludes rows there: EXCLUDE {exclusion(one, page.dialect)}", table, key=named[one])
        if isinstance(one, CheckConstraint):
            try:
                tree = parsed(condition(one, page.dialect), page.server)
            except Untranslatable as error:
                page.lose(f"no validator says it: {error}", table, key=named[one])
                continue
            found += [(named[one], part) for part in conjuncts(tree)]
    return found


def _references(page: Page, array: References) -> Schema:
    """Return an array of keys of the other side."""
    target = array.other.targets[0]
    words = f"{page.collections[array.other.parent.key]}.{page.name(target)} of each"
    return {"bsonType": "array", "uniqueItems": True, "items": page.value(target), "description": words}


def _embed(page: Page, made: Document, child: Embedded, taken: set[str]) -> None:
    """Put a child into its parent's document."""
    relation = child.relation
    own = frozenset(column.name for column in relation.columns)
    name = free(sayable(child.field), taken)
    inner = _own(page, relation.child, f"${name}." if relation.single else "$$one.", own)
    if "_id" in inner.properties:
        inner.required.insert(0, "_id")
    if relation.single:
        made.properties[name] = inner.schema | {"bsonType": ["object", "null"]}
        made.rules += [any_of([is_null(f"${name}"), rule]) for rule in inner.rules]
        return
    described = {key: inner.schema[key] for key in ("description",) if key in inner.schema}
    items = {key: told for key, told in inner.schema.items() if key != "description"}
    made.properties[name] = {"bsonType": "array"} | described | {"items": items}
    made.rules += [_of_each(name, rule) for rule in inner.rules]
    made.rules += _distinct(page, relation.child, name, own)


def _of_each(name: str, rule: Any) -> Any:
    each = {"input": {"$ifNull": [f"${name}", []]}, "as": "one", "in": rule}
    return {"$allElementsTrue": [{"$map": each}]}


def _distinct(page: Page, child: Table, name: str, own: frozenset[str]) -> list[Any]:
    """Return what keeps children of one parent apart, where a key does so beside the parent's."""
    rules = []
    keys = [c for c in child.constraints if isinstance(c, UniqueConstraint)]
    keys += [child.primary_key] if len(child.primary_key.columns) else []  # type: ignore[list-item]
    for key in sorted(keys, key=lambda key: str(key.name)):
        rest = [column for column in key.columns if column.name not in own]
        if any(column.nullable for column in rest):
            page.lose(f"two of one parent may share {listed(c.name for c in rest)}", child, key=str(key.name or ""))
        elif rest:
            rules.append(_as_many(name, [page.name(column) for column in rest]))
    return rules


def _as_many(name: str, fields: list[str]) -> Any:
    """Return that an array has as many different keys as entries."""
    entries = {"$ifNull": [f"${name}", []]}
    paths = [f"$$one.{one}" for one in fields]
    keys = {"$map": {"input": entries, "as": "one", "in": paths[0] if len(paths) == 1 else paths}}
    return {"$eq": [{"$size": entries}, {"$size": {"$setUnion": [keys]}}]}
