"""Recipes: what a plan's owner knows better than the schema says. TOML in, checked line by line before any row."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from dbplan.errors import RecipeError
from dbplan.plan import Plan
from dbplan.seeding.recipe.written import written

if TYPE_CHECKING:
    from dbplan.seeding.recipe.fixed import FixedRow

_NAME = r"(?:[\w-]+|\"[^\"]*\"|'[^']*')"
_KEY = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_NONE: Mapping[str, Any] = MappingProxyType({})
KeyPath = tuple[str | int, ...]
Test = Callable[[Any], str]


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
    fixed: tuple[FixedRow, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """A seed recipe; an empty one leaves everything to the schema."""

    tables: Mapping[str, TableRule] = field(default_factory=lambda: _NONE)
    start: dt.datetime = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    end: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    locale: str = "en_US"
    path: str = ""
    """Its file, as an error names it."""
    text: str = ""

    def place(self, *path: str) -> str:
        """Return file and line of a key."""
        return f"{self.path}:{line_of(self.text, path)}"

    def table(self, name: str) -> TableRule:
        """Return the rule of a table, an empty one where the recipe is silent."""
        return self.tables.get(name, TableRule())

    def column(self, table: str, column: str) -> Mapping[str, Any]:
        """Return the rule of a column."""
        return self.table(table).columns.get(column, _NONE)


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value else "a text"


def _number(value: Any) -> str:
    return "" if isinstance(value, int | float) and not isinstance(value, bool) else "a number"


def _count(value: Any) -> str:
    return "" if isinstance(value, int) and not isinstance(value, bool) and value > 0 else "a whole number above 0"


def _rows(value: Any) -> str:
    return "" if value == 0 and not isinstance(value, bool) else _count(value)


def _share(value: Any) -> str:
    return "" if not _number(value) and 0 <= value <= 1 else "a share from 0 to 1"


def _bound(value: Any) -> str:
    return "" if not _number(value) or isinstance(value, dt.date) else "a number, a date or a time"


def _list(value: Any) -> str:
    return "" if isinstance(value, list) and value else "a list with at least one item"


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _date(value: Any) -> str:
    return "" if isinstance(value, dt.date) else "a date such as 2025-01-31"


def _positive(value: Any) -> str:
    return "" if not _number(value) and value > 0 else "a number above 0"


def _one_of(*names: str) -> Test:
    """Return the test of a text that is one of a few."""
    quoted = [f'"{name}"' for name in names]
    wanted = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return lambda value: "" if value in names else wanted


def _whole(value: Any) -> str:
    return "" if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else "a whole number, 0 or more"


def _anything(value: Any) -> str:
    return ""


TIME: Mapping[str, Test] = {"start": _date, "end": _date}
CHILDREN: Mapping[str, Test] = {
    "shape": _one_of("fixed", "even", "poisson", "pareto", "zipf", "skewed"),
    "mean": _positive,
    "alpha": _positive,
    "s": _positive,
    "min": _whole,
    "max": _count,
}
LEVEL: Mapping[str, Test] = {"min": _whole, "max": _count, "cycle": _count}
CASE: Mapping[str, Any] = {"when": _text, "values": _list, "weights": _list}
COLUMN: Mapping[str, Any] = {
    "after": _text,
    "cases": [CASE],
    "empty": _anything,
    "expression": _text,
    "faker": _text,
    "first": _anything,
    "last": _text,
    "level": LEVEL,
    "max": _bound,
    "min": _bound,
    "null": _share,
    "omit": _flag,
    "only_when": _text,
    "pattern": _text,
    "previous": _text,
    "value": _anything,
    "values": _list,
    "weights": _list,
    "within": _text,
}
TABLE: Mapping[str, Any] = {
    "rows": _rows,
    "min_rows": _count,
    "per": _text,
    "children": CHILDREN,
    "columns": None,
    "fixed": None,
}
TOP: Mapping[str, Any] = {"locale": _text, "time": TIME, "tables": None}


def recipe_of(plan: Plan) -> Recipe:
    """Return the checked recipe of a plan, an empty one where it has none."""
    if plan.recipe is None:
        return Recipe()
    path = Path(plan.recipe)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise RecipeError(f'the recipe {path.name} of plan "{plan.name}" is not there; its place is {path}') from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe {_shown(path)} cannot be read: {error}") from None
    return parse(text, plan, _shown(path))


def _shown(path: Path) -> str:
    """Return a path from the current folder on, else as it was given."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def parse(text: str, plan: Plan, name: str = "recipe") -> Recipe:
    """Return the recipe that `text` holds; RecipeError names file, line and the nearest right key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{name}:{line[1]}" if line else name
        raise RecipeError(f"{where}: not TOML: {error}") from None
    return Reader(text, name, plan).recipe(data)


@dataclass(frozen=True)
class Reader:
    """Reads one recipe; what is wrong is named with its line."""

    text: str
    name: str
    plan: Plan

    def recipe(self, data: dict[str, Any]) -> Recipe:
        """Return the whole recipe."""
        from dbplan.seeding.recipe.fitting import refuse_locale

        self.keys(data, TOP, ())
        if "locale" in data:
            refuse_locale(self, data["locale"])
        tables = data.get("tables", {})
        self.a_table(tables, ("tables",))
        rules: Mapping[str, TableRule] = {
            key: self.table(key, value, data.get("locale", "en_US")) for key, value in tables.items()
        }
        times = {key: _instant(value) for key, value in data.get("time", {}).items()}
        made = Recipe(rules, **times, locale=data.get("locale", "en_US"), path=self.name, text=self.text)
        if made.start >= made.end:
            self.fail(("time",), f"start {made.start:%Y-%m-%d} does not come before end {made.end:%Y-%m-%d}")
        return self.fixed(made, {key: value["fixed"] for key, value in tables.items() if "fixed" in value})

    def fixed(self, made: Recipe, given: Mapping[str, Any]) -> Recipe:
        """Return the recipe with the rows that it writes out."""
        from dbplan.seeding.recipe.fixed import FixedReader
        from dbplan.seeding.recipe.literals import instant

        if not given:
            return made
        start = instant(made.start)
        found = FixedReader(self.plan, start, self).rows(given)
        tables = {name: replace(rule, fixed=found.get(name, ())) for name, rule in made.tables.items()}
        return replace(made, tables=tables)

    def table(self, key: str, value: Any, locale: str) -> TableRule:
        """Return the rule of one table, its fixed rows left out."""
        from dbplan.seeding.recipe.fitting import Fitting

        path = ("tables", key)
        self.known("table", key, self.plan.metadata.tables, path)
        self.a_table(value, path)
        self.keys(value, TABLE, path)
        columns = value.get("columns", {})
        self.a_table(columns, (*path, "columns"))
        names = self.plan.table(key).columns.keys()
        fitting = Fitting(self, self.plan.table(key), locale)
        for column, rule in columns.items():
            here = (*path, "columns", column)
            self.known("column", column, names, here)
            self.a_table(rule, here)
            self.keys(rule, COLUMN, here)
            self.column(rule, here, names)
            fitting.column_rule(column, rule, here)
        if "per" in value:
            self.known("column", value["per"], names, (*path, "per"))
        self.fixed_rows(value, path)
        fitting.table_rule(value, path)
        return TableRule(
            value.get("rows"), value.get("per"), value.get("children", {}), columns, value.get("min_rows", 1)
        )

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
        for key in ("after", "previous"):
            if key in rule:
                self.known("column", rule[key], names, (*path, key))
        if len(rule.get("weights", rule.get("values", []))) != len(rule.get("values", rule.get("weights", []))):
            self.fail((*path, "weights"), f"{len(rule['weights'])} weights for {len(rule.get('values', []))} values")
        if "weights" in rule and "values" not in rule:
            self.fail((*path, "weights"), "weights without values")
        if "last" in rule:
            self.last(rule["last"], (*path, "last"))
        for case in rule.get("cases", []):
            if "values" not in case:
                self.fail((*path, "cases"), "a case needs values")
        self.expressions(rule, path, names)
        low, high = rule.get("min"), rule.get("max")
        if low is not None and high is not None and type(low) is type(high) and low > high:
            self.fail((*path, "min"), f"min {written(low)} is above max {written(high)}")

    def expressions(self, rule: Mapping[str, Any], path: KeyPath, names: Iterable[str]) -> None:
        """Refuse SQL that cannot be read, or that names what is no column."""
        from dbplan.errors import NotCovered
        from dbplan.seeding.constraints.predicate import expression

        texts = [(key, rule[key]) for key in ("expression", "only_when") if key in rule]
        texts += [("cases", case["when"]) for case in rule.get("cases", []) if "when" in case]
        for key, text in texts:
            try:
                expression(text, names)
            except NotCovered as error:
                self.fail((*path, key), str(error))

    def last(self, target: str, path: KeyPath) -> None:
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

    def line(self, path: KeyPath) -> int:
        """Return the line of a key."""
        return line_of(self.text, path)

    def fail(self, path: KeyPath, message: str) -> NoReturn:
        """Raise RecipeError with file and line."""
        raise RecipeError(f"{self.name}:{self.line(path)}: {message}")


def _instant(value: dt.date) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - made aware below
    return value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)


def line_of(text: str, path: KeyPath) -> int:
    """Return the line where a key path of a TOML text stands, or that of the nearest key above it.

    A number in the path is a place in a list of tables.
    """
    best, deepest = 1, 0
    inside: KeyPath = ()
    counted: dict[KeyPath, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)([^\]]+)\]\]?\s*(?:#|$)", line):
            found = inside = _numbered(_dotted(header[2]), counted, another=header[1] == "[[")
        else:
            key = _KEY.match(line)
            found = (*inside, *_dotted(key[1])) if key else ()
        for place in (found, found[:-1] if found and isinstance(found[-1], int) else ()):
            depth = min(len(place), len(path))
            if place[:depth] == path[:depth] and depth > deepest:
                best, deepest = number, depth
    return best


def _numbered(path: tuple[str, ...], counted: dict[KeyPath, int], *, another: bool) -> KeyPath:
    """Return the path of a header with the number of the list's item wherever it leads through a list of tables."""
    found: KeyPath = ()
    for place, part in enumerate(path, 1):
        found = (*found, part)
        if another and place == len(path):
            counted[found] = counted.get(found, -1) + 1
        if found in counted:
            found = (*found, counted[found])
    return found


def _dotted(text: str) -> tuple[str, ...]:
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", text)
    return tuple(next(part for part in found if part or found == ("", "", "")) for found in parts)
