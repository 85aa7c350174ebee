"""`write`: the whole file, imports first."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.schema import CreateSequence

from dbplan.ddl import views_in_order, views_read
from dbplan.ddl.extensions import extensions
from dbplan.ddl.native import schemas
from dbplan.errors import NotCovered
from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.clauses import types_of
from dbplan.exports.typeorm.columns import enum
from dbplan.exports.typeorm.entities import entity, refused, view
from dbplan.exports.typeorm.kinds import SUPPORTED
from dbplan.exports.typeorm.page import Page, enum_key, new_page
from dbplan.exports.typescript import imports
from dbplan.exports.typescript.functions import UUID_V7
from dbplan.exports.written import Written
from dbplan.plan import Plan


def write(plan: Plan, dialect: str) -> Written:
    """Write a plan as `entities.ts`; raises NotCovered for servers that TypeORM is not written for."""
    if dialect not in SUPPORTED:
        raise NotCovered(f"TypeORM is not written for {dialect}; it is for {', '.join(sorted(SUPPORTED))}")
    page = new_page(plan, dialect)
    plain = [found for found in plan.tables if not found.info.get("is_view")]
    classes = [_class(page, found) for found in plain]
    read = views_read(plan.metadata)
    classes += [view(page, one, read[one]) for one in views_in_order(plan.metadata)]
    _lose_of_plan(page)
    functions = [UUID_V7] if "uuidv7" in page.functions else []
    parts = [_imports(page), *functions, *_enums(page), *classes]
    return Written({"entities.ts": "\n\n".join(filter(None, parts)) + "\n"}, tuple(page.lost))


def _class(page: Page, found: Table) -> str:
    return refused(page, found) if found.key in page.left else entity(page, found)


def _imports(page: Page) -> str:
    words = sorted(page.used - {"Relation"})
    lines = [imports(words, "typeorm")] if words else []
    return "\n".join([*lines, *([imports(["Relation"], "typeorm", types=True)] if "Relation" in page.used else [])])


def _enums(page: Page) -> list[str]:
    told = {enum_key(facts.type): facts.type.labels for facts in page.columns.values() if facts.type.native}
    return [enum(name, told[key]) for key, name in sorted(page.enums.items(), key=lambda item: item[1])]


def _lose_of_plan(page: Page) -> None:
    """Say what of the whole schema TypeORM does not create."""
    info = page.plan.metadata.info
    if page.server == "postgresql":
        _lose_types(page)
        for schema in sorted(schemas(page.plan.metadata)):
            mend = f"CREATE SCHEMA IF NOT EXISTS {page.dialect.identifier_preparer.quote_identifier(schema)};"
            page.lost.append(_finding(Place(schema), "the schema must be there before", mend))
        for name, place in extensions(page.plan.metadata).items():
            mend = f'CREATE EXTENSION IF NOT EXISTS "{name}";'
            page.lost.append(_finding(place, f"the extension {name} must be there before", mend))
        for found in page.plan.metadata._sequences.values():
            made = f"{CreateSequence(found, if_not_exists=True).compile(dialect=page.dialect)};"
            place = Place(f"{found.schema}.{found.name}" if found.schema else found.name)
            page.lost.append(_finding(place, "the sequence must be there before", made))
    for key, words in (("types", "composite and range types"), ("routines", "functions and procedures")):
        if info.get(key):
            page.lost.append(_finding(Place(), f"{words} are left out: {len(info[key])}"))


def _lose_types(page: Page) -> None:
    """Say that domains are left out, and enums that no entity uses."""
    used = {(f.type.schema, f.type.name) for (table, _), f in page.columns.items() if table not in page.left}
    for told in (*(facts.type for facts in page.columns.values()), *types_of(page.plan, page.dialect)):
        if told.base is not None:
            page.lose_type(told, "the domain is left out")
        elif told.native and (told.schema, told.name) not in used:
            page.lose_type(told, "no entity uses the enum: it is left out")


def _finding(place: Place, message: str, mend: str = "") -> Finding:
    return Finding("export-typeorm", Severity.NOTE, place, message, mend)
