"""Print whether comparing ORMs says the same again: whole runs, their ranks, and what two processes of a driver differ.

Run: python tests/benchmarks/comparing.py [--quick] [--runs N] [PLAN …]

Plans are "store" and "credits" without any. For each pair of runs: Kendall's tau of the order of contestants, over all
scenarios (geometric mean of the ratios to the raw driver) and scenario by scenario; two are a tie where the interval of
their difference holds none.
A pair of contestants that two runs put in opposite order is a contradiction.
"""

import math
import sys
import time
from dataclasses import dataclass
from itertools import combinations

from dbplan import compare_orms, read
from dbplan.evidence import OrmTiming
from dbplan.orms.contestants import CONTESTANTS

Order = dict[tuple[str, ...], dict[str, tuple[float, float, float]]]
"""By place, say language and scenario: each contestant's ratio with its interval."""


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


def by_scenario(run):
    """Return the order of contestants in each scenario of each plan."""
    found: Order = {}
    for plan, report in run.reports.items():
        for one in timings(report):
            place = (plan, CONTESTANTS[one.orm].table, one.scenario)
            found.setdefault(place, {})[one.orm] = (one.ratio, one.ratio_low, one.ratio_high)
    return found


def over_all(run):
    """Return the order of contestants over all scenarios of each plan, of those that did every one that others did."""
    gathered = {}
    for (plan, table, _), ratios in by_scenario(run).items():
        for orm, told in ratios.items():
            gathered.setdefault((plan, table), {}).setdefault(orm, []).append(told)
    found: Order = {}
    for place, orms in gathered.items():
        most = max(map(len, orms.values()))
        found[place] = {orm: mean(told) for orm, told in orms.items() if len(told) == most}
    return found


def mean(told):
    """Return the geometric mean of ratios, and the interval that independent intervals leave it."""
    middle = sum(math.log(ratio) for ratio, _, _ in told) / len(told)
    spread = math.sqrt(sum((math.log(high / low) / 2) ** 2 for _, low, high in told)) / len(told)
    return math.exp(middle), math.exp(middle - spread), math.exp(middle + spread)


def signs(order):
    """Return which of each pair is quicker: -1 the first, 1 the other, 0 where it may be either."""
    return {
        (*place, first, other): sign(told[first], told[other])
        for place, told in order.items()
        for first, other in combinations(sorted(told), 2)
    }


def sign(one, other):
    """Return whether a ratio is above another: 0 where the interval of their difference, as a logarithm, holds none."""
    apart = math.log(one[0] / other[0])
    reach = math.hypot(*(math.log(high / low) / 2 for _, low, high in (one, other)))
    return (apart > reach) - (apart < -reach)


def tau(one, other):
    """Return Kendall's tau-b of two orders, and how many pairs they contradict each other in, of how many."""
    mine, theirs = signs(one), signs(other)
    pairs = [(mine[pair], theirs[pair]) for pair in mine.keys() & theirs.keys()]
    weight = math.sqrt(sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs))
    agreed = sum(a * b for a, b in pairs)
    return (agreed / weight if weight else 1.0), sum(a * b < 0 for a, b in pairs), len(pairs)


def told(runs):
    """Yield the lines that say how well runs agree."""
    for title, order in (("over all scenarios", over_all), ("scenario by scenario", by_scenario)):
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
