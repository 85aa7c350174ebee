"""Mends as files: one SQL script of all that DDL mends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dbplan.evidence import Finding
from dbplan.linting.accepted import found_in, written
from dbplan.linting.ddl import is_ddl
from dbplan.report import Report


def fixes(report: Report) -> str:
    """Return the mends of a lint report as one SQL script for PostgreSQL."""
    return script(found_in(report))


def write_fixes(report: Report, path: str | Path) -> Path:
    """Write the mends of a lint report as one SQL script, and return its path."""
    return written(Path(path), fixes(report))


def script(found: Iterable[Finding]) -> str:
    """Return the mends that are DDL as one SQL script, and the others as comments below.

    Of two mends that begin by dropping the same thing only the first is taken: ask again after running it.
    """
    chosen = list(found)
    mends = sorted((finding for finding in chosen if is_ddl(finding.mend)), key=_place_in_script)
    first = {_what_goes(finding.mend): finding for finding in reversed(mends)}
    parts = [f"-- {f.key}\n{f.mend}" for f in mends if first[_what_goes(f.mend)] is f]
    by_hand = [f"-- {f.key}: {f.mend}".replace("\n", " ") for f in chosen if f.mend and not is_ddl(f.mend)]
    head = "-- Each statement mends one finding of dbplan lint. Read it before you run it; keep the models in step."
    hand = ["-- In the model, by hand:\n" + "\n".join(by_hand)] if by_hand else []
    body = ["BEGIN;", *parts, "COMMIT;"] if parts else ["-- Nothing here is mended by DDL."]
    return "\n\n".join((head, *body, *hand)) + "\n"


def _what_goes(mend: str) -> str:
    """Return the DROP that a mend begins with, or the whole mend."""
    first = mend.partition("\n")[0]
    return first if "DROP INDEX" in first or "DROP CONSTRAINT" in first else mend


_ORDER = ("fk-type", "type", "bool", "default", "time", "enum", "pk", "uq", "fk", "idx")


def _place_in_script(finding: Finding) -> tuple[int, str]:
    """Types first, then keys, then what references them, then indexes; renames last, a table's after its columns'."""
    if " RENAME " in finding.mend:
        return len(_ORDER) + 1 + (" RENAME TO " in finding.mend), finding.key
    family = next((n for n, prefix in enumerate(_ORDER) if finding.rule.startswith(prefix)), len(_ORDER))
    return family, finding.key
