"""Scoring: what was measured as marks from 0 to 1 by criterion, weighed by what matters to a team."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dbplan.errors import UnknownName, UsageError
from dbplan.evidence import OrmFeature, OrmLoad, OrmRank, OrmScore, OrmStart, OrmStatements, OrmTiming, OrmViolation
from dbplan.orms.contestants import CONTESTANTS


@dataclass(frozen=True)
class Criterion:
    """What an ORM is marked for: how much it weighs by default, and what a mark of 1 means."""

    title: str
    weight: float
    meaning: str


CRITERIA: Mapping[str, Criterion] = {
    "coverage": Criterion("Coverage", 4, "every scenario with the right rows, by its own means; with help, half"),
    "features": Criterion("Features", 3, "every feature that was probed works"),
    "speed": Criterion("Speed", 3, "as quick as the quickest raw driver of the group, one call after the other"),
    "load": Criterion(
        "Load", 2, "as many calls a second as the best raw driver of the group, with many clients at once"
    ),
    "safety": Criterion("Safety", 2, "no write of many clients to one row is lost or refused"),
    "statements": Criterion("Statements", 1, "no more statements than by hand, BEGIN and COMMIT included"),
    "errors": Criterion("Errors", 1, "a unique violation names its code and its constraint or columns"),
    "footprint": Criterion("Footprint", 1, "the smallest install and the least memory of the group"),
    "start": Criterion("Cold start", 1, "the quickest of the group to its first answer"),
}
"""The criteria with the weights of a small product team, for which what works counts more than what is quick."""


@dataclass(frozen=True)
class Mark:
    """How well one ORM meets one criterion: 0 to 1, where it may lie, and the figures behind it in words."""

    value: float
    evidence: str
    low: float | None = None
    high: float | None = None

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest that it may be."""
        return (self.value if self.low is None else self.low, self.value if self.high is None else self.high)


Marks = Mapping[str, Mapping[str, Mark]]
"""Marks by criterion and ORM."""


@dataclass(frozen=True)
class Measured:
    """The evidence that marks are made of."""

    timings: Sequence[OrmTiming] = ()
    statements: Sequence[OrmStatements] = ()
    starts: Sequence[OrmStart] = ()
    loads: Sequence[OrmLoad] = ()
    violations: Sequence[OrmViolation] = ()
    features: Sequence[OrmFeature] = ()
    ranks: Sequence[OrmRank] = ()


@dataclass(frozen=True)
class Flip:
    """What weight of one criterion, all others as they are, would put another ORM first."""

    criterion: str
    weight: float
    instead: float
    winner: str


@dataclass(frozen=True)
class Ranking:
    """ORMs of one group by score, the best first; criteria that could not be weighed, with the reason."""

    group: str
    scores: tuple[OrmScore, ...]
    weights: Mapping[str, float]
    flips: tuple[Flip, ...] = ()
    unweighed: Mapping[str, str] = field(default_factory=dict)

    @property
    def winner(self) -> str:
        """The first, empty where nobody is ranked."""
        return self.scores[0].orm if self.scores else ""

    @property
    def tied(self) -> tuple[str, ...]:
        """Those that the figures cannot tell from the winner, itself included."""
        return tuple(one.orm for one in self.scores if _is_level(self.scores[0], one))


def _is_level(first: OrmScore, other: OrmScore) -> bool:
    """Return whether the interval of the difference holds none: intervals that meet may hide one."""
    return first.score - other.score <= math.hypot(first.score - first.low, other.high - other.score)


def weights(priorities: Mapping[str, float]) -> dict[str, float]:
    """Return the weight of every criterion, a plan's own before the default.

    Raises UnknownName for one that is none, UsageError where nothing is to count.
    """
    for name in priorities:
        if name not in CRITERIA:
            raise UnknownName("mark", name, CRITERIA, where="priorities")
    found = {name: float(priorities.get(name, one.weight)) for name, one in CRITERIA.items()}
    if not any(found.values()):
        raise UsageError("priorities give every criterion the weight 0; one at least is to count")
    return found


def rank(group: str, orms: Sequence[str], marks: Marks, weighed: Mapping[str, float]) -> Ranking:
    """Rank ORMs by the weighted mean of their marks.

    A criterion for which one of them has no mark counts for none: what was not measured is no zero.
    """
    lacking = {name: [orm for orm in orms if orm not in marks.get(name, {})] for name in weighed}
    used = {name: weight for name, weight in weighed.items() if not lacking[name] and weight}
    unweighed = {name: _unmarked(orms, absent) for name, absent in lacking.items() if absent}
    if not used or not orms:
        return Ranking(group, (), weighed, unweighed=unweighed)
    scores = sorted((_score(group, orm, marks, used) for orm in orms), key=lambda one: (-one.score, one.orm))
    flips = tuple(_flips([one.orm for one in scores], marks, used))
    return Ranking(group, tuple(scores), used, flips, unweighed)


