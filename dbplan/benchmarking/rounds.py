"""Rounds: warm every query up, then execute all of them mixed at random until each had its share of the time."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean

from sqlalchemy.exc import StatementError

from dbplan.benchmarking.clients import Client
from dbplan.benchmarking.draws import Draws
from dbplan.benchmarking.timing import FEWEST, WARM, Stopwatch, generator, schedule
from dbplan.plan import Query

READ_ONLY_VIOLATION = "25006"
WARM_SHARE = 0.25
"""The part of a query's share of the time that its warm-up may take."""

Tell = Callable[[float], None]


@dataclass
class Runner:
    """One query with its values and the client that executes it."""

    query: Query
    draws: Draws
    client: Client
    samples: list[float] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)
    error: StatementError | None = None
    _number: int = 0

    def step(self, watch: Stopwatch) -> float | None:
        """Execute once; return seconds, or None when the server refused (then `error` is set)."""
        values = self.draws.take(self._number)
        self._number += 1
        self.client.ready()
        try:
            seconds, rows = watch.time(lambda: self.client.run(self.query.statement, values))
        except StatementError as error:
            self.error = error
            self.client.undo(failed=True)
            return None
        self.client.undo()
        self.rows.append(rows)
        return seconds

    def settle_role(self, writer: Client, watch: Stopwatch) -> None:
        """Execute once; a query that turns out to write, as a SELECT of a function may, goes to the writing client."""
        self.step(watch)
        if self.error is not None and needs_writing(self.error):
            self.client, self.error = writer, None


def measure(
    runners: Sequence[Runner], seconds: float, random_state: int, watch: Stopwatch, tell: Tell = lambda _: None
) -> None:
    """Fill the samples of every runner; one that fails is left out from then on, its error kept."""
    with _without_collector():
        costs = _warm(runners, seconds, random_state, watch)
        by_name = {runner.query.name: runner for runner in runners}
        order = schedule(costs, seconds, random_state)
        end = watch.now + 2 * seconds
        for done, name in enumerate(order):
            runner = by_name[name]
            late = watch.now > end and len(runner.samples) >= FEWEST
            if runner.error is None and not late:
                taken = runner.step(watch)
                if taken is not None:
                    runner.samples.append(taken)
            if done % 100 == 0:
                tell(done / len(order))


def _warm(runners: Sequence[Runner], seconds: float, random_state: int, watch: Stopwatch) -> Mapping[str, float]:
    """Execute every query past the point where its plan may turn generic; return the seconds one execution takes."""
    share = WARM_SHARE * seconds / max(1, len(runners))
    seen: dict[str, list[float]] = {runner.query.name: [] for runner in runners}
    rng = generator(random_state, "warm")
    for _ in range(WARM):
        for position in rng.permutation(len(runners)):
            runner = runners[position]
            taken = seen[runner.query.name]
            if runner.error is None and (not taken or sum(taken) < share):
                began = watch.now
                if runner.step(watch) is not None:
                    taken.append(watch.now - began)  # what stays outside the clock takes time too
    return {r.query.name: _expected(seen[r.query.name]) for r in runners if r.error is None}


def _expected(seconds: Sequence[float]) -> float:
    """Return the mean without the first execution, which pays for compiling and cold caches."""
    return fmean(seconds[1:] or seconds)


def needs_writing(error: StatementError) -> bool:
    """Return whether a query was refused only because its transaction was read-only."""
    said = str(error.orig)
    return getattr(error.orig, "sqlstate", "") == READ_ONLY_VIOLATION or "readonly database" in said


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python's garbage collector from running inside a measurement."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
