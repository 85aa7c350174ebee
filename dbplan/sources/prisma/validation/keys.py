"""Ids, unique keys and indexes: their fields, what the server has of them, and their names."""

from __future__ import annotations

from collections.abc import Iterator

from dbplan.sources.prisma import names
from dbplan.sources.prisma.syntax import Attribute, Field, Model, Spot
from dbplan.sources.prisma.validation.facts import (
    Facts,
    argument,
    attribute,
    database_name,
    fault,
    named,
    spots,
    string,
    unknown,
)
from dbplan.sources.prisma.validation.options import DIALECTS, check_mongodb_id, check_options

_KEYS = ("id", "unique", "index", "fulltext")
# Where a name may be there only once: a table, or the whole schema.
_GLOBAL = ("postgresql", "sqlite")


def check_keys(facts: Facts, model: Model) -> None:
    """Refuse keys and indexes whose fields are not there, and what the server has no such thing of."""
    for given in _keys_of(model):
        _check_fields(facts, model, given)
        check_options(facts, model, given)
    for item in model.fields:
        for given in item.attributes:
            if given.name in ("id", "unique"):
                check_options(facts, model, given, item)
        if (own := attribute(item, "id")) is not None and item.arity:
            raise fault(own.spot, f'an id is required and no list; field "{item.name}" is of {item.type}{item.arity}')
    _check_ids(model)
    check_mongodb_id(facts, model)
    if model.kind == "model" and attribute(model, "ignore") is None and not any(_criteria(model)):
        mend = "mark a required field with @id or @unique, or add @@id([…])"
        raise fault(model.spot, f'nothing tells the rows of model "{model.name}" apart; {mend}')


def _keys_of(model: Model) -> list[Attribute]:
    return [given for given in model.attributes if given.name in _KEYS]


def _fields_of(given: Attribute) -> tuple[str, ...]:
    return named(argument(given, "fields", first=True))


def _check_fields(facts: Facts, model: Model, given: Attribute) -> None:
    fields = {item.name: item for item in model.fields}
    names_ = _fields_of(given)
    if not names_:
        raise fault(given.spot, f'"@@{given.name}" has no fields; name at least one')
    places = spots(argument(given, "fields", first=True))
    for position, (name, spot) in enumerate(zip(names_, places, strict=True)):
        # On MongoDB a path leads into composite types.
        first, _, rest = name.partition(".")
        if first not in fields or (rest and facts.provider != "mongodb"):
            raise unknown(spot, "field", name, fields, f'in {model.kind} "{model.name}"')
        if rest:
            _check_path(facts, spot, fields[first], rest)
        if facts.related(fields[first]) is not None:
            what = f'"{name}" is a relation, and "@@{given.name}" is for fields with a column'
            raise fault(given.spot, f"{what}; name the fields of its @relation")
        if name in names_[:position]:
            raise fault(given.spot, f'"@@{given.name}" names "{name}" twice')
        if given.name == "id" and fields[first].arity:
            kind = f"{fields[first].type}{fields[first].arity}"
            raise fault(given.spot, f'an id is of required fields; "{name}" is of type {kind}')


def _check_path(facts: Facts, spot: Spot, item: Field, path: str) -> None:
    first, _, rest = path.partition(".")
    kind = facts.models.get(item.type)
    inner = {each.name: each for each in kind.fields} if kind is not None and kind.kind == "type" else {}
    if first not in inner:
        raise unknown(spot, "field", first, inner, f'in type "{item.type}"')
    if rest:
        _check_path(facts, spot, inner[first], rest)


def _check_ids(model: Model) -> None:
    alone = [item for item in model.fields if attribute(item, "id") is not None]
    several = attribute(model, "id")
    if len(alone) > 1:
        listing = ", ".join(item.name for item in alone)
        raise fault(model.spot, f'model "{model.name}" has several @id: {listing}; write @@id([{listing}])')
    if alone and several is not None:
        raise fault(model.spot, f'model "{model.name}" has both @id and @@id; keep one')


def _criteria(model: Model) -> Iterator[tuple[str, ...]]:
    """Return the sets of required fields that tell rows apart."""
    required = {item.name for item in model.fields if not item.arity and item.type != "Unsupported"}
    return (fields for fields in unique_keys(model) if all(name.partition(".")[0] in required for name in fields))


def unique_keys(model: Model) -> Iterator[tuple[str, ...]]:
    """Return the fields of each id and unique key."""
    for item in model.fields:
        yield from ((item.name,) for given in item.attributes if given.name in ("id", "unique"))
    yield from (_fields_of(given) for given in model.attributes if given.name in ("id", "unique"))


def check_key_names(facts: Facts) -> None:
    """Refuse two keys or indexes of one name where the server takes a name once."""
    seen: dict[tuple[str, str], Spot] = {}
    if facts.provider in ("mongodb", "cockroachdb"):
        return
    for model in facts.schema.models:
        schema = string(argument(attribute(model, "schema"), "map", first=True))
        place = schema if facts.provider in _GLOBAL else f"{schema}.{database_name(model)}"
        for name, spot in _names(facts, model):
            first = seen.setdefault((place, name), spot)
            if first is not spot:
                raise fault(spot, f'the name "{name}" of a key or index is there already, in {first}; give it a map')


def _names(facts: Facts, model: Model) -> Iterator[tuple[str, Spot]]:
    dialect = DIALECTS.get(facts.provider, facts.provider)
    columns = {item.name: database_name(item) for item in model.fields}
    table = database_name(model)
    alone = [(given, (item.name,)) for item in model.fields for given in item.attributes]
    several = [(given, _fields_of(given)) for given in _keys_of(model)]
    for given, fields in [*alone, *several]:
        own = string(argument(given, "map")) or (string(argument(given, "name")) if given.name == "index" else "")
        mapped = [columns[name] for name in fields]
        if given.name == "unique":
            yield own or names.unique(table, mapped, dialect), given.spot
        elif given.name in ("index", "fulltext"):
            yield own or names.index(table, mapped, dialect), given.spot
        elif given.name == "id" and facts.provider == "postgresql":
            yield own or names.primary_key(table, dialect), given.spot
