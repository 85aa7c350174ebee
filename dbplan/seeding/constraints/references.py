"""Foreign keys and uniques of one table, and how each is going to hold by construction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, TextClause, UniqueConstraint
from sqlalchemy.exc import NoReferencedColumnError, NoReferencedTableError
from sqlalchemy.sql import visitors

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.predicate import expression
from dbplan.seeding.constraints.uniques import Unique, is_wide, written_uniques

Uniques = Mapping[str, tuple[frozenset[str], ...]]


@dataclass(frozen=True)
class Reference:
    """One foreign key: its columns, the parent's; `own` are the columns it decides, `given` those decided before."""

    columns: tuple[str, ...]
    parent: str
    targets: tuple[str, ...]
    own: tuple[str, ...]
    given: tuple[str, ...]
    nullable: bool
    deferrable: bool
    left_out: bool = False
    """Whether it is NULL in every row, since no order of loading could hold it."""
    closes: bool = False
    """Whether its parents copy, through others, what this table gives them: those of a tenant come from here."""

    @property
    def label(self) -> str:
        """Name the reference as people write it."""
        return f"{', '.join(self.columns)} → {self.parent}"

    def target(self, column: str) -> str:
        """Return the parent's column that `column` refers to."""
        return self.targets[self.columns.index(column)]


def key_of(table: Table) -> str:
    """Return the name a table has in its metadata."""
    return str(table.key)


def references(table: Table) -> tuple[Reference, ...]:
    """Return the foreign keys of `table`, the ones that decide columns first; implied ones decide nothing."""
    constraints = sorted(table.foreign_key_constraints, key=lambda f: (-len(f.columns), _positions(table, f)))
    ordered = _in_order(table, constraints)
    decided: set[str] = set()
    found: list[Reference] = []
    for constraint in ordered:
        made = _reference(table, constraint, decided)
        if made.own or not any(_implies(table, other, made) for other in found):
            found.append(made)
        decided.update(made.own)
    return tuple(found)


def alone(table: Table) -> list[Reference]:
    """Return the foreign keys of `table`, each as if it were the only one."""
    constraints = sorted(table.foreign_key_constraints, key=lambda f: (-len(f.columns), _positions(table, f)))
    return [_reference(table, constraint, set()) for constraint in constraints]


def _positions(table: Table, constraint: ForeignKeyConstraint) -> tuple[int, ...]:
    names = list(table.columns.keys())
    return tuple(names.index(column) for column in constraint.column_keys)


def _in_order(table: Table, constraints: list[ForeignKeyConstraint]) -> list[ForeignKeyConstraint]:
    """Put a narrow key before the wide one that shares its columns, unless the wide one implies it."""
    placed: list[ForeignKeyConstraint] = []
    for constraint in constraints:
        made = _reference(table, constraint, set())
        at = len(placed)
        for place, earlier in enumerate(placed):
            wide = _reference(table, earlier, set())
            if (
                set(made.columns) <= set(wide.columns)
                and (not _implies(table, wide, made) or wide.parent == key_of(table))
                and not _each_once(table, wide, made)
            ):
                at = min(at, place)
        placed.insert(at, constraint)
    return placed


def _each_once(table: Table, wide: Reference, narrow: Reference) -> bool:
    """Whether a unique asks for a row of a wide key's parent for every row: then it decides the narrow key as well."""
    required = not any(table.columns[name].nullable for name in wide.columns)
    once = (names for names in uniques(table, strict=True) if names <= set(wide.columns))
    return required and any(not names <= set(narrow.columns) for names in once)


def _reference(table: Table, constraint: ForeignKeyConstraint, decided: set[str]) -> Reference:
    try:
        parent = constraint.referred_table
        targets = tuple(element.column.name for element in constraint.elements)
    except (NoReferencedTableError, NoReferencedColumnError) as error:
        raise NotCovered(f"{key_of(table)} refers to a table that the plan does not have: {error}") from None
    columns = tuple(element.parent.name for element in constraint.elements)
    # a key into its own table that keeps a column (tenant_id → tenant_id) does not decide that column
    fixed = {c for c, t in zip(columns, targets, strict=True) if parent is table and c == t} | decided
    own = tuple(column for column in columns if column not in fixed)
    may_be = any if (constraint.match or "").upper() != "FULL" else all
    nullable = bool(own) and may_be(table.columns[name].nullable for name in own)
    given = tuple(column for column in columns if column in fixed)
    return Reference(columns, key_of(parent), targets, own, given, nullable, bool(constraint.deferrable))


