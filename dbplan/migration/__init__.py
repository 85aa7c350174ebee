"""Migrations: rehearse a plan's revisions on throwaway databases, and run them on real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dbplan.migration.applying import down, pending, status, up
from dbplan.plan import Plan
from dbplan.report import Report

__all__ = ["down", "dry_run", "pending", "status", "up"]


def dry_run(
    plan: Plan,
    *,
    on: str = "postgresql",
    rows: int | Mapping[str, int] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Report:
    """Rehearse every revision of a plan up, down and up on seeded data, and compare the result with its models.

    `on` is postgresql, sqlite, or the URL of a server that may create databases; `rows` as for `seed`. Each
    revision runs on a copy of its own, filled by the schema right before it; then down and up on rows written since.
    Nothing outside throwaway databases is touched.
    Raises MigrationError for revisions that cannot be loaded, SandboxError for a server that cannot be had.
    """
    from dbplan.migration import history, judgement, rehearsal

    if plan.migrations is None:
        return judgement.nothing_to_rehearse(plan)
    found = history.load(plan)
    if not found.revisions:
        return judgement.no_revisions(plan)
    tell = progress or (lambda _fraction, _doing: None)
    return judgement.judge(plan, rehearsal.rehearse(plan, found, on, rows, tell))
