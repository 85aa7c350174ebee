"""Columns that the server generates: where they can be computed here, keys, uniques and CHECKs read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Table

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.checks import sql_text
from dbplan.seeding.constraints.predicate import expression
from dbplan.seeding.constraints.references import Reference
from dbplan.seeding.rows.cells import absent
from dbplan.seeding.rows.makers import computed
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbplan.seeding.rows.frames import Maker, Source


def generated(table: Table) -> Iterator[tuple[str, Maker]]:
    """Yield the makers of generated columns; they are read, and never written."""
    for column in table.columns:
        if column.computed is not None:
            try:
                made = expression(sql_text(column.computed.sqltext), table.columns.keys())
                made.cells(lambda _: absent(1), 1)
            except NotCovered:
                continue
            yield column.name, computed(made, generic(column.type))


def never_null_where_referred(sources: Mapping[str, Source]) -> None:
    """Let no reference be NULL whose own columns another one leads to: what is not there cannot be referred to."""
    referred = {(r.parent, target) for source in sources.values() for r in source.references for target in r.targets}
    for name, source in sources.items():
        source.references = tuple(_required(name, reference, referred) for reference in source.references)


def _required(table: str, reference: Reference, referred: set[tuple[str, str]]) -> Reference:
    if reference.nullable and any((table, name) in referred for name in reference.own):
        return replace(reference, nullable=False)
    return reference
