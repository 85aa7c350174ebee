"""Foreign keys as attributes: which of them Pony can have, and what stands at their other end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import Index

from dbplan.exports import facts
from dbplan.exports.relations import Relation, plural, singular, snake

if TYPE_CHECKING:
    from dbplan.exports.pony.page import PonyPage


@dataclass(frozen=True)
class Way:
    """A foreign key as an attribute: `columns` lead to the primary key of the parent, in its order.

    `back` is what the parent calls its children; `single` says that it has at most one; `key` is Pony's name of it.
    """

    relation: Relation
    columns: tuple[Column[Any], ...]
    name: str
    back: str
    single: bool
    key: str

    @property
    def optional(self) -> bool:
        """Whether a child may have no parent."""
        return self.columns[0].nullable is True

    @property
    def action(self) -> str:
        """What Pony has the server do when the parent goes."""
        wanted = str(self.relation.constraint.ondelete or "").upper()
        return "CASCADE" if wanted == "CASCADE" else "SET NULL" if self.optional else ""

    @property
    def is_whole(self) -> bool:
        """Whether it has all columns of the foreign key."""
        return set(self.columns) == set(self.relation.columns) and len(self.columns) == len(self.relation.columns)


def find_ways(page: PonyPage) -> None:
    """Choose the foreign keys that are attributes, the first of those that share a column."""
    names = {table.key: _names(page, table) for table in page.plan.tables}
    leads: dict[str, set[str]] = {}
    for relation in page.naming.relations:
        if not (page.is_entity(relation.child) and page.is_entity(relation.parent)):
            continue
        columns = _columns(page, relation)
        if columns is None or not _fits_key(relation, columns, leads):
            continue
        key = _key_name(page, relation.child, columns)
        if key is None:
            continue
        single = _is_unique(relation.child, columns)
        back = _free(relation.back or _backward(relation, single), names[relation.parent.key])
        way = Way(relation, columns, relation.name, back, single, key)
        page.ways[relation.constraint] = way
        page.ways_by_column |= {(relation.child.key, column.name): way for column in columns}
        if len(columns) > 1:
            page.serial |= {root for target in relation.parent.primary_key.columns for root in numbered(target)}


def _names(page: PonyPage, table: Table) -> set[str]:
    """Return the names that the attributes of an entity have already."""
    found = {page.attributes[table.key, column.name] for column in table.columns}
    found |= {relation.name for relation in page.naming.out_of(table)}
    return found


def _backward(relation: Relation, single: bool) -> str:
    child = snake(str(relation.child.name))
    return f"{singular(child) if single else plural(singular(child))}_as_{relation.name}"


def _free(wanted: str, taken: set[str]) -> str:
    """Return a name that nothing has: Pony takes none that begins and ends with an underscore."""
    wanted = wanted.lstrip("_") or "back" if wanted.startswith("_") and wanted.endswith("_") else wanted
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name


def _columns(page: PonyPage, relation: Relation) -> tuple[Column[Any], ...] | None:
    """Return the columns that lead to the parent's primary key, in its order; None for a key that Pony cannot have."""
    pairs = dict(zip(relation.targets, relation.columns, strict=True))
    wanted = [*relation.parent.primary_key.columns]
    if not all(column in pairs for column in wanted):
        return None
    columns = tuple(pairs[column] for column in wanted)
    if len(set(columns)) < len(columns) or any(page.way_of(one) or one.computed is not None for one in columns):
        return None
    if len(columns) > 1 and not _is_composite(page, columns, wanted):
        return None
    return columns


def _is_composite(page: PonyPage, columns: tuple[Column[Any], ...], wanted: list[Column[Any]]) -> bool:
    """Say whether several columns can be one attribute: none may be NULL, and Pony types them as the parent's are."""
    types = ([facts.sql_type(column.type, page.dialect).words for column in part] for part in (columns, wanted))
    first, second = types
    plain = not any(column.nullable or column.server_default is not None or facts.counts(column) for column in columns)
    small = (facts.sql_type(root.type, page.dialect).name == "smallint" for one in wanted for root in numbered(one))
    return plain and first == second and not any(small)


def numbered(column: Column[Any], seen: frozenset[Column[Any]] = frozenset()) -> set[Column[Any]]:
    """Return the columns that a column leads to in the end, itself too, whose rows the server numbers.

    Pony gives a foreign key the type of that column in full, words of IDENTITY included; it knows what becomes of
    SERIAL and BIGSERIAL alone.
    """
    if column in seen:
        return set()
    if facts.counts(column):
        return {column}
    far = (numbered(key.column, seen | {column}) for key in column.foreign_keys if _is_held(key))
    return {one for several in far for one in several}


def is_identity(column: Column[Any]) -> bool:
    """Say whether a column leads to one that is GENERATED AS IDENTITY, or is one itself."""
    return any(one.identity is not None for one in numbered(column))


def _is_held(key: ForeignKey) -> bool:
    try:
        return key.column is not None
    except SQLAlchemyError:
        return False


def _fits_key(relation: Relation, columns: tuple[Column[Any], ...], leads: dict[str, set[str]]) -> bool:
    """Say whether columns lie within the primary key in one piece, and lead round in no circle, or not in it at all."""
    key = [*relation.child.primary_key.columns]
    if not any(column in key for column in columns):
        return True
    start = next(place for place, column in enumerate(key) if column in columns)
    if tuple(key[start : start + len(columns)]) != columns:
        return False
    reached, found = {relation.parent.key}, {relation.parent.key}
    while found:
        found = {far for near in found for far in leads.get(near, ())} - reached
        reached |= found
    if relation.child.key in reached:
        return False
    leads.setdefault(relation.child.key, set()).add(relation.parent.key)
    return True


def _key_name(page: PonyPage, child: Table, columns: tuple[Column[Any], ...]) -> str | None:
    """Take the name that Pony gives to the key; None where another has it, for which Pony knows no other."""
    from dbplan.exports.pony.page import own_name

    name = own_name("fk", child, [column.name for column in columns], "__")
    if name in page.taken:
        return None
    page.taken.add(name)
    return name


def _is_unique(child: Table, columns: tuple[Column[Any], ...]) -> bool:
    """Say whether a parent has at most one child: the columns are a key of their own."""
    return any(set(found) == set(columns) for found in _keys(child))


def _keys(table: Table) -> Iterator[list[Column[Any]]]:
    yield [*table.primary_key.columns]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint) and not constraint.deferrable:
            yield [*constraint.columns]
    yield from (_whole(index) for index in table.indexes if index.unique)


def _whole(index: Index) -> list[Column[Any]]:
    """Return the columns of a unique index over all rows; none for any other."""
    partial = any(name.endswith("_where") and value is not None for name, value in index.dialect_kwargs.items())
    plain = len(index.columns) == len(index.expressions)
    return [*index.columns] if plain and not partial else []
