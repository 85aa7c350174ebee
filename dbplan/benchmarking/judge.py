"""Judge: the facts of a measurement in, a Report out."""

from __future__ import annotations

from collections.abc import Iterator

from dbplan.benchmarking.facts import UNREADABLE, Explained, Failed, Gathered, Measured, NotMeasured
from dbplan.benchmarking.indexes import FEW_ROWS, is_small, unused, verdicts
from dbplan.benchmarking.scans import is_guess, scans
from dbplan.benchmarking.timing import median_interval
from dbplan.evidence import Finding, IndexVerdict, Place, PlanNode, Severity, Timing
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Block, Code, Dots, Findings, Section, Table, Text, table
from dbplan.report.cells import interval

TITLE = "Queries and indexes"


def judge(plan: Plan, facts: Gathered) -> Report:
    """Return the report: each query's time, plan and indexes, each index's use, and what to mend."""
    timings = tuple(_timing(measured, facts) for measured in facts.measured)
    judged = verdicts(plan, facts)
    findings = tuple(
        sorted(
            (*facts.refused, *_failures(facts), *scans(plan, facts), *_unmeasured(facts), *unused(facts, judged)),
            key=lambda f: f.severity.rank,
        )
    )
    worth_doing = tuple(finding for finding in findings if finding.severity is not Severity.NOTE)
    return Report(
        title=TITLE,
        verdict=_verdict(plan, facts, findings) + _refused(facts),
        ok=not (facts.failed or _refused(facts)),
        blocks=tuple(_blocks(plan, facts, timings, judged, findings)),
        evidence=(*timings, *judged, *findings, *((facts.server,) if facts.server else ())),
        actions=worth_doing,
        server=facts.server,
    )


def _timing(measured: Measured, facts: Gathered) -> Timing:
    from numpy import median, quantile

    low, high = median_interval(measured.samples, facts.random_state)
    nodes = [node for explained in measured.plans for node in explained.nodes]
    return Timing(
        query=measured.query,
        n=len(measured.samples),
        median=float(median(measured.samples)),
        low=low,
        high=high,
        p95=float(quantile(measured.samples, 0.95)),
        rows=measured.rows,
        per_second=measured.per_second,
        indexes=tuple(dict.fromkeys(_index_name(node) for node in nodes if node.index)),
        plan=measured.plans[0].nodes if measured.plans else (),
    )


def _index_name(node: PlanNode) -> str:
    return f"rowid of {node.relation}" if node.index == "rowid" else node.index


def _verdict(plan: Plan, facts: Gathered, findings: tuple[Finding, ...]) -> str:
    if not plan.queries:
        listed = _several(len(facts.indexes), "index is listed with its size", "indexes are listed with their sizes")
        return f"The plan asks no query, so nothing was timed; its {listed}."
    parts = {table.fullname for table in plan.tables if "partition_of" in table.info}  # counted with their table
    whole = [size for size in facts.tables if size.name not in parts]
    rows, tables = sum(size.rows for size in whole), _several(len(whole), "table", "tables")
    head = f"{len(facts.measured)} of {len(plan.queries)} queries measured on {rows:,} rows in {tables}"
    if facts.failed:
        return f"{head}; {_several(len(facts.failed), 'query fails', 'queries fail')}."
    if not facts.plans_covered:
        return f"{head}; plans are not covered on {facts.dialect}."
    if scanning := "; ".join(_scanning(plan, facts, findings)):
        return f"{head}; {scanning}."
    if all(is_small(size) for size in facts.tables):
        return f"{head}; too few rows to judge scans and indexes."
    return f"{head}; none reads a large table whole."


def _scanning(plan: Plan, facts: Gathered, findings: tuple[Finding, ...]) -> Iterator[str]:
    """Say how many queries read a large table whole: those to mend first, and apart what is only expected."""
    found = [finding for finding in findings if finding.rule == "query-scans-table"]
    warned = {finding.place.statement for finding in found if finding.severity is Severity.WARNING}
    meant = {finding.place.statement for finding in found} - warned
    guessed = {m.query for m in facts.measured if is_guess(plan.query(m.query), m)}
    if warned - guessed:
        yield f"{_several(len(warned - guessed), 'query reads', 'queries read')} a large table whole"
    if warned & guessed:
        yield f"{_several(len(warned & guessed), 'query is', 'queries are')} expected to read most of a large table"
    if meant - guessed:
        how = _several(len(meant - guessed), "query reads", "queries read")
        yield f"{how} a large table whole, but seldom, or to use much of it"
    if meant & guessed:
        yield f"{_several(len(meant & guessed), 'query', 'queries')} may read a large table whole"


def _refused(facts: Gathered) -> str:
    indexes = sum(finding.rule == "index-refused" for finding in facts.refused)
    return f" The server refuses {_several(indexes, 'index', 'indexes')} of the plan." if indexes else ""


