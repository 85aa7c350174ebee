"""SQL Server's own rule: what one row's change sets off reaches each table by one way, and never its own again."""

from __future__ import annotations

from collections.abc import Iterator

from dbplan.sources.prisma.syntax import Field, Model, Name
from dbplan.sources.prisma.validation.facts import Facts, argument, attribute, fault, named

_MEND = "set onDelete and onUpdate of one of these relations to NoAction"


def check_cascades(facts: Facts) -> None:
    """Refuse relations of SQL Server whose actions go round in a circle, or meet in one table."""
    if facts.provider != "sqlserver" or facts.relation_mode == "prisma":
        return
    edges = {model.name: list(_acting(facts, model)) for model in facts.models.values()}
    reached = {name: _reached(edges, name) for name in edges}
    for name, relations in edges.items():
        for item, target in relations:
            if name == target or name in reached[target]:
                raise fault(item.spot, f'the actions of "{item.name}" come back to "{name}"; {_MEND}')
    for name, relations in edges.items():
        met: dict[str, Field] = {}
        for item, target in relations:
            for table in sorted({target, *reached[target]}):
                if table in met:
                    ways = f'by "{met[table].name}" and by "{item.name}"'
                    raise fault(item.spot, f'what changes in "{table}" reaches "{name}" {ways}; {_MEND}')
            met |= dict.fromkeys({target, *reached[target]}, item)


def _acting(facts: Facts, model: Model) -> Iterator[tuple[Field, str]]:
    """Return a model's relations that do something when the far row changes, with the model that they lead to."""
    for item, target in facts.relation_fields(model):
        given = attribute(item, "relation")
        if named(argument(given, "fields")):
            delete, update = argument(given, "onDelete"), argument(given, "onUpdate")
            on_delete = delete.text if isinstance(delete, Name) else "SetNull" if item.arity else "NoAction"
            on_update = update.text if isinstance(update, Name) else "Cascade"
            if (on_delete, on_update) != ("NoAction", "NoAction"):
                yield item, target.name


def _reached(edges: dict[str, list[tuple[Field, str]]], start: str) -> set[str]:
    """Return the models at the far ends of any way from one."""
    found: set[str] = set()
    waiting = [target for _, target in edges[start]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [target for _, target in edges[name]]
    return found
