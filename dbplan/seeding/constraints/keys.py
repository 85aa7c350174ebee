"""Uniques: by which column or reference each is held, and what that leaves for the fan-out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.checks import compared
from dbplan.seeding.constraints.conflicts import TooFew
from dbplan.seeding.constraints.references import Reference, follows
from dbplan.seeding.constraints.uniques import Unique, asked_loosely, plain_unique, written_uniques
from dbplan.seeding.rows.templates import differs
from dbplan.seeding.values.domains import VAST, Uuids, Words
from dbplan.seeding.values.infer import generic
from dbplan.seeding.values.people import Person
from dbplan.seeding.values.slugs import Slug

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder
    from dbplan.seeding.rows.frames import Source

Room = Mapping[tuple[str, ...], int]


@dataclass(frozen=True)
class Digits:
    """One column's place in a mixed-radix number that is different in every row."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    place: int


@dataclass
class Keys:
    """How uniques are held: by column or by reference (its own columns), and the largest fan-out that leaves."""

    columns: dict[str, str] = field(default_factory=dict)
    references: dict[tuple[str, ...], str] = field(default_factory=dict)
    digits: dict[str, Digits] = field(default_factory=dict)
    reference_digits: dict[tuple[str, ...], Digits] = field(default_factory=dict)
    most: int | None = None
    searched: tuple[Unique, ...] = ()
    """Those that none of this holds: they are searched for before the first row is written."""


def leads(table: Table, found: tuple[Reference, ...]) -> list[Reference]:
    """Return the references along which children can be counted."""
    return [r for r in found if r.own and r.parent != str(table.key) and not r.given]


def lead_of(
    table: Table, found: tuple[Reference, ...], sets: tuple[frozenset[str], ...], per: str | None
) -> Reference | None:
    """Return the reference along which children are counted: the recipe's, or the one most uniques stand on."""
    usable = leads(table, found)
    if per is not None:
        return next((r for r in usable if per in r.columns), None)
    usable = [r for r in usable if not r.nullable and frozenset(r.own) not in sets]
    return max(usable, key=lambda r: sum(set(r.own) < names for names in sets), default=None)


def assign(builder: Builder, room: Room, *, loose: bool = False) -> Keys:
    """Return what holds every unique of a table; `loose` leaves the columns that CHECKs tie together to a search."""
    keys = Keys()
    free = asked_loosely(builder.table) | {n for n in builder.domains if loose and tied(builder, n)}
    free = free if loose else frozenset()
    for names in builder.source.uniques:
        if not (_open(builder, names) or _held(builder, keys, names)):
            _hold(builder, keys, names, room, free)
    _hint(builder)
    keys.searched = tuple(u for u in asked_uniques(builder.source) if not _settled(builder, keys, u))
    for unique in keys.searched:
        refuse_hopeless(builder, unique, room)
    _refuse_crowded(builder, keys, room)
    return keys


def _hint(builder: Builder) -> None:
    """Let columns that are drawn again try what the conditions of partial uniques compare them with."""
    for unique in written_uniques(builder.table):
        if unique.where is not None:
            for name, value in compared(unique.where.node):
                builder.facts.limit(name).hints.append(value)


def asked_uniques(source: Source) -> tuple[Unique, ...]:
    """Return all uniques of a table: as they are written, and those that a child asks of it."""
    written = written_uniques(source.table)
    known = {u.told_apart for u in written}
    return (*written, *(plain_unique(names) for names in source.uniques if names not in known))


def _settled(builder: Builder, keys: Keys, unique: Unique) -> bool:
    """Whether what is held holds a unique as well."""
    names = unique.told_apart
    nulls = not unique.nulls_differ and any(builder.table.columns[n].nullable for n in unique.columns)
    return not nulls and (_open(builder, names) or _held(builder, keys, names))


def _open(builder: Builder, names: frozenset[str]) -> bool:
    """Whether the recipe leaves a column of a unique NULL in every row, so that nothing is there twice."""
    return any(builder.table.columns[n].nullable and builder.rule.columns.get(n, {}).get("null") == 1 for n in names)


def _held(builder: Builder, keys: Keys, names: frozenset[str]) -> bool:
    lead = builder.source.lead
    on_lead = lead is not None and set(lead.own) <= names
    alone = any(keys.columns.get(n) == "distinct" or (on_lead and keys.columns.get(n) == "within") for n in names)
    return (
        alone
        or any(
            set(own) <= names and (how == "distinct" or (on_lead and how == "within"))
            for own, how in keys.references.items()
        )
        or any(keys.references.get(r.own) == "distinct" or _one_each(keys, builder, r) for r in _inside(builder, names))
    )


def _inside(builder: Builder, names: frozenset[str]) -> list[Reference]:
    """Return the wide references that a unique is a part of, where the parent's columns differ as well."""
    sets = {name: source.uniques for name, source in builder.world.sources.items()}
    return [r for r in builder.source.references if follows(r, names, sets)]


