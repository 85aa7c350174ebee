"""Judging: the facts of a comparison in, a Report out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from dbplan.evidence import Fact, Finding, OrmLoad, OrmTiming, Place, Severity
from dbplan.orms.bootstrap import error, overall, quantiles, ratio
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.facts import MEASURED, NOT_CHECKED, NOT_COVERED, Gathered, Outcome, Rounds, Taking
from dbplan.orms.process import FAULTS
from dbplan.orms.scenarios import SCENARIOS
from dbplan.report import Report
from dbplan.report.blocks import Section

TOLERATED = 0.2
"""The part of a driver's scenarios in which its two processes may differ by chance."""
FAR = 1.25
"""How many times as long one of them takes where that is no chance."""
FEWEST_TWINS = 5
"""Pairs of equal processes from which on it is told how far two processes of the same lie apart."""
_FURTHEST = 3.0
"""Standard deviations from which on a pair counts as if it lay there."""
_CHI_SQUARED_MEDIAN = 0.4549
"""The median of the square of a standard normal value."""
_BY_DESIGN = frozenset({NOT_COVERED, NOT_CHECKED})

Measured = Mapping[tuple[str, str], Outcome]
"""What was measured, by contestant and scenario."""


def judge(plan: str, facts: Gathered, priorities: Mapping[str, float] = MappingProxyType({})) -> Report:
    """Return the report: which to take; for each language time and statements; start, load, errors, features.

    `priorities` weigh marks; those that are not named weigh by default.
    """
    from dbplan.orms import selecting
    from dbplan.orms.ranking import ranks
    from dbplan.orms.telling import blocks

    told, ranked = timings(facts), tuple(ranks(facts))
    findings = tuple(_findings(facts))
    evidence: tuple[Fact, ...] = (
        *told,
        *ranked,
        *facts.statements,
        *facts.starts,
        *facts.loads,
        *facts.violations,
        *facts.features,
    )
    chosen = selecting.select(selecting.measured(evidence), priorities)
    findings = (*_restless(facts, told), *findings)
    scores = tuple(score for ranking in chosen.rankings for score in ranking.scores)
    decision = (*selecting.teams(chosen), selecting.criteria(chosen))
    which = [Section("Which to take", blocks=decision)] if chosen.rankings else []
    return Report(
        title=f"ORMs: {plan}",
        verdict=f"{chosen.verdict}. {verdict(plan, facts, told, nearest=False)}"
        if chosen.rankings
        else verdict(plan, facts, told),
        ok=any(one.outcome == MEASURED for one in told),
        blocks=(*which, *blocks(facts, told, ranked, findings)),
        evidence=(*evidence, *scores, *findings, *((facts.server,) if facts.server else ())),
        actions=tuple(finding for finding in findings if finding.severity is not Severity.NOTE),
        server=facts.server,
        judged=False,
    )


def timings(facts: Gathered) -> tuple[OrmTiming, ...]:
    """Return every outcome as a timing, with its ratio to the raw driver of its table where both were measured."""
    times = measured(facts)
    spreads = apart(facts, times)
    takers = {taker.orm: taker for taker in facts.entrants}
    return tuple(_timing(one, takers[one.orm], times, spreads, facts.random_state) for one in facts.outcomes)


def measured(facts: Gathered) -> Measured:
    """Return what was measured."""
    return {(one.orm, one.scenario): one for one in facts.outcomes if one.outcome == MEASURED and one.rounds}


def _timing(
    outcome: Outcome, taker: Taking, times: Measured, spreads: Mapping[tuple[str, str], float], random_state: int
) -> OrmTiming:
    told = OrmTiming(
        outcome.orm, outcome.scenario, outcome.outcome, outcome.reason, outcome.note, memory=outcome.memory
    )
    if (outcome.orm, outcome.scenario) not in times:
        return told
    told = _with_quantiles(told, outcome.rounds, random_state)
    base = times.get((taker.twin_of or taker.baseline, outcome.scenario))
    if base is None or base is outcome:
        return told
    between = spreads.get((outcome.orm, outcome.scenario), spreads.get(("", ""), 0.0))
    found = ratio(outcome.rounds, base.rounds, random_state, between=between)
    return replace(told, baseline=base.orm, ratio=found.value, ratio_low=found.low, ratio_high=found.high)


