"""Entrants: which contestants take part in a run, and why others do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dbplan.errors import DbplanError, UnknownName
from dbplan.orms import installing
from dbplan.orms.contestants import BASELINES, CONTESTANTS, Contestant
from dbplan.orms.facts import NOT_COVERED, NOT_INSTALLED, Absent
from dbplan.orms.preparing import prepare
from dbplan.orms.referee import Entrant
from dbplan.plan import Plan

REFERENCE = "psycopg"
"""Whose results all others must equal, other raw drivers too."""


def wanted(names: Sequence[str] | None) -> list[Contestant]:
    """Return the contestants of these names with the raw drivers that they are measured against; all without names.

    Raises UnknownName.
    """
    if names is None:
        return list(CONTESTANTS.values())
    for name in names:
        if name not in CONTESTANTS:
            raise UnknownName("ORM", name, CONTESTANTS)
    asked = {REFERENCE, *names, *(CONTESTANTS[name].baseline for name in names)}
    return [contestant for contestant in CONTESTANTS.values() if contestant.name in asked]


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


def _absent(contestant: Contestant, outcome: str, reason: str, mend: str = "") -> Absent:
    return Absent(contestant.name, contestant.title, contestant.table, outcome, reason, mend)


def _with_twin(entrant: Entrant) -> Iterator[Entrant]:
    yield entrant
    if entrant.name in BASELINES.values():
        yield Entrant(entrant.contestant, entrant.command, entrant.models, entrant.environment, twin_of=entrant.name)
