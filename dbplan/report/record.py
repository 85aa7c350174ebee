"""Record: a report as plain JSON values. docs/evidence.md tells its form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from dbplan.evidence import Severity, as_record
from dbplan.report import Report
from dbplan.report.blocks import Block, Section, Table
from dbplan.report.cells import BASE_UNITS
from dbplan.report.outline import Part, outline


def record(report: Report) -> dict[str, Any]:
    """Return the report as `docs/evidence.md` documents it: raw values in base units, null for not measured."""
    version = import_module("dbplan").__version__

    whole = {
        "dbplan": version,
        "title": report.title,
        "ok": report.ok,
        "verdict": report.verdict,
        "server": as_record(report.server) if report.server else None,
        "actions": [finding.key for finding in report.actions],
        "evidence": [as_record(fact) for fact in report.evidence],
        "tables": _tables(report.blocks),
        "sections": [_section(part) for part in outline(report).parts],
    }
    return plain(whole)  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """Return a value as JSON has it: numbers that are not finite become null, what JSON lacks becomes words."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, Severity):
        return value.value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return plain(value.item()) if hasattr(value, "item") else str(value)


def _section(part: Part) -> dict[str, Any]:
    section: Section = part.section
    return {
        "title": section.title,
        "anchor": part.anchor,
        "ok": section.ok,
        "verdict": section.verdict,
        "server": as_record(section.server) if section.server else None,
        "tables": _tables(section.blocks),
        "sections": [_section(inner) for inner in part.parts],
    }


def _tables(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    return [_table(block) for block in blocks if isinstance(block, Table)]


def _table(block: Table) -> dict[str, Any]:
    flat = block.flat
    fields = [{"title": f.title, "kind": f.kind, "unit": BASE_UNITS.get(f.kind, "")} for f in flat.fields]
    return {"caption": block.caption, "fields": fields, "rows": [list(row) for row in flat.rows]}
