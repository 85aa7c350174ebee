"""What stands beside tables and columns: types, routines, views, triggers, policies, as SQL in `.info`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects.postgresql import ENUM

from dbplan.evidence import Place
from dbplan.sources.postgresql.columns import alterations
from dbplan.sources.postgresql.facts import Book, Facts, literal, names_in, quoted, table_sql

_LABEL = re.compile(r"E?'((?:[^']|'')*)'")
_FIRES = {"never: disabled": "DISABLE", "on replicas": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
_OPTION = re.compile(r"(\w+(?:\.\w+)?)=(.*?)(?=, \w+(?:\.\w+)?=|$)", re.DOTALL)


def mend(table: Table, book: Book) -> None:
    """Give a reflected table or view what it is: unlogged, a partition, a view, and what follows it."""
    name = str(table.fullname)
    view = book.facts["view"].get(Place(name))
    if view is not None:
        _view(table, view)
        for column in table.columns:
            if (default := book.of("column", name, column.name).get("default")) is not None:
                words = f"ALTER VIEW {table_sql(table)} ALTER COLUMN {quoted(column.name)} SET DEFAULT {default}"
                alterations(table).append(words)
    else:
        _table(table, book.of("table", name), book)
    table.info["triggers"] = [sql for found in book.parts["trigger", name] for sql in _trigger(table, *found)]
    table.info["rules"] = [sql for found in book.parts["rule", name] for sql in _rule(table, *found)]
    table.info["policies"] = [sql for found in book.parts["policy", name] for sql in _policy(table, *found)]
    for key in ("triggers", "rules", "policies", "alterations"):
        if not table.info.get(key):
            table.info.pop(key, None)


def _view(table: Table, facts: Facts) -> None:
    table.info |= {"is_view": True, "view": facts["definition"].removesuffix(";")}
    if "materialised" in facts:
        table.info["materialized"] = True
        if facts["materialised"] != "yes":
            table.info["populated"] = False
    table.dialect_options["postgresql"]["with"] = _options(facts.get("options", ""))


def _options(words: str) -> dict[str, str] | None:
    return {name: value.strip() for name, value in _OPTION.findall(words)} or None


def _table(table: Table, facts: Facts, book: Book) -> None:
    options: Any = table.dialect_options["postgresql"]
    options["tablespace"] = None
    options["partition_by"] = facts.get("partition key")
    options["inherits"] = None
    options["with"] = _options(facts.get("storage parameters", ""))
    if "persistence" in facts:
        table._prefixes = [facts["persistence"].upper()]
    if "partition bound" in facts:
        table.info["partition_of"] = (names_in(facts["parents"])[0], facts["partition bound"])
        _without_identity(table)
    elif "parents" in facts:
        _inherit(table, names_in(facts["parents"]), book)
    if "row security" in facts:
        table.info["row_security"] = facts["row security"]
    name = table_sql(table)
    if facts.get("replica identity") in ("full", "nothing"):
        alterations(table).append(f"ALTER TABLE {name} REPLICA IDENTITY {facts['replica identity'].upper()}")
    if "of type" in facts:
        alterations(table).append(f"ALTER TABLE {name} OF {facts['of type']}")


def _without_identity(table: Table) -> None:
    """Take identity from a partition: its parent gives it."""
    for column in table.columns:
        if column.identity is not None:
            column.identity = column.server_default = None
            column.autoincrement = False
            column.info.pop("sequence", None)


def _inherit(table: Table, parents: list[str], book: Book) -> None:
    """Keep the parents; columns that do not begin with theirs, in that order, are inherited afterwards."""
    there = [c for parent in parents for c in _columns(book, parent)]
    own = [column.name for column in table.columns]
    expected = list(dict.fromkeys(there))
    if own[: len(expected)] == expected:
        table.dialect_options["postgresql"]["inherits"] = tuple(parents)
    else:
        alterations(table).extend(f"ALTER TABLE {table_sql(table)} INHERIT {book.sql(parent)}" for parent in parents)


def _columns(book: Book, name: str) -> list[str]:
    return names_in(book.of("table", name).get("column order", ""))


def _trigger(table: Table, place: Place, facts: Facts) -> Iterator[str]:
    name = quoted(place.constraint)
    if "cloned" not in facts:
        yield facts["definition"]
    if "fires" in facts:
        yield f"ALTER TABLE {table_sql(table)} {_FIRES[facts['fires']]} TRIGGER {name}"
    if "comment" in facts:
        yield f"COMMENT ON TRIGGER {name} ON {table_sql(table)} IS {literal(facts['comment'])}"


def _rule(table: Table, place: Place, facts: Facts) -> Iterator[str]:
    name = quoted(place.constraint)
    yield facts["definition"].removesuffix(";")
    if "fires" in facts:
        yield f"ALTER TABLE {table_sql(table)} {_FIRES[facts['fires']]} RULE {name}"
    if "comment" in facts:
        yield f"COMMENT ON RULE {name} ON {table_sql(table)} IS {literal(facts['comment'])}"


def _policy(table: Table, place: Place, facts: Facts) -> Iterator[str]:
    name = quoted(place.constraint)
    words = [f"CREATE POLICY {name} ON {table_sql(table)}", *(["AS RESTRICTIVE"] if "restrictive" in facts else [])]
    words += [f"FOR {facts['command'].upper()}", f"TO {facts['roles']}"]
    words += [f"USING ({facts['using']})"] if "using" in facts else []
    words += [f"WITH CHECK ({facts['with check']})"] if "with check" in facts else []
    yield " ".join(words)
    if "comment" in facts:
        yield f"COMMENT ON POLICY {name} ON {table_sql(table)} IS {literal(facts['comment'])}"


def describe(metadata: MetaData, book: Book, default: str | None) -> dict[str, list[str]]:
    """Fill in what the MetaData itself holds; return the names of its types and routines, in the order of its lists."""
    info = metadata.info
    if default not in (None, "public"):
        info["default_schema"] = default
    info["schemas"] = tuple(name for name, _ in book.all("schema"))
    info["extensions"] = tuple(name for name, _ in book.all("extension"))
    elsewhere = ((name, facts["schema"].strip('"')) for name, facts in book.all("extension"))
    info["extension_schemas"] = {name: schema for name, schema in elsewhere if schema != default}
    _enums(metadata, book)
    types = {name: _collation(book, name, facts) for name, facts in book.all("collation")}
    types |= {name: _domain(book, name, facts) for name, facts in book.all("domain")}
    types |= {name: _type(book, name, facts) for name, facts in book.all("type")}
    routines = {name: sql for name, facts in book.all("function") if (sql := _routine(book, name, facts))}
    info["types"], info["routines"] = tuple(types.values()), tuple(routines.values())
    info["statistics"] = tuple(sql for name, facts in book.all("statistics") for sql in _statistics(book, name, facts))
    info["comments"] = tuple(_comments(book))
    info["alterations"] = (*info.get("alterations", ()), *_late_checks(book))
    for key in [key for key, value in info.items() if value in ((), {})]:
        del info[key]
    return {"types": list(types), "routines": list(routines)}


def _enums(metadata: MetaData, book: Book) -> None:
    """Register the enums that no column has."""
    known = {(kind.schema, str(kind.name)) for kind in metadata._objects if isinstance(kind, ENUM)}
    for name, facts in book.all("enum"):
        schema, own = book.split(name)
        if (schema, own) not in known:
            labels = [label.replace("''", "'") for label in _LABEL.findall(facts.get("labels", ""))]
            ENUM(*labels, name=own, schema=schema, metadata=metadata)


def _collation(book: Book, name: str, facts: Facts) -> str:
    same = "ctype" not in facts
    words = [f"PROVIDER = {facts['provider']}", *([f"LOCALE = {literal(facts['locale'])}"] if same else [])]
    if not same:
        words += [f"LC_COLLATE = {literal(facts['locale'])}", f"LC_CTYPE = {literal(facts['ctype'])}"]
    words += ["DETERMINISTIC = false"] if "deterministic" in facts else []
    words += [f"RULES = {literal(facts['rules'])}"] if "rules" in facts else []
    return f"CREATE COLLATION {book.sql(name)} ({', '.join(words)})"


def _domain(book: Book, name: str, facts: Facts) -> str:
    words = [f"CREATE DOMAIN {book.sql(name)} AS {facts['type']}"]
    words += [f"COLLATE {facts['collation']}"] if "collation" in facts else []
    words += [f"DEFAULT {facts['default']}"] if "default" in facts else []
    words += ["NOT NULL"] if facts.get("not null") == "yes" else []
    for place, told in book.parts["constraint", name]:
        if not told["definition"].endswith(" NOT VALID"):
            words.append(f"CONSTRAINT {quoted(place.constraint)} {told['definition']}")
    return " ".join(words)


def _late_checks(book: Book) -> Iterator[str]:
    """Yield the constraints of domains that are not valid: those cannot come with CREATE DOMAIN."""
    for name, _ in book.all("domain"):
        for place, told in book.parts["constraint", name]:
            if told["definition"].endswith(" NOT VALID"):
                yield f"ALTER DOMAIN {book.sql(name)} ADD CONSTRAINT {quoted(place.constraint)} {told['definition']}"


def _type(book: Book, name: str, facts: Facts) -> str:
    if not facts["kind"].startswith("range of "):
        names = names_in(facts.get("column order", ""))
        fields = ",\n".join(f"    {_field(column, book.of('column', name, column))}" for column in names)
        return f"CREATE TYPE {book.sql(name)} AS (\n{fields}\n)" if fields else f"CREATE TYPE {book.sql(name)} AS ()"
    keys = {"operator class": "SUBTYPE_OPCLASS", "collation": "COLLATION", "difference": "SUBTYPE_DIFF"}
    words = [f"SUBTYPE = {facts['kind'].removeprefix('range of ')}"]
    words += [f"{word} = {facts[key]}" for key, word in keys.items() if key in facts]
    words += [f"MULTIRANGE_TYPE_NAME = {facts['multirange']}"] if "multirange" in facts else []
    return f"CREATE TYPE {book.sql(name)} AS RANGE ({', '.join(words)})"


def _field(name: str, facts: Facts) -> str:
    collation = f" COLLATE {facts['collation']}" if "collation" in facts else ""
    return f"{quoted(name)} {facts['type']}{collation}"


def _routine(book: Book, name: str, facts: Facts) -> str:
    if facts.get("kind") != "aggregate":
        return facts.get("definition", "")
    own, _, _ = name.partition("(")
    return f"CREATE AGGREGATE {book.sql(own)}({facts['arguments'] or '*'}) ({facts['definition']})"


def _statistics(book: Book, name: str, facts: Facts) -> Iterator[str]:
    yield facts["definition"]
    if "target" in facts:
        yield f"ALTER STATISTICS {book.sql(name)} SET STATISTICS {facts['target']}"
    if "comment" in facts:
        yield f"COMMENT ON STATISTICS {book.sql(name)} IS {literal(facts['comment'])}"


def _comments(book: Book) -> Iterator[str]:
    """Yield the comments on what SQLAlchemy keeps none for."""
    kinds = {"schema": "SCHEMA", "enum": "TYPE", "domain": "DOMAIN", "type": "TYPE", "sequence": "SEQUENCE"}
    for kind, words in (kinds | {"collation": "COLLATION"}).items():
        for name, facts in book.all(kind):
            if "comment" in facts:
                known = quoted(name) if kind == "schema" else book.sql(name)
                yield f"COMMENT ON {words} {known} IS {literal(facts['comment'])}"
    for name, facts in book.all("function"):
        if "comment" in facts:
            yield f"COMMENT ON {_routine_name(book, name, facts)} IS {literal(facts['comment'])}"
    yield from _of_parts(book)


def _routine_name(book: Book, name: str, facts: Facts) -> str:
    own, _, arguments = name.partition("(")
    words = {"procedure": "PROCEDURE", "aggregate": "AGGREGATE"}.get(facts.get("kind", ""), "FUNCTION")
    arguments = "*)" if words == "AGGREGATE" and arguments == ")" else arguments
    return f"{words} {book.sql(own)}({arguments}"


def _of_parts(book: Book) -> Iterator[str]:
    """Yield the comments on the constraints of domains and the fields of composite types."""
    for place, facts in book.facts["constraint"].items():
        if "comment" in facts and Place(place.table) in book.facts["domain"]:
            on = f"{quoted(place.constraint)} ON DOMAIN {book.sql(place.table)}"
            yield f"COMMENT ON CONSTRAINT {on} IS {literal(facts['comment'])}"
    for place, facts in book.facts["column"].items():
        if "comment" in facts and Place(place.table) in book.facts["type"]:
            yield f"COMMENT ON COLUMN {book.sql(place.table)}.{quoted(place.column)} IS {literal(facts['comment'])}"
