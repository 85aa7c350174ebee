"""From a table and its recipe to a source of rows: every constraint gets the construction that holds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column, Computed, Table
from sqlalchemy import types as sa

from dbplan.errors import NotCovered, Unsatisfiable
from dbplan.seeding.constraints.agreeing import Agreement, agree
from dbplan.seeding.constraints.checks import Check, Facts, Limits, sql_text
from dbplan.seeding.constraints.generated import generated
from dbplan.seeding.constraints.keys import Keys, assign, lead_of, tied
from dbplan.seeding.constraints.references import Reference
from dbplan.seeding.constraints.uniques import asked_loosely
from dbplan.seeding.recipe.reading import TableRule
from dbplan.seeding.recipe.rules import DRAWN, ruled, ruled_domain, trimmed
from dbplan.seeding.rows import clearance, makers, picking
from dbplan.seeding.rows.cells import present
from dbplan.seeding.rows.fanout import fan, shape_of
from dbplan.seeding.rows.frames import Maker, Source
from dbplan.seeding.rows.stream import key
from dbplan.seeding.rows.times import created, place_in_time
from dbplan.seeding.values.accepting import accepted
from dbplan.seeding.values.defaults import first_number, version_of
from dbplan.seeding.values.domains import Choice, Domain, Uuids, kept
from dbplan.seeding.values.infer import domain, generic
from dbplan.seeding.values.names import absence
from dbplan.seeding.values.others import others
from dbplan.seeding.values.people import Person, people, taken_people
from dbplan.seeding.values.slugs import Slug, slugged, slugs

if TYPE_CHECKING:
    from dbplan.seeding.rows.world import World

RAW = "raw, for its type's own bind function takes none of the values known here: "

LIVELY = (sa.DateTime, sa.Date, sa.Interval, sa.Boolean, sa.Enum, sa.Uuid, sa.Numeric, sa.Integer)
"""Types whose values are worth drawing even where the server has a default."""


def _says_nothing(default: Any) -> bool:
    """Whether a default is the empty text: where most rows would hold it, it tells nothing of them."""
    said = getattr(default, "arg", None)
    return (
        said is not None
        and re.fullmatch(r"('')?(::.*)?", said if isinstance(said, str) else sql_text(said)) is not None
    )


def _held_by(made: Domain, checks: Iterable[Check]) -> tuple[Domain, Check | None]:
    """Return what of a domain is held by CHECKs of one column, with the first one that leaves nothing of it."""
    for check in checks:
        assert check.parsed is not None
        try:
            made = kept(made, check.parsed)
        except (NotCovered, TypeError, ValueError):
            continue  # said in words when the CHECKs are read
        if not made.capacity:
            return made, check
    return made, None


class Builder:
    """Builds the source of one table."""

    def __init__(self, world: World, source: Source) -> None:
        self.world, self.source = world, source
        self.table: Table = source.table
        self.name = str(source.table.key)
        self.rule: TableRule = world.recipe.table(self.name)
        self.facts: Facts = source.facts
        self.keys = Keys()
        self.domains: dict[str, Domain | None] = {}
        self.drawn: set[str] = set()
        """Columns whose cells are drawn one by one, so that they may be drawn again."""
        self.agreements: list[Agreement] = []
        self.clear: set[str] = set()
        """Columns in which no generated row holds what a fixed one does, by construction."""

    def relate(self, *, loose: bool = False) -> None:
        """Decide the lead parent, what every unique is held by, the fan-out and the references' pickers."""
        source = self.source
        source.generated = dict(generated(self.table))
        self.domains = {column.name: self.domain(column) for column in self.table.columns} | dict(people(self))
        source.lead = lead_of(self.table, source.references, source.uniques, self.rule.per)
        if loose and source.lead is not None and not self.rule.per and asked_loosely(self.table) & set(source.lead.own):
            source.lead = None
        self.domains |= slugs(self)
        source.people = taken_people(self)
        room = {ref.own: self.world.rows[ref.parent] for ref in source.references}
        self.keys = assign(self, room, loose=loose)
        self.fan_out()
        source.timed = created(self.table, self.facts, self.rule.columns)
        for place, reference in enumerate(source.references):
            source.pickers.append(picking.picker(self, place, reference))
        agree(self)

    def fan_out(self) -> None:
        """Share the rows among the lead's parents."""
        lead, rule = self.source.lead, self.rule.children
        if lead is None:
            return
        self.source.fan = fan(
            key(self.world.random_state, self.name, "fan-out"),
            self.world.rows[lead.parent],
            self.source.rows,
            shape=shape_of(rule, self.keys.most),
            label=f"{self.name} ({lead.label})",
        )

    def domain(self, column: Column[Any]) -> Domain | None:
        """Return the values of a column by name, type, CHECKs and recipe."""
        limits, rule = self.facts.limit(column.name), self.world.recipe.column(self.name, column.name)
        locale = self.world.recipe.locale
        plain = domain(column.name, column.type, limits, self.world.span, locale, self.table.name)
        made = ruled_domain(column, rule, plain, limits, locale)
        made = made or accepted(column.type, plain, self.world.span)
        if made is None and plain is not None and not column.nullable:
            self.source.raw.add(column.name)
            made = plain
        made = self.checked(column, made.sized(self.source.rows)) if made is not None else None
        if column.name in self.source.alike and made is not None and made.capacity:
            return Choice(tuple(np.asarray(made.nth(np.zeros(1, dtype=np.int64))).tolist()))
        return made

    def checked(self, column: Column[Any], made: Domain) -> Domain:
        """Return the domain without the values that a CHECK of this column alone refuses."""
        asked = [check for check in self.facts.checks if check.parsed and check.parsed.columns == {column.name}]
        plain = not self.world.recipe.column(self.name, column.name)
        tried = (made, *others(column.type, self.facts.limit(column.name))) if asked and plain else (made,)
        for other in tried:
            found, refused = _held_by(other, asked)
            if refused is None:
                return found
        made, refused = _held_by(made, asked)
        if refused is not None:
            self._refuse_empty(refused, column.name)
        return made

    def _refuse_empty(self, check: Check, column: str) -> None:
        """Say which CHECK leaves a column no value; a rule that draws none, such as an expression, has its own."""
        rule = self.rule.columns.get(column, {})
        if rule and not set(rule) & set(DRAWN):
            return
        tried = f"that {self.world.recipe.path} gives" if rule else "tried for"
        raise Unsatisfiable(
            f'CHECK "{check.name}" of {self.name} ({check.text}) holds for none of the values {tried} {column}; '
            f"give it a rule that fits: [tables.{self.name}.columns.{column}] values = […]"
        )

    def fill(self) -> None:
        """Give every column its maker, and say why."""
        for column in self.table.columns:
            made = self.maker(column)
            if made is not None:
                self.source.makers[column.name], self.source.why[column.name] = made

    def maker(self, column: Column[Any]) -> tuple[Maker, str] | None:
        """Return the maker of a column with the reason for it; None for a column that the database fills."""
        rule = self.world.recipe.column(self.name, column.name)
        if isinstance(column.server_default, Computed) or column.computed is not None or rule.get("omit"):
            return None
        decided = self.reference_of(column)
        if decided is not None:
            place, reference = decided
            parent = self.world.sources[reference.parent]
            self._made_by_the_seed(parent.table.columns[reference.target(column.name)], reference)
            always, lead = reference.nullable and not column.nullable, reference is self.source.lead
            maker = makers.copied(place, parent, reference.target(column.name), always=always)
            why = f"key of a row of {reference.parent}" + (" (lead)" if lead else "")
            return trimmed(self, column, (maker, why), null=lead)
        spelled = self.domains[column.name]
        if isinstance(spelled, Slug):
            return trimmed(self, column, slugged(self, column, spelled), null=False)
        made = ruled(self, column, rule) if rule and column.name != self.source.timed else None
        made = made or self._keyed_at_times(column) or place_in_time(self, column, rule) or self.derived(column)
        return made or self.free(column, rule)

    def _made_by_the_seed(self, target: Column[Any], reference: Reference) -> None:
        """Refuse a key to a column that only the database knows."""
        parent = self.world.sources[reference.parent]
        omitted = not parent.given and self.world.recipe.column(reference.parent, target.name).get("omit")
        if (
            (target.computed is not None and target.name not in parent.generated)
            or omitted
            or (parent.given and target.name not in parent.makers)
        ):
            raise NotCovered(
                f"{self.name} ({reference.label}) refers to {reference.parent}.{target.name}, which the database "
                "itself fills; a seed cannot know its values before the rows are there"
            )

    def reference_of(self, column: Column[Any]) -> tuple[int, Reference] | None:
        """Return the reference that decides a column, with its place."""
        for place, reference in enumerate(self.source.references):
            if column.name in reference.own:
                return place, reference
        return None

    def _keyed_at_times(self, column: Column[Any]) -> tuple[Maker, str] | None:
        """Return the maker of a key, which is NULL where the recipe says so."""
        made = self.keyed(column)
        return made and trimmed(self, column, made, null=self.keys.columns[column.name] != "distinct")

    def keyed(self, column: Column[Any]) -> tuple[Maker, str] | None:
        """Return the maker of a column that a unique is held by."""
        state, how = self.world.random_state, self.keys.columns.get(column.name)
        if how is None:
            return None
        held = self.domains[column.name]
        if how == "distinct":
            return self.distinct(column, held)
        if held is None:
            raise self.unknown(column)
        if how == "within" and isinstance(held, Person):
            return self.distinct(column, held)
        if how == "within":
            counted = isinstance(generic(column.type), sa.Integer)
            roomy = held if held.capacity >= self.most_children() else held.roomy(self.most_children())
            return makers.within(state, self.name, column.name, roomy, counted), "differs within its parent"
        digits = self.keys.digits[column.name]
        pick = makers.digit(state, self.name, digits.names, digits.sizes, digits.place)
        return lambda frame: present(held.nth(pick(frame.rows))), "differs together with its unique's columns"

    def most_children(self) -> int:
        """Return the largest fan-out of the lead."""
        return int(self.source.fan.counts.max()) if self.source.fan is not None and self.source.rows else 1

    def distinct(self, column: Column[Any], held: Domain | None) -> tuple[Maker, str]:
        """Return a maker of different values for a key."""
        state, kind = self.world.random_state, generic(column.type)
        if isinstance(kind, sa.Uuid) and version_of(column) == 7:
            self.clear.add(column.name)
            held_here = clearance.low_bits(clearance.taken(self.source, column.name))
            maker = makers.uuid_by_time(state, self.name, column.name, self.world.span, held_here)
            return maker, "UUIDv7, sorted by time"
        limits = self.facts.limit(column.name)
        if isinstance(kind, sa.Integer) and self.is_serial(column, limits):
            self.clear.add(column.name)
            return makers.serial(self.first(column, limits)), "counts up"
        if column.name == self.source.timed:
            made = place_in_time(self, column, {})
            assert made is not None
            return made
        if held is None:
            raise self.unknown(column)
        roomy, there = self.roomy(column, held)
        # a key is not drawn again: where a CHECK ties it to other columns, those follow it, so it is never NULL
        free = not isinstance(held, Uuids) and not tied(self, column.name)
        null = self.null_share(column) if free else 0.0
        self.clear.add(column.name)
        return makers.distinct(state, self.name, column.name, roomy, null, there), f"{roomy.title}, each once"

    def roomy(self, column: Column[Any], held: Domain) -> tuple[Domain, makers.Held]:
        """Return a domain with a value for every row, with the values of it that fixed rows hold."""
        there = clearance.taken(self.source, column.name)
        roomy = held.roomy(self.source.rows)
        if there and roomy.capacity < self.source.rows + len(there):
            roomy = held.roomy(self.source.rows + len(there))
            there = clearance.within(roomy, there)
        if roomy.capacity < self.source.rows + len(there):
            where = "taken" if self.source.standing else "in fixed rows"
            beside = f", {len(there):,} of them {where}," if there else ""
            raise Unsatisfiable(
                f"{self.name}.{column.name} is unique and has {roomy.capacity:,} values ({roomy.title}){beside} "
                f"for {self.source.rows:,} rows; ask for fewer rows or widen the column"
            )
        return roomy, there

    def meets_fixed(self) -> None:
        """Refuse generated rows that break a unique together with a fixed row, where none is clear of them already."""
        parents = {ref: self.world.sources[ref.parent] for ref in self.source.references}
        for names in self.source.uniques:
            # a fixed row refers to a fixed parent, a generated row to a generated one, where there are such
            apart = any(set(ref.columns) <= names and not parent.given for ref, parent in parents.items())
            if not apart and not names & self.clear:
                clearance.refuse_shared(self.source, names)

    def first(self, column: Column[Any], limits: Limits) -> int:
        """Return the number at which a key begins to count up: after the largest fixed one."""
        first = first_number(column, limits)
        top = max((n for n in clearance.taken(self.source, column.name) if isinstance(n, int)), default=first - 1)
        return max(first, top + 1)

    def is_serial(self, column: Column[Any], limits: Limits) -> bool:
        """Whether a whole number simply counts up: a key without a say of its own."""
        room = limits.high is None or limits.high - self.first(column, limits) >= self.source.rows
        return (
            bool(column.primary_key or column.identity or column is self.table.autoincrement_column)
            and room
            and not limits.multiple > 1
        )

    def derived(self, column: Column[Any]) -> tuple[Maker, str] | None:
        """Return the maker of a column that a CHECK defines as an equation over others."""
        equation = self.facts.equations.get(column.name)
        if equation is None or self._in_circle(column.name) or not self._computable(equation.columns):
            return None
        return makers.computed(equation, generic(column.type)), f"= {equation.text} (CHECK)"

    def _computable(self, names: frozenset[str]) -> bool:
        return all(self.table.columns[name].computed is None for name in names)

    def _in_circle(self, name: str) -> bool:
        """Whether the equations lead from a column back to itself through columns named earlier in the table."""
        seen, todo = set(), [name]
        while todo:
            equation = self.facts.equations.get(todo.pop())
            for other in sorted(equation.columns) if equation is not None else ():
                if other == name:
                    return True
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return False

    def free(self, column: Column[Any], rule: Mapping[str, Any]) -> tuple[Maker, str] | None:
        """Return the maker of a column that only its own type, name and CHECKs bind."""
        if column.server_default is not None and not rule and self.left_to_default(column):
            return None
        held = self.domains[column.name]
        null = float(rule.get("null", self.null_share(column)))
        if held is None or held.capacity == 0:
            if column.nullable and not rule:
                return makers.constant(None), "NULL: no values are known for its type"
            raise self.unknown(column)
        self.drawn.add(column.name)
        hints = self.facts.limit(column.name).hints if not isinstance(held, Choice) else ()
        return makers.drawn(self.world.random_state, self.name, column.name, held, null, hints), RAW * (
            column.name in self.source.raw
        ) + held.title

    def left_to_default(self, column: Column[Any]) -> bool:
        """Whether the server's own default is the best value there is."""
        kind = generic(column.type)
        lively = isinstance(kind, LIVELY) or (isinstance(kind, sa.String) and _says_nothing(column.server_default))
        checked = any(c.parsed is not None and column.name in c.parsed.columns for c in self.facts.checks)
        return not lively and not checked and not self.is_referred(column)

    def is_referred(self, column: Column[Any]) -> bool:
        """Whether a foreign key leads to a column."""
        return any(
            column.name in ref.targets and ref.parent == self.name
            for s in self.world.sources.values()
            for ref in s.references
        )

    def null_share(self, column: Column[Any]) -> float:
        """Return how often a column is NULL."""
        referred = self.is_referred(column)
        if not column.nullable or column.primary_key or referred or self.facts.limit(column.name).required:
            return 0.0
        if "null" in self.rule.columns.get(column.name, {}):
            return float(self.rule.columns[column.name]["null"])
        return 0.0 if column.info.get("list") else absence(column.name, generic(column.type))

    def unknown(self, column: Column[Any]) -> NotCovered:
        """Return the error for a column whose type nothing here knows."""
        return NotCovered(
            f"{self.name}.{column.name}: no values are known for the type {column.type!r} under its constraints; "
            f'give it a rule in the recipe: [tables."{self.name}".columns."{column.name}"] value = … or values = […]'
        )
