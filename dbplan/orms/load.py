"""Load: many clients at once, as fast as they go, at a fixed rate, and all on one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dbplan.errors import mask
from dbplan.evidence import OrmLoad, OrmViolation
from dbplan.orms.bootstrap import mean
from dbplan.orms.calls import Calls, of_one_row
from dbplan.orms.measuring import Effort, going
from dbplan.orms.process import Fault
from dbplan.orms.referee import Referee
from dbplan.orms.scenarios import Scenario
from dbplan.orms.trial import ANSWER, Player

CLIENTS = 20
RATE = 200.0
"""Calls due a second in an open loop: the same for all, so that their latencies can be compared."""
READS, WRITES = "point_read", ("transaction", "update_one")
"""What is run under load; of the writes the first that a plan has."""
CLOSED, OPEN, ONE_ROW = "closed loop", "open loop", "one row"


def is_run(scenario: Scenario, names: Collection[str]) -> bool:
    """Return whether a scenario is run under load, where these scenarios are there."""
    return scenario.name in (READS, next((name for name in WRITES if name in names), None))


def loads(
    players: Sequence[Player], referee: Referee, scenario: Scenario, calls: Calls, effort: Effort
) -> list[OrmLoad]:
    """Load the server by one contestant after the other; each ends with it, for its pool has grown."""
    found = []
    for player in (player for player in going(players) if not player.entrant.twin_of):
        try:
            if scenario.name == READS:
                found += _reads(player, calls, effort)
            else:
                found.append(_writes(player, referee, scenario, calls, effort))
        except Fault as fault:
            kind = CLOSED if scenario.name == READS else ONE_ROW
            found.append(OrmLoad(player.name, scenario.name, kind, CLIENTS, 0.0, 0, errors=(str(fault),)))
        player.memory = max(player.memory or 0, player.process.memory() or 0) or None
        player.process.close()
    return found


def _reads(player: Player, calls: Calls, effort: Effort) -> list[OrmLoad]:
    return [_closed(player, calls, effort), _run(player, OPEN, calls.scenario, calls.params, effort.load, RATE)]


def _closed(player: Player, calls: Calls, effort: Effort) -> OrmLoad:
    """Run a few times; in a first run, which counts only if it had errors, pools grow and code is compiled."""
    first, *runs = (_answer(player, calls.params, effort.load, None) for _ in range(1 + effort.load_runs))
    counted = [first, *runs] if first["errors"] else runs
    told = _told(player.name, CLOSED, calls.scenario, None, _joined(counted))
    each = [_told(player.name, CLOSED, calls.scenario, None, one).throughput for one in counted]
    if min(each) <= 0:
        return told
    between = mean(each)
    low, high = (told.throughput * end / between.value for end in (between.low, between.high))
    return replace(told, throughput_low=low, throughput_high=high)


def _joined(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what runs told as one."""
    errors: Counter[str] = Counter()
    for one in answers:
        errors.update(one["errors"])
    sums = {name: sum(one[name] for one in answers) for name in ("done", "seconds")}
    return {**sums, "ns": [ns for one in answers for ns in one["ns"]], "errors": errors}


def _run(
    player: Player, kind: str, scenario: str, params: Sequence[Any], seconds: float | None, rate: float | None
) -> OrmLoad:
    return _told(player.name, kind, scenario, rate, _answer(player, params, seconds, rate))


def _answer(player: Player, params: Sequence[Any], seconds: float | None, rate: float | None) -> dict[str, Any]:
    within = ANSWER + 2 * (seconds or 0.0)
    return player.ask("load", within, params=params, clients=CLIENTS, seconds=seconds, rate=rate)


def _told(orm: str, kind: str, scenario: str, rate: float | None, answer: Mapping[str, Any]) -> OrmLoad:
    from numpy import quantile

    ns = answer.get("ns") or []
    middle, p95, p99 = (float(each) / 1e9 for each in quantile(ns, (0.5, 0.95, 0.99))) if ns else (None, None, None)
    errors = sorted(dict(answer.get("errors") or {}).items(), key=lambda item: (-item[1], item[0]))
    return OrmLoad(
        orm,
        scenario,
        kind,
        CLIENTS,
        float(answer["seconds"]),
        int(answer["done"]),
        rate,
        middle,
        p95,
        p99,
        answer.get("late"),
        answer.get("skipped"),
        refused=sum(int(times) for _, times in errors),
        errors=tuple(f"{times} × {mask(text)}" for text, times in errors),
    )


def _writes(player: Player, referee: Referee, scenario: Scenario, calls: Calls, effort: Effort) -> OrmLoad:
    """Have all clients write the same row; what was reported as done must be there afterwards."""
    referee.restore(player.clone, scenario)
    told = _run(player, ONE_ROW, scenario.name, of_one_row(calls.params[: effort.writes]), None, None)
    if scenario.insert is None:
        return told
    return replace(told, lost=told.done - told.refused - referee.restore(player.clone, scenario))


def violate(players: Sequence[Player], params: Sequence[Any]) -> list[OrmViolation]:
    """Have each insert a row that is there already; what its error tells is a fact, not a failure.

    A row whose unique values are NULL may come twice, so the next one is tried.
    """
    found = []
    for player in (player for player in going(players) if not player.entrant.twin_of):
        try:
            answers = [player.ask("violate", params=params[:1])]
            while not answers[-1].get("raised") and len(answers) < len(params):
                answers.append(player.ask("violate", params=[params[len(answers)]]))
        except Fault as fault:
            player.leave(fault.what, f"on a row that is there already: {fault.reason}")
        else:
            found.append(_violation(player.name, answers[-1]))
    return found


def _violation(orm: str, answer: Mapping[str, Any]) -> OrmViolation:
    return OrmViolation(
        orm,
        bool(answer.get("raised")),
        str(answer.get("type") or ""),
        str(answer.get("code") or ""),
        str(answer.get("constraint") or ""),
        tuple(map(str, answer.get("columns") or ())),
        mask(str(answer.get("message") or "")),
    )