def _unmarked(orms: Sequence[str], absent: Sequence[str]) -> str:
    return "measured of none" if len(absent) == len(orms) else f"not measured of {', '.join(absent)}"


def _score(group: str, orm: str, marks: Marks, used: Mapping[str, float]) -> OrmScore:
    own = {name: marks[name][orm] for name in used}
    score = _mean({name: mark.value for name, mark in own.items()}, used)
    below, above = (
        math.hypot(*(used[name] * (mark.span[end] - mark.value) for name, mark in own.items())) / sum(used.values())
        for end in range(2)
    )  # marks err each for itself
    evidence = tuple((name, mark.value, mark.evidence) for name, mark in own.items())
    return OrmScore(group, orm, score, score - below, score + above, evidence)


def _mean(values: Mapping[str, float], used: Mapping[str, float]) -> float:
    return sum(used[name] * value for name, value in values.items()) / sum(used.values())


def _flips(ranked: Sequence[str], marks: Marks, used: Mapping[str, float]) -> Iterable[Flip]:
    """Yield for every criterion the nearest weight, up or down, at which another ORM would be first."""
    first, *others = ranked
    for name, weight in used.items():
        found = [
            (abs(instead - weight), orm, instead) for orm in others for instead in _tie(first, orm, name, marks, used)
        ]
        if found:
            _, orm, instead = min(found)
            yield Flip(name, weight, instead, orm)


def _tie(first: str, other: str, name: str, marks: Marks, used: Mapping[str, float]) -> Iterable[float]:
    """Yield the weight of one criterion at which two are equal, where it is one."""
    rest = sum(w * (marks[c][first].value - marks[c][other].value) for c, w in used.items() if c != name)
    ahead = marks[name][first].value - marks[name][other].value
    if ahead and -rest / ahead >= 0:
        yield -rest / ahead


def marks(measured: Measured, orms: Sequence[str]) -> dict[str, dict[str, Mark]]:
    """Return the marks of ORMs of one group by criterion; one that was not measured for a criterion has none there.

    All are held against the same: the raw drivers of the whole group, and each other.
    """
    found: dict[str, Callable[[Measured, Sequence[str]], dict[str, Mark]]] = {
        "coverage": _coverage,
        "features": _features,
        "speed": _speed,
        "load": _load,
        "safety": _safety,
        "statements": _statements,
        "errors": _errors,
        "footprint": _footprint,
        "start": _start,
    }
    return {name: made(measured, orms) for name, made in found.items()}


