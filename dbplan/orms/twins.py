"""Twins: each raw driver beside a second process of itself, the A/A that says what the tool cannot tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from dbplan.evidence import OrmTiming
from dbplan.orms.bootstrap import mean
from dbplan.orms.facts import Gathered, Taking
from dbplan.orms.judging import by_orm, is_different, several
from dbplan.orms.scenarios import SCENARIOS
from dbplan.report.blocks import Table, table
from dbplan.report.cells import Figures, estimate, show


@dataclass(frozen=True)
class Twin:
    """A second process of a raw driver, and what was told of it beside the first."""

    taker: Taking
    told: tuple[OrmTiming, ...]
    shared: bool = False
    """Whether one process ran all scenarios, so that they do not tell how far two processes lie apart."""

    @property
    def equal(self) -> int:
        """The scenarios in which no difference is told."""
        return sum(not is_different(one) for one in self.told)

    @property
    def mean(self) -> Figures | None:
        """The geometric mean of the ratios; with its interval where each scenario had processes of its own."""
        found = mean([one.ratio for one in self.told if one.ratio])
        ends = (None, None) if self.shared else (found.low, found.high)
        return estimate(found.value, *ends, "ratio")

    @property
    def furthest(self) -> OrmTiming:
        """The scenario in which the two lie furthest apart."""
        return max(self.told, key=lambda one: abs(log(one.ratio or 1)))


def twins(facts: Gathered, told: Sequence[OrmTiming]) -> list[Twin]:
    """Return the raw drivers of which a second process was measured beside the first."""
    pairs = [
        (taker, tuple(one for one in by_orm(told, taker.orm) if one.ratio)) for taker in facts.entrants if taker.twin_of
    ]
    return [Twin(taker, found, facts.quick) for taker, found in pairs if found]


def beside_itself(twin: Twin) -> str:
    """Return what the tool says of two equal processes, in one sentence."""
    furthest = f"{show(twin.furthest.ratio, 'ratio')} in {SCENARIOS[twin.furthest.scenario]}"
    return (
        f"**{twin.taker.twin_of} beside itself**, a second process of it: no difference in {twin.equal} of "
        f"{several(len(twin.told), 'scenario', 'scenarios')}, over all {twin.mean}, furthest from 1 with {furthest}."
    )


def twin_table(found: Sequence[Twin]) -> Table:
    """Return a row for each raw driver."""
    rows = [(one.taker.title, len(one.told), one.equal, one.mean, one.furthest.ratio) for one in found]
    return table(
        {
            "raw driver": "text",
            "scenarios": "count",
            "no difference": "count",
            "over all": "ratio",
            "furthest from 1": "ratio",
        },
        rows,
        "Two processes of the same raw driver (A/A)",
    )