def _implies(table: Table, wide: Reference, narrow: Reference) -> bool:
    """Whether every row that holds `wide` holds `narrow`: the parent's own column refers to the same place."""
    if not set(narrow.columns) <= set(wide.columns):
        return False
    parent = table.metadata.tables[wide.parent]
    return all(
        (narrow.parent, narrow.target(column)) in _places(parent.columns[wide.target(column)], set())
        for column in narrow.columns
    )


def _places(column: Column[object], seen: set[tuple[str, str]]) -> set[tuple[str, str]]:
    place = (key_of(column.table), column.name)
    if place not in seen:
        seen.add(place)
        for foreign_key in column.foreign_keys:
            _places(foreign_key.column, seen)
    return seen


def uniques(table: Table, *, strict: bool = False) -> tuple[frozenset[str], ...]:
    """Return the sets of columns that are held different in all rows, small ones first.

    `strict` leaves out those that the table does not ask for in so many words: a partial unique, or one over an
    expression, that is held in all rows since it has a column with values enough.
    """
    return _sorted(dict.fromkeys(names for u in written_uniques(table) for names in _sets(table, u, strict=strict)))


def _sets(table: Table, unique: Unique, *, strict: bool) -> Iterator[frozenset[str]]:
    whole = unique.where is None and not unique.overlaps and len(unique.told_apart) == len(unique.parts)
    if whole or (not strict and is_wide(table, unique)):
        yield unique.told_apart


def unique_sets(table: Table) -> Iterator[tuple[frozenset[str], Index | None]]:
    """Yield every set of columns that must be unique together, with the index where it is one that asks for it."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint) and len(constraint.columns):
            yield frozenset(column.name for column in constraint.columns), None
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        if index.unique:
            yield frozenset(_index_columns(index)), index
    for column in table.columns:
        if column.unique:
            yield frozenset({column.name}), None


def all_uniques(tables: Iterable[Table], *, strict: bool = False) -> Uniques:
    """Return the uniques of every table, by name, with those that a child asks of its parent.

    A child with a wide key (name, uri) and a unique of its own on part of it (name) can only hold both where the
    parent's names differ; columns that are keys themselves are left out, for there the child can choose.
    """
    tables = tuple(tables)
    found = {key_of(table): dict.fromkeys(uniques(table, strict=strict)) for table in tables}
    wide = [(table, ref) for table in tables for ref in references(table) if len(ref.own) > 1]
    size = -1
    while size != (size := sum(map(len, found.values()))):
        for table, ref in wide:
            asked = (asked_of(ref, names) for names in list(found[key_of(table)]) if names < set(ref.own))
            plain = {c.name for c in table.metadata.tables[ref.parent].columns if not c.foreign_keys}
            found[ref.parent].update((names, None) for names in asked if names <= plain)
    return {name: _sorted(sets) for name, sets in found.items()}


def asked_of(reference: Reference, names: frozenset[str]) -> frozenset[str]:
    """Return the parent's columns that `names` of a reference stand for."""
    return frozenset(reference.target(name) for name in names)


def follows(reference: Reference, names: frozenset[str], sets: Uniques) -> bool:
    """Say whether a unique is a part of a wide reference whose parent's columns differ as well."""
    return names < set(reference.own) and asked_of(reference, names) in sets[reference.parent]


def _sorted(sets: Iterable[frozenset[str]]) -> tuple[frozenset[str], ...]:
    return tuple(sorted((names for names in sets if names), key=lambda names: (len(names), sorted(names))))


def _index_columns(index: Index) -> Iterator[str]:
    for part in index.expressions:
        if isinstance(part, TextClause | str):
            yield from _read_columns(str(part), index)
            continue
        for element in visitors.iterate(part):
            if isinstance(element, Column):
                yield element.name
            elif isinstance(element, TextClause):
                yield from _read_columns(element.text, index)


def _read_columns(text: str, index: Index) -> frozenset[str]:
    """Return the columns of an expression that is there as text only, as a live database gives it."""
    assert index.table is not None
    try:
        return expression(text, index.table.columns.keys()).columns
    except NotCovered:
        return frozenset()
