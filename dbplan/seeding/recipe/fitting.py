"""Rules that do not fit the schema: what a column refuses, or what would be ignored, is said before any row."""

from __future__ import annotations

import datetime as dt
import locale as locales
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column, Table
from sqlalchemy import types as sa
from sqlglot import exp

from dbplan.errors import NotCovered, RecipeError
from dbplan.seeding.constraints.checks import Check, Facts, Limits, conjuncts, moment
from dbplan.seeding.constraints.keys import lead_of, leads
from dbplan.seeding.constraints.predicate import Expression
from dbplan.seeding.constraints.references import all_uniques, key_of, references
from dbplan.seeding.constraints.stored import facts_of
from dbplan.seeding.recipe.keys import decided, refuse_key_rule
from dbplan.seeding.recipe.literals import cell, column_cells, instant, time_of_day
from dbplan.seeding.recipe.meaning import Meaning
from dbplan.seeding.recipe.reading import TableRule
from dbplan.seeding.recipe.written import written
from dbplan.seeding.rows.cells import Cells, absent
from dbplan.seeding.values.infer import generic
from dbplan.seeding.values.words import pool, providers

if TYPE_CHECKING:
    from dbplan.seeding.recipe.places import KeyPath
    from dbplan.seeding.recipe.reading import Reader, Recipe
    from dbplan.seeding.rows.frames import Source

NUMBERS, TIMES = (sa.Integer, sa.Numeric), (sa.DateTime, sa.Date)


def refuse_locale(reader: Reader, locale: str) -> None:
    """Refuse a locale that Faker does not have."""
    from faker.config import AVAILABLE_LOCALES

    if locales.normalize(locale.replace("-", "_")).split(".")[0] not in AVAILABLE_LOCALES:
        reader.known("locale of Faker", locale, AVAILABLE_LOCALES, ("locale",))


