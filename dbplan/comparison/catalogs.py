"""Two catalogs compared: every place where they are not the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dbplan.comparison import defaults
from dbplan.errors import UsageError
from dbplan.evidence import Catalog, Difference, Place, SchemaObject

COLUMN_ORDER = "column order"
"""`Difference.what` where two tables have the same columns in another order: seen by SELECT *, by nothing else."""

_MICROSECONDS = re.compile(r"^(?:(timestamp|time)\(6\)(?= with)|(interval)\(6\))")  # MariaDB's timestamp(6) is another
_Key = tuple[str, Place]
_PARTS = frozenset({"column", "constraint", "index", "trigger", "policy", "rule", "foreign key"})


def differences(a: Catalog, b: Catalog, *, column_order: bool = True) -> tuple[Difference, ...]:
    """Return every place where two catalogs are not the same, by place; () for equal schemas.

    A table that only one side has is one difference; its columns, indexes and constraints are not told again.
    Renames are not guessed: they show as one thing gone and one added. `column_order=False` leaves out tables
    that differ only in the order of their columns.
    Raises UsageError for catalogs of different kinds of servers, which have no common words.
    """
    if a.dialect != b.dialect:
        raise UsageError(f"a {a.dialect} catalog cannot be compared with one of {b.dialect}; take both on one server")
    left, right = _by_key(a), _by_key(b)
    found = [d for key in left.keys() | right.keys() for d in _compare(key, left, right)]
    kept = (d for d in found if column_order or d.what != COLUMN_ORDER)
    return tuple(sorted(kept, key=lambda d: (d.place, d.what, d.left, d.right)))


def _by_key(catalog: Catalog) -> Mapping[_Key, SchemaObject]:
    folded = catalog.dialect == "sqlite"  # whose names are the same in any case
    return {(o.kind, _folded(o.place) if folded else o.place): o for o in catalog.objects}


def _folded(place: Place) -> Place:
    return Place(place.table.lower(), place.column.lower(), place.index.lower(), place.constraint.lower())


def _compare(key: _Key, left: Mapping[_Key, SchemaObject], right: Mapping[_Key, SchemaObject]) -> Iterator[Difference]:
    one, other = left.get(key), right.get(key)
    if one is not None and other is not None:
        yield from _properties(one, other)
    elif not _hangs_on_one_side(key, left, right):
        place = (one or right[key]).place
        yield Difference(place, key[0], _summary(one), _summary(other))


def _hangs_on_one_side(key: _Key, left: Mapping[_Key, SchemaObject], right: Mapping[_Key, SchemaObject]) -> bool:
    """Say whether the object is part of something that only one side has, and is told with it."""
    kind, place = key
    if kind == "sequence":
        place = Place(_owner(left.get(key) or right[key]))
    elif kind not in _PARTS:
        return False
    owners = [(owner, Place(place.table)) for owner in ("table", "view", "domain", "type")]
    return bool(place.table) and not any(owner in left and owner in right for owner in owners)


def _owner(sequence: SchemaObject) -> str:
    """Return the table that a sequence belongs to; "" for one on its own."""
    return dict(sequence.properties).get("owned by", "").rpartition(".")[0]


def _properties(one: SchemaObject, other: SchemaObject) -> Iterator[Difference]:
    left, right = dict(one.properties), dict(other.properties)
    for name in dict.fromkeys((*left, *right)):
        was, is_ = left.get(name, ""), right.get(name, "")
        if was == is_ and (name in left) == (name in right):
            continue
        if name == COLUMN_ORDER and not _reordered(was, is_):
            continue  # a column more or less is told by itself
        if name == "default" and defaults.same(was, is_, left.get("type", "")):
            continue
        if name == "type" and _precise(was) == _precise(is_):
            continue
        what = name if name == COLUMN_ORDER else f"{one.kind} {name}"
        yield Difference(one.place, what, was, is_)


def _precise(kind: str) -> str:
    """Return a type with its usual precision left out: PostgreSQL keeps microseconds whether it is told (6) or not."""
    return _MICROSECONDS.sub(r"\1\2", kind)


def _reordered(left: str, right: str) -> bool:
    ours, theirs = left.lower().split(", "), right.lower().split(", ")
    return [c for c in ours if c in theirs] != [c for c in theirs if c in ours]


def _summary(found: SchemaObject | None) -> str:
    """Return an object in a few words: its definition, or the properties that say something; "" for none."""
    if found is None:
        return ""
    told = dict(found.properties)
    if "definition" in told:
        return told["definition"]
    parts = [told.pop("type")] if "type" in told else []
    if found.kind == "table":
        return f"({told.pop(COLUMN_ORDER, '')})"
    parts += [f"{name} {value}" for name, value in told.items() if value not in ("no", "")]
    return ", ".join(parts) or found.kind
