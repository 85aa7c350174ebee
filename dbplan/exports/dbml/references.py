"""Foreign keys as refs, the many on the left: `child.user_id > users.id`."""

from __future__ import annotations

from collections.abc import Iterator

from dbplan.exports.clauses import beside, constraints, is_named_as_usual, names, timing
from dbplan.exports.dbml.page import Page, is_left_out
from dbplan.exports.dbml.words import name, qualified, settings
from dbplan.exports.relations import Relation

_ACTIONS = frozenset({"cascade", "restrict", "set null", "set default", "no action"})


def references(page: Page) -> Iterator[str]:
    """Yield a ref for each foreign key; of two that lead from the same columns to the same, DBML takes one."""
    seen: set[frozenset[tuple[str, tuple[str, ...]]]] = set()
    for found in page.tables:
        named, made = names(found, page.dialect), set(constraints(found, page.dialect))
        for relation in page.naming.out_of(found):
            key = relation.constraint
            if key not in made and key.info.get("enforced") is not False:
                continue
            said = _name(page, relation, named.get(key, str(key.name or "")))
            ends = frozenset(_ends(relation))
            if reason := _unsayable(relation, ends, seen):
                page.lose(reason, found, key=said[1])
                continue
            seen.add(ends)
            _lose(page, relation, said[1])
            yield _reference(relation, said[0])


def _name(page: Page, relation: Relation, known: str) -> tuple[str, str]:
    """Return the name to write, "" where the server gives it, and the name that it has."""
    key = relation.constraint
    return "" if is_named_as_usual(key, relation.child, page.dialect) else known, known


def _ends(relation: Relation) -> list[tuple[str, tuple[str, ...]]]:
    child, parent = relation.child.key, relation.parent.key
    return [(child, tuple(c.name for c in relation.columns)), (parent, tuple(c.name for c in relation.targets))]


def _unsayable(relation: Relation, ends: frozenset[object], seen: set[frozenset[tuple[str, tuple[str, ...]]]]) -> str:
    if is_left_out(relation.parent):
        return f"it leads to {relation.parent.key}, which DBML has no words for"
    if len(ends) == 1:
        return "it leads from a column to itself, which DBML refuses"
    return "another ref joins the same columns, and DBML takes one" if ends in seen else ""


def _reference(relation: Relation, known: str) -> str:
    """Return a ref; of one to one, DBML's own exporter takes the first to be the parent."""
    many = _end(relation.child.schema, relation.child.name, [c.name for c in relation.columns])
    one = _end(relation.parent.schema, relation.parent.name, [c.name for c in relation.targets])
    ends = f"{one} - {many}" if relation.single else f"{many} > {one}"
    head = f"Ref {name(known)}" if known else "Ref"
    return f"{head}: {ends}{settings(_settings(relation))}"


def _end(schema: str | None, table: str, columns: list[str]) -> str:
    listed = name(columns[0]) if len(columns) == 1 else f"({', '.join(map(name, columns))})"
    return f"{qualified(schema, table)}.{listed}"


def _settings(relation: Relation) -> Iterator[str]:
    for word, action in (("delete", relation.constraint.ondelete), ("update", relation.constraint.onupdate)):
        said = " ".join((action or "").lower().split())
        if said in _ACTIONS:
            yield f"{word}: {said}"


def _lose(page: Page, relation: Relation, known: str) -> None:
    key = relation.constraint
    if late := timing(key):
        page.lose(f"it is checked at once: DEFERRABLE {late} is left out", relation.child, key=known)
    for clause in beside(key, page.dialect):
        page.lose(f"{clause} is left out", relation.child, key=known)
    if key.comment:
        page.lose("its comment is left out", relation.child, key=known)
    if key.info.get("enforced") is False:
        page.lose("the database does not guard it; the file draws it as a foreign key", relation.child, key=known)
