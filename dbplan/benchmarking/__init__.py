"""Benchmarking: a plan's queries timed on a seeded server, with their plans and the indexes they use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dbplan.encryption import rehearsal
from dbplan.errors import UsageError
from dbplan.report import Report

if TYPE_CHECKING:
    from dbplan.sandbox import Stage

__all__ = ["benchmark"]

SECONDS = 10.0


@rehearsal()
def benchmark(
    stage: Stage,
    *,
    seconds: float = SECONDS,
    random_state: int = 7,
    progress: Callable[[float, str], None] | None = None,
) -> Report:
    """Time every named query of a seeded stage, with its plan and the indexes it used.

    `seconds` is the time to measure in, shared by the queries. Nothing stays changed: plans that write are
    measured on a clone, and each write is rolled back. `progress` is called with a fraction and what is being done.
    Raises UsageError when `seconds` is not above 0.
    """
    if not seconds > 0:
        raise UsageError(f"{seconds} seconds to measure in; it must be above 0, for example seconds={SECONDS:g}")
    from dbplan.benchmarking.gather import Effort, gather
    from dbplan.benchmarking.judge import judge

    tell = progress or (lambda _fraction, _doing: None)
    return judge(stage.plan, gather(stage, Effort(seconds, random_state, tell)))
