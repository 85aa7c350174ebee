"""Judge: a rehearsal as a Report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dbplan.evidence import Difference, Finding, Severity, Step
from dbplan.migration.facts import BEFORE, SINCE, Rehearsal, Rehearsed
from dbplan.migration.rules import RULES
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Block, Code, Findings, Section, Table, Text, table

TITLE = "Migrations"
_CAPTION = f"Each revision on a copy of its own; {BEFORE} are from before the upgrade, {SINCE} written since"


def judge(plan: Plan, rehearsal: Rehearsal) -> Report:
    """Return the report of a rehearsal; it is not ok when a rule of severity error finds something."""
    findings = tuple(_advised(finding, rule.mend) for rule in RULES for finding in rule.findings(rehearsal))
    ok = not any(finding.severity is Severity.ERROR for finding in findings) and not rehearsal.not_reached
    return Report(
        title=TITLE,
        verdict=_verdict(rehearsal, findings),
        ok=ok,
        blocks=tuple(_blocks(plan, rehearsal, findings)),
        evidence=(
            *(s for seen in rehearsal.revisions for s in seen.steps),
            *(rehearsal.drift or ()),
            *findings,
            rehearsal.server,
        ),
        actions=tuple(sorted((f for f in findings if f.severity is not Severity.NOTE), key=lambda f: f.severity.rank)),
        server=rehearsal.server,
    )


def _advised(finding: Finding, mend: str) -> Finding:
    """Return a finding whose why ends in what to do, for few of these faults have a mend that could be copied."""
    return replace(finding, why=f"{finding.why}: {mend}")


def nothing_to_rehearse(plan: Plan) -> Report:
    """Return the report of a plan that names no folder of migrations."""
    return Report(
        TITLE,
        f'Plan "{plan.name}" has no migrations: nothing was rehearsed.',
        blocks=(
            Text("Migrations start with a folder, its name in `pyproject.toml`, and a first revision:"),
            Code(_beginning(plan), "shell"),
        ),
    )


def no_revisions(plan: Plan) -> Report:
    """Return the report of a folder of migrations without a revision."""
    found = plan.migrations.glob("**/*.py") if plan.migrations else ()
    inner = sorted({str(path.parent.name) for path in found if path.parent != plan.migrations})
    elsewhere = f" Python files lie in folders below it, which are not read: {', '.join(inner)}." if inner else ""
    return Report(
        TITLE,
        f'The migrations of "{plan.name}" hold no revision: nothing was rehearsed.{elsewhere}',
        blocks=(Code('alembic revision --autogenerate -m "initial"', "shell"),),
    )


def _beginning(plan: Plan) -> str:
    return (
        "alembic init migrations\n"
        f'# pyproject.toml: [tool.dbplan.plans.{plan.name}] migrations = "migrations"\n'
        'alembic revision --autogenerate -m "initial"\n'
        f"dbplan migrate dry-run {plan.name}"
    )


def _verdict(rehearsal: Rehearsal, findings: tuple[Finding, ...]) -> str:
    whole = len(rehearsal.revisions) + len(rehearsal.not_reached)
    complete = sum(_complete(seen) for seen in rehearsal.revisions)
    word = "revision" if whole == 1 else "revisions"
    parts = [f"{complete} of {whole} {word} rehearsed up, down and up", *_troubles(rehearsal, findings)]
    return "; ".join(parts)


def _troubles(rehearsal: Rehearsal, findings: tuple[Finding, ...]) -> Iterator[str]:
    """Yield what went wrong, or that nothing did."""
    rules = {f.rule for f in findings if f.severity is Severity.ERROR}
    if "multiple-heads" in rules:
        yield f"{len(rehearsal.heads)} heads"
    if failing := [seen.revision.id for seen in rehearsal.revisions if _fails(seen)]:
        yield f"{_listed(failing)} {'fails' if len(failing) == 1 else 'fail'}"
    if rules & {"upgrade-loses-data", "downgrade-loses-data"}:
        yield "data is lost"
    if "downgrade-missing" in rules:
        yield "no way back from " + _listed(_at(findings, "downgrade-missing"))
    if "downgrade-schema-differs" in rules:
        yield f"schema not restored by {_listed(_at(findings, 'downgrade-schema-differs'))}"
    elif all(seen.restored is not None or seen.revision.one_way for seen in rehearsal.revisions):
        yield "schema restored"
    if rehearsal.drift is None:
        yield "models not compared"
    elif drifted := sum(finding.rule == "model-drift" for finding in findings):
        yield f"{drifted} difference{'s' if drifted > 1 else ''} between models and migrations"
    else:
        yield "models and migrations agree"


def _complete(seen: Rehearsed) -> bool:
    return seen.repeated is not None


def _fails(seen: Rehearsed) -> bool:
    return any(step.error and step.place.statement != SINCE for step in seen.steps)


def _at(findings: tuple[Finding, ...], rule: str) -> list[str]:
    return list(dict.fromkeys(finding.place.revision for finding in findings if finding.rule == rule))


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _blocks(plan: Plan, rehearsal: Rehearsal, findings: tuple[Finding, ...]) -> Iterator[Block]:
    if findings:
        yield Findings(findings)
    yield _step_table(rehearsal)
    yield from _notes(rehearsal)
    if listings := tuple(_listings(rehearsal)):
        yield Section(
            "Statements",
            f"What `alembic upgrade --sql` writes for {plan.name}, revision by revision.",
            blocks=listings,
            folded=True,
        )


def _step_table(rehearsal: Rehearsal) -> Table:
    headings = {"revision": "code", "direction": "text", "on": "text", "seconds": "seconds",
                "rows before": "count", "rows after": "count", "schema": "text"}  # fmt: skip
    rows = [_row(seen, step) for seen in rehearsal.revisions for step in seen.steps]
    return table(headings, rows, _CAPTION)  # type: ignore[arg-type]


def _row(seen: Rehearsed, step: Step) -> tuple[object, ...]:
    ended = f"failed: {step.error}" if step.error else _changes(step.differences)
    return (seen.revision.id, step.direction, step.place.statement, step.seconds,
            step.rows_before, step.rows_after, ended)  # fmt: skip


def _changes(differences: tuple[Difference, ...]) -> str:
    count = len(differences)
    return f"{count} change{'s' if count > 1 else ''}" if count else "unchanged"


def _notes(rehearsal: Rehearsal) -> Iterator[Text]:
    """Yield what the rehearsal does not show."""
    for seen in rehearsal.revisions:
        if seen.unseeded:
            yield Text(f"{seen.revision.id} was rehearsed on empty tables: {seen.unseeded}.")
        if seen.no_sql:
            yield Text(f"{seen.revision.id} has no offline SQL: {seen.no_sql}.")
    if rehearsal.not_reached:
        names = _listed([revision.id for revision in rehearsal.not_reached])
        yield Text(f"Not rehearsed, behind a revision that fails: {names}.")
    if rehearsal.drift is None:
        yield Text("Models and migrations were not compared: the head was not reached.")
    if rehearsal.server.product == "SQLite":
        yield Text(
            "SQLite cannot show what a revision locks, and it keeps no comments and few types apart: "
            "for that rehearse on PostgreSQL."
        )
    else:
        yield Text("What a revision locks, and for how long at the planned volume, is not measured here.")


def _listings(rehearsal: Rehearsal) -> Iterator[Code]:
    for seen in rehearsal.revisions:
        if seen.sql:
            yield Code(seen.sql.strip(), "sql", f"{seen.revision.id} {seen.revision.title}".strip())
