"""Recipes: what a plan's owner knows better than the schema says. TOML in, checked line by line before any row."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from dbplan.errors import RecipeError
from dbplan.plan import Plan
from dbplan.seeding.recipe.places import KeyPath, Layer, place
from dbplan.seeding.recipe.vocabulary import COLUMN, COMPANIONS, TABLE, TOP, TRIMS
from dbplan.seeding.recipe.written import written

if TYPE_CHECKING:
    from dbplan.seeding.recipe.fixed import FixedRow

_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class TableRule:
    """What the recipe says of one table."""

    rows: int | None = None
    """Rows to generate; 0 for a table that has fixed ones alone."""
    per: str | None = None
    children: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NONE)
    min_rows: int = 1
    """Rows to generate where the table's share of few rows would be fewer still."""
    growth: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    """How the times at which rows come to be are spread."""
    fixed: tuple[FixedRow, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """A seed recipe; an empty one leaves everything to the schema."""

    tables: Mapping[str, TableRule] = field(default_factory=lambda: _NONE)
    start: dt.datetime = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    end: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    locale: str = "en_US"
    rows: int | None = None
    """Rows of the largest table, 0 for the fixed rows alone; None where each table has its own."""
    exact: Mapping[str, int] = field(default_factory=lambda: _NONE)
    """Rows of the tables that have their own beside `rows`."""
    random_state: int | None = None
    profile: str = ""
    path: str = ""
    """Its file, as an error names it."""
    layers: tuple[Layer, ...] = ()

    def place(self, *path: str) -> str:
        """Return file and line of a key."""
        return place(self.layers, path)

    def table(self, name: str) -> TableRule:
        """Return the rule of a table, an empty one where the recipe is silent."""
        return self.tables.get(name, TableRule())

    def column(self, table: str, column: str) -> Mapping[str, Any]:
        """Return the rule of a column."""
        return self.table(table).columns.get(column, _NONE)


def recipe_of(plan: Plan, profile: str | None = None) -> Recipe:
    """Return the checked recipe of a plan in one of its profiles, an empty one where it has none."""
    from dbplan.seeding.recipe.profiles import in_profile

    layer, data = Layer("recipe", ""), dict[str, Any]()
    if plan.recipe is not None:
        layer, data = read(Path(plan.recipe), f'the recipe {{name}} of plan "{plan.name}"')
    if profile is None and not data:
        return Recipe()
    return in_profile(plan, layer, data, profile)


def read(path: Path, called: str) -> tuple[Layer, dict[str, Any]]:
    """Return the text of a recipe's file and what it holds."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise RecipeError(f"{called.format(name=path.name)} is not there; its place is {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {_shown(path)} cannot be read: {error}") from None
    return Layer(_shown(path), text), loaded(text, _shown(path))


def _shown(path: Path) -> str:
    """Return a path from the current folder on, else as it was given."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def parse(text: str, plan: Plan, name: str = "recipe", profile: str | None = None) -> Recipe:
    """Return the recipe that `text` holds; RecipeError names file, line and the nearest right key."""
    from dbplan.seeding.recipe.profiles import in_profile

    return in_profile(plan, Layer(name, text), loaded(text, name), profile)


def loaded(text: str, name: str) -> dict[str, Any]:
    """Return what a TOML text holds."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{name}:{line[1]}" if line else name
        raise RecipeError(f"{where}: not TOML: {error}") from None


@dataclass(frozen=True)
class Reader:
    """Reads one recipe; what is wrong is named with its line."""

    plan: Plan
    layers: tuple[Layer, ...]

    def recipe(self, data: Mapping[str, Any]) -> Recipe:
        """Return the whole recipe."""
        from dbplan.seeding.recipe.circles import refuse_circles
        from dbplan.seeding.recipe.fitting import refuse_locale

        self.keys(data, TOP, ())
        if "locale" in data:
            refuse_locale(self, data["locale"])
        given: dict[str, Any] = {key: data[key] for key in ("locale", "rows", "random_state") if key in data}
        times: dict[str, Any] = {key: _instant(value) for key, value in data.get("time", {}).items()}
        made = Recipe(**given, **times, path=self.layers[0].name, layers=self.layers)
        if made.start >= made.end:
            self.fail(("time",), f"start {made.start:%Y-%m-%d} does not come before end {made.end:%Y-%m-%d}")
        tables = data.get("tables", {})
        self.a_table(tables, ("tables",))
        made = replace(made, tables={key: self.table(key, value, made) for key, value in tables.items()})
        refuse_circles(self, made)
        return self.fixed(made, {key: value["fixed"] for key, value in tables.items() if "fixed" in value})

    def fixed(self, made: Recipe, given: Mapping[str, Any]) -> Recipe:
        """Return the recipe with the rows that it writes out."""
        from dbplan.seeding.recipe.fixed import FixedReader
        from dbplan.seeding.recipe.keys import refuse_strange_keys
        from dbplan.seeding.recipe.literals import instant

        found = FixedReader(self.plan, instant(made.start), self).rows(given) if given else {}
        refuse_strange_keys(self, made, found)
        tables = {name: replace(rule, fixed=found.get(name, ())) for name, rule in made.tables.items()}
        return replace(made, tables=tables)

    def table(self, key: str, value: Any, made: Recipe) -> TableRule:
        """Return the rule of one table, its fixed rows left out."""
        from dbplan.seeding.recipe.fitting import Fitting
        from dbplan.seeding.recipe.shorthand import plain

        path = ("tables", key)
        self.known("table", key, self.plan.metadata.tables, path)
        self.a_table(value, path)
        self.keys(value, TABLE, path)
        self.columns(value.get("columns", {}), key, (*path, "columns"))
        self.fixed_rows(value, path)
        fitting = Fitting(self, self.plan.table(key), made.locale)
        columns = plain(fitting, value, made)
        for column, rule in columns.items():
            fitting.column_rule(column, rule, (*path, "columns", column))
        if "per" in value:
            self.known("column", value["per"], self.plan.table(key).columns.keys(), (*path, "per"))
        fitting.table_rule(value, columns, path)
        said = {name: value[name] for name in ("rows", "per", "children", "min_rows", "growth") if name in value}
        return TableRule(**said, columns=columns)

    def columns(self, columns: Any, table: str, path: KeyPath) -> None:
        """Refuse rules of columns that are none."""
        self.a_table(columns, path)
        names = self.plan.table(table).columns.keys()
        for column, rule in columns.items():
            here = (*path, column)
            self.known("column", column, names, here)
            self.a_table(rule, here)
            self.keys(rule, COLUMN, here)
            self.column(rule, here, names)
            self.expressions(rule, here, table)

    def fixed_rows(self, value: Mapping[str, Any], path: KeyPath) -> None:
        """Refuse fixed rows that are none, and a table without any row."""
        fixed = value.get("fixed")
        if "fixed" in value and not (isinstance(fixed, list) and fixed and all(isinstance(row, dict) for row in fixed)):
            header = ".".join(map(str, (*path, "fixed")))
            self.fail((*path, "fixed"), f"fixed = {written(fixed)} is not a list of rows, each under [[{header}]]")
        if value.get("rows") == 0 and not fixed:
            message = "rows = 0 is not a whole number above 0; 0 is for a table whose rows are all fixed"
            self.fail((*path, "rows"), message)

    def column(self, rule: Mapping[str, Any], path: KeyPath, names: Iterable[str]) -> None:
        """Refuse keys of one column that do not go together."""
        self.companions(rule, path)
        for key in ("after", "previous", "same_as"):
            if key in rule:
                self.known("column", rule[key], names, (*path, key))
        self.weights(rule, (*path, "weights"))
        for key in ("last", "pick"):
            if key in rule:
                self.elsewhere(rule[key], (*path, key))
        for case in rule.get("cases", []):
            self.weights(case, (*path, "cases"))
            if "pick" in case:
                self.elsewhere(case["pick"], (*path, "cases"))
            if ("pick" in case) == ("values" in case or isinstance(case.get("weights"), Mapping)):
                self.fail((*path, "cases"), "a case needs values, or what to pick")
        low, high = rule.get("min"), rule.get("max")
        if low is not None and high is not None and type(low) is type(high) and low > high:
            self.fail((*path, "min"), f"min {written(low)} is above max {written(high)}")

    def companions(self, rule: Mapping[str, Any], path: KeyPath) -> None:
        """Refuse two keys of which one would be ignored."""
        deciding = [key for key in rule if key in COMPANIONS]
        for key in deciding:
            for other in rule:
                if other in TRIMS or other == key or other in COMPANIONS[key]:
                    continue
                if other in COMPANIONS:
                    self.fail((*path, other), f"{other} beside {key}: one of them decides; leave out the other")
                self.fail((*path, other), f"{other} says nothing beside {key}; it goes with {_friends(other)}")

    def weights(self, rule: Mapping[str, Any], path: KeyPath) -> None:
        """Refuse weights that are not those of the values."""
        weights, values = rule.get("weights"), rule.get("values")
        if isinstance(weights, Mapping) and values is not None:
            self.fail(path, "weights by name name the values as well; leave out values")
        if isinstance(weights, list):
            if values is None:
                self.fail(path, "weights without values")
            if len(weights) != len(values):
                self.fail(path, f"{len(weights)} weights for {len(values)} values")

    def expressions(self, rule: Mapping[str, Any], path: KeyPath, table: str) -> None:
        """Refuse SQL that cannot be read, or that names what is no column."""
        from dbplan.errors import NotCovered
        from dbplan.seeding.constraints.predicate import expression
        from dbplan.seeding.recipe.reach import readable

        names = readable(self.plan.table(table))
        texts = [(key, rule[key]) for key in ("expression", "only_when") if key in rule]
        texts += [("cases", case["when"]) for case in rule.get("cases", []) if "when" in case]
        for key, text in texts:
            try:
                expression(text, names)
            except NotCovered as error:
                self.fail((*path, key), str(error))

    def elsewhere(self, target: str, path: KeyPath) -> None:
        """Refuse a `table.column` that is not there."""
        table, _, column = target.rpartition(".")
        self.known("table", table, self.plan.metadata.tables, path)
        self.known("column", column, self.plan.table(table).columns.keys(), path)

    def keys(self, data: Mapping[str, Any], schema: Mapping[str, Any], path: KeyPath) -> None:
        """Refuse a key that the vocabulary does not have, or a value of the wrong kind."""
        for key, value in data.items():
            here = (*path, key)
            self.known("key", key, schema, here)
            test = schema[key]
            if callable(test):
                if wanted := test(value):
                    self.fail(here, f"{key} = {written(value)} is not {wanted}")
            elif isinstance(test, list):
                for place, item in enumerate(value if isinstance(value, list) else [value]):
                    self.a_table(item, here)
                    self.keys(item, test[0], (*here, place))
            elif test is not None:
                self.a_table(value, here)
                self.keys(value, test, here)

    def a_table(self, value: Any, path: KeyPath) -> None:
        """Refuse a value where keys are wanted."""
        if not isinstance(value, dict):
            self.fail(path, f"{path[-1]} = {written(value)} is not a table of keys")

    def known(self, kind: str, name: str, names: Iterable[str], path: KeyPath) -> None:
        """Refuse a name that is not there; say which is nearest."""
        names = sorted(names)
        if name not in names:
            near = get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(names[:20])}"
            self.fail(path, f"no {kind} {name!r}{hint}")

    def fail(self, path: KeyPath, message: str) -> NoReturn:
        """Raise RecipeError with file and line."""
        raise RecipeError(f"{self.place(path)}: {message}")

    def place(self, path: KeyPath) -> str:
        """Return file and line of a key."""
        return place(self.layers, path)


def _friends(key: str) -> str:
    found = sorted(name for name, others in COMPANIONS.items() if key in others)
    return ", ".join(found) or "nothing else"


def _instant(value: dt.date) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - made aware below
    return value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
