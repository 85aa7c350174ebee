"""Entrants: which contestants take part in a run, and why others do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dbplan.errors import DbplanError, UnknownName, UsageError
from dbplan.orms import installing
from dbplan.orms.contestants import BASELINES, POSTGRESQL, SQLITE, SYNC, Contestant, contestants_on
from dbplan.orms.facts import NOT_COVERED, NOT_INSTALLED, Absent
from dbplan.orms.preparing import prepare
from dbplan.orms.referee import Entrant
from dbplan.plan import Plan

REFERENCES = {dialect: tables[SYNC] for dialect, tables in BASELINES.items()}
"""By database: whose results all others must equal, other raw drivers too."""
NAMES = {POSTGRESQL: "PostgreSQL", SQLITE: "SQLite"}


def wanted(names: Sequence[str] | None, dialect: str = POSTGRESQL) -> list[Contestant]:
    """Return the contestants of these names with the raw drivers of their languages; all without names.

    Raises UnknownName, UsageError for no name.
    """
    known = contestants_on(dialect)
    if names is None:  # on PostgreSQL nobody asks for SQLite's drivers
        return [contestant for contestant in known.values() if {dialect, POSTGRESQL} & {*contestant.dialects}]
    if not names:
        raise UsageError("no ORM is named; name one at least, or leave them out for all")
    asked = [name.lower() for name in names]
    for name in asked:
        if name not in known:
            raise UnknownName("ORM", name, known)
    tables = {known[name].table for name in (REFERENCES[dialect], *asked)}
    drivers = {one.name for one in known.values() if one.is_driver and dialect in one.dialects and one.table in tables}
    return [contestant for contestant in known.values() if contestant.name in drivers.union(asked)]


def entrants(contestants: Sequence[Contestant], plan: Plan, folder: Path) -> tuple[list[Entrant], list[Absent]]:
    """Return those that can take part, each with its models written into a folder of its own, and those that cannot.

    Each raw driver that others are measured against takes part twice.
    """
    found: list[Entrant] = []
    absent: list[Absent] = []
    for contestant in contestants:
        one = _entrant(contestant, plan, folder / contestant.name)
        if isinstance(one, Absent):
            absent.append(one)
        else:
            found += _with_twin(one)
    return found, absent


def _entrant(contestant: Contestant, plan: Plan, folder: Path) -> Entrant | Absent:
    if contestant.dialect not in contestant.dialects:
        return _absent(contestant, f"not for {NAMES[contestant.dialect]}", _why_not(contestant))
    found = installing.installed(contestant)
    if isinstance(found, installing.Absent):
        missing = ", ".join(found.missing)
        return _absent(contestant, NOT_INSTALLED, f"missing: {missing}", found.command)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        prepare(contestant, plan, folder)
        return Entrant(contestant, tuple(installing.command(contestant)), str(folder))
    except DbplanError as error:
        return _absent(contestant, NOT_COVERED, str(error))


def _why_not(contestant: Contestant) -> str:
    """Return what a contestant is for instead."""
    there = " and ".join(NAMES[dialect] for dialect in contestant.dialects)
    return f"a driver of {there}" if contestant.is_driver else f"it is compared on {there}"


def _absent(contestant: Contestant, outcome: str, reason: str, mend: str = "") -> Absent:
    return Absent(contestant.name, contestant.title, contestant.table, outcome, reason, mend)


def _with_twin(entrant: Entrant) -> Iterator[Entrant]:
    yield entrant
    if entrant.name == entrant.contestant.baseline:
        yield Entrant(entrant.contestant, entrant.command, entrant.models, entrant.environment, twin_of=entrant.name)
