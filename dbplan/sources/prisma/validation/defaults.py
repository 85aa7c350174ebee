"""Defaults: the value's type, the functions and what they take."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime

from dbplan.sources.prisma.syntax import Attribute, Call, Field, Literal, Many, Model, Name, Value
from dbplan.sources.prisma.validation.facts import Facts, argument, attribute, fault, named, shown, string, unknown

_FUNCTIONS = {
    "autoincrement": ("Int", "BigInt"),
    "sequence": ("Int", "BigInt"),
    "now": ("DateTime",),
    "cuid": ("String",),
    "uuid": ("String",),
    "ulid": ("String",),
    "nanoid": ("String",),
    "auto": ("String", "Bytes"),
    "dbgenerated": (),
}
_ONLY = {"sequence": "cockroachdb", "auto": "mongodb"}
_NUMBERS = {"cuid": (1, 2), "uuid": (4, 7), "nanoid": tuple(range(2, 256))}
_SEQUENCE = {
    **dict.fromkeys(("cache", "increment", "minValue", "maxValue", "start"), "number"),
    "virtual": "boolean",
}
_KINDS = {
    "Int": "number",
    "BigInt": "number",
    "Float": "number",
    "Decimal": "number",
    "Boolean": "boolean",
    "String": "string",
    "DateTime": "string",
    "Json": "string",
    "Bytes": "string",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)


def check_default(facts: Facts, model: Model, item: Field) -> None:
    """Refuse a default that the field's type does not hold, and functions where they do not apply."""
    given = attribute(item, "default")
    value = argument(given, "value", first=True)
    if given is None or value is None:
        return
    name = argument(given, "map")
    if name is not None and facts.provider != "sqlserver":
        raise fault(name.spot, f"{facts.provider} has no names for defaults; remove map")
    if isinstance(value, Call):
        _check_function(facts, model, item, value)
    elif item.type == "Unsupported":
        raise fault(value.spot, f'a default of an Unsupported field is dbgenerated("…"), found {shown(value)}')
    elif item.arity == "[]":
        if not isinstance(value, Many):
            raise fault(value.spot, f'the default of a list is a list: [{shown(value)}]; "{item.name}" is a list')
        for each in value.items:
            _check_value(facts, item, each)
    else:
        _check_value(facts, item, value)


def _check_value(facts: Facts, item: Field, value: Value) -> None:
    if item.type in facts.enums:
        known = [each.name for each in facts.enums[item.type].values]
        if not isinstance(value, Name):
            raise fault(value.spot, f'expected a value of enum "{item.type}", found {shown(value)}')
        if value.text not in known:
            raise unknown(value.spot, "value", value.text, known, f'in enum "{item.type}"')
    elif item.type in facts.models:
        raise fault(value.spot, f'a field of composite type has no default; "{item.name}" is of type {item.type}')
    elif not _holds(item.type, value):
        article = "an" if item.type == "Int" else "a"
        raise fault(value.spot, f'expected {article} {item.type} as default of "{item.name}", found {shown(value)}')


def _holds(type: str, value: Value) -> bool:
    if not isinstance(value, Literal):
        return False
    if type == "Decimal" and value.kind == "string":
        return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", value.text, re.IGNORECASE) is not None
    if value.kind != _KINDS[type]:
        return False
    checks = {"Int": _whole, "BigInt": _whole, "DateTime": _moment, "Json": _json, "Bytes": _bytes}
    return checks[type](value.text) if type in checks else True


def _whole(text: str) -> bool:
    return "." not in text and -(2**63) <= int(text) < 2**63


def _moment(text: str) -> bool:
    if not _MOMENT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", text.upper()))
    except ValueError:
        return False
    return True


def _json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=float.fromhex)
    except (ValueError, RecursionError):
        return False
    return True