def _several(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _failures(facts: Gathered) -> Iterator[Finding]:
    for failed in facts.failed:
        said = failed.message if failed.message.startswith(UNREADABLE) else f"the server says: {failed.message}"
        yield Finding("query-fails", Severity.ERROR, Place(statement=failed.query), said)


def _unmeasured(facts: Gathered) -> Iterator[Finding]:
    for query in facts.unmeasured:
        place = Place(statement=query.query)
        yield Finding("query-not-measured", Severity.NOTE, place, f"not measured: {query.reason}", query.mend)


def _blocks(
    plan: Plan,
    facts: Gathered,
    timings: tuple[Timing, ...],
    judged: tuple[IndexVerdict, ...],
    findings: tuple[Finding, ...],
) -> Iterator[Block]:
    if timings:
        yield Dots(timings, "Service time of each query")
    if plan.queries:
        yield _queries(facts, timings)
        yield Text(_how(facts))
    else:
        yield Text(
            'Name what the application asks: `plan = plan.ask("orders of a customer", select(…), per_second=50)`.'
        )
    if findings:
        yield Findings(findings)
    if judged:
        yield _indexes(judged)
    if small := _small(facts):
        yield Text(small)
    if not facts.plans_covered:
        yield Text(f"Query plans of {facts.dialect} are not covered: which indexes were used is not known here.")
    if any(measured.plans for measured in facts.measured):
        yield Section("Query plans", "", blocks=tuple(_plan(measured) for measured in facts.measured), folded=True)


def _queries(facts: Gathered, timings: tuple[Timing, ...]) -> Table:
    unknown: list[NotMeasured | Failed] = [*facts.unmeasured, *facts.failed]
    rows = [
        (t.query, measured.kind, t.per_second or None, t.rows, t.median, interval(t.median, t.low, t.high), t.p95, t.n,
         t.per_second * t.median if t.per_second else None, _used(measured, t))
        for measured, t in zip(facts.measured, timings, strict=True)
    ]  # fmt: skip
    rest = [(q.query, q.kind, q.per_second or None, None, None, None, None, None, None, None) for q in unknown]
    return table(
        {"query": "text", "kind": "text", "calls": "rate", "rows": "number", "median": "seconds",
         "95 % interval": "text", "p95": "seconds", "n": "count", "busy": "percent", "indexes used": "text"},
        [*rows, *rest],
        "Queries",
    )  # fmt: skip


def _used(measured: Measured, timing: Timing) -> str | None:
    if not measured.plans:
        return None
    return " · ".join(timing.indexes) or "none"


def _indexes(judged: tuple[IndexVerdict, ...]) -> Table:
    return table(
        {"table": "text", "index": "text", "verdict": "text", "used by": "text", "size": "bytes"},
        [(v.place.table, v.place.index, v.verdict, " · ".join(v.used_by) or None, v.size) for v in judged],
        "Indexes",
    )


def _how(facts: Gathered) -> str:
    said = [
        f"Service time: one client, from execute to the last row fetched, through SQLAlchemy Core and {facts.driver}; "
        f"queries mixed at random, {facts.warmups} executions of each first uncounted where time allows; "
        "the median with its 95 % bootstrap interval. `busy` is calls per second times the median.",
        "Values are drawn from rows of the data, so a value that many rows share is drawn as often.",
    ]
    if any(measured.kind == "write" for measured in facts.measured):
        said.append(
            "Each write is rolled back: its time holds the execution and its constraint checks, not the COMMIT."
        )
    return " ".join(said) + f" random_state {facts.random_state}."


def _small(facts: Gathered) -> str:
    names = [f"{size.name} ({size.rows:,})" for size in facts.tables if is_small(size)]
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (f", … ({len(names)} in all)" if len(names) > 12 else "")
    return f"Too few rows to judge scans and unused indexes (under {FEW_ROWS:,}): {shown}."


def _plan(measured: Measured) -> Section:
    blocks: list[Block] = [_code(explained) for explained in measured.plans if explained.nodes]
    if not blocks:
        blocks = [Text("It reads no table." if measured.plans else "The server cannot explain this statement.")]
    several = len(measured.plans) > 1
    verdict = f"{len(measured.plans)} different plans were seen with different values." if several else ""
    if measured.generic is not None:
        blocks.append(Text(f"As a prepared statement: {measured.custom} custom plans, {measured.generic} generic."))
    return Section(measured.query, verdict, blocks=tuple(blocks), folded=True)


def _code(explained: Explained) -> Code:
    return Code(tree(explained.nodes), "text", "The generic plan, made without values" if explained.generic else "")


def tree(nodes: tuple[PlanNode, ...]) -> str:
    """Return a query plan as indented lines."""
    return "\n".join("  " * node.depth + _line(node) for node in nodes)


def _line(node: PlanNode) -> str:
    words = (
        node.kind + (f" on {node.relation}" if node.relation else "") + (f" using {node.index}" if node.index else "")
    )
    if node.rows is not None:
        words += f"  {node.rows:,g} rows"
        words += f" (expected {node.estimated_rows:,g})" if node.estimated_rows is not None else ""
        words += f", {node.loops:,g} loops" if node.loops and node.loops > 1 else ""
    return words + (f"  [{node.detail}]" if node.detail else "")
