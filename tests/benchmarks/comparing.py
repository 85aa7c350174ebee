"""Print whether comparing ORMs says the same again: whole runs, their ranks, and what two processes of a driver differ.

Run: python tests/benchmarks/comparing.py [--quick] [--runs N] [PLAN …]

Plans are "store" and "credits" without any. For each pair of runs: Kendall's tau of the places of contestants, over all
scenarios of each plan, as the report ranks them, and scenario by scenario; two are a tie where the interval of their
difference holds none.
A pair of contestants that two runs put in opposite order is a contradiction.
"""

import math
import sys
import time
from dataclasses import dataclass
from itertools import combinations

from dbplan import compare_orms, read
from dbplan.evidence import OrmRank, OrmTiming
from dbplan.orms.contestants import CONTESTANTS

Signs = dict[tuple[str, ...], float]
"""By plan and pair: -1 where the first is quicker, 1 where the other is, 0 where it may be either."""


@dataclass
class Run:
    """One run over all plans: seconds and report of each."""

    seconds: dict[str, float]
    reports: dict[str, object]


def run(plans, quick):
    """Compare ORMs on every plan, one after the other, as the command with several plans does."""
    seconds, reports = {}, {}
    for name in plans:
        began = time.monotonic()
        reports[name] = compare_orms(read(name), quick=quick)
        seconds[name] = time.monotonic() - began
    return Run(seconds, reports)


def timings(report):
    """Return what was measured of contestants other than the drivers that they are divided by."""
    found = (one for one in report.evidence if isinstance(one, OrmTiming) and one.ratio)
    return [one for one in found if one.orm in CONTESTANTS and one.orm != CONTESTANTS[one.orm].baseline]


def places(run):
    """Return which of each pair is the quicker over all scenarios of a plan, as its report ranks them."""
    found: Signs = {}
    for plan, report in run.reports.items():
        ranked = [one for one in report.evidence if isinstance(one, OrmRank) and one.place]
        for one, other in pairs(ranked):
            tied = other.orm in one.level_with
            found[plan, one.orm, other.orm] = 0 if tied else math.copysign(1, one.ratio - other.ratio)
    return found


def by_scenario(run):
    """Return which of each pair is the quicker in each scenario; the interval of a tie holds both."""
    return {
        (plan, scenario, one.orm, other.orm): sign(one, other)
        for plan, report in run.reports.items()
        for scenario in dict.fromkeys(one.scenario for one in timings(report))
        for one, other in pairs([one for one in timings(report) if one.scenario == scenario])
    }


def pairs(told):
    """Return the pairs of those that stand in one table."""
    return [
        (one, other)
        for one, other in combinations(sorted(told, key=lambda one: one.orm), 2)
        if CONTESTANTS[one.orm].table == CONTESTANTS[other.orm].table
    ]


def sign(one, other):
    """Return whether a ratio is above another: 0 where the interval of their difference, as a logarithm, holds none."""
    apart = math.log(one.ratio / other.ratio)
    reach = math.hypot(*(math.log(each.ratio_high / each.ratio_low) / 2 for each in (one, other)))
    return (apart > reach) - (apart < -reach)


def tau(one, other):
    """Return Kendall's tau-b of two orders, and how many pairs they contradict each other in, of how many."""
    both = [(one[pair], other[pair]) for pair in one.keys() & other.keys()]
    weight = math.sqrt(sum(a * a for a, _ in both) * sum(b * b for _, b in both))
    agreed = sum(a * b for a, b in both)
    return (agreed / weight if weight else 1.0), sum(a * b < 0 for a, b in both), len(both)


def told(runs):
    """Yield the lines that say how well runs agree."""
    orders = {"over all scenarios": places, "scenario by scenario": by_scenario}
    for title, order in orders.items():
        for (n, one), (m, other) in combinations(enumerate(runs, 1), 2):
            agreed, contradicted, pairs = tau(order(one), order(other))
            yield f"runs {n} and {m}, {title}: tau {agreed:.3f}, {contradicted} of {pairs} pairs contradict each other"


def twins(run):
    """Return in how many cells two processes of the same driver are said not to differ, of how many."""
    facts = (one for report in run.reports.values() for one in report.evidence if isinstance(one, OrmTiming))
    found = [one for one in facts if one.orm.endswith(" again") and one.ratio]
    return sum(one.ratio_low <= 1 <= one.ratio_high for one in found), len(found)


def main(words):
    """Run and print."""
    quick, count = "--quick" in words, int(words[words.index("--runs") + 1]) if "--runs" in words else 3
    plans = [word for word in words if word.isidentifier()] or ["store", "credits"]
    runs = []
    for number in range(1, count + 1):
        runs.append(run(plans, quick))
        same, cells = twins(runs[-1])
        each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in runs[-1].seconds.items())
        print(f"run {number}: {each}, together {sum(runs[-1].seconds.values()) / 60:.1f} min; ", end="")
        print(f"no difference between two processes of a driver in {same} of {cells} cells", flush=True)
    print(*told(runs), sep="\n")
    return runs


if __name__ == "__main__":
    main(sys.argv[1:])
