"""How much of a period is used: tiers and their limits, calendar months, and the status that an application shows."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from dbplan.domains.calls import whole
from dbplan.errors import UnknownName


class Tier(StrEnum):
    """What a user has bought."""

    FREE = "free"
    PRO = "pro"
    TEAM = "team"


LIMITS: Mapping[Tier, int] = MappingProxyType({Tier.FREE: 10, Tier.PRO: 200, Tier.TEAM: 2000})
"""Summaries in a month, by tier, smallest first."""

WARNING = 0.8
"""The share of the limit from which on a user is warned."""


@dataclass(frozen=True)
class Allowance:
    """A tier and how many summaries it allows in a period."""

    tier: Tier
    limit: int

    @classmethod
    def of(cls, tier: str, limit: int | None) -> Allowance:
        """Return the allowance of a tier, or with another limit than its own; UnknownName, UsageError."""
        if tier not in set(Tier):
            raise UnknownName("tier", tier, map(str, Tier))
        limit = LIMITS[Tier(tier)] if limit is None else limit
        return cls(Tier(tier), whole("limit of summaries", limit, 0, 2**31 - 1))


@dataclass(frozen=True)
class Usage:
    """What a user used in the month that starts at `period_start`."""

    user_id: uuid.UUID
    period_start: dt.datetime
    summary_count: int
    last_used: dt.datetime

    def at(self, instant: dt.datetime) -> Usage:
        """Return the usage in the month of `instant`: none yet, where the counted month is over."""
        start = month(instant)
        return self if self.period_start >= start else Usage(self.user_id, start, 0, self.last_used)


@dataclass(frozen=True)
class UsageStatus:
    """How much a user used, what they may use, and whether the summary that was asked about is allowed.

    Of `check_usage_limit` it speaks of the next summary, of `increment_usage` and `track_user_usage` of the one they
    counted: its `allowed` stays True for the last one of the limit.
    """

    usage: Usage
    allowance: Allowance
    allowed: bool

    @property
    def used(self) -> int:
        """Summaries made in this month."""
        return self.usage.summary_count

    @property
    def limit(self) -> int:
        """Summaries that the month allows."""
        return self.allowance.limit

    @property
    def remaining(self) -> int:
        """Summaries that are left in this month; 0 also where a former tier allowed more than this one."""
        return max(self.limit - self.used, 0)

    @property
    def share(self) -> float:
        """The part of the limit that is used, from 0 to 1."""
        return min(self.used / self.limit, 1.0) if self.limit else 1.0

    @property
    def warning(self) -> bool:
        """Whether the limit is near or reached."""
        return self.share >= WARNING

    @property
    def resets_at(self) -> dt.datetime:
        """When the next month begins and counts from zero."""
        return month(month(self.usage.period_start) + dt.timedelta(days=31))

    @property
    def upgrade(self) -> Tier | None:
        """The tier that an upgrade prompt offers: the smallest one that allows more; None where there is none."""
        return next((tier for tier, limit in LIMITS.items() if limit > self.limit), None)


def month(instant: dt.datetime) -> dt.datetime:
    """Return the start of the calendar month that holds `instant`, in UTC."""
    return instant.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
