"""Columns whose uniques do not tell small letters from capitals: by type, by collation, or by lower() in an index."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import CITEXT
from sqlglot import exp

from dbplan.seeding.constraints.uniques import written_uniques
from dbplan.seeding.rows.frames import Source
from dbplan.seeding.values.infer import generic

_FOLDING = re.compile(r"nocase|_ci(_|$)|case_?insensitive|ks-level[12]", re.IGNORECASE)


def fold_cases(sources: Mapping[str, Source]) -> None:
    """Let texts that match a pattern differ in more than their case where their uniques ask for it."""
    for source in sources.values():
        for name in _caseless(source.table):
            source.facts.limit(name).folded = True


def _caseless(table: Table) -> Iterator[str]:
    for unique in written_uniques(table):
        for part in unique.parts:
            for node in part.node.find_all(exp.Lower, exp.Upper):
                yield from (column.name for column in node.find_all(exp.Column))
    for column in table.columns:
        if isinstance(generic(column.type), CITEXT) or _FOLDING.search(_collation(column.type)):
            yield column.name
    for index in table.indexes:
        said = " ".join(str(part) for part in index.expressions)
        if index.unique and _FOLDING.search(said):
            yield from (column.name for column in index.columns)


def _collation(kind: Any) -> str:
    return str(getattr(generic(kind), "collation", None) or "")
