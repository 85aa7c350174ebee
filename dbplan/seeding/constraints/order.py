"""The order in which tables are filled, and where a circle of foreign keys is closed afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from dbplan.errors import Unsatisfiable
from dbplan.seeding.constraints.references import Reference
from dbplan.seeding.constraints.uniques import asked_loosely
from dbplan.seeding.rows.frames import Source


class Circle(Unsatisfiable):
    """Foreign keys of which each table's wait for another's; `edges` are those, by table."""

    def __init__(self, edges: tuple[tuple[str, Reference], ...], said: str) -> None:
        super().__init__(said)
        self.edges = edges


@dataclass(frozen=True)
class Order:
    """Tables in the order of loading; `later` names the references that are NULL at first and set at the end."""

    tables: tuple[str, ...]
    later: frozenset[tuple[str, Reference]] = frozenset()
    deferred: bool = False


def order(sources: dict[str, Source], *, defers: bool, commits: bool = False) -> Order:
    """Return an order of loading; `defers` where the server checks every foreign key at the end on request.

    With `commits` on the way, what could be deferred to the end is NULL at first wherever it can be.
    Raises Unsatisfiable for a circle of NOT NULL keys that cannot be deferred.
    """
    placed: list[str] = []
    later: set[tuple[str, Reference]] = set()
    deferred = False
    open_ = {name: _edges(source) for name, source in sources.items()}
    while open_:
        ready = sorted(name for name, edges in open_.items() if not {e.parent for e in edges} & set(open_))
        if ready:
            placed.extend(ready)
            for name in ready:
                del open_[name]
            continue
        name, edge, nullable = _cut(sources, open_, defers, commits)
        open_[name].remove(edge)
        if nullable:
            later.add((name, edge))
        deferred |= not nullable
    return Order(tuple(placed), frozenset(later), deferred)


def _edges(source: Source) -> list[Reference]:
    return [r for r in source.references if r.parent != str(source.table.key) and not r.left_out]


def _cut(
    sources: dict[str, Source], open_: dict[str, list[Reference]], defers: bool, commits: bool
) -> tuple[str, Reference, bool]:
    """Return the edge of a circle to close afterwards, and whether by NULL first (else by deferring)."""
    circle = _circle(open_)
    edges = [
        (a, edge)
        for a, b in zip(circle, [*circle[1:], circle[0]], strict=True)
        for edge in open_[a]
        if edge.parent == b
    ]
    deferred = [(name, edge, False) for name, edge in edges if defers or edge.deferrable]
    blank = [(name, edge, True) for name, edge in edges if can_wait(sources[name], edge)]
    for found in (*blank, *deferred) if commits else (*deferred, *blank):
        return found
    path = " → ".join([*circle, circle[0]])
    raise Circle(
        tuple(edges),
        f"the foreign keys {path} form a circle in which every column is NOT NULL, or a key itself, and none is "
        f"deferrable, so that no first row can be written; make one nullable, or DEFERRABLE: {edges[0][0]} "
        f"({edges[0][1].label})",
    )


def can_wait(source: Source, edge: Reference) -> bool:
    """Whether a reference can be NULL at first: a column that may be, and a key to find the row again."""
    return edge.nullable and bool(left_blank(source, edge)) and bool(source.table.primary_key.columns)


def left_blank(source: Source, edge: Reference) -> list[str]:
    """Return the columns of a reference that can be NULL at first: one is enough for it to lead nowhere.

    No CHECK reads them, no partial unique and none over an expression: those hold of every row at all times.
    """
    return [name for name in edge.own if source.table.columns[name].nullable and not _is_read(source, name)]


def _is_read(source: Source, name: str) -> bool:
    checks = source.facts.checks
    read = (name in c.parsed.columns if c.parsed is not None else name.lower() in c.text.lower() for c in checks)
    return any(read) or name in asked_loosely(source.table)


def _circle(open_: dict[str, list[Reference]]) -> list[str]:
    path: list[str] = [min(open_)]
    while True:
        following = min(e.parent for e in open_[path[-1]] if e.parent in open_)
        if following in path:
            return path[path.index(following) :]
        path.append(following)
