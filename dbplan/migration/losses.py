"""Which rows and values a move and its way back have lost, and in which of the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dbplan.evidence import Place
from dbplan.migration.contents import NULL, Content, gone
from dbplan.migration.facts import Loss

if TYPE_CHECKING:
    from dbplan.migration.contents import Prints

Contents = Mapping[str, Content]


def there_and_back(before: Contents, between: Contents, after: Contents) -> tuple[Loss, ...]:
    """Return what an upgrade and its downgrade have lost of the rows from before."""
    return tuple(loss for table in sorted(before) for loss in _table(table, before[table], between, after))


def back_and_there(before: Contents, between: Contents, after: Contents) -> tuple[Loss, ...]:
    """Return what a downgrade has lost of rows written since the upgrade, and the next upgrade did not bring back.

    Tables and columns that the downgrade takes away are not told: that is what it is for.
    """
    found: list[Loss] = []
    for table in sorted(before.keys() & between.keys() & after.keys()):
        columns = before[table].columns.keys() & between[table].columns.keys()
        kept = Content(before[table].rows, {name: before[table].columns[name] for name in columns})
        lost = (loss for loss in _table(table, kept, between, after) if not loss.filled)
        found += (replace(loss, during="down", since=True) for loss in lost if _already_lost(loss.place, kept, between))
    return tuple(found)


def _table(table: str, before: Content, between: Contents, after: Contents) -> Iterator[Loss]:
    if not before.rows:
        return
    now = after.get(table)
    if now is None:
        yield Loss(Place(table), _during(_in_upgrade(Place(table), before, between)), before.rows, before.rows)
        return
    shared = tuple(sorted(before.columns.keys() & now.columns.keys()))
    if now.rows < before.rows:
        during = _during(_in_upgrade(Place(table), before, between))
        yield Loss(Place(table), during, before.rows - now.rows, before.rows)
        return
    yield from (_column(table, name, before, now, between) for name in _changed(before, now))
    if shared and not any(gone(before.columns[c], now.columns[c]) for c in shared):
        moved = gone(before.fingerprints(shared), now.fingerprints(shared))
        if moved:
            yield Loss(Place(table), "down", moved, before.rows)


def _changed(before: Content, now: Content) -> list[str]:
    """Return the columns that have lost a value, or that are gone and had one."""
    return [
        name
        for name, prints in before.columns.items()
        if (gone(prints, now.columns[name]) if name in now.columns else _values(prints).size)
    ]


def _column(table: str, name: str, before: Content, now: Content, between: Contents) -> Loss:
    prints = before.columns[name]
    left = now.columns.get(name, prints[:0])
    lost = gone(_values(prints), _values(left))
    place = Place(table, name)
    if not lost:
        return Loss(place, "up", gone(prints, left), before.rows, filled=True)
    return Loss(place, _during(_in_upgrade(place, before, between)), lost, int(_values(prints).size))


def _values(prints: Prints) -> Prints:
    values: Prints = prints[prints != NULL]
    return values


def _during(in_upgrade: bool) -> str:
    return "up" if in_upgrade else "down"


def _in_upgrade(place: Place, before: Content, between: Contents) -> bool:
    """Say whether the loss was there right after the upgrade: gone and nowhere else, or fewer values to tell apart."""
    import numpy as np

    there = between.get(place.table)
    if not place.column:
        if there is not None:
            return there.rows < before.rows
        return not all(_held(prints, between) for prints in before.columns.values())
    prints = before.columns[place.column]
    if there is None or place.column not in there.columns:
        return not _held(prints, between)
    return np.unique(_values(there.columns[place.column])).size < np.unique(_values(prints)).size


def _already_lost(place: Place, before: Content, between: Contents) -> bool:
    there = between[place.table]
    if place.column:
        return bool(gone(_values(before.columns[place.column]), _values(there.columns[place.column])))
    return there.rows < before.rows


def _held(prints: Prints, contents: Contents) -> bool:
    """Say whether some column holds all these values: what was renamed or moved is not lost."""
    values = _values(prints)
    return any(not gone(values, other) for content in contents.values() for other in content.columns.values())
