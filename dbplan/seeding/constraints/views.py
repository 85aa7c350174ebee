"""Views and partitions stand beside the tables of a plan, and get no rows of their own."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Table

from dbplan.plan import Plan, copy_metadata
from dbplan.seeding.constraints.partitions import keep_within, partitions


def without_views(plan: Plan) -> Plan:
    """Return the plan with its tables alone; relations that lead to a view guard nothing, and are left out too.

    A partition gets its rows through the table that it is part of, which is kept within what its partitions take.
    """
    views = {key for key, table in plan.metadata.tables.items() if table.info.get("is_view")}
    views |= partitions(plan.metadata)
    if not views:
        return plan
    metadata = copy_metadata(plan.metadata)
    for table in metadata.tables.values():
        if "partition_of" not in table.info:
            keep_within(table)
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
