"""A whole schema, made anew in another server's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData, Sequence, Table

from dbplan.ddl.translation import Translation, columns, counting, fitting, indexes, references, tables, views
from dbplan.ddl.translation.names import Names
from dbplan.ddl.translation.targets import TARGETS, Target, target
from dbplan.ddl.translation.work import Work, kept
from dbplan.evidence import Place

_LEFT_OUT = {
    "routines": "routines",
    "types": "types and domains",
    "events": "events",
    "virtual_tables": "virtual tables",
    "statistics": "extended statistics",
}


def translate(metadata: MetaData, dialect: str) -> Translation:
    """Return a schema in the words of another server."""
    wanted = target(dialect)
    source = str(metadata.info.get("dialect") or "")
    if source == dialect:
        return Translation(metadata)
    work = Work(source if source in TARGETS else "", wanted, Names(metadata, wanted), _empty(metadata, wanted))
    _say_of_all(metadata, work)
    _copy_sequences(metadata, work)
    stored = [table for table in metadata.tables.values() if _is_stored(table, work)]
    for table in stored:
        tables.twin(table, work)
    _relate(stored, work)
    views.add_all(metadata, work)
    return Translation(work.metadata, tuple(dict.fromkeys(work.lost)))


def _relate(stored: list[Table], work: Work) -> None:
    """Give the twins their indexes and foreign keys, and make them fit."""
    cascades = references.Cascades()
    for table in stored:
        indexes.add(table, work)
    for table in stored:
        references.add(table, work, cascades)
    for table in stored if work.target.name == "mssql" else ():
        indexes.let_nulls_be(table, work)
    fitting.fit(work)
    references.align(work)
    fitting.fit(work)
    if work.target.family == "mysql":
        counting.tell(work)


def _empty(metadata: MetaData, wanted: Target) -> MetaData:
    """Return a MetaData for the target, with what it still understands of the original's `.info`."""
    as_is = wanted.name == "postgresql" and not metadata.info.get("dialect")
    held = dict(metadata.info) if as_is else kept(metadata.info)
    return MetaData(info=held | {"dialect": wanted.name})


def _is_stored(table: Table, work: Work) -> bool:
    """Whether a table holds rows of its own on the target: no view, and no partition."""
    if table.info.get("is_view"):
        return False
    if table.info.get("partition_of") and not work.as_is:
        parent = table.info["partition_of"][0]
        work.note(Place(str(table.key)), f"it is a partition of {parent}; its rows are in {parent} here")
        return False
    return True


def _say_of_all(metadata: MetaData, work: Work) -> None:
    for word, called in _LEFT_OUT.items():
        count = len(metadata.info.get(word, ()))
        if count and not work.as_is:
            instead = (
                "a domain's conditions stand with its columns" if word == "types" else "the words are another server's"
            )
            work.note(Place(), f"its {called} ({count}) are left out: {instead}")
    for message in _of_texts(work):
        (work.note if work.portable else work.warn)(Place(), message)


def _of_texts(work: Work) -> Iterator[str]:
    """Yield how texts compare on the target, where that is not as in the original."""
    folded = work.source in ("mysql", "mariadb", "mssql")
    if work.target.name == "mssql" and not folded:
        yield (
            "texts compare by the collation of the database, which as a rule ignores case: create it with "
            "COLLATE Latin1_General_100_BIN2 to have uniques and CHECKs mind it"
        )
    elif folded and work.target.family in ("postgresql", "sqlite"):
        yield "texts compare to the letter here; the original may ignore case in uniques and CHECKs"
    if work.target.name == "sqlite":
        yield "SQLite checks neither the type nor the length of a value: VARCHAR(50) takes any text"


def _copy_sequences(metadata: MetaData, work: Work) -> None:
    """Keep sequences where the target has them."""
    all_columns = [column for table in metadata.tables.values() for column in table.columns]
    own = {columns.drawn_from(column) for column in all_columns if columns.is_numbered(column)} - {""}
    for sequence in metadata._sequences.values():  # SQLAlchemy has no public list of them
        if sequence.name in own and not work.as_is:
            continue
        if not work.target.sequences:
            work.note(Place(str(sequence.name)), f"{work.target.product} has no sequences: {sequence.name} is left out")
            continue
        numbers: dict[str, Any] = sequence._as_dict() | {"data_type": sequence.data_type}
        schema = sequence.schema if work.target.schemas else None
        Sequence(sequence.name, schema=schema, metadata=work.metadata, **numbers)
