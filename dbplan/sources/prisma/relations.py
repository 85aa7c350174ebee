"""Relations: which field leads where, and the foreign keys that Prisma makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Table

from dbplan.sources.prisma import names
from dbplan.sources.prisma.scope import Scope, argument, find, first, items, mapped, text
from dbplan.sources.prisma.syntax import Field, Model

_ACTIONS = {
    "Cascade": "CASCADE",
    "Restrict": "RESTRICT",
    "NoAction": "NO ACTION",
    "SetNull": "SET NULL",
    "SetDefault": "SET DEFAULT",
}


@dataclass(frozen=True)
class Link:
    """A relation whose key stands in the child: `field` leads to the parent, `back` to the child; None: to a view."""

    child: Model
    field: Field
    parent: Model
    back: Field | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields of the child that hold the key."""
        return _listed(self.field, "fields")

    @property
    def targets(self) -> tuple[str, ...]:
        """The fields of the parent that they point to."""
        return _listed(self.field, "references")


@dataclass(frozen=True)
class Join:
    """A relation of many to many without a model of its own: columns A and B, in the order of the models' names."""

    one: Model
    field: Field
    other: Model
    back: Field


def links(scope: Scope) -> Iterator[Link]:
    """Yield the relations that have their keys in a model, in order of appearance."""
    for child in scope.schema.models:
        for field in child.fields:
            if scope.is_relation(field) and field.arity != "[]" and _listed(field, "fields"):
                parent = scope.models[field.type]
                yield Link(child, field, parent, _opposite(child, field, parent))


def joins(scope: Scope) -> Iterator[Join]:
    """Yield the relations of many to many that need a table of their own."""
    for one in scope.schema.models:
        for field in one.fields:
            if not scope.is_relation(field) or field.arity != "[]" or _listed(field, "fields"):
                continue
            other = scope.models[field.type]
            back = _opposite(one, field, other)
            in_order = (one.name, field.name) < (other.name, back.name) if back else False
            if back is not None and back.arity == "[]" and in_order and "view" not in (one.kind, other.kind):
                yield Join(one, field, other, back)


def in_arrays(scope: Scope) -> Iterator[str]:
    """Yield in words the relations of many to many that MongoDB keeps in an array, which no foreign key can say."""
    for model in scope.schema.models:
        for field in model.fields:
            if scope.is_relation(field) and field.arity == "[]" and (columns := _listed(field, "fields")):
                yield f"relation {model.name}.{field.name}: kept in the array {columns[0]}, which no foreign key can be"


def _opposite(model: Model, field: Field, other: Model) -> Field | None:
    """Return the field of the other model that is the same relation."""
    name = name_of(field)
    for candidate in other.fields:
        same = other is model and candidate.name == field.name
        if candidate.type == model.name and not same and name_of(candidate) == name:
            return candidate
    return None


def name_of(field: Field) -> str:
    """Return the name that a schema gives to the relation of a field; "" for none."""
    return text(first(find(field, "relation")))


def _listed(field: Field, key: str) -> tuple[str, ...]:
    return tuple(text(item) for item in items(argument(find(field, "relation"), key)))


def add_foreign_key(link: Link, scope: Scope, tables: Mapping[str, Table]) -> None:
    """Give the child's table the foreign key of a relation; one that the database does not guard is only drawn."""
    child, parent = tables[link.child.name], tables[link.parent.name]
    columns = [child.columns[_column(link.child, name, scope)] for name in link.columns]
    targets = [parent.columns[_column(link.parent, name, scope)] for name in link.targets]
    relation = find(link.field, "relation")
    key = ForeignKeyConstraint(
        columns,
        targets,
        name=text(argument(relation, "map"))
        or names.foreign_key(mapped(link.child), [column.name for column in columns], scope.dialect),
        ondelete=_ACTIONS.get(text(argument(relation, "onDelete"))) or _on_delete(link, scope),
        onupdate=_ACTIONS.get(text(argument(relation, "onUpdate")), "CASCADE"),
        info={"relation": name_of(link.field), "field": link.field.name, "back": link.back.name if link.back else ""},
    )
    if not scope.enforced or "view" in (link.child.kind, link.parent.kind):
        draw_only(key)
    child.append_constraint(key)


def _on_delete(link: Link, scope: Scope) -> str:
    """Return what Prisma takes where nothing is said: by whether a child can do without its parent."""
    optional = {field.name for field in link.child.fields if field.arity == "?"}
    if link.field.arity == "?" and optional.issuperset(link.columns):
        return "SET NULL"
    return "NO ACTION" if scope.dialect == "mssql" else "RESTRICT"


def draw_only(key: ForeignKeyConstraint) -> None:
    """Have a relation drawn, and never created."""
    key.info["enforced"] = False
    key.ddl_if(callable_=_never)


def _never(*_: Any, **__: Any) -> bool:
    return False


def _column(model: Model, name: str, scope: Scope) -> str:
    field = next(field for field in model.fields if field.name == name)
    return names.cut(mapped(field), names.LONGEST[scope.dialect])
