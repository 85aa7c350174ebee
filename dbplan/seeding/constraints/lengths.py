"""Lengths of keys: what a text column refers to must have room in it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import types as sa

from dbplan.seeding.rows.frames import Source
from dbplan.seeding.values.infer import generic


def no_longer_than_referring(sources: Mapping[str, Source]) -> None:
    """Let keys be no longer than the shortest column that refers to them, or to what refers to them."""
    ties = [
        (source.table.columns[own], sources[reference.parent], target)
        for source in sources.values()
        for reference in source.references
        for own, target in zip(reference.columns, reference.targets, strict=True)
    ]
    changed = True
    while changed:
        changed = False
        for own, parent, target in ties:
            limits, asked = parent.facts.limit(target), sources[str(own.table.key)].facts.limit(own.name).longest
            room = [length for length in (_length(own.type), asked) if length is not None]
            if room and min(room) < min(_given(_length(parent.table.columns[target].type)), _given(limits.longest)):
                limits.longest, changed = min(room), True


def _length(kind: sa.TypeEngine[object]) -> int | None:
    plain = generic(kind)
    texts = isinstance(plain, sa.String) and not isinstance(plain, sa.Enum)
    return plain.length if texts else None


def _given(length: int | None) -> float:
    return float("inf") if length is None else length
