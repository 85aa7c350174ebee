"""Rules about the shape of tables: what is missing, what repeats, what nobody explained."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column

from dbplan.evidence import Place, Severity
from dbplan.linting import ddl
from dbplan.linting.schema import Schema
from dbplan.linting.words import listed, tokens
from dbplan.rule import Hit, rule

_NUMBERED = re.compile(r"^(?P<stem>[a-z_]*[a-z])_?(?P<number>[1-9])$")
_LINES = {"line", "address", "street", "addr"}
_FEWEST_REPEATS = 3
_FEWEST_NULLABLE = 3
_CHANGED = {"updated", "modified", "changed"}
_SMALL = 10_000


@rule(
    "shape-all-nullable",
    Severity.NOTE,
    condition="Every column but the primary key may be NULL (three or more of them).",
    why="A row that says nothing is as good as any other; what must be there is left to the application.",
    mend="NOT NULL on the columns without which a row means nothing.",
    source="SchemaCrawler",
)
def shape_all_nullable(schema: Schema) -> Iterator[Hit]:
    """Find tables in which nothing has to be said."""
    for table in schema.tables:
        columns = [column for column in table.columns if not column.primary_key and column.computed is None]
        if len(columns) >= _FEWEST_NULLABLE and all(column.nullable for column in columns):
            yield (
                Place(table.fullname),
                f"All {len(columns)} columns of {table.fullname} besides its key may be NULL.",
                f"Make NOT NULL what a row of {table.fullname} cannot do without.",
            )


@rule(
    "shape-repeating",
    Severity.NOTE,
    condition="Three or more columns of one type are numbered: phone1, phone2, phone3.",
    why="The next one needs a migration, and each search has to name them all.",
    mend="A table of its own with one row each, or an array.",
    source="first normal form; SchemaCrawler: incrementing column names",
)
def shape_repeating(schema: Schema) -> Iterator[Hit]:
    """Find numbered columns; the lines of an address are spared."""
    for table in schema.tables:
        groups: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for column in table.columns:
            match = _NUMBERED.match(column.name)
            if match and not set(tokens(match["stem"])) & _LINES:
                groups[match["stem"], schema.of(column).text].append((int(match["number"]), column.name))
        for numbered in groups.values():
            if len(numbered) >= _FEWEST_REPEATS and {n for n, _ in numbered} >= set(range(1, len(numbered) + 1)):
                names = [name for _, name in sorted(numbered)]
                yield (
                    Place(table.fullname, names[0]),
                    f"{table.fullname} repeats {listed(names)}.",
                    "Move them to a table of their own with a foreign key, or into one array column.",
                )


@rule(
    "table-unrelated",
    Severity.NOTE,
    condition="A table has no foreign key, and none points to it, while other tables are related.",
    why="Often a foreign key was forgotten.",
    mend="Add the foreign key, or record why not beside the model (`info`).",
    source="tbls, SchemaCrawler",
)
def table_unrelated(schema: Schema) -> Iterator[Hit]:
    """Find tables that stand alone."""
    if not schema.references:
        return
    referencing = {reference.table for reference in schema.references}
    for table in schema.tables:
        if table not in referencing and not any(r.table is not table for r in schema.referencing.get(table, ())):
            yield Place(table.fullname), f"No foreign key leads to or from {table.fullname}.", ""


@rule(
    "doc-missing",
    Severity.NOTE,
    condition="A table or some of its columns have no comment.",
    why="What a column holds, its unit and its rules, is known to those who were there.",
    mend="comment= on the table and each column: the dictionary and the database then hold it.",
    source="tbls: requireTableComment, requireColumnComment",
)
def doc_missing(schema: Schema) -> Iterator[Hit]:
    """Find what nobody explained; one finding a table. The key columns explain themselves."""
    for table in schema.tables:
        columns = [column for column in table.columns if not column.primary_key]
        silent = [column.name for column in columns if not (column.comment or "").strip()]
        if silent or not (table.comment or "").strip():
            parts = [] if (table.comment or "").strip() else ["the table"]
            if silent:
                parts.append(f"{len(silent)} of its {len(columns)} columns" if len(silent) > 3 else listed(silent))
            yield (
                Place(table.fullname),
                f"{table.fullname}: {listed(parts)} {'has' if len(parts + silent) == 1 else 'have'} no comment.",
                f'comment="…" in the model of {table.name}.',
            )


@rule(
    "time-created-missing",
    Severity.NOTE,
    condition="A table with rows of its own does not say when a row came to be.",
    why="Without it, no audit, no retention, no sync of what is new.",
    mend="created_at timestamptz NOT NULL DEFAULT now().",
    source="database conventions; tbls",
)
def time_created_missing(schema: Schema) -> Iterator[Hit]:
    """Find tables without any point in time; link tables and ones planned below 10,000 rows are spared."""
    for table in schema.tables:
        times = [c for c in table.columns if schema.of(c).kind == "instant"]
        key = list(table.primary_key.columns)
        linked = bool(key) and all(column.foreign_keys for column in key)
        rows = schema.rows(table)
        if not times and not linked and (rows is None or rows >= _SMALL):
            mend = ddl.alter(table, "ADD COLUMN created_at timestamptz NOT NULL DEFAULT now()")
            yield Place(table.fullname), f"{table.fullname} does not say when a row came to be.", mend


@rule(
    "time-updated-stale",
    Severity.WARNING,
    condition="A column is named updated_at or modified_at, has a default for inserts, and nothing sets it on update.",
    why="It keeps the time of the insert, and whoever trusts it misses every change.",
    mend="onupdate=func.now() in the model, or a trigger (server_onupdate=FetchedValue() says that there is one).",
    source="SQLAlchemy documentation: onupdate",
)
def time_updated_stale(schema: Schema) -> Iterator[Hit]:
    """Find columns that promise the last change and keep the first."""
    for table in schema.tables:
        for column in table.columns:
            if _promises_change(column) and schema.of(column).kind == "instant" and _set_once(column):
                yield (
                    Place(table.fullname, column.name),
                    f"{table.fullname}.{column.name} is set on insert and never again.",
                    f"onupdate=func.now() on {table.fullname}.{column.name}.",
                )


def _promises_change(column: Column[Any]) -> bool:
    words = tokens(column.name)
    return len(words) == 2 and words[0] in _CHANGED and words[1] in ("at", "on", "date", "time")


def _set_once(column: Column[Any]) -> bool:
    defaulted = column.default is not None or column.server_default is not None
    return defaulted and column.onupdate is None and column.server_onupdate is None and column.computed is None
