"""Relations: both their fields, the columns that hold them, and what happens at the far end."""

from __future__ import annotations

from dbplan.sources.prisma import names
from dbplan.sources.prisma.syntax import Attribute, Field, Model, Name, Spot, Value
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
from dbplan.sources.prisma.validation.keys import unique_keys

_HOLDING = ("fields", "references")
_ACTIONS = ("onDelete", "onUpdate")


def check_relations(facts: Facts, model: Model) -> None:
    """Refuse relations that are ambiguous, lack their other side, or hold what they cannot."""
    for item, target in facts.relation_fields(model):
        given = attribute(item, "relation")
        if given is not None and argument(given, "name", first=True) is not None and not relation_name(item):
            raise fault(given.spot, f'the relation "{item.name}" has an empty name; give it one or none')
        _check_alone(facts, model, item, target)
        opposite = _opposite(facts, model, item, target)
        _check_sides(facts, (model, item), (target, opposite))
        if _held(item):
            _check_held(facts, model, item, target)
    _check_names(facts, model)


def check_references(facts: Facts, model: Model) -> None:
    """Refuse relations by fields that are not there, or that are relations themselves."""
    for item, target in facts.relation_fields(model):
        given = attribute(item, "relation")
        if given is not None:
            _check_exist(facts, "fields", argument(given, "fields"), model)
            _check_exist(facts, "references", argument(given, "references"), target)


def relation_name(item: Field) -> str:
    """Return the name that a field's `@relation` gives its relation, or ""."""
    return string(argument(attribute(item, "relation"), "name", first=True))


def _held(item: Field) -> bool:
    return any(named(argument(attribute(item, "relation"), word)) for word in _HOLDING)


def _check_alone(facts: Facts, model: Model, item: Field, target: Model) -> None:
    """Refuse fields of one model that one name leaves in doubt."""
    rivals = [
        field for field, other in facts.relation_fields(model)
        if other is target and relation_name(field) == relation_name(item)
    ]  # fmt: skip
    listing = ", ".join(f'"{field.name}"' for field in rivals)
    if target is model and (len(rivals) > 2 or (len(rivals) == 2 and not relation_name(item))):
        mend = "give both sides of each relation a name of its own"
        raise fault(rivals[0].spot, f'ambiguous: {listing} of "{model.name}" lead to itself; {mend}: @relation("…")')
    if target is not model and len(rivals) > 1:
        mend = 'give each relation a name, on both sides: @relation("…")'
        raise fault(rivals[0].spot, f'ambiguous: {listing} of "{model.name}" lead to "{target.name}"; {mend}')


def _opposite(facts: Facts, model: Model, item: Field, target: Model) -> Field:
    """Return the field that leads back; SourceError if there is none."""
    for field, other in facts.relation_fields(target):
        if other is model and field is not item and relation_name(field) == relation_name(item):
            return field
    _refuse_other_name(facts, model, item, target)
    name = f' with @relation("{relation_name(item)}")' if relation_name(item) else ""
    mend = f'add a field of type {model.name} to "{target.name}"{name}'
    raise fault(item.spot, f'"{item.name}" leads to "{target.name}", and nothing leads back; {mend}')


def _refuse_other_name(facts: Facts, model: Model, item: Field, target: Model) -> None:
    """Refuse a relation whose other side is there, alone as well, under another name or none."""
    own = {relation_name(field) for field, other in facts.relation_fields(model) if other is target}
    back = [field for field, other in facts.relation_fields(target) if other is model and field is not item]
    lonely = [field for field in back if relation_name(field) not in own]
    if len(lonely) == 1:
        here, there = (f'@relation("{name}")' if name else "no name" for name in map(relation_name, (item, lonely[0])))
        what = f'"{model.name}.{item.name}" has {here}, "{target.name}.{lonely[0].name}" has {there}'
        raise fault(item.spot, f"two sides of a relation have one name; {what}; give both the same, or none")


def _check_sides(facts: Facts, near: tuple[Model, Field], far: tuple[Model, Field]) -> None:
    """Refuse a pair of fields of which not exactly one holds the relation."""
    (model, item), (target, opposite) = near, far
    if facts.provider == "mongodb" and item.arity == "[]" == opposite.arity:
        if not _held(item):
            raise fault(item.spot, f'"{item.name}" names no fields; on MongoDB both sides of a many-to-many do')
        return
    if item.arity == "[]":
        _check_list(item, opposite, target)
    elif opposite.arity == "[]":
        if not _held(item):
            raise fault(item.spot, f'"{item.name}" says not what holds it; write {_holding(target, item)}')
    elif _held(item) == _held(opposite):
        what = "both sides say" if _held(item) else "neither side says"
        mend = f"{'keep one' if _held(item) else 'write'}: {_holding(target, item)}"
        raise fault(item.spot, f'of "{item.name}" and "{opposite.name}", {what} what holds the relation; {mend}')
    elif not _held(item) and not item.arity:
        what = f'"{model.name}.{item.name}" has no column and cannot be required'
        raise fault(opposite.spot, f"{what}; write {item.type}?")


def _holding(target: Model, item: Field) -> str:
    key = next(iter(unique_keys(target)), ("id",))
    own = ", ".join(f"{item.name}{name[:1].upper()}{name[1:]}" for name in key)
    return f"@relation(fields: [{own}], references: [{', '.join(key)}])"


