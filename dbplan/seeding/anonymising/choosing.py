"""What is done with every column: those of one key alike, uniques by permutations, rules before all else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Column, Table
from sqlalchemy import types as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

from dbplan.columns import Digest, Encrypted
from dbplan.errors import UnknownName, UsageError
from dbplan.plan import Plan
from dbplan.seeding.anonymising.personal import DROP, KEEP, KINDS, Seen, Treatment, judged, treatment
from dbplan.seeding.constraints.checks import Facts
from dbplan.seeding.constraints.references import references
from dbplan.seeding.constraints.stored import facts_of
from dbplan.seeding.constraints.uniques import written_uniques
from dbplan.seeding.values.infer import generic

Place = tuple[str, str]
"""A table's key and a column's name."""
SPOKEN = "anonymise"
"""The key of a column's `info` under which a plan says what is done with it."""
_MEETING = frozenset({"first_name", "last_name", "name", "company", "address", "city", "job", "user_agent", "text"})
"""Kinds of which two values may become one."""
_SUITS: Mapping[str, tuple[type, ...]] = {
    "number": (sa.Integer, sa.Numeric),
    "position": (sa.Numeric, sa.Float),
    "uuid": (sa.Uuid,),
    "birth_date": (sa.Date, sa.DateTime),
    "document": (sa.JSON,),
    "bytes": (sa.LargeBinary,),
    "secret": (sa.String,),
    "digest": (sa.String,),
}
"""The types that a kind is for; other kinds are for texts."""


LEAST = {"email": 28, "user_name": 16}
"""Characters that replacements want at least; a narrower column gets texts of the old shape instead."""


@dataclass(frozen=True)
class Choices:
    """What is done with every column, what its CHECKs say, and the narrowest column of every kind."""

    plan: Plan
    columns: Mapping[Place, Treatment]
    facts: Mapping[str, Facts]
    longest: Mapping[str, int | None]
    keys: frozenset[Place]
    """Columns in a foreign key, at either end."""

    def of(self, table: Table) -> dict[str, Treatment]:
        """Return what is done with the columns of a table that are written."""
        return {c.name: self.columns[str(table.key), c.name] for c in written(table)}


def written(table: Table) -> list[Column[object]]:
    """Return the columns that are copied: the database computes the others."""
    return [c for c in table.columns if c.computed is None]


def choices(plan: Plan, rules: Mapping[str, str]) -> Choices:
    """Return what is done with every column of a plan; `rules` maps `table.column` to a kind.

    Raises UnknownName and UsageError for a rule that leads nowhere or does not fit.
    """
    facts = {str(t.key): facts_of(t) for t in plan.tables}
    groups = _groups(plan)
    said = _said(plan, rules)
    found: dict[Place, Treatment] = {}
    for places in groups:
        found |= _together(plan, places, facts, said)
    unique = {(str(t.key), name) for t in plan.tables for one in written_uniques(t) for name in one.columns}
    found = {place: _apart(plan, place, t) if place in unique else t for place, t in found.items()}
    keys = frozenset(place for places in groups if len(places) > 1 for place in places)
    found = _alike(found, groups)
    return Choices(plan, found, facts, _longest(plan, found, facts), keys)


def column_of(plan: Plan, place: Place) -> Column[object]:
    """Return the column at a place."""
    return plan.metadata.tables[place[0]].columns[place[1]]


def _said(plan: Plan, rules: Mapping[str, str]) -> dict[Place, Treatment]:
    """Return what the plan's columns and the rules say, each word checked."""
    found = {
        (str(t.key), c.name): (str(c.info[SPOKEN]), "said by the plan")
        for t in plan.tables
        for c in t.columns
        if SPOKEN in c.info
    }
    for name, kind in rules.items():
        table, _, column = name.rpartition(".")
        if column not in plan.table(table).columns:
            raise UnknownName("column", column, plan.table(table).columns.keys(), where=f'table "{table}"')
        found[table, column] = (str(kind), "said by a rule")
    return {place: _checked(plan, place, kind, why) for place, (kind, why) in found.items()}


def _checked(plan: Plan, place: Place, kind: str, why: str) -> Treatment:
    name, column = ".".join(place), column_of(plan, place)
    if kind not in KINDS:
        raise UnknownName("kind of replacement", kind, KINDS, where=name)
    base = generic(column.type)
    base = generic(base.item_type) if isinstance(base, sa.ARRAY) else base
    if kind in (KEEP, DROP) or isinstance(base, _SUITS.get(kind, (sa.String,))):
        _refuse_unfit(name, column, kind)
        return Treatment(kind, why, 4)
    if kind in ("ip", "mac") and judged(Seen(*place), base).kind == kind:
        return Treatment(kind, why, 4)
    raise UsageError(f'{name} is {column.type}, which "{kind}" is not for')


