"""Relations: the two fields that Prisma wants for each foreign key, and lists for its own join tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy.schema import Table

from dbplan.exports.prisma import names
from dbplan.exports.prisma.context import Context
from dbplan.exports.prisma.keys import Keys, lost_of_constraint
from dbplan.exports.prisma.layout import Row, listed, quoted
from dbplan.exports.relations import Relation, camel, plural

_ACTIONS = {
    "": "NoAction",
    "NO ACTION": "NoAction",
    "RESTRICT": "Restrict",
    "CASCADE": "Cascade",
    "SET NULL": "SetNull",
    "SET DEFAULT": "SetDefault",
}


@dataclass(frozen=True)
class Links:
    """The relation fields of each table: to its parents, and back from its children."""

    out: Mapping[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    back: Mapping[str, list[Row]] = field(default_factory=lambda: defaultdict(list))


def links(context: Context, keys: Mapping[str, Keys], ignored: frozenset[str]) -> Links:
    """Return the relation fields of every table; a foreign key that Prisma cannot say is lost by name."""
    found = Links()
    joined = {table.key for table in context.tables if is_join(table, context)}
    backs: dict[str, list[tuple[Relation, Row]]] = defaultdict(list)
    for relation in context.naming.relations:
        if relation.child.key in joined:
            continue
        reason = _refused(relation, context, keys)
        if reason:
            name = names.actual(relation.constraint, context.dialect) or _name(relation)
            context.lose(f"the foreign key has no words in Prisma: {reason}", relation.child, key=name)
            continue
        found.out[relation.child.key].append(_out(relation, context, ignored))
        backs[relation.parent.key].append((relation, _back(relation, context, keys, ignored)))
    for key, rows in backs.items():
        found.back[key].extend(row for _, row in sorted(rows, key=lambda pair: pair[0].child.key))
    for key in joined:
        for parent, row in _lists(context.plan.table(key), context):
            found.back[parent.key].append(row)
    return found


def is_join(table: Table, context: Context) -> bool:
    """Whether a table is one that Prisma makes by itself for a relation of many to many."""
    parents = [key.referred_table for key in table.foreign_key_constraints]
    return (
        context.keeps
        and table.name.startswith("_")
        and "model" not in table.info
        and [column.name for column in table.columns] == ["A", "B"]
        and len(parents) == 2
        and all(len(parent.primary_key.columns) == 1 for parent in parents)
    )


def _refused(relation: Relation, context: Context, keys: Mapping[str, Keys]) -> str:
    """Return why Prisma cannot say a foreign key, "" where it can."""
    child, parent = relation.child, relation.parent
    views = [table.name for table in (child, parent) if table.info.get("is_view")]
    drawn = relation.constraint.info.get("enforced") is False
    if drawn and not views and context.own.get("relation_mode") != "prisma":
        return "no server guards it, and Prisma would make one that does"
    if parent.key not in keys or child.key not in keys:
        return "it leads to a table that is not there"
    targets = {column.name for column in relation.targets}
    if not any(targets == set(criterion) for criterion in keys[parent.key].unique):
        return f"no key of {parent.name} that Prisma knows has just the columns that it points to"
    for column, target in zip(relation.columns, relation.targets, strict=True):
        ours, theirs = context.said(column), context.said(target)
        if not ours.type or ours.type != theirs.type or ours.facts.type.dimensions:
            return f"{column.name} is {ours.facts.type.words}, and {target} is {theirs.facts.type.words}"
    return ""


def _name(relation: Relation) -> str:
    return names.servers(relation.child.name, [column.name for column in relation.columns], "fkey")


def _out(relation: Relation, context: Context, ignored: frozenset[str]) -> Row:
    """Return the field that leads to the parent."""
    arguments = [quoted(relation.label)] if relation.label else []
    arguments += [
        f"fields: {listed(map(context.field, relation.columns))}",
        f"references: {listed(map(context.field, relation.targets))}",
        *_actions(relation, context),
        *_mapped(relation, context),
    ]
    optional = "?" if relation.optional else ""
    attributes = [f"@relation({', '.join(arguments)})"]
    attributes += ["@ignore"] if relation.parent.key in ignored else []
    for message in lost_of_constraint(relation.constraint):
        context.lose(message, relation.child, key=names.actual(relation.constraint, context.dialect) or _name(relation))
    return Row((relation.name, f"{context.naming.class_of(relation.parent)}{optional}", " ".join(attributes)))


def _actions(relation: Relation, context: Context) -> Iterator[str]:
    """Yield the actions that Prisma would not take by itself."""
    for event, told, usual in (
        ("onDelete", relation.constraint.ondelete, _on_delete(relation, context)),
        ("onUpdate", relation.constraint.onupdate, "Cascade"),
    ):
        action = _action(relation, context, str(told or ""))
        if action != usual:
            yield f"{event}: {action}"


def _action(relation: Relation, context: Context, told: str) -> str:
    """Return an action in Prisma's words, the nearest one where it has none, which is lost then."""
    action = _ACTIONS.get(told.partition("(")[0].strip().upper(), "NoAction")
    name = names.actual(relation.constraint, context.dialect) or _name(relation)
    if "(" in told:
        context.lose(f"{told} sets all columns of the key there", relation.child, key=name)
    if context.provider == "sqlserver" and action == "Restrict":
        return "NoAction"
    required = not all(column.nullable for column in relation.columns)
    if action == "SetNull" and required and context.provider != "postgresql":
        context.lose("SET NULL on columns that are NOT NULL is NO ACTION there", relation.child, key=name)
        return "NoAction"
    return "NoAction" if context.provider == "mongodb" else action  # whose client refuses circles of others