def _check_list(item: Field, opposite: Field, target: Model) -> None:
    given = attribute(item, "relation")
    many = opposite.arity == "[]"
    for word in (*_HOLDING, *_ACTIONS):
        if given is not None and argument(given, word) is not None:
            mend = "a relation of many to many has a table of its own" if many else f'"{opposite.name}" holds it'
            raise fault(item.spot, f'the list "{item.name}" takes no "{word}"; {mend}')
    if many and not _has_single_id(target):
        mend = "give it one, or write the join table as a model"
        raise fault(item.spot, f'a list on both sides needs an @id in "{target.name}"; {mend}')


def _has_single_id(model: Model) -> bool:
    whole = attribute(model, "id")
    return len(named(argument(whole, "fields", first=True))) == 1 or any(attribute(f, "id") for f in model.fields)


def _check_held(facts: Facts, model: Model, item: Field, target: Model) -> None:
    """Refuse columns and references that do not fit each other."""
    given = attribute(item, "relation")
    if given is None:  # pragma: no cover - held means that it is there
        return
    own, far = (named(argument(given, word)) for word in _HOLDING)
    for word, found in zip(_HOLDING, (own, far), strict=True):
        if not found:
            raise fault(given.spot, f'the relation "{item.name}" lacks "{word}"; {_holding(target, item)}')
    if len(own) != len(far):
        raise fault(given.spot, f'the relation "{item.name}" has {len(own)} fields and {len(far)} references')
    if len(set(own)) < len(own):
        raise fault(given.spot, f'the relation "{item.name}" names a field twice')
    _check_types(facts, (model, own), (target, far), item)
    _check_keys(facts, model, item, target)
    _check_actions(facts, model, item, given)


def _check_exist(facts: Facts, word: str, found: Value | None, owner: Model) -> None:
    fields = {field.name: field for field in owner.fields}
    for name, spot in zip(named(found), spots(found), strict=True):
        if name not in fields:
            raise unknown(spot, "field", name, fields, f'in "{owner.name}" for "{word}"')
        if facts.related(fields[name]) is not None:
            raise fault(spot, f'"{word}" names fields with a column; "{name}" of "{owner.name}" is a relation')


def _check_types(
    facts: Facts, near: tuple[Model, tuple[str, ...]], far: tuple[Model, tuple[str, ...]], item: Field
) -> None:
    own = {field.name: field for field in near[0].fields}
    other = {field.name: field for field in far[0].fields}
    for name, reference in zip(near[1], far[1], strict=True):
        mine, theirs = own[name], other[reference]
        if mine.type != theirs.type or mine.type == "Unsupported":
            what = f'"{name}" is of type {mine.type}, "{far[0].name}.{reference}" of type {theirs.type}'
            raise fault(item.spot, f'the relation "{item.name}" joins two types: {what}; make them the same')
        if mine.arity == "?" and not item.arity and facts.provider != "mongodb":
            raise fault(item.spot, f'"{name}" is optional, so "{item.name}" must be too: {item.type}?')


def _check_keys(facts: Facts, model: Model, item: Field, target: Model) -> None:
    given = attribute(item, "relation")
    own, far = (set(named(argument(given, word))) for word in _HOLDING)
    if not any(set(key) == far for key in unique_keys(target)):
        listing = ", ".join(sorted(far))
        mend = "mark it @unique" if len(far) == 1 else f"add @@unique([{listing}])"
        raise fault(item.spot, f'"{item.name}" refers to {listing} of "{target.name}", which is no key; {mend}')
    single = _opposite(facts, model, item, target).arity != "[]"
    if single and not any(set(key) == own for key in unique_keys(model)):
        listing = ", ".join(sorted(own))
        mend = "mark it @unique" if len(own) == 1 else f"add @@unique([{listing}])"
        raise fault(item.spot, f'"{item.name}" is one to one, but {listing} may repeat; {mend}')


def _check_actions(facts: Facts, model: Model, item: Field, given: Attribute) -> None:
    """Refuse what the server does not do when the far end goes."""
    emulated = facts.relation_mode == "prisma"
    required = any(field.name in named(argument(given, "fields")) and not field.arity for field in model.fields)
    for word in _ACTIONS:
        value = argument(given, word)
        action = value.text if isinstance(value, Name) else ""
        if action in _refused_actions(facts):
            who = 'relationMode "prisma"' if emulated else facts.provider
            raise fault(item.spot, f"{who} has no {action}; take another action")
        if action == "SetNull" and required and (emulated or facts.provider not in ("postgresql", "mongodb")):
            raise fault(item.spot, f'"{word}: SetNull" needs optional fields; "{item.name}" has a required one')
    name = argument(given, "map")
    if name is not None and facts.provider == "sqlite":
        raise fault(item.spot, "SQLite has no names for foreign keys; remove map")


def _refused_actions(facts: Facts) -> tuple[str, ...]:
    if facts.relation_mode == "prisma":
        return ("SetDefault", "NoAction") if facts.provider == "postgresql" else ("SetDefault",)
    return ("Restrict",) if facts.provider == "sqlserver" else ()


def _check_names(facts: Facts, model: Model) -> None:
    if facts.provider in ("sqlite", "mongodb") or facts.relation_mode == "prisma":
        return
    dialect = {"sqlserver": "mssql"}.get(facts.provider, facts.provider)
    columns = {item.name: database_name(item) for item in model.fields}
    seen: dict[str, Spot] = {}
    for item, _ in facts.relation_fields(model):
        if _held(item):
            given = attribute(item, "relation")
            own = [columns[name] for name in named(argument(given, "fields"))]
            name = string(argument(given, "map")) or names.foreign_key(database_name(model), own, dialect)
            if name in seen:
                raise fault(item.spot, f'the foreign key "{name}" is there already, in {seen[name]}; give one a map')
            seen[name] = item.spot
