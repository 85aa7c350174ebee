"""What SQLite's own drivers are given and give: values by hand, in the form that SQLAlchemy's types store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from dbplan.orms.adapters.handwritten import Bound, Words
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Link, Scenario, Study


class Document:
    """A value of a JSON column."""

    def __init__(self, value: Any) -> None:
        self.value = value


def register() -> None:
    """Tell the sqlite3 module how values are stored."""

    def stored(value: datetime) -> str:
        return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat(" ", "microseconds")

    sqlite3.register_adapter(UUID, lambda value: value.hex)
    sqlite3.register_adapter(datetime, stored)
    sqlite3.register_adapter(date, date.isoformat)
    sqlite3.register_adapter(time, lambda value: value.isoformat("microseconds"))
    sqlite3.register_adapter(Decimal, float)
    sqlite3.register_adapter(Document, lambda document: json.dumps(document.value))


_READ: Mapping[str, Callable[[Any], Any]] = {
    "uuid": UUID,
    "timestamp": datetime.fromisoformat,
    "timestamptz": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": lambda number: Decimal(str(number)),
    "bool": bool,
    "json": json.loads,
}


class Reader:
    """Makes Python's own values of what SQLite gives."""

    def __init__(self, study: Study, of: Scenario | Link, beside: Sequence[str] = ()) -> None:
        columns = study.tables[of.table].columns
        kinds = ((name, columns[name]["kind"]) for name in dict.fromkeys((*of.columns, *beside)))
        self.makes = [(name, _READ[kind]) for name, kind in kinds if kind in _READ]

    def row(self, row: Row) -> Row:
        """Return a row with its values made."""
        for name, make in self.makes:
            value = row.get(name)
            if value is not None:
                row[name] = make(value)
        return row


class BoundFile(Bound):
    """A scenario with its statements and readers."""

    reader: Reader
    parent: Reader | None = None
    below: tuple[Reader, ...] = ()
    """Of the children, and of theirs."""


def quoted(name: str) -> str:
    """Return an identifier in quotation marks."""
    return '"' + name.replace('"', '""') + '"'


def bound(study: Study, scenario: Scenario) -> BoundFile:
    """Return a scenario with its statements, which its function of the adapter runs."""
    from dbplan.orms.adapters import handwritten

    made = handwritten.bound(Words(study.tables, quoted, lambda _: "?", is_sqlite=True), scenario)
    own = BoundFile(made.scenario, made.words, made.key, made.sql)
    own.reader = Reader(study, scenario, _above(scenario))
    own.parent = Reader(study, scenario.parent) if scenario.parent else None
    readers, link = [], scenario.children
    while link is not None:
        readers.append(Reader(study, link, [*(column for _, column in link.pairs), *_above(link)]))
        link = link.children
    own.below = tuple(readers)
    return own


def _above(of: Scenario | Link) -> list[str]:
    """Return the columns that children refer to."""
    return [column for column, _ in of.children.pairs] if of.children else []


def adapted(study: Study, b: Bound, params: Row) -> Row:
    """Return parameters with documents marked: a text could be a document as well."""
    own = b.scenario.table
    inserted = b.scenario.insert.table if b.scenario.insert else own
    made = dict(params)
    if "row" in made:
        made["row"] = _marked(study, inserted, made["row"])
    if "rows" in made:
        made["rows"] = [_marked(study, own, row) for row in made["rows"]]
    if "value" in made and b.scenario.update:
        made["value"] = _marked(study, own, {b.scenario.update: made["value"]})[b.scenario.update]
    return made


def _marked(study: Study, table: str, row: Row) -> Row:
    columns = study.tables[table].columns
    return {
        name: Document(value) if columns[name]["kind"] == "json" and value is not None else value
        for name, value in row.items()
    }


def totals(b: Bound, study: Study, rows: Sequence[Sequence[Any]]) -> list[Row]:
    """Return counts and sums by group as rows."""
    scenario = b.scenario
    make = _READ.get(study.tables[scenario.table].columns[scenario.group]["kind"])
    return [{"group": make(row[0]) if make else row[0], "count": row[1], "total": row[2]} for row in rows]


def with_parent(b: BoundFile, found: Sequence[Any]) -> Row:
    """Return a row of a join as a row with its parent."""
    row = b.reader.row(b.sql.row(found))
    if row["parent"] is not None and b.parent is not None:
        b.parent.row(row["parent"])
    return row