def _one_each(keys: Keys, builder: Builder, reference: Reference) -> bool:
    return reference is builder.source.lead and keys.most == 1


def _hold(builder: Builder, keys: Keys, names: frozenset[str], room: Room, free: frozenset[str]) -> bool:
    """Let a column, a reference or several together hold a unique; say whether one could."""
    lead = builder.source.lead
    if _through(builder, keys, names, room):
        return True
    taken = {column for ref in builder.source.references for column in ref.columns} | free
    scalars = [n for n in builder.table.columns.keys() if n in names and n not in taken and n not in keys.columns]  # noqa: SIM118
    refs = [
        r
        for r in builder.source.references
        if r.own and set(r.own) <= names and r is not lead and r.own not in keys.references and not free & set(r.own)
    ]
    on_lead = lead is not None and set(lead.own) <= names
    if on_lead and _within(builder, keys, scalars, refs, room):
        return True
    if not on_lead and (_distinct(builder, keys, scalars, refs, room) or _digits(builder, keys, scalars, refs, room)):
        return True
    if lead is not None and set(lead.own) == set(names):
        keys.most = 1
        return True
    return False


def _through(builder: Builder, keys: Keys, names: frozenset[str], room: Room) -> bool:
    """Hold a unique that is a part of a wide reference by taking each parent once."""
    for reference in _inside(builder, names):
        if reference is builder.source.lead:
            keys.most = 1
            return True
        if room[reference.own] >= builder.source.rows and reference.own not in keys.references:
            keys.references[reference.own] = "distinct"
            return True
    return False


def refuse_hopeless(builder: Builder, unique: Unique, room: Room) -> None:
    """Refuse a unique whose columns have fewer values together than there are rows."""
    if unique.fault:
        raise NotCovered(
            f"{builder.name}: the unique {unique.name} cannot be held by construction: {unique.fault}; "
            "take it out of the plan, or let a recipe leave a column of it NULL"
        )
    names, rows = unique.columns, builder.source.rows
    if not unique.total or any(may_be_null(builder, name) for name in names):
        return
    inside = [r for r in builder.source.references if r.own and set(r.own) <= names]
    rest = sorted(names - {n for r in inside for n in r.columns})
    sizes = sizes_of(builder, unique, room)
    if not rest and len(inside) == 1 and room[inside[0].own] < rows:
        parents = f"{room[inside[0].own]:,} rows"
        raise TooFew(
            builder.name,
            f"{builder.name}: ({', '.join(sorted(names))}) is unique, so {parents} of {inside[0].parent} "
            f"leave room for {parents}, not {rows:,}",
            room[inside[0].own],
        )
    if prod(sizes.values()) < rows:
        raise TooFew(builder.name, f"{said(builder, unique, sizes)}; {MEND}", prod(sizes.values()))


def _refuse_crowded(builder: Builder, keys: Keys, room: Room) -> None:
    """Refuse more rows than the lead's parents may have children."""
    lead, rows = builder.source.lead, builder.source.rows
    if lead is not None and keys.most is not None and keys.most * room[lead.own] < rows:
        parents = room[lead.own]
        raise TooFew(
            builder.name,
            f"{builder.name} ({lead.label}): {parents:,} parents with {keys.most:,} children at most have room for "
            f"{keys.most * parents:,} rows, not {rows:,}",
            keys.most * parents,
        )


def may_be_null(builder: Builder, name: str) -> bool:
    """Whether a column takes NULLs."""
    return bool(builder.table.columns[name].nullable) and not builder.facts.limit(name).required


def sizes_of(builder: Builder, unique: Unique, room: Room) -> dict[str, int]:
    """Return how many values the columns of a unique have, those of one foreign key together; VAST for not known."""
    names, found = set(unique.columns), {}
    for reference in builder.source.references:
        if reference.own and set(reference.own) & names:
            found[", ".join(n for n in reference.own if n in names)] = room[reference.own]
    rest = sorted(names - {n for r in builder.source.references for n in r.own})
    return found | {n: capacity(builder, n, builder.source.rows) or VAST for n in rest}


MEND = "ask for fewer rows of it or more of its parents, or give a column more values"


def said(builder: Builder, unique: Unique, sizes: Mapping[str, int]) -> str:
    """Say of a unique how many values its columns have for how many rows."""
    parts = ", ".join(f"{name} has {size:,} values" for name, size in sizes.items() if size < VAST)
    together = f", {prod(sizes.values()):,} together" if len(sizes) > 1 and prod(sizes.values()) < VAST else ""
    return f"{builder.name}: {unique.label} is unique: {parts}{together} for {builder.source.rows:,} rows"


