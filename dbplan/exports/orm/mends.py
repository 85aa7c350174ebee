"""SQL that alters what an ORM has made of a table to what the plan has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import AddConstraint, Constraint, CreateIndex

from dbplan.ddl import statements
from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.clauses import beside, index_words, names, parent_of, shortened, timing
from dbplan.exports.orm.page import Page, Stage

_OBJECTS = {
    "schema": "the schema {place} is to be there before {tool} makes its tables",
    "extension": "the extension is to be there before {tool} makes its tables",
    "sequence": "{tool} makes no sequences of their own",
    "type": "{tool} makes no types",
    "routine": "{tool} makes no routines",
    "view": "{tool} makes no views, and would make a table of a model: it has none",
    "trigger": "{tool} makes no triggers",
    "policy": "{tool} makes no policies",
    "rule": "{tool} makes no rules",
    "alteration": "{tool} does not say what the table is beyond its columns",
    "statistics": "{tool} makes no statistics",
    "attachment": "it is a partition; here a table of its own",
}
_FIRST = frozenset({"schema", "extension", "sequence", "type", "routine"})


def retyped(page: Page, column: Column[Any]) -> str:
    """Return the SQL that gives a column its own type."""
    words, name = column.type.compile(dialect=page.dialect), page.quote(column.name)
    default = _default(page, column)
    parts = [f"ALTER {name} DROP DEFAULT"] if default else []
    parts.append(f"ALTER {name} TYPE {words} USING {name}::{words}")
    parts += [f"ALTER {name} SET DEFAULT {default}"] if default else []
    return f"ALTER TABLE {page.whole(column.table)} {', '.join(parts)};"


def _default(page: Page, column: Column[Any]) -> str:
    try:
        found = facts.default(column, page.dialect)
    except SQLAlchemyError:
        return ""
    return found.sql if found is not None and column.computed is None else ""


def renamed(page: Page, table: Table, was: str, name: str) -> str:
    """Return the SQL that gives a constraint its own name."""
    return f"ALTER TABLE {page.whole(table)} RENAME CONSTRAINT {page.quote(was)} TO {page.quote(name)};"


def added(page: Page, found: Constraint, name: str, *dropped: str) -> str:
    """Return the SQL that drops constraints by name and adds one."""
    table: Table = found.table
    start = f"ALTER TABLE {page.whole(table)} "
    lines = [f"{start}DROP CONSTRAINT IF EXISTS {page.quote(one)};" for one in dict.fromkeys(dropped)]
    sql = str(AddConstraint(found, isolate_from_table=False).compile(dialect=page.dialect))
    if found.name is None:
        sql = f"{start}ADD CONSTRAINT {page.quote(name)} {sql.removeprefix(f'{start}ADD ')}"
    return "\n".join((*lines, f"{sql};"))


def given(page: Page, found: Constraint, table: Table) -> str:
    """Return a constraint's name, the server's where the plan gives none; on other servers the words of a key."""
    if page.is_postgresql:
        return names(table, page.dialect).get(found, "")
    if found.name:
        return str(page.dialect.identifier_preparer.format_constraint(found) or found.name).strip('"`')
    columns = ", ".join(column.name for column in getattr(found, "columns", ()))
    return f"FOREIGN KEY ({columns})" if isinstance(found, ForeignKeyConstraint) else ""


def lose_objects(page: Page, dialect: str, tool: str) -> None:
    """Note what stands beside the tables, and has no words in the ORM."""
    everything = statements(page.plan, dialect)
    for statement in everything:
        if statement.kind not in _OBJECTS:
            continue
        said = _OBJECTS[statement.kind].format(place=statement.place, tool=tool)
        named = "" if str(statement.place) else f": {statement.sql.splitlines()[0]}"
        lines = [f"{statement.sql};"]
        if statement.kind == "view":
            of_view = (
                s for s in everything if s.kind in ("comment", "index") and s.place.table == statement.place.table
            )
            lines += [f"{one.sql};" for one in of_view]
        stage = Stage.OBJECTS if statement.kind in _FIRST else Stage.REST
        page.lose(stage, statement.place, said + named, "\n".join(lines))


def lose_tables(page: Page, dialect: str, reasons: dict[str, str]) -> None:
    """Note each table that has no model, by its key, and the SQL that makes it."""
    made: dict[tuple[str, Stage], list[str]] = {}
    for statement in statements(page.plan, dialect):
        if statement.place.table in reasons and statement.kind not in _OBJECTS:
            stage = Stage.FOREIGN_KEYS if statement.kind == "key" else Stage.TABLES
            made.setdefault((statement.place.table, stage), []).append(f"{statement.sql};")
    for (key, stage), sql in made.items():
        page.lose(stage, Place(key), reasons[key], "\n".join(sql))


def lose_constraint(page: Page, found: Constraint, table: Table, said: str) -> None:
    """Note a constraint that the ORM does not make; the SQL that adds it stands with the note."""
    name = given(page, found, table)
    stage = Stage.FOREIGN_KEYS if isinstance(found, ForeignKeyConstraint) else Stage.CONSTRAINTS
    held = not isinstance(found, ForeignKeyConstraint) or parent_of(found) is not None
    mend = added(page, found, name) if page.is_postgresql and held else ""
    page.lose(stage, Place(table.key, constraint=name), said, mend)


def index_name(page: Page, index: Any) -> str:
    """Return the name of an index on the server."""
    return index_words(index, page.dialect).name or str(index.name or "")


def is_special(page: Page, found: Constraint) -> bool:
    """Say whether a key has options that no ORM here has words for."""
    return bool(timing(found) or beside(found, page.dialect))


def lose_index(page: Page, index: Index, said: str) -> None:
    """Note an index that the ORM does not make; the SQL that makes it stands with the note."""
    try:
        mend = str(CreateIndex(index).compile(dialect=page.dialect)) + ";"
    except SQLAlchemyError:
        mend = ""
    place = Place(index.table.key if index.table is not None else "", index=index_name(page, index))
    page.lose(Stage.INDEXES, place, said, mend)


def lose_key_name(page: Page, table: Table, tool: str) -> None:
    """Note the name that the server gives to a primary key in place of the plan's."""
    usual = shortened(str(table.name), "", "pkey")
    name = given(page, table.primary_key, table)
    if page.dialect.name in ("postgresql", "sqlite") and name and (name != usual or not page.is_postgresql):
        said = f"{tool} has the server name it: {usual}" if page.is_postgresql else f"{tool} gives it no name"
        mend = renamed(page, table, usual, name)
        page.lose(Stage.CONSTRAINTS, Place(table.key, constraint=name), said, mend)
