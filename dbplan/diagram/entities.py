"""Entities and relations: the diagram of a plan, whole or around some of its tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from types import MappingProxyType

from sqlalchemy import Table

from dbplan.diagram.boxes import Box, enum_boxes, table_box
from dbplan.diagram.dot import dot
from dbplan.diagram.drawing import svg
from dbplan.diagram.layout import lay_out
from dbplan.diagram.mermaid import mermaid
from dbplan.diagram.relations import Dangling, Relation, relations
from dbplan.errors import UnknownName, UsageError
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Figure, Text

MOST_TABLES_IN_FULL = 60
LOOKS = ("crow's foot", "eralchemy2")
_LISTED = 12


def erd(plan: Plan, focus: str | Sequence[str] | None = None, *, hops: int = 1, look: str = "crow's foot") -> Report:
    """Draw the plan's tables and relations, as SVG with Mermaid and DOT text beside it.

    `focus` names one table or several (`"users"`, `"users, orders"` or a list): those are drawn with the tables
    at most `hops` relations away. `look` is "crow's foot", or "eralchemy2" for that library's drawing.
    Raises UnknownName for a table or look that is not there, NotCovered when eralchemy2 is not installed.
    """
    if look not in LOOKS:
        raise UnknownName("look", look, LOOKS)
    chosen = _chosen(plan, focus, hops)
    edges, dangling = relations(chosen)
    label = _alt(plan, chosen, edges, focus is not None)
    svg_text, sources, notes = _known(chosen, edges) if look == "eralchemy2" else _own(plan, chosen, edges, label)
    figure = Figure(svg_text, label, _caption(plan, chosen, focus is not None), MappingProxyType(sources))
    notes = [note for note in (*notes, _outside(dangling, plan)) if note]
    return Report(
        title=f"Diagram: {plan.name}",
        verdict=_verdict(chosen, edges, plan, focus is not None),
        blocks=(figure, *(Text(note) for note in notes)),
    )


def _own(
    plan: Plan, tables: Sequence[Table], edges: Sequence[Relation], label: str
) -> tuple[str, dict[str, str], list[str]]:
    """Return dbplan's own drawing, its sources, and what a reader must know of it."""
    brief = len(tables) > MOST_TABLES_IN_FULL
    boxes = _boxes(plan, tables, brief)
    text, cuts = mermaid(tables, edges)
    drawn = svg(lay_out(boxes, edges), boxes, label)
    return drawn, {"mmd": text, "dot": dot(boxes, edges)}, [_brief(brief, len(tables)), cuts]


def _known(tables: Sequence[Table], edges: Sequence[Relation]) -> tuple[str, dict[str, str], list[str]]:
    from dbplan.diagram import known_look

    drawn, sources = known_look.draw(tables, edges)
    text, cuts = mermaid(tables, edges)
    return drawn, {"mmd": text, **sources}, [known_look.LIMITS, cuts]


def _chosen(plan: Plan, focus: str | Sequence[str] | None, hops: int) -> tuple[Table, ...]:
    if hops < 0:
        raise UsageError(f"hops is {hops}; it counts relations away from the focus, so 0 or more")
    if focus is None:
        return plan.entities
    names = [name.strip() for name in focus.split(",")] if isinstance(focus, str) else list(focus)
    near = {table_named(plan, name).key for name in names}
    edges, _ = relations(plan.entities)
    for _ in range(hops):
        near |= {key for edge in edges if near & {edge.child, edge.parent} for key in (edge.child, edge.parent)}
    return tuple(table for table in plan.tables if table.key in near)


def table_named(plan: Plan, name: str) -> Table:
    """Return the table of that key, or of that bare name where just one schema has it."""
    if name in plan.metadata.tables:
        return plan.table(name)
    bare = [table for table in plan.tables if table.name == name]
    if len(bare) == 1:
        return bare[0]
    if bare:
        several = ", ".join(table.key for table in bare)
        raise UsageError(f'"{name}" is a table in several schemas: {several}; name one of them in full')
    raise UnknownName("table", name, plan.metadata.tables, where=f'plan "{plan.name}"')


def _boxes(plan: Plan, tables: Sequence[Table], brief: bool) -> list[Box]:
    schemas = {table.schema for table in tables}
    default = next(iter(schemas)) or "" if len(schemas) == 1 else "public"
    boxes = [table_box(t, planned=plan.rows.get(t.key), keys_only=brief, default_schema=default) for t in tables]
    return boxes if brief else [*boxes, *enum_boxes(tables)]


def _verdict(tables: Sequence[Table], edges: Sequence[Relation], plan: Plan, focused: bool) -> str:
    counts = f"{_count(len(tables), 'table')}, {_count(len(edges), 'relation')}"
    if focused:
        return f"{counts}, of {_count(len(plan.entities), 'table')} in the plan."
    alone = _alone(tables, edges)
    if not alone or len(tables) < 2:
        return f"{counts}."
    if len(alone) == len(tables):
        return f"{counts}."
    names = f" ({_listed(alone, 3)})"
    return f"{counts}; {_count(len(alone), 'table')} without a relation{names}."


def _alone(tables: Iterable[Table], edges: Iterable[Relation]) -> list[str]:
    joined = {key for edge in edges if not edge.reflexive for key in (edge.child, edge.parent)}
    return [table.key for table in tables if table.key not in joined and not table.info.get("is_view")]


def _alt(plan: Plan, tables: Sequence[Table], edges: Sequence[Relation], focused: bool) -> str:
    part = "Part of the entity-relationship" if focused else "Entity-relationship"
    told = _listed([str(edge) for edge in edges], _LISTED)
    names = _listed([table.key for table in tables], _LISTED)
    return f"{part} diagram of {plan.name}. Tables: {names or 'none'}. Relations: {told or 'none'}."


def _caption(plan: Plan, tables: Sequence[Table], focused: bool) -> str:
    return f"{plan.name}: {_listed([table.key for table in tables], 3)}" if focused else f"The tables of {plan.name}"


def _brief(brief: bool, tables: int) -> str:
    if not brief:
        return ""
    return (
        f"{tables} tables: the diagram shows their keys and counts the other columns; indexes and enums are in the "
        "dictionary. `erd(plan, focus=…)` draws one table and its neighbours in full."
    )


def _outside(dangling: Sequence[Dangling], plan: Plan) -> str:
    away = [str(edge) for edge in dangling if edge.target.rpartition(".")[0] not in plan.metadata.tables]
    if not away:
        return ""
    lead = "1 foreign key leads" if len(away) == 1 else f"{len(away)} foreign keys lead"
    return f"{lead} out of the plan and {'is' if len(away) == 1 else 'are'} not drawn: {_listed(away, 5)}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(names: Collection[str], most: int) -> str:
    """Return names in a row, the rest of many as a number."""
    shown = ", ".join(list(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
