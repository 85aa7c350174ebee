"""Contenders that take turns, so that what else the machine does befalls all of them, and ratios within each turn."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Contender:
    """Something that handles `rows` in a `run`; one that returns seconds has timed itself."""

    rows: int
    run: Callable[[], float | None]
    before: Callable[[], None] = lambda: None
    rates: list[float] = field(default_factory=list)

    def turn(self, clock):
        self.before()
        start = clock()
        own = self.run()
        self.rates.append(self.rows / (clock() - start if own is None else own))


def race(contenders, rounds, clock=time.perf_counter):
    """Let all contenders run in every round, in an order of its own; return them by name."""
    order = random.Random(7)
    for _ in range(rounds):
        for contender in order.sample(list(contenders.values()), len(contenders)):
            contender.turn(clock)
    return contenders


@dataclass(frozen=True)
class Ratio:
    """How many times as fast one is as the other: of each round, and of the best rounds of both."""

    each: tuple[float, ...]
    best: float

    @property
    def middle(self):
        return median(self.each)

    def __str__(self):
        return (
            f"{plain(self.middle)} ({plain(min(self.each))}–{plain(max(self.each))}; best of each {plain(self.best)})"
        )


def ratio(one, other):
    each = tuple(a / b for a, b in zip(one.rates, other.rates, strict=True))
    return Ratio(each, max(one.rates) / max(other.rates))


def plain(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def told(contenders, base):
    """Print what every contender does, and how many times that of `base` it is."""
    print(f"{'':<46} {'rows/s':>12}   × {base}")
    for name, one in contenders.items():
        print(f"{name:<46} {median(one.rates):>12,.0f}   {ratio(one, contenders[base])}", flush=True)
    print()
