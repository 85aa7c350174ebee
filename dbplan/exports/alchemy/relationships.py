"""Relationships, written as the keywords of `relationship()`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Column, Table

from dbplan.exports.alchemy.page import Page
from dbplan.exports.python import Node, Text
from dbplan.exports.relations import Relation


def of(page: Page, table: Table) -> Iterator[tuple[str, str, dict[str, Node]]]:
    """Yield a class's relationships: attribute, Python type, keywords; to its parents first, then to its children."""
    for relation in page.naming.out_of(table):
        if _is_written(page, relation):
            target = page.naming.class_of(relation.parent)
            named = {"back_populates": Text(relation.back)} if relation.back else {}
            own = _own(page, relation, to_parent=True)
            yield relation.name, target + (" | None" if relation.optional else ""), {**named, **own}
    for relation in page.naming.into(table):
        if _is_written(page, relation) and relation.back:
            target = page.naming.class_of(relation.child)
            kind = f"{target} | None" if relation.single else f"list[{target}]"
            own = _own(page, relation, to_parent=False)
            yield relation.back, kind, {"back_populates": Text(relation.name), **own, **_deletes(relation)}


def _is_written(page: Page, relation: Relation) -> bool:
    """Say whether both ends are classes, and the key is one that SQLAlchemy knows."""
    known = page.native is None or not page.is_native(relation.constraint)
    return known and page.is_class(relation.child) and page.is_class(relation.parent)


def _deletes(relation: Relation) -> dict[str, Node]:
    """Leave to the server what it does with the children of a deleted parent, or refuses."""
    action = str(relation.constraint.ondelete or "").upper()
    if action in ("CASCADE", "SET NULL", "SET DEFAULT"):
        return {"passive_deletes": "True"}
    return {"passive_deletes": Text("all")}


def _own(page: Page, relation: Relation, *, to_parent: bool) -> dict[str, Node]:
    named: dict[str, Node] = {}
    rivals = _rivals(page, relation)
    if rivals or not relation.constraint.elements:
        named["foreign_keys"] = _columns(page, relation.columns)
    if any({*rival.columns} <= {*relation.columns} for rival in rivals):
        named["primaryjoin"] = _join(page, relation)
    composite = len(relation.columns) > 1
    if relation.child is relation.parent and (to_parent or composite):
        named["remote_side"] = _columns(page, relation.targets if to_parent else relation.columns)
    if others := _overlaps(page, relation):
        named["overlaps"] = Text(",".join(others))
    return named


def _rivals(page: Page, relation: Relation) -> list[Relation]:
    """Return the other relations between the same two tables, in either direction."""
    pair = {relation.child.key, relation.parent.key}
    near = [*page.naming.out_of(relation.child), *page.naming.out_of(relation.parent)]
    unique = {id(one): one for one in near}.values()
    return [one for one in unique if one is not relation and {one.child.key, one.parent.key} == pair]


def _overlaps(page: Page, relation: Relation) -> list[str]:
    """Return the relationships that write a column of this one, too, which SQLAlchemy wants to be told."""
    sharing = [
        other
        for other in page.naming.out_of(relation.child)
        if other is not relation and _is_written(page, other) and {*other.columns} & {*relation.columns}
    ]
    return sorted({name for other in sharing for name in (other.name, other.back) if name})


def _columns(page: Page, columns: Iterable[Column[object]]) -> Node:
    names = [_attribute(page, column) for column in columns]
    return Text(names[0] if len(names) == 1 else f"[{', '.join(names)}]")


def _join(page: Page, relation: Relation) -> Node:
    pairs = zip(relation.columns, relation.targets, strict=True)
    parts = [f"{_attribute(page, own)} == {_attribute(page, target)}" for own, target in pairs]
    return Text(parts[0] if len(parts) == 1 else f"and_({', '.join(parts)})")


def _attribute(page: Page, column: Column[object]) -> str:
    return f"{page.naming.class_of(column.table)}.{page.naming.field_of(column)}"
