"""Views: no server guards their keys, but a Prisma schema tells its client what is unique in them."""

from __future__ import annotations

from sqlalchemy.schema import Table

from dbplan.exports.prisma.context import Context
from dbplan.exports.prisma.keys import Keys
from dbplan.exports.prisma.layout import listed


def keys_of_view(table: Table, context: Context) -> Keys:
    """Return what the plan's Prisma schema said to be unique in a view."""
    found = Keys()
    for names in table.info.get("unique", ()):
        if any(name not in table.columns for name in names):
            continue
        found.unique.append(tuple(names))
        if len(names) == 1:
            found.single[names[0]] = ["@unique"]
        else:
            found.whole.append(f"@@unique({listed(context.field(table.columns[name]) for name in names)})")
    return found
