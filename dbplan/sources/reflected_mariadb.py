"""The plan of a MariaDB or MySQL database, from what its server writes back: all of it, and each thing in its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    DefaultClause,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import Constraint

from dbplan.ddl.mariadb_text import Shown, clauses, foreign_key_parts, index_parts, named, text_of, tokens
from dbplan.sources.catalog import LEDGER
from dbplan.sources.catalog.mariadb import Schema, View, gather, own_options
from dbplan.sources.mariadb_types import type_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ITEM = re.compile(r"(?P<column>`(?:[^`]|``)+`)(?:\((?P<length>\d+)\))?(?P<desc> DESC)?(?: WITHOUT OVERLAPS)?")
_ACTION = re.compile(r"ON (DELETE|UPDATE) (CASCADE|SET NULL|SET DEFAULT|RESTRICT|NO ACTION)")
_NUMBERS = {
    "start": r"start with (-?\d+)",
    "increment": r"increment by (-?\d+)",
    "minvalue": r"minvalue (-?\d+)",
    "maxvalue": r"maxvalue (-?\d+)",
    "cache": r"\bcache (\d+)",
}


def metadata_of(connection: Connection) -> MetaData:
    """Return the database that `connection` is on; `.info["not_covered"]` says what of it is not in there."""
    schema = gather(connection)
    tables = {name: shown for name, shown in schema.tables.items() if name != LEDGER}
    metadata = MetaData(info={"dialect": schema.product, "collation": schema.collation})
    for name, shown in tables.items():
        _table(metadata, name, shown, schema)
    lost = [line for name, shown in tables.items() for line in _foreign_keys(metadata, name, shown)]
    metadata.info["order"] = tuple(("tables", name) for name in _in_order(schema.views))
    for _, name in metadata.info["order"]:
        _view(metadata, name, schema.views[name], schema.product)
    for trigger in schema.triggers:
        metadata.tables[trigger.table].info.setdefault("triggers", []).append(trigger.sql)
    for _, name, sql in schema.sequences:
        _sequence(metadata, name, sql)
    metadata.info["routines"] = [sql for _, _, sql in schema.routines if sql]
    metadata.info["events"] = [sql for _, _, sql in schema.events if sql]
    metadata.info["not_covered"] = (*lost, *_hidden(schema))
    return metadata


def _hidden(schema: Schema) -> Iterator[str]:
    """Yield what the server does not show to the account that asks."""
    for kind, name, sql in (*schema.routines, *schema.events):
        if not sql:
            yield f"{kind} {name}: its text is not shown to this account"
    for name, view in schema.views.items():
        if not view.select:
            yield f"the SELECT of view {name}: it is not shown to this account"


def _table(metadata: MetaData, name: str, shown: Shown, schema: Schema) -> None:
    own = own_options(shown, schema)
    comment = own.pop("COMMENT", None)
    options: dict[str, Any] = {
        f"{schema.product}_{key.lower().replace(' ', '_')}": value for key, value in own.items() if key.isupper()
    }
    options.pop(f"{schema.product}_with_system_versioning", None)
    if shown.partitions:
        options[f"{schema.product}_partition_by"] = shown.partitions.removeprefix("PARTITION BY ")
    table = Table(name, metadata, comment=text_of(comment) if comment else None, **options)
    table.info[schema.product] = shown.tail
    if shown.periods:
        table.info["periods"] = shown.periods
    for column, words in shown.columns.items():
        _append_column(table, column, words, schema.product)
    for key, words in shown.keys.items():
        _append_key(table, key, words, schema.product)
    for constraint, words in shown.constraints.items():
        if words.startswith("CHECK"):
            condition = index_parts(words)[1]
            _append(table, CheckConstraint(_sql(", ".join(condition)), name=constraint or None), words, schema.product)


def _append(table: Table, item: Constraint, words: str, product: str) -> None:
    item.info[product] = words
    table.append_constraint(item)


def _append_column(table: Table, name: str, words: str, product: str) -> None:
    told = clauses(words)
    check = _inner(told["check"]) if "check" in told else ""
    kind = type_of(told["type"], told.get("charset"), told.get("collation"), product)
    if isinstance(kind, mysql.LONGTEXT) and kind.collation == "utf8mb4_bin" and check == f"json_valid({_quoted(name)})":
        kind, check = mysql.JSON(), ""  # what MariaDB makes of JSON
    column: Column[Any] = Column(
        name,
        kind,
        *_generated(told.get("generated", "")),
        nullable="not null" not in told,
        server_default=_default(told.get("default", "NULL")),
        comment=text_of(told["comment"]) if "comment" in told else None,
        autoincrement="auto increment" in told,
        info={product: words},
    )
    if "on update" in told:
        column.info["on_update"] = told["on update"]
    table.append_column(column)
    if check:
        condition = CheckConstraint(_sql(check))
        condition.info["column"] = name
        table.append_constraint(condition)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _inner(words: str) -> str:
    """Return what stands in the brackets that words begin with."""
    return ", ".join(index_parts(words)[1]) if "(" in words else words


def _generated(words: str) -> Iterator[Computed]:
    if words.startswith("("):  # and not AS ROW START, of a table that keeps its history
        expression: Any = _sql(_inner(words))
        yield Computed(expression, persisted=words.rstrip().upper().endswith(("STORED", "PERSISTENT")))


def _default(words: str) -> DefaultClause | None:
    return None if words.upper() == "NULL" else DefaultClause(_sql(words))


def _sql(words: str) -> Any:
    """Return SQL as it stands: what follows a colon in it is no parameter."""
    return literal_column(words) if ":" in words else text(words)


def _append_key(table: Table, name: str, words: str, product: str) -> None:
    kind, items, rest = index_parts(words)
    found = [_item(table, item) for item in items]
    columns = [column for column, _, _ in found if isinstance(column, Column)]
    plain = len(columns) == len(items) and not any(length or down for _, length, down in found)
    if kind == "PRIMARY":
        _append(table, PrimaryKeyConstraint(*columns), words, product)
    elif kind == "UNIQUE" and plain and not rest:
        _append(table, UniqueConstraint(*columns, name=name), words, product)
    else:
        expressions: list[Any] = [column.desc() if down else column for column, _, down in found if column is not None]
        lengths = {column.name: length for column, length, _ in found if isinstance(column, Column) and length}
        options = {f"{product}_{key}": value for key, value in _index_options(kind, rest, lengths).items()}
        index = Index(name, *expressions, unique=kind == "UNIQUE", **options)
        index.info[product] = words
        table.append_constraint(index)


def _item(table: Table, item: str) -> tuple[Any, int, bool]:
    """Return the column or expression that an index holds, how many characters of it, and whether they fall."""
    match = _ITEM.match(item)
    if match is None:
        return _sql(item.removesuffix(" DESC")), 0, item.endswith(" DESC")
    # A period of the table is no column.
    return table.columns.get(named(match["column"])), int(match["length"] or 0), match["desc"] is not None


def _index_options(kind: str, rest: str, lengths: Mapping[str, int]) -> dict[str, Any]:
    using, parser = re.search(r"USING (\w+)", rest), re.search(r"WITH PARSER `([^`]+)`", rest)
    options = {
        "prefix": kind if kind in ("FULLTEXT", "SPATIAL") else None,
        "using": using[1].lower() if using else None,
        "with_parser": parser[1] if parser else None,
        "length": dict(lengths) or None,
    }
    return {key: value for key, value in options.items() if value}


def _foreign_keys(metadata: MetaData, name: str, shown: Shown) -> Iterator[str]:
    """Give a table its foreign keys; yield in words those that lead to where the plan does not reach."""
    for key, words in shown.constraints.items():
        if not words.startswith("FOREIGN KEY"):
            continue
        columns, parent, referred, actions = foreign_key_parts(words)
        target = metadata.tables.get(parent[-1])
        if len(parent) > 1:
            yield f"foreign key {name} ({key}) leads to {'.'.join(parent)}, in another database, which is not read"
        elif target is None or not all(column in target.columns for column in referred):
            yield f"foreign key {name} ({key}) leads to {parent[-1]} ({', '.join(referred)}), which is not there"
        else:
            said = {f"on{event.lower()}": action for event, action in _ACTION.findall(actions)}
            parents = [f"{target.key}.{column}" for column in referred]
            metadata.tables[name].append_constraint(ForeignKeyConstraint(columns, parents, name=key, **said))


def _in_order(views: Mapping[str, View]) -> list[str]:
    """Return the names of views so that each comes after those that it selects from."""
    wanted = {
        name: {named(t) for t in tokens(view.select) if t.startswith("`")} & views.keys() - {name}
        for name, view in views.items()
    }
    return list(TopologicalSorter(wanted).static_order())


def _view(metadata: MetaData, name: str, view: View, product: str) -> None:
    prefixes = []
    if view.algorithm != "UNDEFINED":
        prefixes.append(f"ALGORITHM={view.algorithm}")
    if view.security != "DEFINER":
        prefixes.append(f"SQL SECURITY {view.security}")
    columns: list[Column[Any]] = [
        Column(column, type_of(kind, None, None, product), nullable=nullable) for column, kind, nullable in view.columns
    ]
    check = "" if view.check == "NONE" else f" WITH {view.check} CHECK OPTION"
    info = {"is_view": True, "view": f"{view.select}{check}" if view.select else ""}
    Table(name, metadata, *columns, info=info, prefixes=prefixes)


def _sequence(metadata: MetaData, name: str, sql: str) -> None:
    found = {key: re.search(pattern, sql) for key, pattern in _NUMBERS.items()}
    numbers: dict[str, Any] = {key: int(match[1]) for key, match in found.items() if match}
    Sequence(name, metadata=metadata, cycle=" cycle" in sql or None, **numbers)