def _with_quantiles(told: OrmTiming, rounds: Rounds, random_state: int) -> OrmTiming:
    figures: dict[str, float] = {}
    for name, found in zip(("median", "p95", "p99"), quantiles(rounds, random_state), strict=True):
        if found is not None:
            prefix = "" if name == "median" else f"{name}_"
            figures |= {name: found.value / 1e9, f"{prefix}low": found.low / 1e9, f"{prefix}high": found.high / 1e9}
    return replace(told, n=sum(map(len, rounds)), rounds=len(rounds), **figures)  # type: ignore[arg-type]


def apart(facts: Gathered, times: Measured) -> dict[tuple[str, str], float]:
    """Return how far two processes of the same lie apart, as the standard deviation of a logarithm.

    Two processes of one driver differ by more than their rounds do: by where their memory lies and which core they
    have. For a second process of a raw driver it is told by the other pairs alone, or each would excuse itself.
    """
    pairs = {
        (taker.orm, scenario): _pair(times[taker.orm, scenario].rounds, times[taker.twin_of, scenario].rounds)
        for taker in facts.entrants
        for scenario in facts.scenarios
        if taker.twin_of and (taker.orm, scenario) in times and (taker.twin_of, scenario) in times
    }
    found = {own: _spread([one for other, one in pairs.items() if other != own]) for own in pairs}
    return found | {("", ""): _spread(list(pairs.values()))}


def _pair(one: Rounds, other: Rounds) -> tuple[float, float]:
    """Return the logarithm of the ratio of two processes of the same, and its standard error."""
    found = ratio(one, other)
    return math.log(found.value), error(found, min(len(one), len(other)))


def _spread(pairs: Sequence[tuple[float, float]]) -> float:
    if len(pairs) < FEWEST_TWINS:
        return 0.0
    squares, errors = np.square(np.asarray(pairs)).T
    robust = float(np.median(squares)) / _CHI_SQUARED_MEDIAN
    kept = np.minimum(squares, _FURTHEST**2 * robust)  # one that was disturbed must not excuse all others
    return float(np.sqrt(max(0.0, float(np.mean(kept)) - float(np.median(errors)))))


def is_different(timing: OrmTiming) -> bool:
    """Return whether a ratio's interval leaves 1 out."""
    return (
        timing.ratio_low is not None
        and timing.ratio_high is not None
        and not timing.ratio_low <= 1 <= timing.ratio_high
    )


def by_orm(told: Sequence[OrmTiming], orm: str) -> list[OrmTiming]:
    """Return the timings of one contestant."""
    return [one for one in told if one.orm == orm]


def mean_ratio(told: Sequence[OrmTiming]) -> float | None:
    """Return the geometric mean of the ratios, None where there are none."""
    ratios = [one.ratio for one in told if one.ratio is not None]
    return overall(ratios) if ratios else None


def verdict(plan: str, facts: Gathered, told: Sequence[OrmTiming], *, nearest: bool = True) -> str:
    """Return the whole comparison in one sentence; `nearest` says which ORM of each table is to its raw driver."""
    own = (taker.title for taker in facts.entrants if not (taker.twin_of or is_driver(taker.orm)))
    orms = {title.removesuffix(" async") for title in own}  # one that has both interfaces is one
    if not facts.entrants:
        return f"No contestant could be measured on {plan}."
    head = f"{several(len(orms), 'ORM', 'ORMs')} on {several(len(facts.scenarios), 'scenario', 'scenarios')} of {plan}"
    each = filter(None, (_nearest(facts, told, table) for table in tables(facts)))
    near = f"; {'; '.join(each) or 'no ratio to a raw driver'}" if nearest else ""
    wrong = sum(one.outcome not in (MEASURED, *_BY_DESIGN) for one in told)
    tail = (
        f"; {several(wrong, 'cell has', 'cells have')} no time, for the rows were wrong or it failed" if wrong else ""
    )
    return f"{head}{near}{tail}{_lost(facts)}{_stuck(facts)}."


def _lost(facts: Gathered) -> str:
    """Say how many could not take part for what happened as they were started."""
    count = len([one for one in facts.absent if one.outcome in FAULTS])
    return f"; {several(count, 'contestant', 'contestants')} failed at the start" if count else ""


