"""A rule: one question asked of a schema or of a revision. Lint and migration rules are the same noun."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from dbplan.evidence import Finding, Place, Severity

Subject = TypeVar("Subject")
Hit = tuple[Place, str, str]
"""What a check yields: the place, one sentence about it, and its mend (or "")."""


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """A named condition, why it hurts, how it is mended, and the check that finds it.

    `source` says where the rule comes from, `needs` what it must be able to see.
    """

    id: str
    severity: Severity
    condition: str
    why: str
    mend: str
    check: Callable[[Subject], Iterable[Hit]]
    source: str = ""

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """Yield one Finding for every place where the condition holds."""
        for place, message, mend in self.check(subject):
            yield Finding(self.id, self.severity, place, message, mend, self.why)


def rule(
    id: str, severity: Severity, *, condition: str, why: str, mend: str, source: str = ""
) -> Callable[[Callable[[Subject], Iterable[Hit]]], Rule[Subject]]:
    """Make a rule of a function that yields (place, message, mend) for every fault it finds."""

    def decorate(check: Callable[[Subject], Iterable[Hit]]) -> Rule[Subject]:
        return Rule(id, severity, condition, why, mend, check, source)

    return decorate