def _on_delete(relation: Relation, context: Context) -> str:
    if all(column.nullable for column in relation.columns):
        return "SetNull"
    return "NoAction" if context.provider == "sqlserver" else "Restrict"


def _mapped(relation: Relation, context: Context) -> list[str]:
    columns = [column.name for column in relation.columns]
    name = names.actual(relation.constraint, context.dialect)
    if not name and context.provider in ("postgresql", "cockroachdb"):
        name = _numbered(_name(relation), context.taken.setdefault(relation.child.key, set()))
    usual = names.usual(relation.child.name, columns, "fkey", context.provider)
    silent = context.provider in ("sqlite", "mongodb") or context.own.get("relation_mode") == "prisma"
    return [] if silent or name in ("", usual) else [f"map: {quoted(name)}"]


def _numbered(name: str, taken: set[str]) -> str:
    """Return the name that the server gives where one is taken already."""
    free = name if name not in taken else next(w for n in count(1) if (w := f"{name}{n}") not in taken)
    taken.add(free)
    return free


def _back(relation: Relation, context: Context, keys: Mapping[str, Keys], ignored: frozenset[str]) -> Row:
    """Return the field that leads from the parent to its children."""
    child = relation.child
    single = tuple(column.name for column in relation.columns) in keys[child.key].unique
    name = relation.back or _unnamed(relation, context)
    attributes = [f"@relation({quoted(relation.label)})"] if relation.label else []
    attributes += ["@ignore"] if child.key in ignored else []
    cells = (name, f"{context.naming.class_of(child)}{'?' if single else '[]'}", " ".join(attributes))
    return Row(cells if attributes else cells[:2])


def _unnamed(relation: Relation, context: Context) -> str:
    """Return a name for a way back that the plan has none for: Prisma wants both."""
    parent = relation.parent
    taken = context.taken.setdefault(f"fields of {parent.key}", set())
    taken |= {context.field(column) for column in parent.columns}
    taken |= {other.name for other in context.naming.out_of(parent)} | {r.back for r in context.naming.into(parent)}
    return names.free(camel(plural(context.naming.class_of(relation.child))), taken)


def _lists(table: Table, context: Context) -> Iterator[tuple[Table, Row]]:
    """Yield the two lists that stand for a join table of Prisma's."""
    by_side = {relation.columns[0].name: relation for relation in context.naming.out_of(table)}
    for side, other in (("A", "B"), ("B", "A")):
        here, there = by_side[side], by_side[other]
        name = here.back or camel(plural(context.naming.class_of(there.parent)))
        label = here.constraint.info.get("relation", "")
        cells = (name, f"{context.naming.class_of(there.parent)}[]")
        yield here.parent, Row((*cells, f"@relation({quoted(label)})") if label else cells)
