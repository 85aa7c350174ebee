"""SQLite databases, read so that nothing is lost: where SQLAlchemy would write less, the text as it was written."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Computed, Connection, MetaData, String, Table, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import NullType

from dbplan.ddl.compilers import compiler_dialect
from dbplan.ddl.native import statements_of
from dbplan.evidence import Catalog, Place
from dbplan.sources.catalog import snapshot
from dbplan.sources.catalog.sqlite_text import after_as
from dbplan.sources.reflected import ServerType, bound
from dbplan.sources.sqlite_parts import complete_index, complete_table, name_parents

_TEXTS = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
_Facts = Mapping[str, str]
_Texts = Mapping[str, list[tuple[str, str, str]]]
_LONGEST = 60


def reflect(connection: Connection) -> MetaData:
    """Return the tables and views of a SQLite database, with the text of what SQLAlchemy would write otherwise.

    `info["not_covered"]` says what differs in a database made of the plan; one is made in memory to see.
    """
    catalog, texts = snapshot(connection), _texts(connection)
    metadata = MetaData(info={"dialect": "sqlite"})
    plain = {o.place.table for o in catalog.objects if o.kind == "table" and "definition" not in dict(o.properties)}
    name_parents(connection.dialect, catalog)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is taken from the text afterwards
        metadata.reflect(connection, only=lambda name, _metadata: name in plain, resolve_fks=False)
        broken = [said for _, name, sql in texts["view"] for said in _view(metadata, connection, name, sql)]
    _mend(metadata, catalog, texts)
    _complete(metadata, catalog, texts, connection)
    _keep_texts(metadata, catalog, texts)
    lost = list(_lost(metadata, catalog))
    metadata.info["not_covered"] = tuple(dict.fromkeys([*broken, *lost]))
    return metadata


def _texts(connection: Connection) -> _Texts:
    """Return kind → (table, name, statement) of everything that was created."""
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for kind, name, table, sql in connection.exec_driver_sql(_TEXTS):
        found[kind].append((table, name, sql))
    return found


def _view(metadata: MetaData, connection: Connection, name: str, sql: str) -> Iterator[str]:
    """Add a view; yield what is wrong with one that cannot be asked for its columns."""
    plain, select = after_as(sql)
    try:
        table = Table(name, metadata, autoload_with=connection, resolve_fks=False)
    except SQLAlchemyError as error:
        if name in metadata.tables:
            metadata.remove(metadata.tables[name])
        table = Table(name, metadata)
        yield f"columns of view {name}, which is broken: {str(getattr(error, 'orig', None) or error).splitlines()[0]}"
    table.info |= {"is_view": True, "view": select} | ({} if plain else {"definition": sql})


def _mend(metadata: MetaData, catalog: Catalog, texts: _Texts) -> None:
    facts = {(found.kind, found.place): dict(found.properties) for found in catalog.objects}
    for table in metadata.tables.values():
        known = facts.get(("table", Place(str(table.name))), {})
        options = table.dialect_options["sqlite"]
        options["with_rowid"], options["strict"] = "without rowid" not in known, "strict" in known
        for column in table.columns:
            _column(column, facts.get(("column", Place(str(table.name), column.name)), {}))
        for constraint in table.constraints:
            if hasattr(constraint, "sqltext"):
                constraint.sqltext = bound(str(constraint.sqltext.text))
    for table_name, _, sql in texts["trigger"]:
        owner = _named(metadata, table_name)
        if owner is not None:
            owner.info.setdefault("triggers", []).append(sql)
    virtual = tuple(sql for _, _, sql in texts["table"] if sql.lstrip()[:14].upper() == "CREATE VIRTUAL")
    if virtual:
        metadata.info["virtual_tables"] = virtual


def _complete(metadata: MetaData, catalog: Catalog, texts: _Texts, connection: Connection) -> None:
    statements = {name: sql for _, name, sql in texts["table"]}
    for table in metadata.tables.values():
        if table.name in statements:
            complete_table(table, catalog, statements[table.name], connection)
    for table_name, name, sql in texts["index"]:
        owner = _named(metadata, table_name)
        if owner is not None:
            complete_index(owner, name, sql)


def _named(metadata: MetaData, name: str) -> Table | None:
    return next((table for table in metadata.tables.values() if table.name.lower() == name.lower()), None)


def _column(column: Column[Any], facts: _Facts) -> None:
    """Give a column its type, its default, and the expression it is made by."""
    if isinstance(column.type, NullType) or type(column.type) is String or facts.get("type") == "any":
        column.type = ServerType(facts.get("type", ""), "sqlite")
    made: Any = column.server_default
    if isinstance(made, Computed):
        said, _, how = facts.get("generated", "").rpartition(" ")
        column.computed = column.server_default = None
        Computed(bound(str(made.sqltext) or said), persisted=how == "stored")._set_parent(column)
    elif hasattr(getattr(made, "arg", None), "text"):
        made.arg = bound(made.arg.text)


def _keep_texts(metadata: MetaData, catalog: Catalog, texts: _Texts) -> None:
    """Keep the statement of each table and index of which a database made of the plan would differ."""
    statements = {name: sql for _, name, sql in texts["table"]}
    for table in metadata.tables.values():
        if table.name in statements and not _leads_somewhere(table):
            table.info["definition"] = statements[table.name]
    different: dict[Place, list[str]] = defaultdict(list)
    for place, words in _different(metadata, catalog):
        same = [] if words.startswith("type of ") else [words]  # other names of the same type
        different[Place(place.table, index=place.index)] += same
    for table in metadata.tables.values():
        if table.name in statements and Place(str(table.name)) in different:
            table.info |= _kept(statements[table.name], different[Place(str(table.name))])
    for _, name, sql in texts["index"]:
        for table, index in ((t, i) for t in metadata.tables.values() for i in t.indexes if i.name == name):
            if (place := Place(str(table.name), index=name)) in different:
                index.info |= _kept(sql, different[place])


def _kept(sql: str, beyond: list[str]) -> dict[str, Any]:
    """Return the words of `.info` for what keeps its own text: the text, and what it alone says."""
    return {"definition": sql} | ({"beyond": tuple(beyond)} if beyond else {})


def _leads_somewhere(table: Table) -> bool:
    """Whether SQLAlchemy can write all of a table: its types are known, its foreign keys lead to columns that exist."""
    try:
        return bool(str(CreateTable(table).compile(dialect=compiler_dialect("sqlite"))))
    except SQLAlchemyError:
        return False


def _different(metadata: MetaData, catalog: Catalog) -> Iterator[tuple[Place, str]]:
    """Yield where a database made of the plan differs from the one that was read, and how."""
    made, refused = _made(metadata)
    yield from refused.items()
    twins = {(found.kind, found.place): dict(found.properties) for found in made.objects}
    for found in catalog.objects:
        twin = twins.get((found.kind, found.place))
        if twin != dict(found.properties) and found.place not in refused:
            yield from ((found.place, said) for said in _told(found.kind, found.place, dict(found.properties), twin))


def _made(metadata: MetaData) -> tuple[Catalog, dict[Place, str]]:
    """Return the catalog of a database made of the plan in memory, and the statements that it refused."""
    refused: dict[Place, str] = {}
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            for statement in statements_of(metadata, "sqlite"):
                try:
                    connection.execution_options(no_parameters=True).exec_driver_sql(statement.sql)
                except SQLAlchemyError as error:
                    refused[statement.place] = f"{statement.kind} {statement.place}: {error.orig}"  # type: ignore[attr-defined]
            return snapshot(connection), refused
    finally:
        engine.dispose()


def _told(kind: str, place: Place, facts: _Facts, twin: _Facts | None) -> Iterator[str]:
    if twin is None:
        yield f"{kind} {place}"
        return
    for key in dict.fromkeys((*facts, *twin)):
        if facts.get(key) != twin.get(key):
            here = f", in the plan {_short(twin[key])}" if twin.get(key) else ""
            yield f"{key} of {kind} {place}: {_short(facts.get(key, ''))}{here}"


def _short(definition: str) -> str:
    text = " ".join(definition.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _lost(metadata: MetaData, catalog: Catalog) -> Iterator[str]:
    yield from (words for _, words in _different(metadata, catalog))
