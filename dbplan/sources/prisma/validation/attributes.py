"""Attributes and their arguments: which there are, where, and of what kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dbplan.sources.prisma.syntax import (
    Attribute,
    Call,
    Field,
    Literal,
    Name,
    Pairs,
    Value,
)
from dbplan.sources.prisma.validation.facts import Facts, fault, listed, shown, unknown
from dbplan.sources.prisma.validation.native import check_native


@dataclass(frozen=True)
class Signature:
    """What an attribute takes: kinds by name; `first` may go by its place and, if `needed`, must be there."""

    kinds: Mapping[str, str]
    first: str = ""
    needed: bool = False
    often: bool = False


_NAMED = Signature({"name": "a text"}, "name", needed=True)
_BARE = Signature({})
_SCHEMA = Signature({"map": "a text"}, "map", needed=True)
_KEY = {"map": "a text", "length": "a number", "sort": "a sort order", "clustered": "true or false"}
_FIELDS = {"fields": "fields", "map": "a text"}
_SEVERAL = {**_FIELDS, "name": "a text", "clustered": "true or false"}

FIELD = {
    "id": Signature(_KEY),
    "unique": Signature({**_KEY, "where": "a condition"}),
    "default": Signature({"value": "a value", "map": "a text"}, "value", needed=True),
    "map": _NAMED,
    "relation": Signature(
        {
            "name": "a text",
            "fields": "names of fields",
            "references": "names of fields",
            "onDelete": "an action",
            "onUpdate": "an action",
            "map": "a text",
        },
        "name",
    ),
    "updatedAt": _BARE,
    "ignore": _BARE,
    "shardKey": _BARE,
}
IN_TYPE = {name: FIELD[name] for name in ("default", "map")}
BLOCK = {
    "id": Signature(_SEVERAL, "fields", needed=True),
    "unique": Signature({**_SEVERAL, "where": "a condition"}, "fields", needed=True, often=True),
    "index": Signature({**_SEVERAL, "type": "a name", "where": "a condition"}, "fields", needed=True, often=True),
    "fulltext": Signature({**_FIELDS, "name": "a text"}, "fields", needed=True, often=True),
    "map": _NAMED,
    "schema": _SCHEMA,
    "ignore": _BARE,
    "shardKey": Signature({"fields": "fields"}, "fields", needed=True),
}
ENUM = {"map": _NAMED, "schema": _SCHEMA}
VALUE = {"map": _NAMED}

_RANGES = [
    "Date",
    "Float4",
    "Float8",
    "Int2",
    "Int4",
    "Int8",
    "Numeric",
    "Oid",
    "Time",
    "Timestamp",
    "TimestampTz",
    "TimeTz",
    "Uuid",
    "Inet",
]
OPERATOR_CLASSES = (
    *("ArrayOps", "InetOps", "JsonbOps", "JsonbPathOps", "TextOps", "BitMinMaxOps", "VarBitMinMaxOps"),
    *("BpcharBloomOps", "BpcharMinMaxOps", "ByteaBloomOps", "ByteaMinMaxOps", "InetInclusionOps"),
    *("TextBloomOps", "TextMinMaxOps"),
    *(f"{name}{kind}Ops" for name in _RANGES for kind in ("Bloom", "MinMax", "MinMaxMulti")),
)
_ACTIONS = ("Cascade", "Restrict", "NoAction", "SetNull", "SetDefault")


def check_attributes(attributes: Sequence[Attribute], known: Mapping[str, Signature], sign: str) -> None:
    """Refuse attributes that are unknown here or there twice, and arguments that they do not take."""
    seen: set[str] = set()
    for item in attributes:
        if item.name not in known:
            raise unknown(item.spot, "attribute", f"{sign}{item.name}", [sign + name for name in known])
        if item.name in seen and not known[item.name].often:
            raise fault(item.spot, f'"{sign}{item.name}" is there twice; remove one')
        seen.add(item.name)
        _check_arguments(item, known[item.name], sign)


def check_field_attributes(facts: Facts, item: Field, known: Mapping[str, Signature]) -> None:
    """Refuse wrong attributes of a field, its native type among them."""
    native = [given for given in item.attributes if "." in given.name]
    if len(native) > 1:
        raise fault(native[1].spot, f'field "{item.name}" has two native types; remove one')
    for given in native:
        check_native(facts, item, given)
    check_attributes([given for given in item.attributes if "." not in given.name], known, "@")
    if facts.related(item) is not None:
        _check_relation_attributes(item)
    else:
        _check_scalar_attributes(item)


def _check_relation_attributes(item: Field) -> None:
    for given in item.attributes:
        if given.name not in ("relation", "ignore"):
            what = f'"@{given.name}" is for fields with a column; "{item.name}" leads to model {item.type}'
            raise fault(given.spot, f"{what}, move it to the fields of its relation")


def _check_scalar_attributes(item: Field) -> None:
    for given in item.attributes:
        if given.name == "relation":
            raise fault(given.spot, f'"@relation" is for fields of a model; "{item.name}" is of type {item.type}')
        if given.name == "updatedAt" and (item.type != "DateTime" or item.arity == "[]"):
            raise fault(given.spot, f'"@updatedAt" is for a DateTime; "{item.name}" is of type {item.type}{item.arity}')


def _check_arguments(item: Attribute, signature: Signature, sign: str) -> None:
    seen: set[str] = set()
    for given in item.arguments:
        name = given.name or signature.first
        if not name:
            raise fault(given.spot, f'"{sign}{item.name}" takes no argument without a name, found {shown(given.value)}')
        if name not in signature.kinds:
            raise unknown(given.spot, "argument", name, signature.kinds, f'of "{sign}{item.name}"')
        if name in seen:
            hint = "" if given.name else "; a list stands in brackets"
            raise fault(given.spot, f'"{sign}{item.name}" has the argument "{name}" twice{hint}')
        seen.add(name)
        _check_kind(given.value, signature.kinds[name], f'"{name}" of "{sign}{item.name}"')
    if signature.needed and signature.first not in seen:
        raise fault(item.spot, f'"{sign}{item.name}" lacks its argument "{signature.first}"')


def _check_kind(value: Value, kind: str, what: str) -> None:
    """Refuse a value of another kind; lists are looked at item by item."""
    if kind in ("fields", "names of fields"):
        allowed = (Name, Call) if kind == "fields" else (Name,)
        for item in listed(value):
            if not isinstance(item, allowed):
                raise fault(item.spot, f"expected the name of a field as {what}, found {shown(item)}")
            if isinstance(item, Call):
                _check_index_field(item)
    elif kind == "an action":
        if not isinstance(value, Name) or value.text not in _ACTIONS:
            raise unknown(value.spot, "referential action", shown(value), _ACTIONS)
    elif not _is(value, kind):
        raise fault(value.spot, f"expected {kind} as {what}, found {shown(value)}")


def _is(value: Value, kind: str) -> bool:
    literals = {"a text": "string", "a number": "number", "true or false": "boolean"}
    if kind in literals:
        return isinstance(value, Literal) and value.kind == literals[kind]
    if kind == "a sort order":
        return isinstance(value, Name) and value.text in ("Asc", "Desc")
    if kind == "a condition":
        raw = isinstance(value, Call) and value.name == "raw" and len(value.arguments) == 1
        return raw or (isinstance(value, Pairs) and bool(value.items))
    return isinstance(value, Name) or kind == "a value"


def _check_index_field(item: Call) -> None:
    kinds = {"sort": "a sort order", "length": "a number"}
    for given in item.arguments:
        what = f'"{given.name}" of "{item.name}"'
        if given.name in kinds:
            _check_kind(given.value, kinds[given.name], what)
        elif given.name == "ops" and not _is_raw(given.value) and shown(given.value) not in OPERATOR_CLASSES:
            raise unknown(given.value.spot, "operator class", shown(given.value), OPERATOR_CLASSES)


def _is_raw(value: Value) -> bool:
    if not isinstance(value, Call) or value.name != "raw" or len(value.arguments) != 1:
        return False
    return _is(value.arguments[0].value, "a text")