def _bytes(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _check_function(facts: Facts, model: Model, item: Field, call: Call) -> None:
    if call.name not in _FUNCTIONS:
        raise unknown(call.spot, "function", f"{call.name}()", _functions(facts.provider))
    if item.type == "Unsupported" and call.name != "dbgenerated":
        raise fault(call.spot, f'a default of an Unsupported field is dbgenerated("…"), found {call.name}()')
    only = _ONLY.get(call.name, facts.provider)
    if only != facts.provider:
        raise fault(call.spot, f"{call.name}() is {only}'s; the datasource's provider is {facts.provider}")
    types = _FUNCTIONS[call.name]
    if types and item.type not in types:
        wanted = " or ".join(types)
        raise fault(call.spot, f'{call.name}() is for {wanted} fields; "{item.name}" is of type {item.type}')
    _check_call(call)
    if call.name == "autoincrement":
        _check_autoincrement(facts, model, item, call)


def _functions(provider: str) -> list[str]:
    """Return the functions that fill in a field on a server."""
    known = (name for name in _FUNCTIONS if _ONLY.get(name, provider) == provider)
    return [f"{name}()" for name in known if (name, provider) != ("autoincrement", "mongodb")]


def _check_call(call: Call) -> None:
    values = [given.value for given in call.arguments]
    if call.name == "dbgenerated":
        if len(values) > 1 or any(not string(value) for value in values):
            raise fault(call.spot, 'dbgenerated() takes nothing or one text that is not empty: dbgenerated("…")')
    elif call.name == "sequence":
        for given in call.arguments:
            if given.name not in _SEQUENCE:
                raise unknown(given.spot, "argument", given.name, _SEQUENCE, "of sequence()")
            if not isinstance(given.value, Literal) or given.value.kind != _SEQUENCE[given.name]:
                kind = "a number" if _SEQUENCE[given.name] == "number" else "true or false"
                raise fault(given.value.spot, f'"{given.name}" of sequence() is {kind}, found {shown(given.value)}')
    elif call.name in _NUMBERS:
        _check_number(call, values)
    elif values:
        raise fault(call.spot, f"{call.name}() takes no argument, found {shown(values[0])}")


def _check_number(call: Call, values: list[Value]) -> None:
    allowed = _NUMBERS[call.name]
    texts = [value.text for value in values if isinstance(value, Literal) and value.kind == "number"]
    if len(values) > 1 or len(texts) != len(values) or any(text not in map(str, allowed) for text in texts):
        words = " or ".join(map(str, allowed)) if len(allowed) == 2 else f"a number from {allowed[0]} to {allowed[-1]}"
        raise fault(call.spot, f"{call.name}() takes nothing or {words}, found {', '.join(map(shown, values))}")


def _check_autoincrement(facts: Facts, model: Model, item: Field, call: Call) -> None:
    """Refuse a counter that the server does not have there."""
    if facts.provider == "cockroachdb" and item.type != "BigInt":
        raise fault(call.spot, f'autoincrement() is for BigInt on CockroachDB, else sequence(); see "{item.name}"')
    if facts.provider == "sqlite" and attribute(item, "id") is None:
        raise fault(call.spot, f'autoincrement() is for the @id on SQLite; "{item.name}" is not')
    if facts.provider == "mongodb":
        raise fault(call.spot, "MongoDB has no autoincrement(); take auto() with @db.ObjectId")
    if facts.provider == "mysql":
        if not _indexed(model, item):
            raise fault(call.spot, f'autoincrement() is for a key or an index on MySQL; "{item.name}" begins none')
        if next(each for each in model.fields if _counts(each)) is not item:
            raise fault(model.spot, f'MySQL has one autoincrement() a table; "{model.name}" has more')


def _counts(item: Field) -> bool:
    value = argument(attribute(item, "default"), "value", first=True)
    return isinstance(value, Call) and value.name == "autoincrement"


def _indexed(model: Model, item: Field) -> bool:
    def leads(given: Attribute) -> bool:
        keys = given.name in ("id", "unique", "index")
        return keys and named(argument(given, "fields", first=True))[:1] == (item.name,)

    alone = attribute(item, "id") or attribute(item, "unique")
    return alone is not None or any(leads(given) for given in model.attributes)
