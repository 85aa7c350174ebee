"""lint(): every rule asked of a plan, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dbplan.evidence import Finding, Severity
from dbplan.linting.accepted import Pattern, baseline_of, ignored, waived
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
    if result.open and (said := _other_words(schema)):
        blocks.append(Text(said))
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


def _other_words(schema: Schema) -> str:
    """Return what is to be said of mends where the plan was written for a server of other words."""
    own = str(schema.plan.metadata.info.get("dialect") or "postgresql")
    if own in ("postgresql", "cockroachdb"):
        return ""
    name = {"mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite", "mssql": "SQL Server"}.get(own, own)
    return (
        f"The plan was written for {name}. The rules look at it as PostgreSQL would, and the mends are in its words: "
        f"take what a statement does, and say it in {name}'s."
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
    """Return the notes folded, so that taste does not hide trouble."""
    notes = tuple(finding for finding in found if finding.severity is Severity.NOTE)
    if not notes:
        return []
    rules = len({finding.rule for finding in notes})
    verdict = f"{counted(len(notes), 'note')} from {counted(rules, 'rule')}; none fails the plan"
    return [Section("Notes", verdict, blocks=(Findings(notes),), folded=True)]


def _accepted(result: Sorted) -> list[Block]:
    blocks: list[Block] = []
    if result.accepted:
        rows = [(f.key, str(f.severity), p.origin, p.reason or None) for f, p in result.accepted]
        headings = {"finding": "code", "severity": "severity", "state": "text", "reason": "text"}
        accepted = table(headings, rows, "Accepted findings")  # type: ignore[arg-type]
        verdict = f"{counted(len(rows), 'finding')} accepted, each with its reason where one is given"
        blocks.append(Section("Accepted", verdict, blocks=(accepted,), folded=True))
    if result.stale:
        stale = ", ".join(dict.fromkeys(f"`{pattern.text}` ({pattern.origin})" for pattern in result.stale))
        blocks.append(Text(f"These accept nothing any more and can go: {stale}."))
    return blocks


def _asked(schema: Schema, result: Sorted) -> Section:
    """Return what each rule found, or why it was not asked, and the names of those that found nothing."""
    found = Counter(finding.rule for finding in result.open)
    accepted = Counter(finding.rule for finding, _ in result.accepted)
    rows: list[tuple[object, ...]] = []
    clean: list[str] = []
    for rule in RULES:
        missing = subject_missing(rule, schema)
        if missing:
            rows.append((rule.id, str(rule.severity), None, None, missing))
        elif found[rule.id] or accepted[rule.id]:
            rows.append((rule.id, str(rule.severity), found[rule.id], accepted[rule.id], None))
        else:
            clean.append(f"`{rule.id}`")
    asked = sum(not subject_missing(rule, schema) for rule in RULES)
    verdict = f"{asked} of {len(RULES)} rules apply, {sum(n > 0 for n in found.values())} found something"
    headings = {"rule": "code", "severity": "severity", "findings": "count", "accepted": "count", "not asked": "text"}
    blocks: list[Block] = []
    if rows:
        blocks.append(table(headings, rows, "Lint rules"))  # type: ignore[arg-type]
    if clean:
        blocks.append(Text(f"{counted(len(clean), 'rule')} found nothing: {', '.join(clean)}."))
    return Section("Rules", verdict, blocks=tuple(blocks), folded=True)


def _not_covered(schema: Schema) -> list[str]:
    """Return sentences on what the plan holds, or could not hold, that no rule has seen."""
    views = [t.fullname for t in schema.plan.tables if is_view(t)]
    unread = [str(thing) for thing in schema.plan.metadata.info.get("not_covered", ())]
    said = [f"Views are left out: {listed(views)}."] if views else []
    return said + ([f"Not in the plan, so not asked about: {listed(unread)}."] if unread else [])
