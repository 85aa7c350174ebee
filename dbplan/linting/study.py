"""lint(): every rule asked of a plan, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dbplan.evidence import Finding, Severity
from dbplan.linting.accepted import Pattern, baseline_of, ignored, waived
from dbplan.linting.ddl import is_ddl
from dbplan.linting.rules import RULES, subject_missing
from dbplan.linting.schema import Schema, is_view
from dbplan.linting.words import counted, listed
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Block, Findings, Section, Text, table

SMALL = 10_000
"""Below this many planned rows a scan is as good as an index, and no key runs out."""
_SIZE_DECIDES = frozenset({"fk-no-index", "pk-random-uuid", "idx-duplicate", "idx-prefix-redundant"})
_NOT_ASKED = (
    "Asked of the model alone. Whether an index is used, is valid or bloated, and whether the data keep to the rules "
    "shows on a server only: `dbplan benchmark` and `dbplan migrate dry-run`."
)


@dataclass(frozen=True)
class Sorted:
    """The findings that stand, and the accepted ones with the pattern that accepts each."""

    open: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Pattern], ...] = ()
    stale: tuple[Pattern, ...] = field(default=())


def lint(plan: Plan, *, ignore: Iterable[str] = (), baseline: str | Path | Mapping[str, str] | None = None) -> Report:
    """Ask every rule of a plan's schema and return the findings, each with its mend.

    `ignore` takes rule ids, finding keys or patterns of them (`"fk-no-index:audit.*"`); `baseline` a file or a
    mapping of known findings, which are counted and do not fail. Waivers beside the model,
    `info={"lint": {"rule-id": "reason"}}`, are kept. Raises UnknownName for a rule that does not exist.
    """
    schema = Schema(plan)
    patterns = (*ignored(ignore), *waived(schema), *baseline_of(baseline))
    return judge(schema, sort(findings(schema), patterns))


def findings(schema: Schema) -> tuple[Finding, ...]:
    """Return what every rule finds, weighed by the planned rows, worst first."""
    asked = (rule for rule in RULES if not subject_missing(rule, schema))
    found = (weigh(finding, schema) for rule in asked for finding in rule.findings(schema))
    order = {rule.id: place for place, rule in enumerate(RULES)}
    return tuple(sorted(found, key=lambda f: (f.severity.rank, order[f.rule], str(f.place))))


def weigh(finding: Finding, schema: Schema) -> Finding:
    """Return a finding that size decides as a note where its table is planned small, saying so."""
    rows = schema.plan.rows.get(finding.place.table)
    if rows is None or rows >= SMALL or finding.rule not in _SIZE_DECIDES:
        return finding
    message = f"{finding.message.rstrip('.')}; {rows:,} rows are planned, so it costs little."
    return replace(finding, severity=Severity.NOTE, message=message)


def sort(found: Sequence[Finding], patterns: Sequence[Pattern]) -> Sorted:
    """Part the findings into open and accepted ones; a pattern that accepts nothing is stale."""
    accepted: list[tuple[Finding, Pattern]] = []
    open_: list[Finding] = []
    used: set[Pattern] = set()
    for finding in found:
        fitting = [pattern for pattern in patterns if pattern.matches(finding)]
        used.update(fitting)
        if fitting:
            accepted.append((finding, fitting[0]))
        else:
            open_.append(finding)
    return Sorted(tuple(open_), tuple(accepted), tuple(p for p in patterns if p not in used))


def judge(schema: Schema, result: Sorted) -> Report:
    """Return the report of what stands and what is accepted."""
    weighty = tuple(finding for finding in result.open if finding.severity is not Severity.NOTE)
    blocks: list[Block] = []
    if weighty:
        blocks.append(Findings(weighty))
    blocks += _notes(result.open)
    blocks += _accepted(result)
    blocks += [_asked(schema, result), Text(" ".join((_NOT_ASKED, *_not_covered(schema))))]
    return Report(
        f"Lint of {schema.plan.name}",
        _verdict(schema, result),
        ok=not any(finding.severity is Severity.ERROR for finding in result.open),
        blocks=tuple(blocks),
        evidence=result.open,
        actions=weighty,
    )


def _verdict(schema: Schema, result: Sorted) -> str:
    counts = Counter(finding.severity for finding in result.open)
    asked = sum(not subject_missing(rule, schema) for rule in RULES)
    found = ", ".join(counted(counts[severity], str(severity)) for severity in Severity if counts[severity])
    origins = Counter(pattern.origin for _, pattern in result.accepted)
    aside = ", ".join(f"{number} {origin}" for origin, number in sorted(origins.items()))
    scope = f"{counted(asked, 'rule')} over {counted(len(schema.tables), 'table')}"
    return f"{found or 'nothing found'} from {scope}{f'; {aside}' if aside else ''}"


def _notes(found: Sequence[Finding]) -> list[Block]:
    """Return the notes folded, one part a rule, so that taste does not hide trouble."""
    notes = [finding for finding in found if finding.severity is Severity.NOTE]
    rules = dict.fromkeys(finding.rule for finding in notes)
    parts = []
    for rule in rules:
        own = tuple(finding for finding in notes if finding.rule == rule)
        parts.append(Section(rule, f"{counted(len(own), 'place')}: {own[0].why}", blocks=(Findings(own),), folded=True))
    if not parts:
        return []
    verdict = f"{counted(len(notes), 'note')} from {counted(len(rules), 'rule')}; none fails the plan"
    return [Section("Notes", verdict, blocks=tuple(parts), folded=True)]


def _accepted(result: Sorted) -> list[Block]:
    blocks: list[Block] = []
    if result.accepted:
        rows = [(f.key, str(f.severity), p.origin, p.reason or None) for f, p in result.accepted]
        headings = {"finding": "code", "severity": "severity", "state": "text", "reason": "text"}
        accepted = table(headings, rows, "Accepted findings")  # type: ignore[arg-type]
        verdict = f"{counted(len(rows), 'finding')} accepted, each with its reason where one is given"
        blocks.append(Section("Accepted", verdict, blocks=(accepted,), folded=True))
    stale = list(dict.fromkeys(f"`{p.text}` ({p.origin})" for p in _truly_stale(result)))
    if stale:
        blocks.append(Text(f"These accept nothing any more and can go: {', '.join(stale)}."))
    return blocks


def _truly_stale(result: Sorted) -> list[Pattern]:
    """Return the stale patterns, a table's waiver only when none of its three forms fits."""
    used = {(p.text.partition(":")[0], p.reason) for _, p in result.accepted if p.origin == "waived"}
    waived_ = [p for p in result.stale if p.origin == "waived" and not p.text.endswith(("*",))]
    return [p for p in result.stale if p.origin != "waived"] + [
        p for p in waived_ if (p.text.partition(":")[0], p.reason) not in used
    ]


