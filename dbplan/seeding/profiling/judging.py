"""The half that tells: a profile as blocks of a report, and what is odd about it in a sentence each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from dbplan.evidence import ColumnProfile, FanOut
from dbplan.report.blocks import Block, Multiples, Section, Series, Table, Text, table
from dbplan.report.cells import show
from dbplan.seeding.profiling.fanouts import labels
from dbplan.seeding.profiling.measuring import Profile, TableProfile

if TYPE_CHECKING:
    from dbplan.seeding.recipe.reading import Recipe, TableRule

SURE = 4
"""Standard deviations beyond which a share is not what was asked for."""
FEW = 20
"""Rows below which nothing is odd."""
DRAWN = 24
"""Foreign keys and tables that are drawn; the tables beneath have all."""
TOLD = 5
"""Odd things that are told one by one."""


def section(profile: Profile, *, folded: bool) -> Section:
    """Return a profile as one section: fan-out, rows over time, and each table with its columns and some rows."""
    parts = [_fan_out(profile), _over_time(profile), _tables(profile)]
    return Section("Profile", blocks=tuple(part for part in parts if part.blocks), folded=folded)


def _fan_out(profile: Profile) -> Section:
    fans = [fan for fan in profile.fans if fan.n]
    series = tuple(Series(named(fan), tuple(_classes(fan)), _said(fan)) for fan in fans[:DRAWN])
    blocks: list[Block] = []
    if series:
        titles = ("foreign key", "children", "parents")
        blocks = [Multiples(series, "bars", titles, _first_of(fans, "foreign keys")), children(fans)]
    blocks += [
        Text(f"{name}: not counted, for the table is large and no index begins with this key.")
        for name in profile.uncounted
    ]
    most = max(fans, key=lambda fan: fan.most, default=None)
    verdict = f"The most children of one parent: {most.most:,}, {named(most)}." if most is not None else ""
    return Section("Fan-out", verdict, blocks=tuple(blocks))


def _first_of(found: Sequence[Any], of: str) -> str:
    """Say that not all are drawn."""
    return f"The first {DRAWN} of {len(found)} {of}" if len(found) > DRAWN else ""


def named(fan: FanOut) -> str:
    """Name a foreign key as parent and child."""
    return f"{fan.parent} → {fan.place}"


def _classes(fan: FanOut) -> Iterator[tuple[str, float]]:
    names = labels(fan.classes, fan.most)
    yield from ((name, float(count)) for name, (_, count) in zip(names, fan.classes, strict=True))


def _said(fan: FanOut) -> str:
    none = f", {show(fan.childless / fan.n, 'percent')} childless" if fan.childless else ""
    return f"median {show(fan.median, 'number')}, most {fan.most:,}{none}"


def children(fans: Iterable[FanOut]) -> Table:
    """Return fan-outs as a table."""
    rows = [
        (fan.parent, str(fan.place), fan.n, fan.childless / fan.n, min(c for c, _ in fan.classes), fan.median, fan.most)
        for fan in fans
    ]
    headings: Any = {"parent": "text", "children": "text", "parents": "count", "childless": "percent"}
    headings |= {"least": "count", "median": "number", "most": "count"}
    return table(headings, rows, "Children of each parent")


def _over_time(profile: Profile) -> Section:
    courses = [(found.table, found.course) for found in profile.tables if found.course is not None]
    series = tuple(
        Series(name, tuple((start, float(rows)) for start, rows in course.counts), _pace(course.counts, course.period))
        for name, course in courses[:DRAWN]
    )
    blocks = (Multiples(series, "line", ("table", "from", "rows"), _first_of(courses, "tables")),) if series else ()
    return Section("Rows over time", "", blocks=blocks)


def _pace(counts: tuple[tuple[str, int], ...], period: str) -> str:
    low, high = min(rows for _, rows in counts), max(rows for _, rows in counts)
    return f"{show(low, 'count')}{f'–{high:,}' if high != low else ''} rows a {period}"


def _tables(profile: Profile) -> Section:
    parts = tuple(_table(found) for found in profile.tables)
    return Section(
        "What each column holds", f"{len(parts)} tables, with a few rows of each.", blocks=parts, folded=True
    )


def _table(found: TableProfile) -> Section:
    blocks: list[Block] = [_columns(found)]
    if found.shown:
        names: Any = dict.fromkeys((column.place.column for column in found.columns), "text")
        blocks.append(table(names, found.shown, found.table))
    return Section(found.table, _looked_at(found), blocks=tuple(blocks))


def _looked_at(found: TableProfile) -> str:
    rows = f"{found.rows:,} row{'s' if found.rows != 1 else ''}"
    size = f", {show(found.size, 'bytes')}" if found.size is not None else ""
    how = {"all": "", "random": f"; looked at {found.n:,} of them, at random"}
    return f"{rows}{size}{how.get(found.chosen, f'; looked at the first {found.n:,} of them')}."


def _columns(found: TableProfile) -> Table:
    headings: Any = {"column": "text", "NULL": "percent", "asked": "percent", "different": "count"}
    headings |= {"range": "text", "most common": "text"}
    rows: list[tuple[Any, ...]] = [
        (c.place.column, c.null, "" if c.asked is None else c.asked, c.distinct, _range(c), _common(c, found))
        for c in found.columns
    ]
    if all(column.asked is None for column in found.columns):
        del headings["asked"]
        rows = [(*row[:2], *row[3:]) for row in rows]
    return table(headings, rows, f"Columns of {found.table}")


def _range(column: ColumnProfile) -> str:
    """Return the ends of numbers and times, the lengths of texts."""
    if column.low is not None and column.high is not None:
        low, high = column.low, column.high
        if low[:10] != high[:10] and low[10:11] == high[10:11] == " ":
            low, high = low[:10], high[:10]
        return low if low == high else f"{low} … {high}"
    if column.shortest is None or column.longest is None:
        return ""
    same = column.shortest == column.longest
    return f"{column.shortest} characters" if same else f"{column.shortest}–{column.longest} characters"


def _common(column: ColumnProfile, found: TableProfile) -> str:
    if column.place.column in found.keys:
        return f"key of {found.keys[column.place.column]}"
    there = round(column.n * (1 - (column.null or 0)))
    if column.distinct == there > 1:
        return "each once" if found.chosen == "all" else f"each once among {column.n:,}"
    return ", ".join(f"{value} {show(share, 'percent')}" for value, share in column.common)


def odd(profile: Profile, recipe: Recipe) -> tuple[Text, ...]:
    """Return what a reader would want to look into, in a sentence each."""
    found = [words for measured in profile.tables for words in _odd(measured, recipe.table(measured.table))]
    more = [f"And {len(found) - TOLD} more such things, each in its table."] if found[TOLD:] else []
    return tuple(map(Text, (*found[:TOLD], *more)))


def _odd(measured: TableProfile, rule: TableRule) -> Iterator[str]:
    """Say which columns are NULL more or less often than the recipe asks, or always the same without a word of it."""
    for column in measured.columns:
        if column.n < FEW or column.null is None:
            continue
        if column.asked is not None and abs(column.null - column.asked) > _chance(column, measured.rows, rule):
            asked = show(column.asked, "percent")
            yield f"{column.place} is NULL in {show(column.null, 'percent')} of its rows; the recipe asks for {asked}."
        elif column.place.column in rule.columns:
            continue
        elif column.null == 1:
            yield f"{column.place} is NULL in every row."
        elif column.distinct == 1 and column.common:
            yield f"{column.place} is {column.common[0][0]} wherever it is there."


def _chance(column: ColumnProfile, rows: int, rule: TableRule) -> float:
    """Return how far a share may be from what was asked for: by chance, and by fixed rows, which are not asked."""
    asked = column.asked or 0.0
    return SURE * sqrt(asked * (1 - asked) / column.n) + 1 / column.n + len(rule.fixed) / max(rows, 1)
