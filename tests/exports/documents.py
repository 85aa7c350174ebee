"""Rows of a database as the documents that an exported MongoDB script wants, and what its validators say of them."""

import datetime as dt
import decimal
import json
import uuid

import jsonschema
import sqlalchemy as sa
from jsonschema.exceptions import ValidationError
from node_tools import node

_KEYWORDS = """
additionalProperties allOf anyOf bsonType description enum exclusiveMaximum exclusiveMinimum items maxItems maxLength
    maximum minItems minLength minimum not oneOf pattern properties required uniqueItems
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""The keywords of MongoDB's `$jsonSchema` that a script may use."""


class Oid(str):
    """An ObjectId."""


KINDS = {
    "object": dict, "array": list, "string": str, "bool": bool, "date": (dt.datetime, dt.date), "objectId": Oid,
    "decimal": decimal.Decimal, "binData": (uuid.UUID, bytes, memoryview), "null": type(None),
}  # fmt: skip


def _is(kind, value):
    if kind in ("int", "long"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and (abs(value) < 2**31) == (kind == "int")
    if kind == "number":
        return isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind]) and not (kind == "string" and isinstance(value, Oid))


def _bson_type(_validator, kinds, value, _schema):
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not any(_is(kind, value) for kind in kinds):
        yield ValidationError(f"{value!r} is none of {kinds}")


Validator = jsonschema.validators.extend(
    jsonschema.Draft4Validator,
    {"bsonType": _bson_type},
    type_checker=jsonschema.Draft4Validator.TYPE_CHECKER.redefine_many(
        {"number": lambda _, value: isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool)}
    ),
)


def keywords(schema):
    """Yield the keywords of a schema and of those in it."""
    yield from schema
    inner = [*schema.get("properties", {}).values(), *schema.get("allOf", ())]
    inner += [schema[key] for key in ("items", "not") if key in schema]
    for one in inner:
        yield from keywords(one)


def is_valid(schema, document):
    """Say whether a document is what a `$jsonSchema` wants."""
    return Validator(schema).is_valid(document)


def document(page, table, row, rows):
    """Return a row as a document, with the children that are embedded in it."""
    made = _own(page, table, row)
    if not any(page.name(column) == "_id" for column in table.columns):
        made["_id"] = Oid("0" * 24)
    for child in page.shape.within(table):
        found = [_own(page, child.relation.child, one, child.relation) for one in _children(child.relation, row, rows)]
        if child.relation.single:
            made |= {child.field: found[0]} if found else {}
        else:
            made[child.field] = found
    for array in page.shape.arrays(table):
        key = array.other.columns[0].name
        made[array.field] = [one[key] for one in _children(array.kept, row, rows)]
    return made


def _children(relation, row, rows):
    pairs = list(zip(relation.columns, relation.targets, strict=True))
    return [one for one in rows[relation.child.key] if all(one[c.name] == row[t.name] for c, t in pairs)]


def _own(page, table, row, relation=None):
    own = {column.name for column in relation.columns} if relation else set()
    return {page.name(c): row[c.name] for c in table.columns if c.name not in own and row[c.name] is not None}


def rows_of(connection, plan):
    """Return all rows by table, as the server has them: no type of the application's between."""
    found = {}
    for table in plan.tables:
        plain = sa.Table(table.name, sa.MetaData(), schema=table.schema, autoload_with=connection)
        found[table.key] = [dict(row) for row in connection.execute(sa.select(plain)).mappings()]
    return found


def plain(value):
    """Return a value as JSON that Node reads back; dates as dates."""
    if isinstance(value, dt.datetime | dt.date):
        return {"$date": value.isoformat()}
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def holding(folder, asked):
    """Return whether conditions hold of documents, as an engine of MongoDB's language says."""
    path = folder / "asked.json"
    path.write_text(json.dumps(plain(asked)), "utf-8")
    return json.loads(node("mongodb.mjs", "holds", path))


def called(folder, scripts):
    """Return by name what each script asks of its database."""
    paths = {name: folder / f"{number}.js" for number, name in enumerate(scripts)}
    for name, path in paths.items():
        path.write_text(scripts[name], "utf-8")
    answers = json.loads(node("mongodb.mjs", "calls", *paths.values()))
    found = {name: answers[str(path)] for name, path in paths.items()}
    assert all(answer["ok"] for answer in found.values()), found
    return {name: answer["calls"] for name, answer in found.items()}