def _refuse_unfit(name: str, column: Column[object], kind: str) -> None:
    if kind == DROP and not column.nullable and (column.foreign_keys or column.primary_key):
        raise UsageError(f"{name} is a key and NOT NULL; it cannot be dropped: leave its whole table out of the plan")
    if kind == "secret" and not isinstance(column.type, Encrypted):
        raise UsageError(f'{name} is no Encrypted column, which "secret" is for; take "scramble"')
    if kind == "digest" and not isinstance(column.type, Digest):
        raise UsageError(f'{name} is no Digest column, which "digest" is for; take "scramble"')


def _groups(plan: Plan) -> list[list[Place]]:
    """Return the columns of a plan, those that foreign keys tie together in one group."""
    of: dict[Place, list[Place]] = {}
    for table in plan.tables:
        for column in table.columns:
            of[str(table.key), column.name] = [(str(table.key), column.name)]
    for table in plan.tables:
        for reference in references(table):
            for name in reference.columns:
                _join(of, (str(table.key), name), (reference.parent, reference.target(name)))
    return [list(group) for group in {id(group): group for group in of.values()}.values()]


def _join(of: dict[Place, list[Place]], one: Place, other: Place) -> None:
    if of[one] is not of[other]:
        joined = of[one] + of[other]
        for place in joined:
            of[place] = joined


def _together(
    plan: Plan, places: list[Place], facts: Mapping[str, Facts], said: Mapping[Place, Treatment]
) -> dict[Place, Treatment]:
    """Return one treatment for all columns of a group: the surest one."""
    own = {place: said.get(place) or _own(plan, place, facts) for place in places}
    told = {t.kind: place for place, t in own.items() if t.rank == 4}
    if len(told) > 1:
        listing = ", ".join(f"{'.'.join(place)}: {kind}" for kind, place in sorted(told.items()))
        raise UsageError(f"columns of one foreign key are replaced alike; the rules differ: {listing}")
    if len(places) == 1:
        return own
    first = max(places, key=lambda place: (own[place].rank, not own[place].kept, place))
    best = own[first]
    if best.rank == 1 and best.kind == "text":
        best = replace(best, kind="scramble")
    why = f"as {'.'.join(first)}, which it shares a key with"
    return {place: best if place == first else replace(best, why=why) for place in places}


def _own(plan: Plan, place: Place, facts: Mapping[str, Facts]) -> Treatment:
    column = column_of(plan, place)
    limits = facts[place[0]].limits.get(place[1])
    found = treatment(column, limits is not None and limits.values is not None)
    if found.kind == DROP and not _may_be_nothing(column):
        return replace(found, why=f"{found.why}; it may not be NULL, so that it wants a rule")
    return found


def _may_be_nothing(column: Column[object]) -> bool:
    """Whether a column can hold NULL or an empty text."""
    return bool(column.nullable) or isinstance(generic(column.type), sa.String | TSVECTOR)


def refuse_undecided(chosen: Choices) -> None:
    """Refuse columns of types that are not looked into where NULL may not stand: nobody said that they may stay."""
    places = [place for place, what in chosen.columns.items() if what.kind == DROP]
    found = [".".join(place) for place in places if not _may_be_nothing(column_of(chosen.plan, place))]
    if found:
        raise UsageError(
            f"{', '.join(sorted(found))}: of a type that is not looked into, and NOT NULL; where nobody is in it, "
            f"say so with a rule: {sorted(found)[0]}=keep"
        )


def _apart(plan: Plan, place: Place, found: Treatment) -> Treatment:
    """Return what keeps different values different, for a column that a unique asks it of."""
    if found.kind not in _MEETING or found.rank == 4 or not isinstance(generic(column_of(plan, place).type), sa.String):
        return found
    return replace(found, kind="scramble", why=f"{found.why}, and in a unique")


def _alike(found: dict[Place, Treatment], groups: Iterable[list[Place]]) -> dict[Place, Treatment]:
    """Let a group follow the one of its columns that a unique has changed."""
    for places in groups:
        kinds = {found[place].kind for place in places}
        if "scramble" in kinds and len(kinds) > 1:
            found |= {place: replace(found[place], kind="scramble") for place in places}
    return found


def _longest(plan: Plan, found: Mapping[Place, Treatment], facts: Mapping[str, Facts]) -> dict[str, int | None]:
    """Return how many characters the columns of each kind of person have room for: what fits one fits all."""
    longest: dict[str, int | None] = {}
    for (table, name), chosen in found.items():
        room = room_of(column_of(plan, (table, name)), facts[table])
        if chosen.kind in LEAST and room is not None and room >= LEAST[chosen.kind]:
            longest[chosen.kind] = min(longest.get(chosen.kind) or room, room)
    return longest


def room_of(column: Column[object], facts: Facts) -> int | None:
    """Return the most characters that a column takes, None without a limit."""
    limits = facts.limits.get(column.name)
    sizes = (getattr(generic(column.type), "length", None), limits.longest if limits is not None else None)
    return min((size for size in sizes if size is not None), default=None)