def _asked(schema: Schema, result: Sorted) -> Section:
    """Return the table of rules: what each found, or why it was not asked."""
    found = Counter(finding.rule for finding in result.open)
    accepted = Counter(finding.rule for finding, _ in result.accepted)
    rows = []
    for rule in RULES:
        missing = subject_missing(rule, schema)
        state = missing or ("" if found[rule.id] or accepted[rule.id] else "clean")
        counts = (None, None) if missing else (found[rule.id], accepted[rule.id])
        rows.append((rule.id, str(rule.severity), *counts, state or None, rule.condition))
    asked = sum(not subject_missing(rule, schema) for rule in RULES)
    headings = {
        "rule": "code",
        "severity": "severity",
        "findings": "count",
        "accepted": "count",
        "state": "text",
        "condition": "text",
    }
    verdict = f"{asked} of {len(RULES)} rules apply, {len([n for n in found if found[n]])} found something"
    rules = table(headings, rows, "Lint rules")  # type: ignore[arg-type]
    return Section("Rules", verdict, blocks=(rules,), folded=True)


def _not_covered(schema: Schema) -> list[str]:
    views = [t.fullname for t in schema.plan.tables if is_view(t)]
    return [f"Views are left out: {listed(views)}."] if views else []


def fixes(found: Iterable[Finding]) -> str:
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
