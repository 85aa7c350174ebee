"""What the gather half hands to the judge half: frozen facts, nothing that needs a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dbplan.evidence import Finding, OrmFeature, OrmLoad, OrmStart, OrmStatements, OrmViolation, Server
from dbplan.orms.scenarios import Scenario

MEASURED = "measured"
WRONG = "wrong rows"
NOT_COVERED = "not covered"
NOT_INSTALLED = "not installed"
NOT_CHECKED = "not checked"

Rounds = tuple[tuple[int, ...], ...]
"""Nanoseconds of each call, by round."""


@dataclass(frozen=True)
class Outcome:
    """What came of one contestant in one scenario: its times, or what stands in their place and why."""

    orm: str
    scenario: str
    outcome: str = MEASURED
    reason: str = ""
    note: str = ""
    rounds: Rounds = ()
    memory: int | None = None


@dataclass(frozen=True)
class Absent:
    """A contestant that takes no part at all: why, and the command that mends it."""

    orm: str
    title: str
    table: str
    outcome: str
    reason: str
    mend: str = ""


@dataclass(frozen=True)
class Taking:
    """A contestant that takes part; `twin_of` is the raw driver that it is a second process of."""

    orm: str
    title: str
    table: str
    baseline: str
    twin_of: str = ""
    remark: str = ""
    """What its figures hold that those of others do not."""


@dataclass(frozen=True)
class Gathered:
    """All facts of one run."""

    entrants: tuple[Taking, ...]
    scenarios: Mapping[str, Scenario]
    missing: Mapping[str, str]
    outcomes: tuple[Outcome, ...] = ()
    statements: tuple[OrmStatements, ...] = ()
    starts: tuple[OrmStart, ...] = ()
    loads: tuple[OrmLoad, ...] = ()
    violations: tuple[OrmViolation, ...] = ()
    features: tuple[OrmFeature, ...] = ()
    absent: tuple[Absent, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refused: tuple[Finding, ...] = ()
    uncounted: str = ""
    """Why the server counted no statements."""
    one_core: bool = False
    """Whether all that a call ran in kept to one core while it was timed."""
    runtimes: str = ""
    """The versions of Python and Node that contestants run on."""
    setting: str = ""
    """What holds for all on this server, where that is not plain."""
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By contestant and kind: how it stores values for which the server has no type."""
    rows: Mapping[str, int] = field(default_factory=dict)
    server: Server | None = None
    random_state: int = 7
    quick: bool = False
    warm: int = 0
    clients: int = 0
