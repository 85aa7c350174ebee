"""Measuring: rows first, statements counted, then time: all contestants in turns, round by round."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from random import Random
from statistics import median
from typing import Any

from dbplan.orms.calls import Calls, of_parents
from dbplan.orms.differences import first_difference
from dbplan.orms.facts import NOT_CHECKED, NOT_COVERED, WRONG
from dbplan.orms.process import Fault
from dbplan.orms.referee import Referee
from dbplan.orms.scenarios import WRITES, Scenario
from dbplan.orms.trial import ANSWER, OPEN, Player, reference, together

BEGUN = 2
"""Calls before the one that is counted: the first asks for types, and psycopg prepares what has come five times."""
FEWEST_ROUNDS = 5
ROUSING = 1
"""Calls that begin a batch and are not timed: process and session have slept while others had their turns."""
SHORT = 0.02
"""Seconds of a call up to which that is worth it."""
FIRST = 2
"""Calls of the warm-up after which its length is settled."""
LONGEST_BATCH = 200
SHARE = 4
"""A batch takes so many times its share of a round's time at most."""
OVERTIME = 2
"""A scenario whose calls are long takes so many times its time at most, as long as half of its rounds are left."""
TOO_LONG = 8
"""A contestant that takes so many times its share of the time altogether gets fewer rounds."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, seconds in which all take their turns, calls to warm up and to check.

    `parents` are those whose children are asked for at once: statements must not grow with them. `load` is the seconds
    of each run under load, `load_runs` how many of them are as fast as they go; `writes` the calls of all clients to
    one row, `starts` how often each is started alone; `shared` whether scenarios share a process.
    """

    rounds: int
    seconds: float
    warm: int
    checks: int
    parents: tuple[int, ...]
    load: float
    load_runs: int
    writes: int
    starts: int
    shared: bool


def enter(player: Player, referee: Referee, scenario: Scenario) -> None:
    """Open a player's database and bind the scenario."""
    if not player.is_open:
        player.ask("open", OPEN, study=referee.study(player.entrant, player.clone))
        player.is_open = True
    answer = player.ask("bind", scenario=asdict(scenario))
    player.note = str(answer.get("note", ""))
    if "not_covered" in answer:
        player.leave(NOT_COVERED, str(answer["not_covered"]))


def going(players: Sequence[Player]) -> list[Player]:
    """Return the players that go on."""
    return [player for player in players if player.goes_on]


def check(players: Sequence[Player], referee: Referee, scenario: Scenario, params: Sequence[Any]) -> None:
    """Run the same calls by all; whose rows, returned or left behind, are not the raw driver's, leaves."""
    results: dict[str, Any] = {}

    def run(player: Player) -> None:
        results[player.name] = player.ask("check", params=params)["results"]

    together(going(players), run)
    judge = reference(players)
    if judge is None:
        for player in going(players):
            player.leave(NOT_CHECKED, "no raw driver came through to compare its rows with")
        return
    for player in going(players):
        told = first_difference(results[judge.name], results[player.name])
        if told:
            player.leave(WRONG, told)
    if scenario.name in WRITES:
        _check_states(players, judge, referee, scenario)


def _check_states(players: Sequence[Player], judge: Player, referee: Referee, scenario: Scenario) -> None:
    tables = referee.compared(scenario)
    due = referee.state(judge.clone, tables)
    for player in going(players):
        found = referee.state(player.clone, tables)
        if found != due:
            player.leave(WRONG, referee.difference(player.clone, judge.clone, tables, found, due))


