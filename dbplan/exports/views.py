"""Views in an order in which they can be created."""

from __future__ import annotations

import re

from sqlalchemy import Table

from dbplan.plan import Plan


def views_in_order(plan: Plan) -> list[Table]:
    """Return the views of a plan, each after those that its SELECT names."""
    views = [found for found in plan.metadata.tables.values() if found.info.get("is_view")]
    done: list[Table] = []
    while views:
        ready = [one for one in views if not any(named_in(one, other) for other in views if other is not one)]
        done += ready or views
        views = [one for one in views if one not in done]
    return done


def named_in(view: Table, other: Table) -> bool:
    """Say whether a view's SELECT names another table or view."""
    return re.search(rf"(?<!\w){re.escape(other.name)}(?!\w)", str(view.info.get("view") or "")) is not None
