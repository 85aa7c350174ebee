"""Bootstrap: intervals of quantiles and of ratios, whose unit is the round, for calls of one round are alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
CONFIDENCE = 0.95
SHARES = (0.5, 0.95, 0.99)
ENOUGH = 5
"""Samples that must lie beyond a quantile for it to be told."""

Rounds = Sequence[Sequence[float]]
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Return whether a value lies in the interval."""
        return self.low <= value <= self.high


def quantiles(rounds: Rounds, random_state: int = 7) -> list[Interval | None]:
    """Return the median, the 95th and the 99th percentile of all samples; None where too few lie beyond one.

    Whole rounds are resampled (cluster bootstrap, Davison and Hinkley 1997, section 3.8), in the unit of the samples.
    """
    values = np.concatenate([np.asarray(each, dtype=float) for each in rounds])
    owners = np.repeat(np.arange(len(rounds)), [len(each) for each in rounds])
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    count = len(rounds)
    weights = _generator(random_state, "quantiles").multinomial(count, [1 / count] * count, RESAMPLES)
    reached = np.cumsum(weights[:, owners], axis=1, dtype=np.int32)
    return [
        _quantile(values, reached, share, count) if share == 0.5 or len(values) * (1 - share) >= ENOUGH else None
        for share in SHARES
    ]


def _quantile(values: _Floats, reached: NDArray[np.int32], share: float, rounds: int) -> Interval:
    places = (reached < share * reached[:, -1:]).sum(axis=1)
    found = values[np.minimum(places, len(values) - 1)]
    return _interval(float(np.quantile(values, share)), found, rounds)


def ratio(rounds: Rounds, base: Rounds, random_state: int = 7, *, between: float = 0.0) -> Interval:
    """Return how many times as long `rounds` took as `base`, measured side by side, round by round.

    Each round gives the ratio of its two medians; the value is the median of them, the interval that of its bootstrap.
    `between` is how far, as the standard deviation of a logarithm, two processes of the same lie apart; it widens the
    interval.
    """
    pairs = [(np.median(a), np.median(b)) for a, b in zip(rounds, base, strict=False) if len(a) and len(b)]
    logs = np.log(np.asarray([max(a, 1.0) / max(b, 1.0) for a, b in pairs]))
    picks = _generator(random_state, "ratio").integers(0, len(logs), (RESAMPLES, len(logs)))
    found = np.median(logs[picks], axis=1)
    spread = _generator(random_state, "between").normal(0.0, between, RESAMPLES) if between else 0.0
    exact = _interval(float(np.median(logs)), found + spread, len(logs))
    return Interval(*(float(np.exp(each)) for each in (exact.value, exact.low, exact.high)))


def error(ratio: Interval, rounds: int) -> float:
    """Return the standard error of a ratio's logarithm, as so many rounds have it."""
    return math.log(ratio.high / ratio.low) / (2 * _reach(rounds))


def overall(ratios: Sequence[float]) -> float:
    """Return the geometric mean of ratios."""
    return float(np.exp(np.mean(np.log(np.asarray(ratios)))))


def mean(ratios: Sequence[float]) -> Interval:
    """Return the geometric mean of ratios with Student's interval of it; fewer than three have none, but are it."""
    value = overall(ratios)
    if len(ratios) < 3:
        return Interval(value, math.nan, math.nan)
    logs = np.log(np.asarray(ratios))
    normal = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    return _around(value, _student(normal, len(logs) - 1) * float(np.std(logs, ddof=1)) / math.sqrt(len(logs)))


def alike(groups: Sequence[Sequence[float]]) -> list[Interval | None]:
    """Return the median of each group with its interval, as if all groups varied alike; None where that is not known.

    So two values of each are enough where there are many groups (pooled variance); one of each tells nothing. A median
    varies by up to sqrt(pi / 2) times as much as a mean.
    """
    logs = [np.log(np.asarray(group)) for group in groups]
    freedom = sum(max(0, len(each) - 1) for each in logs)
    if not freedom:
        return [None] * len(groups)
    spread = math.sqrt(sum(float(np.sum((each - each.mean()) ** 2)) for each in logs if len(each)) / freedom)
    reach = _student(NormalDist().inv_cdf((1 + CONFIDENCE) / 2), freedom) * spread * math.sqrt(math.pi / 2)
    return [
        _around(float(np.exp(np.median(each))), reach / math.sqrt(len(each))) if len(each) else None for each in logs
    ]


def _around(value: float, reach: float) -> Interval:
    return Interval(value, value * math.exp(-reach), value * math.exp(reach))


def _interval(value: float, resampled: _Floats, rounds: int) -> Interval:
    tail = _tail(rounds)
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value, min(float(low), value), max(float(high), value))


def _tail(rounds: int) -> float:
    """Return the share of resamples beyond each end of the interval."""
    return NormalDist().cdf(-_reach(rounds))


def _reach(rounds: int) -> float:
    """Return how many standard errors of the resamples an interval reaches to each side.

    Percentiles of few rounds lie too close together: they take the normal distribution for Student's, and the spread of
    the sample for that of what it was drawn from. Expanded ones make up for both (Hesterberg 2015).
    """
    normal = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    return math.sqrt(rounds / (rounds - 1)) * _student(normal, rounds - 1) if rounds > 1 else normal


def _student(z: float, freedom: int) -> float:
    """Return the quantile of Student's distribution at a normal one (Abramowitz and Stegun 26.7.5)."""
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))


def _generator(random_state: int, name: str) -> np.random.Generator:
    return np.random.default_rng([random_state, crc32(name.encode())])
