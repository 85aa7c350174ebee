"""Gathering: every scenario of a plan tried by every contestant, on a seeded server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from statistics import median
from time import monotonic

from sqlalchemy import func, select

from dbplan.evidence import OrmLoad, OrmStart, OrmStatements, OrmViolation
from dbplan.orms import load, measuring
from dbplan.orms.bootstrap import Interval, alike
from dbplan.orms.calls import Calls
from dbplan.orms.deriving import Derived, derive
from dbplan.orms.drawing import Drawn, draw
from dbplan.orms.facts import NOT_CHECKED, Absent, Outcome, Taking
from dbplan.orms.measuring import Effort, going
from dbplan.orms.pinning import one_core
from dbplan.orms.process import Fault
from dbplan.orms.referee import Entrant, Referee
from dbplan.orms.scenarios import SCENARIOS, WRITES, Scenario, involved
from dbplan.orms.sizes import size_of
from dbplan.orms.trial import OPEN, Player, Seats, reference, together
from dbplan.orms.trying import passed_over, refusals
from dbplan.sandbox import Stage

Progress = Callable[[float, str], None]

COUNTS = {
    "insert_one": 240,
    "bulk_insert": 5,
    "upsert": 400,
    "transaction": 300,
    "delete_cascade": 300,
}
"""Calls for which parameters are drawn; the others get READS."""
READS = 100


@dataclass
class Findings:
    """What trials have brought so far."""

    outcomes: list[Outcome] = field(default_factory=list)
    statements: list[OrmStatements] = field(default_factory=list)
    loads: list[OrmLoad] = field(default_factory=list)
    violations: list[OrmViolation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    one_core: bool = True
    """Whether all that a call ran in kept to one core, whenever calls were timed."""


def scenarios(stage: Stage, random_state: int) -> tuple[Derived, Drawn]:
    """Return the scenarios of a seeded plan with their parameters; rows that are to be inserted are taken out.

    Where the server refuses what was drawn, the next best table is written to, and a note of what was drawn says so.
    """
    counts = {name: COUNTS.get(name, READS) for name in SCENARIOS}
    refused: dict[tuple[str, str], str] = {}
    with stage.engine.begin() as connection:
        found = None
        while found is None or found:
            attempt = connection.begin_nested()
            derived = derive(stage.plan, connection, refused)
            drawn = draw(connection, stage.plan, derived, counts, random_state)
            found = refusals(connection, derived, drawn)
            refused |= found
            attempt.rollback() if found else attempt.commit()
    drawn = replace(drawn, notes=(*passed_over(refused, derived), *drawn.notes))
    with stage.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in ("VACUUM", "ANALYZE") if stage.dialect == "sqlite" else ("VACUUM (ANALYZE)",):
            connection.exec_driver_sql(statement)
    return derived, drawn


def volumes(stage: Stage, derived: Derived) -> dict[str, int]:
    """Return the rows of the tables that scenarios ask of."""
    names = dict.fromkeys(name for scenario in derived.scenarios.values() for name in involved(scenario))
    with stage.engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(stage.plan.metadata.tables[name])) or 0
            for name in names
        }


@dataclass
class Gathering:
    """One run: where contestants play, how much is measured, and what has come of it."""

    seats: Seats
    effort: Effort
    chance: Random
    found: Findings = field(default_factory=Findings)

    @property
    def referee(self) -> Referee:
        """Who judges."""
        return self.seats.referee

    def run(self, entrants: Sequence[Entrant], derived: Derived, drawn: Drawn, tell: Progress) -> None:
        """Run every scenario by all contestants."""
        order = ordered(derived.scenarios)
        for number, scenario in enumerate(order):
            tell(number / len(order), SCENARIOS[scenario.name])
            self.trial(entrants, scenario, Calls(scenario.name, drawn.params[scenario.name]), derived.scenarios)

    def trial(self, entrants: Sequence[Entrant], scenario: Scenario, calls: Calls, names: Collection[str]) -> None:
        """Run one scenario by all contestants and keep what came of it."""
        with self.seats.seated(entrants, scenario) as players:
            together(players, lambda player: measuring.enter(player, self.referee, scenario))
            checked = calls.take(min(self.effort.checks, max(1, calls.batch // 3)))
            if not checked:
                for player in going(players):
                    player.leave(NOT_CHECKED, "the tables hold no row to try it with")
            self._measure(players, scenario, calls, checked)
            if load.is_run(scenario, names):
                self.found.loads += load.loads(players, self.referee, scenario, calls, self.effort)
            for player in players:
                player.memory = max(player.memory or 0, player.process.memory() or 0) or None
            self.found.outcomes += [_outcome(player, scenario) for player in players]
            self.found.statements += [fact for player in going(players) for fact in _statements(player, scenario)]

    def _measure(
        self, players: Sequence[Player], scenario: Scenario, calls: Calls, checked: Sequence[dict[str, object]]
    ) -> None:
        measuring.count(players, self.referee, scenario, calls, self.effort.parents)
        measuring.check(players, self.referee, scenario, checked)
        for player in players:
            self.referee.observe(player.entrant, player.clone, scenario)
        if scenario.name == "insert_one":
            self._violate(players, scenario, checked)
        for player in going(players):
            self.referee.restore(player.clone, scenario)
        measuring.warm(players, self.referee, scenario, calls, self.effort)
        if able := going(players):
            with one_core(self._processes(able)) as pinned:
                self.found.one_core &= pinned
                measuring.time_rounds(players, self.referee, scenario, calls, self.effort, self.chance)

    def _processes(self, players: Sequence[Player]) -> list[int]:
        """Return what calls run in; nothing where a part of it is on another machine.

        They have just been warmed up: a pool of Node's pg lets go of a session that had nothing to do for 10 s.
        """
        found = []
        for player in players:
            sessions = self.referee.sessions(player.clone)
            if sessions is None:
                return []
            found += [player.process.pid, *sessions]
        return found

    def _violate(self, players: Sequence[Player], scenario: Scenario, checked: Sequence[dict[str, object]]) -> None:
        """Keep what errors tell, where the raw driver has one: a table without a unique value given has none."""
        told, judge = load.violate(players, checked), reference(players)
        if any(one.raised for one in told if judge is not None and one.orm == judge.name):
            self.found.violations += told
        else:
            self.found.notes.append(f"unique violation: rows of {scenario.table} have no unique value that is given")


def ordered(scenarios: Mapping[str, Scenario]) -> list[Scenario]:
    """Return scenarios in their order: those that read first, and last those under load, which ends processes."""
    return sorted(scenarios.values(), key=lambda one: (load.is_run(one, scenarios), one.name in WRITES))


def cold_starts(seats: Seats, entrants: Sequence[Entrant], effort: Effort) -> tuple[list[OrmStart], list[Absent]]:
    """Start each contestant alone, a few times; one that does not even open is absent from then on."""
    told: dict[str, list[dict[str, object]]] = {}
    absent = []
    for entrant in (entrant for entrant in entrants if not entrant.twin_of):
        try:
            told[entrant.name] = [
                _start(seats, entrant, keep=seats.shared and n + 1 == effort.starts) for n in range(effort.starts)
            ]
        except Fault as fault:
            contestant = entrant.contestant
            absent.append(Absent(entrant.name, contestant.title, contestant.table, fault.what, fault.reason))
    able = [entrant for entrant in entrants if entrant.name in told]
    whole = alike([[float(str(one["whole"])) for one in told[entrant.name]] for entrant in able])
    return [_started(*each) for each in zip(able, told.values(), whole, strict=True)], absent


def _start(seats: Seats, entrant: Entrant, *, keep: bool) -> dict[str, object]:
    study = seats.referee.study(entrant, seats.clone(entrant))
    began = monotonic()
    process = seats.start(entrant)
    try:
        told = {**process.ask("open", OPEN, study=study), "whole": monotonic() - began}
    except Fault:
        process.close()
        raise
    if keep:
        seats.keep(entrant, process)
    else:
        process.close()
    return told


def _started(entrant: Entrant, told: Sequence[Mapping[str, object]], whole: Interval | None) -> OrmStart:
    def middle(name: str, unit: float) -> float | None:
        values = [float(str(one[name])) * unit for one in told if one.get(name) is not None]
        return median(values) if values else None

    memory = middle("rss_kb", 1024)
    return OrmStart(
        entrant.name,
        entrant.contestant.title,
        entrant.contestant.table,
        str(told[0].get("version") or ""),
        str(told[0].get("driver") or ""),
        len(told),
        middle("import_ms", 1e-3),
        middle("open_ms", 1e-3),
        middle("first_ms", 1e-3),
        middle("whole", 1.0),
        None if whole is None else whole.low,
        None if whole is None else whole.high,
        None if memory is None else int(memory),
        *_size(entrant),
    )


def _size(entrant: Entrant) -> tuple[int | None, int | None]:
    """Return the bytes of what a contestant brings along, and how many packages that are beside its own."""
    found = size_of(entrant.contestant)
    return (found.bytes, max(0, found.packages - 1)) if found.packages else (None, None)


def _outcome(player: Player, scenario: Scenario) -> Outcome:
    told = {"note": player.note, "memory": player.memory}
    if player.outcome:
        return Outcome(player.name, scenario.name, player.outcome, player.reason, player.note)
    return Outcome(player.name, scenario.name, rounds=tuple(player.rounds), **told)  # type: ignore[arg-type]


def _statements(player: Player, scenario: Scenario) -> Iterator[OrmStatements]:
    for parents, counted in player.counted.items():
        numbers = counted.statements, counted.control, counted.transactions
        yield OrmStatements(player.name, scenario.name, *numbers, parents, counted.texts)


def taking(entrant: Entrant) -> Taking:
    """Return an entrant as a fact."""
    contestant = entrant.contestant
    remark = contestant.remark if contestant.dialect in contestant.remark_on and not entrant.twin_of else ""
    return Taking(entrant.name, contestant.title, contestant.table, contestant.baseline, entrant.twin_of, remark)
