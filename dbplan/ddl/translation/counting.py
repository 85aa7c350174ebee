"""Columns that MySQL counts beside the primary key, which SQLAlchemy has no words for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Table, UniqueConstraint

from dbplan.ddl.translation.columns import is_plain
from dbplan.ddl.translation.work import Work


def tell(work: Work) -> None:
    """Write AUTO_INCREMENT in MySQL's own words; the key that the server wants at once then stands in the table."""
    for table in work.tables.values():
        for column in table.columns:
            if column.autoincrement is True and not column.primary_key:
                _tell(column, table, work)


def _tell(column: Column[Any], table: Table, work: Work) -> None:
    words = f"{work.target.compiled(column.type)} NOT NULL AUTO_INCREMENT"
    if column.comment:
        words += f" COMMENT {_text(column.comment)}"
    column.info[work.target.name] = words
    if any(isinstance(one, UniqueConstraint) and [*one.columns][:1] == [column] for one in table.constraints):
        return
    keys = sorted((one for one in table.indexes if _leads(column, one)), key=lambda index: str(index.name))
    for key in keys[:1]:
        quote = work.target.dialect.identifier_preparer.quote_identifier
        columns = ", ".join(quote(part.name) for part in key.columns)
        key.info[work.target.name] = f"{'UNIQUE ' if key.unique else ''}KEY ({columns})"


def _leads(column: Column[Any], index: Index) -> bool:
    return is_plain(index) and [*index.expressions][:1] == [column]


def _text(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
