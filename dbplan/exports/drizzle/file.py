"""`write`: the whole file, imports first."""

from __future__ import annotations

from sqlalchemy import Sequence, Table

from dbplan.ddl import views_in_order
from dbplan.ddl.extensions import extensions
from dbplan.errors import NotCovered
from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.clauses import parent_of
from dbplan.exports.drizzle.links import relations
from dbplan.exports.drizzle.page import Page, constant, new_page
from dbplan.exports.drizzle.tables import table, view
from dbplan.exports.typescript import (
    Arrow,
    Call,
    List,
    Member,
    Node,
    Record,
    Text,
    Word,
    call,
    imports,
    statement,
)
from dbplan.exports.typescript.functions import BYTES_OF, UUID_V7
from dbplan.exports.written import Written
from dbplan.plan import Plan

_SERVERS = ("postgresql", "cockroachdb", "mysql", "mariadb", "sqlite")


def write(plan: Plan, dialect: str) -> Written:
    """Write a plan as `schema.ts`; raises NotCovered for servers that Drizzle does not know."""
    if dialect not in _SERVERS:
        raise NotCovered(f"Drizzle is not written for {dialect}; it is for {', '.join(_SERVERS)}")
    page = new_page(plan, dialect)
    plain = [found for found in plan.tables if not found.info.get("is_view")]
    bodies = [table(page, found) for found in _parents_first(plain)]
    bodies += [view(page, found) for found in views_in_order(plan.metadata)]
    linked = [words for found in plain if (words := relations(page, found))]
    head = [*_schemas(page), *_enums(page), *_customs(page), *_sequences(page)]
    functions = {"uuidv7": UUID_V7, "bytesOf": BYTES_OF}
    helpers = [text for name, text in functions.items() if name in page.functions]
    _lose_of_plan(page)
    parts = [_imports(page), *helpers, *head, *bodies, *linked]
    return Written({"schema.ts": "\n\n".join(filter(None, parts)) + "\n"}, tuple(page.lost))


def _parents_first(tables: list[Table]) -> list[Table]:
    """Return tables after those that they refer to, as far as there are no cycles; else by name."""
    done: dict[str, Table] = {}

    def visit(found: Table, path: frozenset[str]) -> None:
        if found.key in done or found.key in path:
            return
        parents = [parent_of(key) for key in found.foreign_key_constraints]
        for parent in sorted(str(parent.key) for parent in parents if parent is not None):
            if parent in by_key:
                visit(by_key[parent], path | {found.key})
        done[found.key] = found

    by_key = {found.key: found for found in tables}
    for found in tables:
        visit(found, frozenset())
    return list(done.values())


def _imports(page: Page) -> str:
    general = sorted({"relations", "sql"} & page.used)
    core = sorted(page.used - {"relations", "sql"}, key=lambda name: (name.lower(), name))
    lines = [imports(general, "drizzle-orm")] if general else []
    types = [imports([page.any_extra], f"drizzle-orm/{page.core}-core", types=True)] if page.cyclic else []
    return "\n".join([*lines, *types, imports(core, f"drizzle-orm/{page.core}-core")])


def _schemas(page: Page) -> list[str]:
    if page.schemas:
        page.used.add("pgSchema")
    return [statement(f"export const {known}", call("pgSchema", Text(name))) for name, known in page.schemas.items()]


def _enums(page: Page) -> list[str]:
    made = []
    for (schema, name), known in page.enums.items():
        arguments = (Text(name), List(tuple(Text(label) for label in page.labels[schema, name])))
        made.append(statement(f"export const {known}", _in_schema(page, schema, "pgEnum", "enum", arguments)))
    return made


def _in_schema(page: Page, schema: str | None, function: str, method: str, arguments: tuple[Node, ...]) -> Call:
    if schema and schema != "public":
        return Call(Member(Word(page.schemas[schema]), method), arguments)
    return page.call(function, *arguments)


_ON_SQLITE = {"boolean": ("number", "Boolean", "Number"), "unknown": ("string", "JSON.parse", "JSON.stringify")}
"""What SQLite's drivers give, and what makes of it what an application holds, and back."""


def _customs(page: Page) -> list[str]:
    return [_custom(page, words, name) for words, name in page.customs.items() if name]


def _custom(page: Page, words: str, name: str) -> str:
    entries: list[tuple[str, Node]] = [("dataType", Arrow("", Text(words)))]
    types = f"data: {page.data[words]}"
    if page.core == "pg" and page.data[words] == "Uint8Array":
        page.functions.add("bytesOf")  # relational queries read rows as JSON
        entries += [("fromDriver", Word("bytesOf"))]
        types += "; driverData: Uint8Array | string"
    if page.core == "sqlite" and page.data[words] in _ON_SQLITE:
        driven, read, written = _ON_SQLITE[page.data[words]]
        entries += [("fromDriver", Word(read)), ("toDriver", Word(written))]
        types += f"; driverData: {driven}"
    return statement(f"const {name}", call("customType", Record(tuple(entries), open=True), types=f"{{ {types} }}"))


def _sequences(page: Page) -> list[str]:
    found = page.plan.metadata._sequences.values() if page.core == "pg" else ()
    return [_sequence(page, one) for one in sorted(found, key=lambda one: (one.schema or "", one.name))]


def _sequence(page: Page, found: Sequence) -> str:
    options = {
        "startWith": found.start,
        "increment": found.increment,
        "minValue": found.minvalue,
        "maxValue": found.maxvalue,
        "cache": found.cache,
    }
    told: list[tuple[str, Node]] = [(key, _number(value)) for key, value in options.items() if value is not None]
    told += [("cycle", Word("true"))] if found.cycle else []
    arguments: tuple[Node, ...] = (Text(found.name), *([Record(tuple(told))] if told else []))
    name = page.free(constant(found.name), f"{constant(found.name)}Sequence")
    place = f"{found.schema}.{found.name}" if found.schema else found.name
    if found.data_type is not None and "BIG" not in found.data_type.compile(dialect=page.dialect):
        page.lost.append(_finding(Place(place), "it counts in bigint"))
    return statement(f"export const {name}", _in_schema(page, found.schema, "pgSequence", "sequence", arguments))


def _number(value: int) -> Node:
    return Word(str(value)) if abs(value) < 2**53 else Text(str(value))


def _lose_of_plan(page: Page) -> None:
    """Say what of the whole schema drizzle-kit does not create."""
    info = page.plan.metadata.info
    if page.core == "pg":
        for name, place in extensions(page.plan.metadata).items():
            mend = f'CREATE EXTENSION IF NOT EXISTS "{name}";'
            page.lost.append(_finding(place, f"the extension {name} must be there before", mend))
    for key, words in (("types", "composite and range types"), ("routines", "functions and procedures")):
        if info.get(key):
            page.lost.append(_finding(Place(), f"{words} are left out: {len(info[key])}"))


def _finding(place: Place, message: str, mend: str = "") -> Finding:
    return Finding("export-drizzle", Severity.NOTE, place, message, mend)