def capacity(builder: Builder, name: str, rows: int) -> int:
    """Return how many different values a column can be given."""
    said = set(builder.rule.columns.get(name, {})) - {"null", "only_when"}
    if "template" in said:
        return VAST if differs(builder.rule.columns[name]["template"], builder.table) else 0
    if said and not {"faker", "min", "max", "pattern", "distribution"} & said:
        return 0
    column, domain = builder.table.columns[name], builder.domains[name]
    if domain is None or column.computed is not None:
        return 0
    if builder.facts.equations.get(name) is not None and not builder._in_circle(name):
        return 0
    return domain.roomy(rows).capacity


def _distinct(builder: Builder, keys: Keys, scalars: list[str], refs: list[Reference], room: Room) -> bool:
    rows = builder.source.rows
    able = [n for n in scalars if capacity(builder, n, rows) >= rows]
    best = max(able, key=lambda n: _natural(builder, n), default=None)
    one = next((r for r in refs if room[r.own] >= rows and not r.given), None)
    if best is not None and not (one is not None and _crowded(builder, keys, best)):
        keys.columns[best] = "distinct"
        return True
    if one is not None:
        keys.references[one.own] = "distinct"
        return True
    return False


def tied(builder: Builder, name: str) -> bool:
    """Whether a CHECK ties a column to others."""
    return any(
        c.parsed is not None and name in c.parsed.columns and len(c.parsed.columns) > 1 for c in builder.facts.checks
    )


def _crowded(builder: Builder, keys: Keys, name: str) -> bool:
    """Whether CHECKs tie a column, through others maybe, to one that is a key already: two fixed ends of a chain."""
    tests = [c.parsed.columns for c in builder.facts.checks if c.parsed is not None]
    reached, before = {name}, 0
    while len(reached) > before:
        before = len(reached)
        reached.update(*(columns for columns in tests if columns & reached))
    return bool((reached - {name}) & keys.columns.keys())


def _natural(builder: Builder, name: str) -> tuple[int, int]:
    """Say how natural it is for a column to be different in every row."""
    if tied(builder, name):
        return 0, 0
    kind, domain = generic(builder.table.columns[name].type), builder.domains[name]
    if isinstance(domain, Uuids):
        return 5, 0
    if isinstance(kind, sa.Integer) and builder.table.columns[name].primary_key:
        return 4, 0
    if isinstance(domain, Words | Person | Slug):
        return 3, 0
    return (2, 0) if isinstance(kind, sa.Integer) else (1, 0)


def _within(builder: Builder, keys: Keys, scalars: list[str], refs: list[Reference], room: Room) -> bool:
    rows = builder.source.rows
    lead = builder.source.lead
    assert lead is not None
    mean = -(-rows // room[lead.own])
    sizes = {n: size for n in scalars if (size := capacity(builder, n, rows)) >= mean}
    wide = [n for n, size in sizes.items() if size >= VAST >> 20]
    counted = [n for n in scalars if n in sizes and isinstance(generic(builder.table.columns[n].type), sa.Integer)]
    counted.sort(key=lambda n: tied(builder, n))
    others = [r for r in refs if not r.given and room[r.own] - apart(builder, lead, r) >= mean]
    if counted:
        _by_column(keys, counted[0], sizes[counted[0]])
    elif others:
        best = max(others, key=lambda r: room[r.own])
        size = room[best.own] - apart(builder, lead, best)
        keys.references[best.own] = "within"
        keys.most = min(size, keys.most or size)
    elif wide or sizes:
        name = max(sizes, key=lambda n: sizes[n])
        _by_column(keys, name, sizes[name])
    else:
        return False
    return True


def _by_column(keys: Keys, name: str, size: int) -> None:
    keys.columns[name] = "within"
    keys.most = min(size, keys.most or size)


def apart(builder: Builder, lead: Reference, other: Reference) -> bool:
    """Whether a CHECK keeps a reference and the lead from pointing at the same parent."""
    pairs = {frozenset(pair) for pair in builder.facts.unequal}
    same = lead.parent == other.parent and lead.targets == other.targets and len(lead.own) == len(other.own) == 1
    return same and frozenset((lead.own[0], other.own[0])) in pairs


def _digits(builder: Builder, keys: Keys, scalars: list[str], refs: list[Reference], room: Room) -> bool:
    """Hold a unique by giving its columns the digits of one number."""
    rows = builder.source.rows
    parts: list[tuple[tuple[str, ...], int]] = [(r.own, room[r.own]) for r in refs if not r.given]
    parts += [((n,), d.capacity) for n in scalars if (d := builder.domains[n]) is not None and d.capacity < VAST]
    total = 1
    for _, size in parts:
        total *= size
    if total < rows or total >= VAST:
        return False
    names, sizes = tuple("+".join(own) for own, _ in parts), tuple(size for _, size in parts)
    for place, (own, _) in enumerate(parts):
        digits = Digits(names, sizes, place)
        if own in room:
            keys.references[own], keys.reference_digits[own] = "digit", digits
        else:
            keys.columns[own[0]], keys.digits[own[0]] = "digit", digits
    return True