def _coverage(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    made = {}
    for orm in orms:
        own = [one for one in measured.timings if one.orm == orm and one.outcome != "not checked"]
        done = [one for one in own if one.outcome == "measured"]
        helped = [one for one in done if one.note]
        if own:
            value = (len(done) - len(helped) / 2) / len(own)
            with_help = f", {len(helped)} with help" if helped else ""
            made[orm] = Mark(value, f"{len(done)} of {len(own)} scenarios{with_help}")
    return made


def _features(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    """Count the features that were probed of all of them."""
    answers = {(one.orm, one.feature): one.answer for one in measured.features if one.answer in _ANSWERS}
    probed = {feature for _, feature in answers if all((orm, feature) in answers for orm in orms)}
    made = {}
    for orm in orms if probed else ():
        own = [answers[orm, feature] for feature in probed]
        value = sum(_ANSWERS[answer] for answer in own) / len(own)
        made[orm] = Mark(value, ", ".join(f"{own.count(answer)} {answer}" for answer in _ANSWERS))
    return made


_ANSWERS = {"yes": 1.0, "partly": 0.5, "no": 0.0}


def _speed(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    """Return one over the geometric mean of the times as multiples of the quickest raw driver's.

    Ratios to each table's own driver would flatter those whose driver is slow. Where it may lie is told by the rounds
    that it was measured in beside its driver; where there is no rank, by the intervals of its times.
    """
    ranked = {one.orm: one for one in measured.ranks if one.place}
    quickest: dict[str, float] = {}
    for one in measured.timings:
        if one.orm in _drivers(orms) and one.median:
            quickest[one.scenario] = min(one.median, quickest.get(one.scenario, one.median))
    made = {}
    for orm in orms:
        own = [t for t in measured.timings if t.orm == orm and t.median and t.scenario in quickest]
        if own:
            times = [
                [(t.median or 0, t.low or 0, t.high or 0)[part] / quickest[t.scenario] for t in own]
                for part in range(3)
            ]
            middle, low, high = map(_geometric, times)
            said = f"{middle:.2f} times the quickest raw driver's time, geometric mean of {len(own)} scenarios"
            if orm in ranked:
                low, high = (
                    middle * end / ranked[orm].ratio for end in (ranked[orm].ratio_low, ranked[orm].ratio_high)
                )
            made[orm] = Mark(min(1.0, 1 / middle), said, min(1.0, 1 / high), min(1.0, 1 / low))
    return made


def _drivers(orms: Sequence[str]) -> set[str]:
    """Return the raw drivers that ORMs are held against: all that stand in the same tables."""
    tables = {CONTESTANTS[orm].table for orm in orms}
    return {name for name, one in CONTESTANTS.items() if one.is_driver and one.table in tables}


def _load(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    """Return the calls a second that came through, as a share of the best raw driver's.

    Where it may lie leaves out what that driver varied by: it moves all of them alike.
    """
    closed = [one for one in measured.loads if one.kind == "closed loop" and one.throughput > 0]
    best: dict[str, float] = {}
    for one in closed:
        if one.orm in _drivers(orms):
            best[one.scenario] = max(one.throughput, best.get(one.scenario, 0.0))
    made = {}
    for orm in orms:
        own = [one for one in closed if one.orm == orm and one.scenario in best]
        if own:
            rates = [[t, one.throughput_low or t, one.throughput_high or t] for one in own if (t := one.throughput)]
            shares = [[rate / best[one.scenario] for rate in each] for one, each in zip(own, rates, strict=True)]
            middle, low, high = (_geometric([each[part] for each in shares]) for part in range(3))
            said = f"{middle:.2f} times the best raw driver's calls a second"
            made[orm] = Mark(min(1.0, middle), said, min(1.0, low), min(1.0, high))
    return made


def _safety(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    made = {}
    for orm in orms:
        own = [one for one in measured.loads if one.orm == orm and one.kind == "one row"]
        if own and not any(one.done for one in own):
            made[orm] = Mark(0.0, f"no write came through: {'; '.join(own[0].errors)}")
        elif own:
            done, lost = sum(one.done for one in own), sum(one.lost or 0 for one in own)
            refused = sum(one.refused for one in own)
            wrong = f"{lost} lost" if lost >= 0 else f"{-lost} reported as failed and there all the same"
            made[orm] = Mark(
                max(0.0, 1 - (refused + lost) / done) * (not lost), f"{refused} refused, {wrong} of {done}"
            )
    return made


def _statements(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    """Return the geometric mean, for one scenario that sends a thousand must not hide all others."""
    sent = {(one.orm, one.scenario): one.statements + one.control for one in measured.statements if one.parents is None}
    fewest: dict[str, int] = {}
    for (orm, scenario), count in sent.items():
        if orm in _drivers(orms):
            fewest[scenario] = min(count, fewest.get(scenario, count))
    made = {}
    for orm in orms:
        own = [n / fewest[name] for (who, name), n in sent.items() if who == orm and n and fewest.get(name)]
        if own:
            middle = _geometric(own)
            made[orm] = Mark(min(1.0, 1 / middle), f"{middle:.2f} times the fewest of a raw driver, geometric mean")
    return made


def _errors(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    own = {one.orm: one for one in measured.violations if one.orm in orms}
    return {orm: _told(one) for orm, one in own.items()}


def _told(one: OrmViolation) -> Mark:
    told = {"its code": bool(one.code), "the constraint or its columns": bool(one.constraint or one.columns)}
    if not one.raised:
        return Mark(0.0, "no error was raised")
    known = " and ".join(what for what, is_told in told.items() if is_told) or "neither code nor constraint"
    return Mark(sum(told.values()) / 2, f"{one.type} tells {known}")


def _footprint(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    """Return the geometric mean of the smallest size and memory over one's own."""
    own = {one.orm: (one.size, one.memory) for one in measured.starts if one.orm in orms and one.size and one.memory}
    sizes, memories = ([float(pair[part] or 0) for pair in own.values()] for part in range(2))
    return {
        orm: Mark(
            _geometric([min(sizes) / float(size or 1), min(memories) / float(memory or 1)]),
            f"{(size or 0) / 1e6:.1f} MB installed, {(memory or 0) / 1e6:.0f} MB of memory",
        )
        for orm, (size, memory) in own.items()
    }


def _start(measured: Measured, orms: Sequence[str]) -> dict[str, Mark]:
    own = {one.orm: one for one in measured.starts if one.orm in orms and one.whole}
    best = min((one.whole for one in own.values() if one.whole), default=0.0)
    made = {}
    for orm, one in own.items():
        middle, low, high = (best / (each or one.whole or 1) for each in (one.whole, one.whole_high, one.whole_low))
        made[orm] = Mark(middle, f"{1000 * (one.whole or 0):.0f} ms", low, min(1.0, high))
    return made


def _geometric(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))