def _stuck(facts: Gathered) -> str:
    """Say who got nothing done under load."""
    titles = {taker.orm: taker.title for taker in facts.entrants}
    found = dict.fromkeys(titles[load.orm] for load in facts.loads if _is_stuck(load))
    return f"; under load no call came through of {', '.join(found)}" if found else ""


def _is_stuck(load: OrmLoad) -> bool:
    return bool(load.errors) and load.done == load.refused


def is_driver(orm: str) -> bool:
    """Return whether a contestant is a raw driver."""
    return orm in CONTESTANTS and CONTESTANTS[orm].is_driver


def tables(facts: Gathered) -> list[str]:
    """Return the tables that contestants stand in, in their order."""
    return list(dict.fromkeys(taker.table for taker in facts.entrants))


def _nearest(facts: Gathered, told: Sequence[OrmTiming], table: str) -> str:
    """Say which ORM of a table is nearest to its raw driver, among those that did most scenarios."""
    from dbplan.report.cells import show

    ratios = {
        taker.title: [one for one in by_orm(told, taker.orm) if one.ratio is not None]
        for taker in facts.entrants
        if taker.table == table and not (taker.twin_of or is_driver(taker.orm))
    }
    most = max(map(len, ratios.values()), default=0)
    if not most:
        return ""
    means = {title: mean_ratio(found) for title, found in ratios.items() if len(found) == most}
    title, mean = min(means.items(), key=lambda item: item[1] or 0.0)
    baseline = next(taker.baseline for taker in facts.entrants if taker.table == table)
    return f"{table}: {title} is nearest to {baseline}, {show(mean, 'ratio')} its time"


def _findings(facts: Gathered) -> Iterator[Finding]:
    titles = {taker.orm: taker.title for taker in facts.entrants}
    for one in facts.outcomes:
        if one.outcome not in (MEASURED, *_BY_DESIGN):
            place = Place(table=facts.scenarios[one.scenario].table, statement=f"{one.orm}: {SCENARIOS[one.scenario]}")
            rule = f"orm-{one.outcome.replace(' ', '-')}"
            yield Finding(rule, Severity.WARNING, place, f"{titles[one.orm]}: {one.outcome}: {one.reason}")
    for absent in (one for one in facts.absent if one.outcome in FAULTS):
        said = f"{absent.title} takes no part: {absent.outcome}: {absent.reason}"
        yield Finding("orm-absent", Severity.WARNING, Place(statement=absent.orm), said)
    yield from _under_load(facts, titles)


def _restless(facts: Gathered, told: Sequence[OrmTiming]) -> Iterator[Finding]:
    """Yield the raw drivers of which two processes differ in more scenarios than chance has it."""
    for taker in (taker for taker in facts.entrants if taker.twin_of):
        own = [one for one in by_orm(told, taker.orm) if one.ratio]
        apart = [one for one in own if is_different(one)]
        if len(apart) > TOLERATED * len(own) or any(_far(one) for one in apart):
            names = ", ".join(f"{SCENARIOS[one.scenario]} {one.ratio:.2f}×" for one in apart)
            said = (
                f"two processes of {taker.twin_of} differ in {len(apart)} of {len(own)} scenarios ({names}): the "
                f"machine was busy with something else; there ratios of {taker.table} are not to be believed"
            )
            yield Finding("orm-restless", Severity.WARNING, Place(statement=taker.twin_of), said)


def _far(one: OrmTiming) -> bool:
    return one.ratio is not None and max(one.ratio, 1 / one.ratio) > FAR


def _under_load(facts: Gathered, titles: Mapping[str, str]) -> Iterator[Finding]:
    for load in facts.loads:
        place, title = Place(statement=f"{load.orm}: {SCENARIOS[load.scenario]}"), titles[load.orm]
        if load.lost:
            writes = several(abs(load.lost), "write", "writes")
            reported = "done and not there" if load.lost > 0 else "failed and there all the same"
            said = f"{title}: {writes} of {load.clients} clients reported as {reported}"
            yield Finding("orm-lost-write", Severity.WARNING, place, said)
        if _is_stuck(load):
            said = f"{title}: no call of {load.clients} clients came through ({load.kind}): {'; '.join(load.errors)}"
            yield Finding("orm-stuck", Severity.WARNING, place, said)


def several(count: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{count} {one if count == 1 else many}"
