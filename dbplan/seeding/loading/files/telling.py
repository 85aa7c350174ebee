"""The report on files. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dbplan.evidence import RowCount
from dbplan.report import Report
from dbplan.report.blocks import Block, Text, table
from dbplan.seeding.loading.files import folder as folders
from dbplan.seeding.loading.files.writing import Written
from dbplan.seeding.rows.world import World

MANY = 50
"""Files about which they are counted by table."""


def judge(made: World, written: Sequence[Written], notes: Sequence[str]) -> Report:
    """Return the report on files that are there."""
    rows = sum(one.part.rows for one in written if not one.part.closes)
    before = sum(1 for one in written if not one.seconds)
    there = f", {before:,} of them there before" if before else ""
    blocks: list[Block] = [_listed(written), *(Text(note) for note in (*notes, *_left_out(made, written)))]
    return Report(
        title="Seed files",
        verdict=f"{rows:,} rows in {len(written):,} {'file' if len(written) == 1 else 'files'}{there}",
        ok=True,
        blocks=tuple(blocks),
        evidence=tuple(_counts(written)),
    )


def foresee(
    made: World, folder: Path, manifest: folders.Manifest, gone: folders.Manifest | None, notes: Sequence[str]
) -> Report:
    """Return the report on what would be written to a folder, and removed from it; `gone` is what goes first."""
    missing = set(manifest.files) if gone is not None else set(folders.missing(folder, manifest.files))
    headings: dict[str, Any] = {"file": "text", "rows": "count", "": "text"}
    lines = [[name, rows, "to write" if name in missing else "there"] for name, rows in manifest.files.items()]
    first = [] if gone is None else [f"{len(gone.files):,} files go first: {gone.run}."]
    return Report(
        title="Seed files",
        verdict=f"{len(missing):,} of {len(lines):,} files would be written to {folder}: {manifest.run}",
        ok=True,
        blocks=(table(headings, lines, "Files"), *(Text(note) for note in (*first, *notes))),
        evidence=tuple(RowCount(name, source.total) for name, source in sorted(made.sources.items())),
    )


def _grouped(written: Sequence[Written], key: Callable[[Written], str]) -> dict[str, list[Written]]:
    groups: dict[str, list[Written]] = {}
    for one in sorted(written, key=key):
        groups.setdefault(key(one), []).append(one)
    return groups


def _listed(written: Sequence[Written]) -> Block:
    """Return the table of files; of tables, where there are very many."""
    many = len(written) > MANY
    groups = _grouped(written, lambda one: one.part.table if many else one.part.path)
    headings: dict[str, Any] = {
        "table" if many else "file": "text", "rows": "count", "size": "bytes", "seconds": "seconds", "rows/s": "rate"
    }  # fmt: skip
    return table(headings, [_line(name, group) for name, group in groups.items()], "Files, generation included")


def _line(name: str, group: Sequence[Written]) -> list[Any]:
    rows, seconds = sum(one.part.rows for one in group), sum(one.seconds for one in group)
    size = sum(one.size for one in group)
    return [name, rows, size, seconds or None, rows / seconds if seconds else None]


def _left_out(made: World, written: Sequence[Written]) -> list[str]:
    """Return a sentence for every table with columns, or rows, that the database itself fills."""
    groups, notes = _grouped(written, lambda one: one.part.table), []
    for name, source in sorted(made.sources.items()):
        there = {column for one in groups.get(name, ()) for column in one.part.columns}
        absent = [column.name for column in source.table.columns if column.name not in there]
        if name not in groups:
            said = (
                f"{name}: {source.total:,} rows that only the database's defaults fill; sql alone has words for them."
            )
            notes.append(said)
        elif absent:
            notes.append(f"{name}: without {', '.join(absent)}, which the database itself fills.")
    return notes


def _counts(written: Sequence[Written]) -> list[RowCount]:
    groups = _grouped([one for one in written if not one.part.closes], lambda one: one.part.table)
    return [
        RowCount(name, sum(one.part.rows for one in group), sum(one.seconds for one in group))
        for name, group in groups.items()
    ]
