"""The datasource, and the names of blocks, fields and values."""

from __future__ import annotations

from dbplan.errors import SourceError
from dbplan.sources.prisma.syntax import Call, Enumeration, Field, Literal, Many, Model, Schema, Settings, Value
from dbplan.sources.prisma.validation.facts import (
    SCALARS,
    Facts,
    argument,
    attribute,
    database_name,
    fault,
    listed,
    once,
    once_in_database,
    shown,
    string,
    unknown,
)

PROVIDERS = ("postgresql", "postgres", "mysql", "sqlite", "sqlserver", "cockroachdb", "mongodb")
_MULTIPLE_SCHEMAS = ("postgresql", "cockroachdb", "sqlserver")
_LISTS = ("postgresql", "cockroachdb", "mongodb")
# The addresses left the language with Prisma 7; a schema written before is the same schema.
_SETTINGS = ("provider", "relationMode", "schemas", "extensions", "url", "directUrl", "shadowDatabaseUrl")


def read_facts(schema: Schema) -> Facts:
    """Return the schema by its names, once its datasource is right; SourceError otherwise."""
    once((block for block in schema.settings if block.kind == "generator"), "generator", lambda block: block.name)
    for block in schema.settings:
        _check_entries(block)
    source = _datasource(schema)
    entries = dict(source.entries)
    provider = _provider(source, entries.get("provider"))
    mode = entries.get("relationMode")
    if mode is not None and string(mode) not in ("prisma", "foreignKeys"):
        raise unknown(mode.spot, "relation mode", shown(mode).strip('"'), ("prisma", "foreignKeys"))
    return Facts(schema, provider, source.name, _schemas(provider, entries.get("schemas")), string(mode))


def _datasource(schema: Schema) -> Settings:
    sources = [block for block in schema.settings if block.kind == "datasource"]
    if not sources:
        raise SourceError(_without_datasource(schema))
    if len(sources) > 1:
        raise fault(sources[1].spot, f"a schema has one datasource; another one stands in {sources[0].spot}")
    return sources[0]


def _without_datasource(schema: Schema) -> str:
    blocks: list[Model | Enumeration | Settings] = [*schema.models, *schema.enums, *schema.settings]
    files = [min(block.spot for block in blocks).file] if blocks else schema.files[:1]
    place = f"{files[0]}: " if files else ""
    return f'{place}the schema has no datasource; add: datasource db {{ provider = "postgresql" }}, on three lines'


def _check_entries(block: Settings) -> None:
    seen: set[str] = set()
    for key, value in block.entries:
        if key in seen:
            raise fault(value.spot, f'"{key}" is set twice in the {block.kind} "{block.name}"; remove one')
        if block.kind == "datasource" and key not in _SETTINGS:
            raise unknown(value.spot, "setting", key, _SETTINGS, "of a datasource")
        seen.add(key)
    if "provider" not in seen:
        raise fault(block.spot, f'the {block.kind} "{block.name}" has no provider; add: provider = "…"')


def _provider(source: Settings, value: Value | None) -> str:
    if not isinstance(value, Literal) or value.kind != "string":
        spot = value.spot if value else source.spot
        # Prisma refuses the whole block where the provider is computed.
        place = source.spot if isinstance(value, (Call, Many)) else spot
        raise fault(place, f"the provider is a text, one of: {', '.join(PROVIDERS)}")
    if value.text not in PROVIDERS:
        raise unknown(value.spot, "provider", value.text, PROVIDERS)
    return "postgresql" if value.text == "postgres" else value.text


def _schemas(provider: str, value: Value | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if provider not in _MULTIPLE_SCHEMAS:
        raise fault(value.spot, f'{provider} has no schemas; remove "schemas"')
    names = tuple(string(item) for item in listed(value))
    if not names or not all(names):
        raise fault(value.spot, 'the schemas are a list of texts, at least one: schemas = ["public"]')
    if len(set(names)) < len(names):
        raise fault(value.spot, f"a schema is listed twice: {', '.join(names)}; remove one")
    return names


def check_names(facts: Facts) -> None:
    """Refuse names that are there twice, and those of scalars."""
    schema = facts.schema
    blocks: list[Model | Enumeration] = sorted([*schema.models, *schema.enums], key=lambda block: block.spot)
    for named in (*blocks, *schema.settings):
        if named.name in SCALARS:
            raise fault(named.spot, f'"{named.name}" is a scalar type; name the block otherwise')
    once(blocks, "block", lambda block: block.name)
    for enum in schema.enums:
        once(enum.values, f'in enum "{enum.name}", value', lambda value: value.name)
    for model in schema.models:
        once(model.fields, f'in {model.kind} "{model.name}", field', lambda item: item.name)


def check_database_names(facts: Facts) -> None:
    """Refuse tables, types and columns that are there twice in the database."""
    schema = facts.schema
    tables = [model for model in schema.models if model.kind != "type"]
    once_in_database(tables, "table or view", _qualified)
    if facts.provider in ("postgresql", "cockroachdb"):
        once_in_database(schema.enums, "type", _qualified)
    for model in schema.models:
        columns = [item for item in model.fields if facts.related(item) is None]
        once_in_database(columns, f'in {model.kind} "{model.name}", column', database_name)


def _qualified(block: Model | Enumeration) -> str:
    schema = string(argument(attribute(block, "schema"), "map", first=True))
    return ".".join(filter(None, (schema, database_name(block))))


def check_enums(facts: Facts) -> None:
    """Refuse enums without values, and enums where the server has none."""
    for enum in facts.schema.enums:
        if facts.provider == "sqlserver":
            raise fault(enum.spot, f'SQL Server has no enums; make the fields of type "{enum.name}" texts')
        if not enum.values:
            raise fault(enum.spot, f'enum "{enum.name}" has no values; give it one')


def check_schema_attribute(facts: Facts, block: Model | Enumeration) -> None:
    """Refuse a block without `@@schema` where the datasource names schemas, and one in a schema it does not name."""
    found = attribute(block, "schema")
    if found is None:
        if facts.schemas:
            mend = f'add @@schema("{facts.schemas[0]}")'
            raise fault(block.spot, f'"{block.name}" has no @@schema though the datasource names schemas; {mend}')
        return
    name = string(argument(found, "map", first=True))
    if name not in facts.schemas:
        raise unknown(found.spot, "schema", name, facts.schemas, "in the datasource's list")


def check_type(facts: Facts, model: Model, item: Field) -> None:
    """Refuse a field of an unknown type, a list where the server has none, a model inside a composite type."""
    kind = item.type
    known = [*SCALARS, *facts.models, *facts.enums]
    if kind == "Unsupported" and kind not in known and not item.unsupported:
        raise fault(item.spot, f'field "{item.name}" is of no type; write the server\'s words: Unsupported("…")')
    if kind not in (*known, "Unsupported"):
        raise unknown(item.type_spot or item.spot, "type", kind, known)
    if model.kind == "type" and facts.related(item) is not None:
        raise fault(item.spot, f'a composite type leads to no model; field "{item.name}" is of model {kind}')
    if item.arity == "[]" and facts.provider not in _LISTS and facts.related(item) is None and kind != "Unsupported":
        raise fault(item.spot, f'{facts.provider} has no lists of values; field "{item.name}" is one')
    if kind == "Json" and facts.provider == "sqlserver":
        raise fault(item.spot, f'SQL Server has no Json fields; make "{item.name}" a String')
