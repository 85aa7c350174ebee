"""Ranking: the contestants of a language over all scenarios, and which of them the figures do not tell apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from dbplan.evidence import OrmRank
from dbplan.orms.bootstrap import CONFIDENCE, Interval, ratio
from dbplan.orms.facts import Gathered, Rounds, Taking
from dbplan.orms.judging import Measured, apart, measured, tables
from dbplan.report.blocks import Table
from dbplan.report.blocks import table as table_of
from dbplan.report.cells import estimate

FEWEST = 0.75
"""The part of the scenarios of those that have most, below which a contestant is not ranked."""


@dataclass(frozen=True)
class _Beside:
    """Two contestants beside each other: scenario by scenario, in the rounds that both had."""

    times: Measured
    between: float
    """How far two processes of the same lie apart."""
    shared: bool
    """Whether one process ran all scenarios, so that more of them tell no more of that."""
    random_state: int

    def mean(self, orm: str, other: str, scenarios: Sequence[str]) -> Interval:
        """Return how many times as long one took as another, geometric mean of scenarios."""
        each = [self._ratio(self.times[orm, name].rounds, self.times[other, name].rounds) for name in scenarios]
        middle = sum(math.log(one.value) for one in each) / len(each)
        reach = math.hypot(*(math.log(one.high / one.low) / 2 for one in each)) / len(each)
        if self.shared:
            reach = math.hypot(reach, self.between * NormalDist().inv_cdf((1 + CONFIDENCE) / 2))
        return Interval(math.exp(middle), math.exp(middle - reach), math.exp(middle + reach))

    def _ratio(self, one: Rounds, other: Rounds) -> Interval:
        return ratio(one, other, self.random_state, between=0.0 if self.shared else self.between)


def ranks(facts: Gathered) -> Iterator[OrmRank]:
    """Yield the places of contestants beside the raw driver of their language, the quickest first.

    They are ranked by the scenarios that all of them have a time in; who has far fewer than others has no place. Two
    are compared by their own rounds, for the raw driver's, which both ratios hold, would count twice.
    """
    times = measured(facts)
    beside = _Beside(times, apart(facts, times).get(("", ""), 0.0), facts.quick, facts.random_state)
    for name in tables(facts):
        yield from _ranks(facts, name, beside)


def _ranks(facts: Gathered, table: str, beside: _Beside) -> Iterator[OrmRank]:
    takers = [one for one in facts.entrants if one.table == table and not one.twin_of]

    def timed(taker: Taking) -> list[str]:
        return [name for name in facts.scenarios if {(taker.orm, name), (taker.baseline, name)} <= beside.times.keys()]

    own = {taker.orm: timed(taker) for taker in takers if taker.orm != taker.baseline and timed(taker)}
    most = max(map(len, own.values()), default=0)
    ranked = [orm for orm, names in own.items() if len(names) >= FEWEST * most]
    common = [name for name in facts.scenarios if all(name in own[orm] for orm in ranked)]
    found = []
    for taker in (taker for taker in takers if taker.orm in own):
        has_place = taker.orm in ranked and common
        names = common if has_place else own[taker.orm]
        mean = beside.mean(taker.orm, taker.baseline, names)
        rank = OrmRank(taker.orm, table, len(names), mean.value, mean.low, mean.high)
        if has_place:
            others = {other: beside.mean(taker.orm, other, common) for other in ranked if other != taker.orm}
            level = tuple(other for other, told in others.items() if told.holds(1.0))
            rank = replace(rank, place=1 + sum(told.low > 1.0 for told in others.values()), level_with=level)
        found.append(rank)
    yield from sorted(found, key=lambda one: (one.place is None, one.place or 0, one.ratio))


def rank_table(ranked: Sequence[OrmRank], takers: Sequence[Taking], name: str) -> Table:
    """Return a row for each contestant of a language, in its place."""
    titles = {taker.orm: taker.title for taker in takers}
    driver = titles[takers[0].baseline]
    rows = [
        (one.place, titles[one.orm], estimate(one.ratio, one.ratio_low, one.ratio_high, "ratio"), one.scenarios,
         ", ".join(titles[other] for other in one.level_with) or ("none" if one.place else None))
        for one in ranked
    ]  # fmt: skip
    kinds = {"place": "count", "contestant": "text", f"of {driver}'s time": "ratio", "scenarios": "count",
             "level with": "text"}  # fmt: skip
    return table_of(kinds, rows, f"{name}: over all scenarios")  # type: ignore[arg-type]
