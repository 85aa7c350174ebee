"""Relations: which field leads where, and the foreign keys and join tables that Prisma makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint

from dbplan.errors import SourceError
from dbplan.sources.prisma import names
from dbplan.sources.prisma.mysql import KINDS
from dbplan.sources.prisma.scope import Scope, argument, find, first, items, mapped, text
from dbplan.sources.prisma.syntax import Field, Model
from dbplan.sources.prisma.types import column_type

_ACTIONS = {
    "Cascade": "CASCADE",
    "Restrict": "RESTRICT",
    "NoAction": "NO ACTION",
    "SetNull": "SET NULL",
    "SetDefault": "SET DEFAULT",
}
_KEYED = ("postgresql",)
"""Servers on which a join table has a primary key; on the others it has a unique index."""


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
    name = _name(field)
    for candidate in other.fields:
        same = other is model and candidate.name == field.name
        if candidate.type == model.name and not same and _name(candidate) == name:
            return candidate
    return None


def _name(field: Field) -> str:
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
        info={"relation": _name(link.field), "field": link.field.name, "back": link.back.name if link.back else ""},
    )
    if not scope.enforced or "view" in (link.child.kind, link.parent.kind):
        key.info["enforced"] = False
        key.ddl_if(callable_=_never)
    child.append_constraint(key)


def _on_delete(link: Link, scope: Scope) -> str:
    """Return what Prisma takes where nothing is said: by whether a child can do without its parent."""
    optional = {field.name for field in link.child.fields if field.arity == "?"}
    if link.field.arity == "?" and optional.issuperset(link.columns):
        return "SET NULL"
    return "NO ACTION" if scope.dialect == "mssql" else "RESTRICT"


def _never(*_: Any, **__: Any) -> bool:
    return False


def _column(model: Model, name: str, scope: Scope) -> str:
    field = next(field for field in model.fields if field.name == name)
    return names.cut(mapped(field), names.LONGEST[scope.dialect])


def add_join_table(join: Join, scope: Scope, tables: Mapping[str, Table], metadata: MetaData) -> None:
    """Make the table of a relation of many to many, with its key, index and foreign keys."""
    name = names.join_table(_name(join.field), join.one.name, join.other.name, scope.dialect)
    parents = {"A": tables[join.one.name], "B": tables[join.other.name]}
    columns = [
        Column(side, _key_type(model, scope), nullable=False) for side, model in zip("AB", _models(join), strict=True)
    ]
    home = parents["A"].schema
    table = Table(free_name(name, home, scope, metadata), metadata, *columns, schema=home, **options(scope))
    _add_unique(table, name, scope)
    Index(names.of_join_table(name, "_B_index", scope.dialect), table.columns["B"])
    for side, back in (("A", join.field), ("B", join.back)):
        _add_side(
            table, name, side, parents[side], scope, {"relation": _name(join.field), "field": "", "back": back.name}
        )


def free_name(name: str, schema: str | None, scope: Scope, metadata: MetaData) -> str:
    """Return a table's name as the server cuts it; SourceError where another table has it already."""
    short = names.cut(name, names.LONGEST[scope.dialect])
    if (f"{schema}.{short}" if schema else short) in metadata.tables:
        cut = f', which is all that {scope.dialect} keeps of "{name}"' if short != name else ""
        raise SourceError(f'two tables have the name "{short}"{cut}; give one of them another by @@map')
    return short


def options(scope: Scope) -> dict[str, Any]:
    """Return what Prisma says of every table on that server."""
    if scope.dialect != "mysql":
        return {}
    said = {"default_charset": "utf8mb4", "collate": "utf8mb4_unicode_ci"}
    return {f"{kind}_{key}": value for kind in KINDS for key, value in said.items()}


def _models(join: Join) -> tuple[Model, Model]:
    return join.one, join.other


def _key_type(model: Model, scope: Scope) -> Any:
    return column_type(next(field for field in model.fields if find(field, "id")), scope)


def _add_unique(table: Table, name: str, scope: Scope) -> None:
    pair = table.columns["A"], table.columns["B"]
    if scope.dialect in _KEYED:
        table.append_constraint(PrimaryKeyConstraint(*pair, name=names.of_join_table(name, "_AB_pkey", scope.dialect)))
    elif scope.dialect == "mssql":
        table.append_constraint(UniqueConstraint(*pair, name=names.of_join_table(name, "_AB_unique", scope.dialect)))
    else:
        Index(names.of_join_table(name, "_AB_unique", scope.dialect), *pair, unique=True)


def _add_side(table: Table, name: str, side: str, parent: Table, scope: Scope, info: dict[str, str]) -> None:
    # SQL Server refuses two ways of cascading from one table to another.
    twice = (
        scope.dialect == "mssql" and len({key.referred_table for key in table.foreign_key_constraints} | {parent}) == 1
    )
    action = "NO ACTION" if twice else "CASCADE"
    key = ForeignKeyConstraint(
        [table.columns[side]],
        [next(iter(parent.primary_key.columns))],
        name=names.of_join_table(name, f"_{side}_fkey", scope.dialect),
        ondelete=action,
        onupdate=action,
        info=info,
    )
    if not scope.enforced:
        key.info["enforced"] = False
        key.ddl_if(callable_=_never)
    table.append_constraint(key)
