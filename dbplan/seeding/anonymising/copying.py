"""Copying: rows in batches from one database into another, replaced on the way, never all of them in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, column, select, table, update
from sqlalchemy import types as sa
from sqlalchemy.types import NullType

from dbplan.columns import Digest, Encrypted
from dbplan.seeding.anonymising.fields import NULL, escaped, reader, writer
from dbplan.seeding.anonymising.steps import Step
from dbplan.seeding.anonymising.watching import Watch
from dbplan.seeding.loading.statements import quoter
from dbplan.seeding.values.infer import generic

BATCH = 5_000
SAMPLE = 3
_END = "\n\t"
"""The end of a line where fields are split at tabs alone: the last field of a row keeps its newline."""
WIDE = 1 << 22
"""Bytes after which a batch is full however few rows it has."""


@dataclass(frozen=True)
class Passage:
    """One table on its way: its columns, the steps that replace some, those that stay NULL at first, and the watch."""

    table: Table
    there: Table
    """The table in the words of the target's server."""
    names: tuple[str, ...]
    steps: tuple[Step, ...]
    blank: frozenset[str] = frozenset()
    watches: dict[str, Watch] = field(default_factory=dict)

    def replaced(self, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Return the columns that are made anew from a batch of values."""
        made = {step.column: step.make(*(columns[name] for name in step.inputs)) for step in self.steps}
        for name, values in made.items():
            self.watches[name].note(columns[name], values)
        return made


def copied(source: Connection, target: Connection, passage: Passage) -> int:
    """Copy a table's rows in the target's transaction; return how many."""
    if source.dialect.name == target.dialect.name == "postgresql":
        return _streamed(source, target, passage)
    return _inserted(source, target, passage)


def _streamed(source: Connection, target: Connection, passage: Passage) -> int:
    """Stream rows from one PostgreSQL to another in COPY's text form: what is not replaced is never looked at."""
    ours, theirs, rows = quoter(source.dialect), quoter(target.dialect), 0
    columns = ", ".join(map(ours.quote, passage.names))
    out = f"COPY (SELECT {columns} FROM {ours.format_table(passage.table)}) TO STDOUT"  # noqa: S608 - quoted names
    into = f"COPY {theirs.format_table(passage.there)} ({', '.join(map(theirs.quote, passage.names))}) FROM STDIN"
    reading, writing = (cast("Any", side.connection.driver_connection) for side in (source, target))
    convert = _Lines(passage)
    with (
        reading.cursor() as read_cursor,
        writing.cursor() as write_cursor,
        read_cursor.copy(out) as reads,
        write_cursor.copy(into) as writes,
    ):
        for batch in _batches(reads):
            rows += len(batch)
            writes.write(convert(b"".join(batch)))
    return rows


def _batches(blocks: Iterable[Any]) -> Iterator[list[bytes]]:
    """Gather rows, one a block, into batches of bounded size."""
    batch: list[bytes] = []
    size = 0
    for block in blocks:
        batch.append(bytes(block))
        size += len(block)
        if len(batch) >= BATCH or size >= WIDE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Lines:
    """Turns lines of COPY into lines with some of their fields replaced."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.at = {name: at for at, name in enumerate(passage.names)}
        wanted = {name for step in passage.steps for name in step.inputs}
        self.readers = {name: reader(raw(passage.table, name)) for name in wanted}
        self.writers = {step.column: writer(raw(passage.table, step.column)) for step in passage.steps}
        self.only_addresses = all(step.only_addresses for step in passage.steps)

    def __call__(self, block: bytes) -> bytes:
        """Return a block of whole lines with fields replaced."""
        if not self.passage.blank and (not self.passage.steps or (self.only_addresses and b"@" not in block)):
            return block
        flat = block.decode("utf-8", "surrogateescape").replace("\n", _END).split("\t")
        width, last = len(self.passage.names), len(self.passage.names) - 1
        flat.pop()
        values = {name: self._read(name, flat[self.at[name] :: width]) for name in self.readers}
        fields = {name: self._write(name, made) for name, made in self.passage.replaced(values).items()}
        fields |= {name: [NULL] * (len(flat) // width) for name in self.passage.blank}
        for name, made in fields.items():
            at = self.at[name]
            flat[at::width] = made if at < last else [f"{field}\n" for field in made]
        text = "\t".join(flat).replace(_END, "\n")
        return text.encode("utf-8", "surrogateescape")

    def _read(self, name: str, fields: Sequence[str]) -> list[Any]:
        read = self.readers[name]
        if self.at[name] == len(self.passage.names) - 1:
            fields = [field[:-1] for field in fields]
        return [None if field == NULL else read(field) for field in fields]

    def _write(self, name: str, values: list[Any]) -> list[str]:
        write = self.writers[name]
        fields = escaped(["" if value is None else write(value) for value in values])
        return [NULL if value is None else field for value, field in zip(values, fields, strict=True)]


def raw(of: Table, name: str) -> Any:
    """Return the type of a column as the database has it, where its own would open or seal what is only replaced."""
    kind = of.columns[name].type
    secret = isinstance(kind, Encrypted | Digest)
    return generic(kind) if secret or _changes_texts(kind) else kind


def _changes_texts(kind: Any) -> bool:
    return isinstance(kind, sa.TypeDecorator) and isinstance(generic(kind), sa.String)


def rows_of(source: Connection, passage: Passage, names: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
    """Yield batches of a table's columns as Python values, replaced; the server keeps the rest until it is asked."""
    steps = tuple(step for step in passage.steps if step.column in names)
    wanted = tuple(dict.fromkeys([*names, *(name for step in steps for name in step.inputs)]))
    found = source.execution_options(stream_results=True, yield_per=BATCH).execute(
        select(*(column(name, raw(passage.table, name)) for name in wanted)).select_from(_named(passage.table, ()))
    )
    for part in found.partitions(BATCH):
        columns = dict(zip(wanted, map(list, zip(*part, strict=True)), strict=True))
        made = Passage(passage.table, passage.there, passage.names, steps, watches=passage.watches).replaced(columns)
        yield {name: made.get(name, columns[name]) for name in names}


def _named(of: Table, names: Iterable[str]) -> Any:
    """Return a table as no more than its name and columns, with the types that the database has."""
    return table(of.name, *(column(name, raw(of, name)) for name in names), schema=of.schema)


def _inserted(source: Connection, target: Connection, passage: Passage) -> int:
    """Insert rows through SQLAlchemy, for any two servers."""
    into, rows = _named(passage.there, passage.names).insert(), 0
    for columns in rows_of(source, passage, passage.names):
        size = len(next(iter(columns.values())))
        for name in passage.blank:
            columns[name] = [None] * size
        target.execute(
            into, [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        )
        rows += size
    return rows


def close(source: Connection, target: Connection, passage: Passage, names: Sequence[str]) -> None:
    """Set references that had to be NULL until the rows that they refer to were there."""
    keys = [c.name for c in passage.table.primary_key.columns]
    there = _named(passage.there, (*keys, *names))
    statement = (
        update(there)
        .where(*(there.c[name] == bindparam(f"key_{n}") for n, name in enumerate(keys)))
        .values({name: bindparam(f"new_{n}") for n, name in enumerate(names)})
    )
    labels = [*(f"key_{n}" for n in range(len(keys))), *(f"new_{n}" for n in range(len(names)))]
    for columns in rows_of(source, passage, (*keys, *names)):
        rows = zip(*(columns[name] for name in (*keys, *names)), strict=True)
        there_is = [dict(zip(labels, row, strict=True)) for row in rows if any(v is not None for v in row[len(keys) :])]
        if there_is:
            target.execute(statement, there_is)


def first_rows(target: Connection, passage: Passage) -> list[tuple[Any, ...]]:
    """Return a few rows of the target as its server has them."""
    if not passage.names:
        return []
    columns = (column(name, NullType()) for name in passage.names)
    found = target.execute(select(*columns).select_from(_named(passage.there, ())).limit(SAMPLE))
    return [tuple(row) for row in found]
