"""Views stand beside the tables of a plan, and hold no rows of their own."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Table

from dbplan.plan import Plan, copy_metadata


def without_views(plan: Plan) -> Plan:
    """Return the plan with its tables alone; relations that lead to a view guard nothing, and are left out too."""
    views = {key for key, table in plan.metadata.tables.items() if table.info.get("is_view")}
    if not views:
        return plan
    metadata = copy_metadata(plan.metadata)
    for table in metadata.tables.values():
        _leave_out(table, views)
    for key in views:
        metadata.remove(metadata.tables[key])
    rows = {key: count for key, count in plan.rows.items() if key not in views}
    ages = {name: age for name, age in plan.retention.items() if name.rpartition(".")[0] not in views}
    return replace(plan, metadata=metadata, rows=rows, retention=ages)


def _leave_out(table: Table, views: set[str]) -> None:
    """Take the keys that lead to a view out of a table."""
    for constraint in list(table.foreign_key_constraints):
        if constraint.referred_table.key in views:
            table.constraints.discard(constraint)
            for key in constraint.elements:
                key.parent.foreign_keys.discard(key)
                table.foreign_keys.discard(key)
