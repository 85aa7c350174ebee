"""Views in an order in which they can be created."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy import MetaData, Table
from sqlglot import exp

from dbplan.ddl.translation.expressions import Untranslatable, parsed

_TEXT = re.compile(r"'(?:[^']|'')*'")


def views_in_order(metadata: MetaData) -> list[Table]:
    """Return the views, each after those that it reads; as far as that leaves a choice, by name."""
    waiting = views_read(metadata)
    done: list[Table] = []
    while waiting:
        ready = [view for view, read in waiting.items() if not any(other in waiting for other in read)]
        ready = ready or [next(iter(waiting))]  # of a circle, which no server takes
        done += ready
        waiting = {view: read for view, read in waiting.items() if view not in ready}
    return done


def views_read(metadata: MetaData) -> Mapping[Table, list[Table]]:
    """Return for each view, by name, the other views that its SELECT reads."""
    views = [metadata.tables[key] for key in sorted(metadata.tables) if metadata.tables[key].info.get("is_view")]
    if len(views) < 2:
        return {view: [] for view in views}
    source = str(metadata.info.get("dialect") or "postgresql")
    return {view: _read(view, views, source) for view in views}


def _read(view: Table, views: list[Table], source: str) -> list[Table]:
    others = [other for other in views if other is not view]
    select = str(view.info.get("view") or "")
    try:
        tree = parsed(select.strip().removesuffix(";") or "SELECT 1", source)
    except Untranslatable:
        return [other for other in others if _names(select, other)]
    read = {(table.db.casefold(), table.name.casefold()) for table in tree.find_all(exp.Table)}
    return [other for other in others if not read.isdisjoint(_called(other))]


def _called(view: Table) -> set[tuple[str, str]]:
    """Return the names, with and without schema, by which a SELECT may read a view."""
    name = view.name.casefold()
    return {("", name), ((view.schema or "public").casefold(), name)}


def _names(select: str, other: Table) -> bool:
    """Say whether a SELECT that cannot be parsed has the name of a view outside its texts."""
    return re.search(rf"(?<!\w){re.escape(other.name)}(?!\w)", _TEXT.sub("''", select), re.IGNORECASE) is not None
