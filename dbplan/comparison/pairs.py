"""Pairs: what is gone on one side and added on the other, and is the same but for its name or its form."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from dbplan.evidence import Difference, Place

_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX (?:\"(?:[^\"]|\"\")+\"|\S+) ON (?P<rest>.*)", re.DOTALL)
_PLAIN_UNIQUE = re.compile(r"CREATE UNIQUE INDEX .+ USING btree (\(.+\))", re.DOTALL)


def paired(found: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return the differences with what is the same under another name, or in another form, told as that alone."""
    told = list(found)
    for match in (_forms, _names):
        for one, other, instead in list(match(told)):
            if one in told and other in told:
                told.remove(one)
                told[told.index(other)] = instead
    return tuple(told)


def _forms(found: list[Difference]) -> Iterator[tuple[Difference, Difference, Difference]]:
    """Yield a UNIQUE constraint of one side beside the unique index of that name of the other."""
    indexes = {(d.place.table, d.place.index): d for d in found if d.what == "index"}
    for one in found:
        other = indexes.get((one.place.table, one.place.constraint)) if one.what == "constraint" else None
        if other is None or bool(one.left) == bool(other.left):
            continue
        plain = _PLAIN_UNIQUE.fullmatch(other.left or other.right)
        if plain and (one.left or one.right) == f"UNIQUE {plain[1]}":
            sides = ("constraint", "index") if one.left else ("index", "constraint")
            yield one, other, Difference(one.place, "unique form", *sides)


def _names(found: list[Difference]) -> Iterator[tuple[Difference, Difference, Difference]]:
    """Yield a constraint or index of one side beside the one of the other that is defined alike."""
    right: dict[tuple[str, str, str], list[Difference]] = defaultdict(list)
    for other in found:
        if not other.left and other.what in ("constraint", "index"):
            right[other.what, other.place.table, _defined(other.right)].append(other)
    for one in found:
        same = right.get((one.what, one.place.table, _defined(one.left))) if not one.right else None
        if same:
            other = same.pop(0)
            yield one, other, Difference(one.place, f"{one.what} name", _name(one.place), _name(other.place))


def _defined(definition: str) -> str:
    """Return a definition without the name in it."""
    match = _INDEX.fullmatch(definition)
    return f"{match[1] or ''}{match['rest']}" if match else definition


def _name(place: Place) -> str:
    return place.index or place.constraint
