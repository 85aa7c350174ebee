"""Relations: foreign keys as properties that lead to another entity, and back."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Constraint, Table

from dbplan.exports.clauses import beside, timing
from dbplan.exports.relations import Relation, camel
from dbplan.exports.typeorm.page import Page
from dbplan.exports.typescript import Arrow, List, Member, Node, Record, Text, Word, attribute, identifier
from dbplan.exports.typescript.names import WORDS

_LONGEST = 20
_UNKNOWN = frozenset({"SET DEFAULT"})


def outward(page: Page, found: Table, names: dict[Constraint, str]) -> Iterator[str]:
    """Yield the properties that lead from a table to its parents."""
    for relation in page.naming.out_of(found):
        if relation.constraint in names and _is_way(page, relation):
            yield _to_one(page, relation, names[relation.constraint])


def inward(page: Page, found: Table) -> Iterator[str]:
    """Yield the properties that lead from a table to its children."""
    for relation in page.naming.into(found):
        if not relation.back or not _is_way(page, relation):
            continue
        child = page.class_of(relation.child)
        kind = "OneToOne" if relation.single else "OneToMany"
        made = page.decorate(kind, Arrow("", Word(child)), _inverse(child, relation.name), inside=True)
        holds = [f"{_wrapped(page, child)}", "null"] if relation.single else [f"{child}[]"]
        yield "\n".join([made, attribute(relation.back, holds)])


def apart(page: Page, found: Table, names: dict[Constraint, str]) -> Iterator[str]:
    """Yield the decorators of foreign keys that no relation can make as they are."""
    for relation in page.naming.out_of(found):
        constraint = relation.constraint
        if constraint not in names or relation.parent.key in page.left or relation.parent.info.get("is_view"):
            continue
        if _is_made_apart(page, relation):
            columns = List(tuple(Text(page.field_of(one)) for one in relation.columns))
            targets = List(tuple(Text(page.field_of(one)) for one in relation.targets))
            options = Record((("name", Text(names[constraint])), *_actions(page, relation)))
            yield page.decorate("ForeignKey", _to(page, relation.parent), columns, targets, options)


def _is_way(page: Page, relation: Relation) -> bool:
    """Say whether both tables are entities and the columns on both sides of one type, as TypeORM makes them."""
    gone = relation.parent.key in page.left or relation.child.key in page.left
    pairs = zip(relation.columns, relation.targets, strict=True)
    views = relation.parent.info.get("is_view") or relation.child.info.get("is_view")
    return not gone and not views and all(_plain(page, one) == _plain(page, other) for one, other in pairs)


def _plain(page: Page, column: Column[object]) -> str:
    return page.columns[column.table.key, column.name].type.words.partition("(")[0].lower()


def _is_made_apart(page: Page, relation: Relation) -> bool:
    """Say whether a relation would bring a second unique key, or another order of columns."""
    if not _is_way(page, relation):
        return True
    keyed = all(column.primary_key for column in relation.columns)
    order = list(relation.parent.primary_key.columns)
    ranks = [order.index(one) if one in order else len(order) for one in relation.targets]
    return (relation.single and not keyed) or ranks != sorted(ranks)


def _to_one(page: Page, relation: Relation, name: str) -> str:
    apart = _is_made_apart(page, relation)
    parent = page.class_of(relation.parent)
    required = not relation.optional and not _is_in_circle(page, relation)
    options: list[tuple[str, Node]] = [("nullable", Word("false"))] if required else []
    options += [("createForeignKeyConstraints", Word("false"))] if apart else _actions(page, relation)
    arguments: list[Node] = [_to(page, relation.parent)]
    arguments += [_inverse(parent, relation.back)] if relation.back else []
    arguments += [Record(tuple(options))] if options else []
    made = page.decorate("OneToOne" if relation.single else "ManyToOne", *arguments, inside=True)
    join = page.decorate("JoinColumn", _joined(page, relation, "" if apart else name), inside=True)
    holds = [_wrapped(page, parent), *(["null"] if relation.optional else [])]
    return "\n".join([made, join, attribute(relation.name, holds)])


def _is_in_circle(page: Page, relation: Relation) -> bool:
    """Say whether required relations lead from the parent back to the child, which TypeORM refuses.

    The columns are NOT NULL by themselves.
    """
    parents: dict[str, set[str]] = {}
    for one in page.naming.relations:
        if not one.optional:
            parents.setdefault(one.child.key, set()).add(one.parent.key)
    found, waiting = {relation.parent.key}, [relation.parent.key]
    while waiting:
        new = parents.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return relation.child.key in found


def _to(page: Page, parent: Table) -> Arrow:
    return Arrow("", Word(page.class_of(parent)))


def _inverse(owner: str, name: str) -> Arrow:
    known = camel(owner)
    known = known if len(known) <= _LONGEST and identifier(known) and known not in WORDS else "row"
    return Arrow(known, Member(Word(known), name))


def _wrapped(page: Page, name: str) -> str:
    page.used.add("Relation")
    return f"Relation<{name}>"


def _joined(page: Page, relation: Relation, name: str) -> Node:
    """Return the columns of a relation; those that the parent is found by are told where they are not its key."""
    keys = list(relation.parent.primary_key.columns)
    told = list(relation.targets) != keys or len(keys) > 1
    columns = []
    for one, other in zip(relation.columns, relation.targets, strict=True):
        entries: list[tuple[str, Node]] = [("name", Text(one.name))]
        entries += [("referencedColumnName", Text(page.field_of(other)))] if told else []
        entries += [("foreignKeyConstraintName", Text(name))] if name else []
        columns.append(Record(tuple(entries)))
    return columns[0] if len(columns) == 1 else List(tuple(columns))


def _actions(page: Page, relation: Relation) -> list[tuple[str, Node]]:
    found: list[tuple[str, Node]] = []
    for option, action in (("onDelete", relation.constraint.ondelete), ("onUpdate", relation.constraint.onupdate)):
        words = _word(action)
        if words and words != "NO ACTION" and words not in _UNKNOWN:
            found.append((option, Text(words)))
    if timing(relation.constraint):
        found.append(("deferrable", Text(timing(relation.constraint))))
    return found


def _word(action: str | None) -> str:
    """Return an action without the columns that it is for."""
    return " ".join((action or "").upper().partition("(")[0].split())


def lose_of_key(page: Page, relation: Relation, name: str) -> None:
    """Say what of a foreign key TypeORM has no words for."""
    constraint, table = relation.constraint, relation.child
    for words, action in (("ON DELETE", constraint.ondelete), ("ON UPDATE", constraint.onupdate)):
        if _word(action) in _UNKNOWN:
            page.lose(f"{words} {action} is left out", table, constraint=name)
        elif "(" in (action or ""):
            page.lose(f"{words} {action} sets all columns of the key here", table, constraint=name)
    for clause in beside(constraint, page.dialect):
        page.lose(f"{clause} is left out", table, constraint=name)
    if relation.parent.key in page.left:
        page.lose(f"it leads to {relation.parent.key}, which TypeORM refuses: left out", table, constraint=name)