def count(
    players: Sequence[Player], referee: Referee, scenario: Scenario, calls: Calls, parents: Sequence[int]
) -> None:
    """Count what one more call sends to the server, and how that grows with the parents it asks for.

    This comes before all else: once a driver has prepared BEGIN and COMMIT, pg_stat_statements counts them no more.
    """
    asks: list[tuple[int | None, list[Any]]] = []
    if begun := calls.take(min(BEGUN, calls.left // 3)):
        together(going(players), lambda player: player.ask("check", params=begun))
    if calls.left:
        asks.append((None, calls.take(1)))
    if scenario.name == "nested_include":
        asks += [(number, [one]) for number, one in of_parents(calls.params, parents).items()]
    for number, params in asks:
        results = _all_counted(going(players), referee, number, params)
        judge = reference(players)
        for player in going(players):
            told = first_difference(results[judge.name], results[player.name]) if judge else ""
            if told:
                player.leave(WRONG, told)
    for player in going(players):
        referee.restore(player.clone, scenario)


def _all_counted(
    players: Sequence[Player], referee: Referee, parents: int | None, params: Sequence[Any]
) -> dict[str, Any]:
    """Have each make the calls, two at a time: each has its own database, by which statements are told apart."""
    results: dict[str, Any] = {}

    def one(player: Player) -> None:
        results[player.name] = _counted(player, referee, parents, params)

    together(players, one)
    return results


def _counted(player: Player, referee: Referee, parents: int | None, params: Sequence[Any]) -> Any:
    referee.meter.reset(player.clone.name)
    try:
        results = player.ask("check", params=params)["results"]
    except Fault as fault:
        player.leave(fault.what, fault.reason)
        return None
    found = referee.meter.read(player.clone.name)
    if found is not None:
        player.counted[parents] = found
    return results


def warm(players: Sequence[Player], referee: Referee, scenario: Scenario, calls: Calls, effort: Effort) -> None:
    """Run every player past the point where its statements may turn generic; learn what a call costs."""
    first = calls.take(FIRST)
    for player in going(players):
        _warm(player, first)
    share = effort.seconds / max(1, len(going(players)))
    costly = max((player.cost for player in going(players)), default=0.0)
    rest = max(0, min(effort.warm - len(first), int(share / max(costly, 1e-6))))
    params = calls.take(min(rest, calls.batch, max(0, calls.left // 3)))
    for player in going(players):
        referee.restore(player.clone, scenario)
        if params:
            _warm(player, params)
        referee.restore(player.clone, scenario)


def _warm(player: Player, params: Sequence[Any]) -> None:
    taken = _timed(player, params)
    if taken:
        player.cost = median(taken[len(taken) // 2 :]) / 1e9


def _timed(player: Player, params: Sequence[Any]) -> tuple[int, ...]:
    """Return the nanoseconds of each call; nothing when the player has to leave."""
    try:
        return tuple(player.ask("time", ANSWER + 20 * player.cost * len(params), params=params)["ns"])
    except Fault as fault:
        player.leave(fault.what, fault.reason)
        return ()


def time_rounds(
    players: Sequence[Player], referee: Referee, scenario: Scenario, calls: Calls, effort: Effort, chance: Random
) -> None:
    """Have all players run the same calls in turns, in another order each round."""
    able = going(players)
    rousing = _rousing(able, calls)
    size = _batch(able, calls, effort, rousing)
    if not size:
        for player in able:
            player.leave(NOT_CHECKED, "the tables hold too few rows for calls to be timed after those that are checked")
        return
    share = effort.seconds / effort.rounds / len(able)
    rounds = min(_rounds(able, rousing + size, effort), max(1, calls.left // (rousing + size)))
    with _without_collector():
        for number in range(rounds):
            params = calls.take(rousing + size)
            for player in chance.sample(able, len(able)):
                if player.goes_on and not _has_had_enough(player, number, share * effort.rounds):
                    _run_batch(player, referee, scenario, params, rousing, share)


def _rounds(players: Sequence[Player], size: int, effort: Effort) -> int:
    """Return how many rounds are played: fewer where one of a call by each takes long already."""
    each = size * sum(player.cost for player in players)
    paid = int(OVERTIME * effort.seconds / max(each, 1e-6))
    return min(effort.rounds, max(FEWEST_ROUNDS, effort.rounds // 2, paid))


def _rousing(players: Sequence[Player], calls: Calls) -> int:
    """Return how many calls begin a batch untimed: none where they are long, or few."""
    short = median([player.cost for player in players] or [0.0]) <= SHORT
    return ROUSING if short and min(calls.batch, calls.left // FEWEST_ROUNDS) > ROUSING else 0


def _run_batch(
    player: Player, referee: Referee, scenario: Scenario, params: Sequence[Any], rousing: int, share: float
) -> None:
    own = max(1, int(SHARE * share / max(player.cost, 1e-7)))
    taken = _timed(player, params[: rousing + own])
    if taken:
        player.rounds.append(taken[rousing:])
        referee.restore(player.clone, scenario)


def _batch(players: Sequence[Player], calls: Calls, effort: Effort, rousing: int) -> int:
    """Return how many timed calls a batch holds, so that all players together keep to the time."""
    cost = sum(player.cost for player in players)
    wanted = int(effort.seconds / effort.rounds / max(cost, 1e-6))
    fair = calls.left // effort.rounds
    return max(min(wanted, LONGEST_BATCH, fair, calls.batch) - rousing, min(1, calls.left))


def _has_had_enough(player: Player, number: int, share: float) -> bool:
    taken = sum(sum(each) for each in player.rounds) / 1e9
    return number >= FEWEST_ROUNDS and taken > TOO_LONG * share


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep our own garbage collector from running beside a measurement."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
