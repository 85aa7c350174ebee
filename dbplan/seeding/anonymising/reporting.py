"""The report on a copy, and on what one would do: every column with what becomes of it, and why."""

from __future__ import annotations

import os
from typing import Any

from dbplan.evidence import RowCount
from dbplan.report import Report
from dbplan.report.blocks import Block, Section, Table, Text, table
from dbplan.seeding.anonymising.choosing import Choices
from dbplan.seeding.anonymising.keyed import VARIABLE
from dbplan.seeding.anonymising.personal import DROP, KEEP, KINDS
from dbplan.seeding.anonymising.transfer import Copied
from dbplan.seeding.anonymising.watching import KEPT, TELLING, Watch

WIDEST = 40


def explained(chosen: Choices) -> Report:
    """Return the report on what would be done."""
    kept = sum(what.kept for what in chosen.columns.values())
    return Report(
        title=f"Anonymise {chosen.plan.name}",
        verdict=f"{len(chosen.columns) - kept} columns replaced, {kept} kept; nothing was read or written",
        blocks=(*_doubts(chosen), *_columns(chosen), _key()),
    )


def _doubts(chosen: Choices) -> list[Block]:
    """Name the columns that are replaced because nothing says that they are not personal."""
    found = sorted(".".join(place) for place, what in chosen.columns.items() if what.doubtful)
    if not found:
        return []
    return [
        Text(
            f"Replaced because nothing says that they are not personal: {', '.join(found)}. "
            'A rule "keep" lets through what is not.'
        )
    ]


def _columns(chosen: Choices) -> list[Block]:
    rows = [
        [".".join(place), what.kind, KINDS[what.kind], what.why]
        for place, what in sorted(chosen.columns.items())
        if not chosen.plan.metadata.tables[place[0]].columns[place[1]].computed
    ]
    headings: Any = {"column": "text", "kind": "text", "then holds": "text", "why": "text"}
    return [table(headings, rows, "Columns")]


def _key() -> Text:
    if os.environ.get(VARIABLE):
        return Text(f"Replacements follow from the key in {VARIABLE}, which nobody who has the copy may have.")
    return Text(
        f"{VARIABLE} is not set: replacements follow from the random state alone, so that whoever guesses a value can "
        "see whether it was there. Set it to a secret for a copy that goes to those who may not read the source."
    )


def judge(chosen: Choices, done: Copied) -> Report:
    """Return the report on what was done."""
    total, broken = sum(done.rows.values()), sum(done.broken.values())
    replaced = sum(watch.values - watch.unchanged for watch in done.watches.values())
    blocks: list[Block] = [_rows(done), *(Text(note) for note in done.notes)]
    blocks += [Text(f"{name}: {count:,} rows were removed first.") for name, count in done.removed.items() if count]
    blocks += [*_doubts(chosen), _changes(done), *_checks(done), _key()]
    blocks.append(Section("All columns", "what became of each, and why", blocks=tuple(_columns(chosen)), folded=True))
    blocks.append(Section("Samples", "rows of each table, after", blocks=tuple(_samples(done)), folded=True))
    return Report(
        title=f"Anonymise {chosen.plan.name}",
        verdict=f"{total:,} rows in {len(done.rows)} tables, {replaced:,} values replaced, {broken:,} violations",
        ok=broken == 0,
        blocks=tuple(blocks),
        evidence=tuple(RowCount(n, done.rows[n], done.seconds[n], done.broken[n]) for n in sorted(done.rows)),
    )


def _rows(done: Copied) -> Table:
    headings: Any = {"table": "text", "rows": "count", "seconds": "seconds", "rows/s": "rate", "violations": "count"}
    rows = [
        [n, count, done.seconds[n], count / max(done.seconds[n], 1e-9), done.broken[n]]
        for n, count in done.rows.items()
    ]
    return table(headings, rows, "Rows copied")


def _changes(done: Copied) -> Table:
    """Say for each replaced column how many values were, and which stayed: empty ones, and such as chance has kept."""
    rows = [
        [
            ".".join(place),
            watch.kind,
            watch.values - watch.unchanged,
            watch.unchanged,
            watch.leaked if watch.checked else None,
        ]
        for place, watch in _replaced(done)
    ]
    headings: Any = {
        "column": "text",
        "kind": "text",
        "replaced": "count",
        "the same after": "count",
        "of the source in the target": "count",
    }
    return table(headings, rows, "Values replaced")


def _replaced(done: Copied) -> list[tuple[tuple[str, str], Watch]]:
    """Return the columns of which some values were there; of those that are kept, the ones with addresses in them."""
    return [
        (place, watch)
        for place, watch in done.watches.items()
        if watch.values > (watch.unchanged if watch.kind == KEEP else 0)
    ]


def _checks(done: Copied) -> list[Block]:
    checked = sorted(".".join(place) for place, watch in _replaced(done) if watch.checked and not watch.leaked)
    again = sorted(".".join(place) for place, watch in _replaced(done) if watch.leaked)
    by_chance = sorted(".".join(place) for place, watch in _replaced(done) if not (watch.checked or watch.kind == DROP))
    found: list[Block] = []
    if checked:
        found.append(
            Text(
                f"No value of {TELLING} characters or more that {', '.join(checked)} had in the source stands in the "
                f"same column of the target; compared were all different values, or {KEPT:,} by their hashes."
            )
        )
    if again:
        found.append(Text(f"Prose that the source had from such a copy came again: {', '.join(again)}."))
    if by_chance:
        found.append(
            Text(
                f"Not looked for, as a short value, a name or a number of one row is by chance that of another: "
                f"{', '.join(by_chance)}."
            )
        )
    return found


def _samples(done: Copied) -> list[Table]:
    found = []
    for name, rows in done.samples.items():
        headings: Any = dict.fromkeys(done.columns[name], "text")
        if headings:
            found.append(table(headings, [[_short(value) for value in row] for row in rows], name))
    return found


def _short(value: Any) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