@dataclass(frozen=True)
class Fitting:
    """Holds the rules of one table against its schema."""

    reader: Reader
    table: Table
    locale: str

    @cached_property
    def facts(self) -> Facts:
        """What the CHECKs of the table say."""
        return facts_of(self.table)

    def table_rule(self, rule: Mapping[str, Any], columns: Mapping[str, Any], path: KeyPath) -> None:
        """Refuse keys of a table that would be ignored."""
        keys = ("columns", "per", "children", "min_rows", "growth", "window", "ordered")
        ignored = [key for key in keys if rule.get(key)]
        if rule.get("rows") == 0 and ignored:
            said = "rows = 0 leaves no generated row for it; say rows = …, or write it into the fixed rows"
            self.reader.fail((*path, ignored[0]), f"{ignored[0]}: {said}")
        found = decided(references(self.table), TableRule(columns=columns))
        if "per" in rule:
            usable = {name for reference in leads(self.table, found) for name in reference.columns}
            self.foreign_key(rule["per"], sorted(usable), (*path, "per"))
        elif "children" in rule:
            sets = all_uniques(self.table.metadata.tables.values())[key_of(self.table)]
            if lead_of(self.table, found, sets, None) is None:
                self.reader.fail((*path, "children"), "children of which parent? say per = … with a foreign key")
        self.children(rule.get("children", {}), (*path, "children"))

    def children(self, said: Mapping[str, Any], path: KeyPath) -> None:
        """Refuse numbers of children that do not go together."""
        low, high, mean, shape = said.get("min", 0), said.get("max"), said.get("mean"), said.get("shape", "skewed")
        for key, of in (("alpha", "pareto"), ("s", "zipf")):
            if key in said and shape != of:
                self.reader.fail((*path, key), f'{key} is of shape = "{of}"; here it would be ignored')
        if high is not None and low > high:
            self.reader.fail((*path, "min"), f"min {low} is above max {high}")
        if mean is not None and not low <= mean <= (high if high is not None else mean):
            self.reader.fail((*path, "mean"), f"mean = {mean} does not lie between min = {low} and max = {high or '∞'}")
        if shape == "fixed" and mean is not None and mean != int(mean):
            self.reader.fail((*path, "mean"), f'mean = {mean}: "fixed" is a whole number for all; say shape = "even"')

    def foreign_key(self, name: str, usable: list[str], path: KeyPath) -> None:
        """Refuse a `per` along which no children can be counted."""
        if name in usable:
            return
        near = get_close_matches(name, usable, n=1, cutoff=0.5)
        there = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(usable) or 'none'}"
        self.reader.fail(path, f"per = {name!r} is no foreign key to another table along which rows count; {there}")

    def column_rule(self, name: str, rule: Mapping[str, Any], path: KeyPath) -> None:
        """Refuse a rule of a column whose values it cannot hold."""
        column = self.table.columns[name]
        if rule.get("omit"):
            return
        refuse_key_rule(self.reader, self.table, name, rule, path)
        Meaning(self, column, rule, path).check()
        if "faker" in rule:
            self.provider(rule["faker"], (*path, "faker"))
        for key in ("after", "previous", "same_as"):
            if rule.get(key) == name:
                self.reader.fail((*path, key), f"{key} = {name!r} is the column itself")
        if rule.get("null"):
            self.null(column, (*path, "null"))
        for key, value in _literals(rule):
            self.value(column, key, value, (*path, key))
        for key in ("min", "max"):
            if key in rule:
                self.bound(column, key, rule[key], (*path, key))

    def provider(self, name: str, path: KeyPath) -> None:
        """Refuse words that Faker has not."""
        self.reader.known("Faker provider", name, providers(self.locale), path)
        try:
            pool(name, self.locale)
        except Exception as error:  # a provider that wants arguments raises anything
            self.reader.fail(path, f"faker = {name!r} gives no words by itself: {error}")

    def null(self, column: Column[Any], path: KeyPath) -> None:
        """Refuse a share of NULLs in a column that takes none."""
        if not column.nullable:
            self.reader.fail(path, f"{column.name} is NOT NULL and takes no share of NULLs")
        if check := self.refusing(column.name, absent(1)):
            self.reader.fail(path, f"{column.name} takes no share of NULLs: {_named(check)} refuses them")

    def value(self, column: Column[Any], key: str, value: Any, path: KeyPath) -> None:
        """Refuse a value that the type, or a CHECK on this column alone, refuses."""
        self.typed(column, f"{key}: {written(value)}", value, path)
        if check := self.refusing(column.name, column_cells([held(value)])):
            allowed = self.facts.limit(column.name).values
            rest = f"; allowed are {', '.join(map(written, allowed))}" if allowed else ""
            said = f"{key}: {written(value)} can never stand in {column.name}: {_named(check)} refuses it{rest}"
            self.reader.fail(path, said)

    def typed(self, column: Column[Any], said: str, value: Any, path: KeyPath) -> None:
        """Refuse a value that the column's type does not take."""
        try:
            cell(value, column.type)
        except ValueError as error:
            self.reader.fail(path, f"{said} {error}")

    def bound(self, column: Column[Any], key: str, value: Any, path: KeyPath) -> None:
        """Refuse an end that the column's type does not take, or that lies outside of what its CHECKs allow."""
        kind, limits, said = generic(column.type), self.facts.limit(column.name), f"{key} = {written(value)}"
        if isinstance(kind, sa.Time):
            self.typed(column, said, value, path)
            return
        if not isinstance(kind, NUMBERS + TIMES):
            self.reader.fail(path, f"{said}: only numbers and times have a {key}, and {column.name} is {kind!r}")
        if isinstance(value, dt.date) != isinstance(kind, TIMES) or isinstance(value, str | dt.time):
            self.reader.fail(path, f"{said} is not a {'time' if isinstance(kind, TIMES) else 'number'}")
        if isinstance(kind, NUMBERS):
            self.typed(column, said, value, path)
        if limits.values is not None:
            allowed = ", ".join(map(written, limits.values))
            self.reader.fail(path, f"{said}: CHECKs allow {column.name} only {allowed}; choose by values = […]")
        if outside := _outside(held(value), limits):
            check = self.refusing(column.name, column_cells([held(value)]))
            see = f", see {_named(check)}" if check is not None else ""
            self.reader.fail(path, f"{said}: CHECKs want {column.name} {outside}{see}")

    def refusing(self, name: str, cells: Cells) -> Check | None:
        """Return the CHECK of which a condition on one column alone refuses a cell."""
        for check in self.facts.checks:
            for condition in conjuncts(check.parsed.node) if check.parsed is not None else ():
                columns = frozenset(column.name for column in condition.find_all(exp.Column))
                if columns == {name} and not _holds(Expression(check.text, condition, columns), cells):
                    return check
        return None


