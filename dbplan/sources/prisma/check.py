"""Prisma schemas judged beyond their syntax: what Prisma refuses is refused here, if a plan would come out wrong."""

from __future__ import annotations

from dbplan.sources.prisma.syntax import Enumeration, Model, Schema
from dbplan.sources.prisma.validation.attributes import (
    BLOCK,
    ENUM,
    FIELD,
    IN_TYPE,
    VALUE,
    check_attributes,
    check_field_attributes,
)
from dbplan.sources.prisma.validation.blocks import (
    check_database_names,
    check_enums,
    check_names,
    check_schema_attribute,
    check_type,
    read_facts,
)
from dbplan.sources.prisma.validation.cascades import check_cascades
from dbplan.sources.prisma.validation.defaults import check_default
from dbplan.sources.prisma.validation.facts import Facts, fault
from dbplan.sources.prisma.validation.keys import check_key_names, check_keys
from dbplan.sources.prisma.validation.relations import check_references, check_relations


def check(schema: Schema) -> None:
    """Refuse a schema whose names, types, attributes, keys or relations do not hold.

    The error is a SourceError with file, line and column, and the nearest name that is known. Schemas written for
    Prisma before version 7 pass: the addresses in a datasource, extensions and preview features are no faults.
    """
    facts = read_facts(schema)
    check_names(facts)
    check_enums(facts)
    for enum in schema.enums:
        _check_enum(facts, enum)
    for model in schema.models:
        _check_block(facts, model)
    check_database_names(facts)
    tables = [model for model in schema.models if model.kind != "type"]
    # First what is not there at all: keys and relations without it are wrong as well, for that one reason.
    for check_one in (check_references, check_keys, check_relations):
        for model in tables:
            check_one(facts, model)
    check_key_names(facts)
    check_cascades(facts)


def _check_enum(facts: Facts, enum: Enumeration) -> None:
    check_attributes(enum.attributes, ENUM, "@@")
    check_schema_attribute(facts, enum)
    for value in enum.values:
        check_attributes(value.attributes, VALUE, "@")


def _check_block(facts: Facts, model: Model) -> None:
    """Refuse what is wrong in a block by itself."""
    composite = model.kind == "type"
    for item in model.fields:
        check_type(facts, model, item)
        check_field_attributes(facts, item, IN_TYPE if composite else FIELD)
        check_default(facts, model, item)
    check_attributes(model.attributes, {} if composite else BLOCK, "@@")
    if composite:
        _check_composite(facts, model)
    else:
        check_schema_attribute(facts, model)


def _check_composite(facts: Facts, model: Model) -> None:
    if facts.provider != "mongodb":
        raise fault(model.spot, f'composite types are MongoDB\'s; make "{model.name}" a model or a Json field')
    if not model.fields:
        raise fault(model.spot, f'type "{model.name}" has no fields; give it one')
    for item in model.fields:
        if item.type == model.name and not item.arity:
            raise fault(item.spot, f'"{item.name}" holds its own type without end; make it optional or a list')