PROOF = 512
"""Rows that are looked through for NULLs."""


def refuse_nulls(source: Source, recipe: Recipe) -> None:
    """Refuse rules that leave NULLs in a column that takes none, or texts for which it has no room."""
    frame, name = source.frame(np.arange(min(PROOF, source.rows), dtype=np.int64)), key_of(source.table)
    for column, rule in recipe.table(name).columns.items():
        if column not in source.makers:
            continue
        place = recipe.place("tables", name, "columns", column)
        empty = frame[column].null  # also where it may be: what cannot be computed is said before the first row
        if not source.table.columns[column].nullable and empty.any():
            keys = ", ".join(rule)
            raise RecipeError(
                f"{place}: {column} is NOT NULL, and its rule ({keys}) "
                f"leaves {int(empty.sum()):,} of the first {len(frame):,} rows without a value"
            )
        if "template" in rule:
            _refuse_long(source, column, place)


def _refuse_long(source: Source, column: str, place: str) -> None:
    """Refuse a template whose texts the column has no room for, among the first rows and the last."""
    room = getattr(generic(source.table.columns[column].type), "length", None)
    first, last = np.arange(min(PROOF, source.rows)), np.arange(max(0, source.rows - PROOF), source.rows)
    cells = source.frame(np.concatenate([first, last]).astype(np.int64))[column]
    texts = [text for text, null in zip(cells.values.tolist(), cells.null.tolist(), strict=True) if not null]
    longest = max(texts, key=len, default="")
    if room is not None and len(longest) > room:
        raise RecipeError(
            f"{place}: {longest!r} has {len(longest)} characters, and {column} has room for {room}; "
            "shorten the template, or its fields by {name:.8}"
        )


def _literals(rule: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every value that a rule writes out, with its key."""
    yield from ((key, rule[key]) for key in ("value", "first", "empty") if key in rule)
    yield from (("values", value) for value in rule.get("values", ()))
    yield from (("cases", value) for case in rule.get("cases", ()) for value in case.get("values", ()))


def held(value: Any) -> Any:
    """Return a value of a recipe as cells hold it: times in UTC, times of day since midnight."""
    if isinstance(value, dt.time):
        return time_of_day(value)
    return instant(value) if isinstance(value, dt.date) else value


def _holds(condition: Expression, cells: Cells) -> bool:
    try:
        return bool(condition.holds(lambda _: cells, len(cells)).all())
    except (NotCovered, TypeError, ValueError):
        return True  # said in words when the CHECKs are read


def _outside(value: Any, limits: Limits) -> str:
    """Say between what the CHECKs want a value that lies outside; "" for one that does not."""
    low, high = (moment(end) if not isinstance(value, int | float) else end for end in (limits.low, limits.high))
    try:
        if low is not None and (value < low or (limits.low_open and value == low)):
            return f"{'above' if limits.low_open else 'at least'} {limits.low}"
        if high is not None and (value > high or (limits.high_open and value == high)):
            return f"{'below' if limits.high_open else 'at most'} {limits.high}"
    except TypeError:  # compared with what is no number
        pass
    return ""


def _named(check: Check) -> str:
    text = " ".join(check.text.split())
    return f'CHECK "{check.name}" ({text})' if check.name != check.text else f"CHECK ({text})"
