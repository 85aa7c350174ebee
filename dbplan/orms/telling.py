"""Telling: the tables and plots of a comparison, by language and by question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf

from dbplan.evidence import Finding, OrmLoad, OrmRank, OrmStatements, OrmTiming
from dbplan.orms import plotting
from dbplan.orms.facts import MEASURED, Gathered, Taking
from dbplan.orms.features.questions import FEATURES
from dbplan.orms.judging import by_orm, is_different, several, tables
from dbplan.orms.load import CLOSED, ONE_ROW, OPEN
from dbplan.orms.ranking import rank_table
from dbplan.orms.scenarios import SCENARIOS, Scenario, involved
from dbplan.orms.twins import beside_itself, twin_table, twins
from dbplan.report.blocks import Block, Figure, Findings, Section, Table, Text, table
from dbplan.report.cells import Cell, Figures, estimate, show

NO_DIFFERENCE = "no difference"
WITH_HELP = "with help"


def blocks(
    facts: Gathered, told: Sequence[OrmTiming], ranked: Sequence[OrmRank], findings: Sequence[Finding]
) -> Iterator[Block]:
    """Yield the report: a section for each language, then what is asked of all."""
    for name in tables(facts):
        own = [one for one in ranked if one.table == name]
        yield Section(name, _verdict(facts, own, name), blocks=tuple(_language(facts, told, own, name)), judged=False)
    if facts.starts:
        yield Section("Start, memory, size", blocks=(_starts(facts, told), Text(_HOW_STARTED)))
    if facts.loads:
        yield Section("Under load", blocks=tuple(_loads(facts)))
    if facts.violations:
        yield Section("Errors on a unique violation", blocks=(_violations(facts),))
    if facts.features:
        yield Section("Features", blocks=tuple(_features(facts)))
    if findings:
        yield Section("What failed", blocks=(Findings(tuple(findings)),))
    yield Section("How it was measured", blocks=tuple(_method(facts, told)))
    if rest := list(_not_covered(facts)):
        yield Section(
            "Not covered", blocks=(table({"what": "text", "why": "text", "mend": "code"}, rest, "Not covered"),)
        )


def _features(facts: Gathered) -> Iterator[Block]:
    """Yield who can do what, and what was seen."""
    orms = [taker for taker in facts.entrants if any(one.orm == taker.orm for one in facts.features)]
    answers = {(one.feature, one.orm): one for one in facts.features}
    asked = dict.fromkeys(one.feature for one in facts.features)
    rows = [(FEATURES[name], *(answers[name, taker.orm].answer for taker in orms)) for name in asked]
    yield table({"feature": "text", **{taker.title: "text" for taker in orms}}, rows, "Features, probed by running")
    titles = {taker.orm: taker.title for taker in orms}
    seen = [
        (titles[one.orm], FEATURES[one.feature], one.answer, one.evidence) for one in facts.features if one.evidence
    ]
    headings = ("ORM", "feature", "answer", "what was seen")
    proof = table(dict.fromkeys(headings, "text"), seen, "What was seen of each feature")
    yield Section("What was seen", blocks=(proof,), folded=True)


def _takers(facts: Gathered, name: str) -> list[Taking]:
    """Return the contestants of a table, the raw driver that they are divided by first, without its second process."""
    found = [taker for taker in facts.entrants if taker.table == name and not taker.twin_of]
    return sorted(found, key=lambda taker: taker.orm != taker.baseline)


def _verdict(facts: Gathered, ranked: Sequence[OrmRank], name: str) -> str:
    if not ranked:
        return ""
    titles = {taker.orm: taker.title for taker in facts.entrants}
    head = f"Time as a multiple of {_takers(facts, name)[0].baseline}'s, geometric mean"
    counts = [several(one.scenarios, "scenario", "scenarios") for one in ranked]
    each = [f"{titles[one.orm]} {show(one.ratio, 'ratio')}" for one in ranked]
    if len(set(counts)) == 1:
        return f"{head} of {counts[0]}: {', '.join(each)}."
    return f"{head}: {', '.join(f'{one} ({count})' for one, count in zip(each, counts, strict=True))}."


def _language(facts: Gathered, told: Sequence[OrmTiming], ranked: Sequence[OrmRank], name: str) -> Iterator[Block]:
    takers = _takers(facts, name)
    orms = [taker for taker in takers if taker.orm != taker.baseline]
    rows = {(one.orm, one.scenario): one for one in told}
    if any(one.ratio for taker in orms for one in by_orm(told, taker.orm)):
        drawn = plotting.ratios(takers, facts.scenarios, rows)
        yield Figure(drawn.svg, drawn.alt, _HOW_DRAWN.format(takers[0].baseline))
    if ranked:
        yield rank_table(ranked, takers, name)
        yield Text(_HOW_RANKED)
    yield _comparison(facts, takers, rows, name)
    if reasons := list(_reasons(takers, told)):
        headings = {"contestant": "text", "scenarios": "text", "outcome": "text", "why": "text"}
        yield table(headings, reasons, f"{name}: what has no time, and what was helped")  # type: ignore[arg-type]
    yield from (Text(beside_itself(twin)) for twin in twins(facts, told) if twin.taker.table == name)
    if facts.statements:
        yield _statements(facts, takers, name)
        yield Text(_HOW_COUNTED)
        if growing := _growing(facts, takers, name):
            yield growing
    yield Section(f"{name}: every figure", blocks=(_figures(facts, takers, rows, name),), folded=True)


def _comparison(facts: Gathered, takers: Sequence[Taking], rows: dict[tuple[str, str], OrmTiming], name: str) -> Table:
    """Return a row a scenario: the raw driver's median, then each one's ratio to it with its interval."""
    found = []
    for scenario in facts.scenarios:
        cells = [_cell(rows.get((taker.orm, scenario)), taker) for taker in takers]
        found.append((SCENARIOS[scenario], *cells))
    kinds = {taker.title: "seconds" if taker.orm == taker.baseline else "ratio" for taker in takers}
    return table({"scenario": "text", **kinds}, found, f"{name}: median and ratio")  # type: ignore[dict-item]


def _reasons(takers: Sequence[Taking], told: Sequence[OrmTiming]) -> Iterator[tuple[str, str, str, str]]:
    """Yield why cells of a table hold no time, and what ORMs were helped with: contestant, scenarios, outcome, why."""
    for taker in takers:
        reasons: dict[tuple[str, str], list[str]] = {}
        for one in by_orm(told, taker.orm):
            why = (WITH_HELP, one.note) if one.outcome == MEASURED else (one.outcome, one.reason)
            reasons.setdefault(why, []).append(SCENARIOS[one.scenario])
        for (outcome, reason), names in reasons.items():
            if reason:
                yield taker.title, ", ".join(names), outcome, reason


def _cell(told: OrmTiming | None, taker: Taking) -> object:
    if told is None:
        return None
    if told.outcome != MEASURED:
        return told.outcome
    if taker.orm == taker.baseline:
        return estimate(told.median, told.low, told.high)
    if told.ratio is None:
        return show(told.median, "seconds")
    return _ratio(told)


def _ratio(told: OrmTiming) -> Figures | None:
    said = "" if told.ratio is None or is_different(told) else NO_DIFFERENCE
    return estimate(told.ratio, told.ratio_low, told.ratio_high, "ratio", said)


def _figures(facts: Gathered, takers: Sequence[Taking], rows: dict[tuple[str, str], OrmTiming], name: str) -> Table:
    found = [
        (SCENARIOS[one.scenario], taker.title, estimate(one.median, one.low, one.high),
         estimate(one.p95, one.p95_low, one.p95_high), estimate(one.p99, one.p99_low, one.p99_high), _ratio(one),
         one.n or None, one.rounds or None, one.memory, one.outcome, one.reason or one.note or None)
        for scenario in facts.scenarios
        for taker in takers
        if (one := rows.get((taker.orm, scenario))) is not None
    ]  # fmt: skip
    return table(
        {"scenario": "text", "contestant": "text", "p50": "seconds", "p95": "seconds", "p99": "seconds",
         "ratio": "ratio", "n": "count", "rounds": "count", "peak memory": "bytes", "outcome": "text", "note": "text"},
        found,
        f"{name}: every figure",
    )  # fmt: skip


def _statements(facts: Gathered, takers: Sequence[Taking], name: str) -> Table:
    counts = {(one.orm, one.scenario): one for one in facts.statements if one.parents is None}
    rows = [
        (SCENARIOS[scenario], *(_counted(counts.get((taker.orm, scenario))) for taker in takers))
        for scenario in facts.scenarios
    ]
    fields = {"scenario": "text", **{taker.title: "count" for taker in takers}}
    return table(fields, rows, f"{name}: statements of one call")  # type: ignore[arg-type]


def _counted(one: OrmStatements | None) -> Figures | None:
    if one is None:
        return None
    shown = Cell(show(one.statements, "count"), f"+ {one.control}" if one.control else _NONE_STEER)
    return Figures({"": one.statements, "control": one.control}, shown)


_NONE_STEER = "\u2007" * len("+ 2")
"""Spaces as wide as a digit, so that numbers stand under each other."""


def _growing(facts: Gathered, takers: Sequence[Taking], name: str) -> Table | None:
    """Return how statements grow with the parents asked for: a slope above 0 is N + 1."""
    counts = {(one.orm, one.parents): one.statements for one in facts.statements if one.parents is not None}
    sizes = sorted({parents for _, parents in counts if parents is not None})
    if len(sizes) < 2:
        return None
    rows = []
    for taker in takers:
        found = [counts.get((taker.orm, size)) for size in sizes]
        first, last = found[0], found[-1]
        slope = None if first is None or last is None else (last - first) / (sizes[-1] - sizes[0])
        rows.append((taker.title, *found, slope))
    fields = {"contestant": "text", **{f"N = {size}": "count" for size in sizes}, "a parent more": "number"}
    return table(fields, rows, f"{name}: statements for N parents with their children")  # type: ignore[arg-type]


def _starts(facts: Gathered, told: Sequence[OrmTiming]) -> Table:
    rows = []
    for one in facts.starts:
        peak = max((t.memory for t in by_orm(told, one.orm) if t.memory), default=None)
        grown = None if peak is None or one.memory is None else max(0, peak - one.memory)
        whole = estimate(one.whole, one.whole_low, one.whole_high)
        rows.append((one.title, one.table, one.version or None, one.driver or None, one.imported, one.opened, one.first,
                     whole, one.memory, grown, one.size, one.dependencies))  # fmt: skip
    return table(
        {"contestant": "text", "language": "text", "version": "text", "driver": "text", "import": "seconds",
         "models and connection": "seconds", "first query": "seconds", "cold start": "seconds",
         "memory once open": "bytes", "most on top": "bytes", "install": "bytes", "packages": "count"},
        rows,
        "Start, memory, size",
    )  # fmt: skip


def _loads(facts: Gathered) -> Iterator[Block]:
    titles = {taker.orm: taker.title for taker in facts.entrants}
    captions = {
        CLOSED: "Closed loop: each client asks again as soon as it has its answer",
        OPEN: "Open loop: calls are due at fixed times, and count from then",
        ONE_ROW: "All clients write the same row",
    }
    for kind, caption in captions.items():
        found = [load for load in facts.loads if load.kind == kind]
        if found:
            yield _load(found, titles, kind, f"{caption} ({SCENARIOS[found[0].scenario]}, {found[0].clients} clients)")


def _load(found: Sequence[OrmLoad], titles: dict[str, str], kind: str, caption: str) -> Table:
    fields: dict[str, str] = {"contestant": "text", "calls": "count", "throughput": "rate", "p50": "seconds",
                              "p95": "seconds", "p99": "seconds"}  # fmt: skip
    fields |= {"due": "rate", "late": "count", "skipped": "count"} if kind == OPEN else {}
    fields |= {"lost": "count"} if kind == ONE_ROW else {}
    rows = []
    for one in sorted(found, key=(lambda load: load.p95 or inf) if kind == OPEN else lambda load: -load.throughput):
        throughput = estimate(one.throughput or None, one.throughput_low, one.throughput_high, "rate")
        row = [titles[one.orm], one.done, throughput, one.median, one.p95, one.p99]
        row += [one.rate, one.late, one.skipped] if kind == OPEN else []
        row += [one.lost] if kind == ONE_ROW else []
        rows.append((*row, "; ".join(one.errors) or "none"))
    return table({**fields, "errors": "text"}, rows, caption)  # type: ignore[dict-item]


def _violations(facts: Gathered) -> Table:
    titles = {taker.orm: taker.title for taker in facts.entrants}
    rows = [
        (titles[one.orm], one.type or None, one.code or None, one.constraint or None, ", ".join(one.columns) or None,
         one.message.splitlines()[0][:120] if one.message else None) if one.raised
        else (titles[one.orm], "no error", None, None, None, None)
        for one in facts.violations
    ]  # fmt: skip
    return table(
        {
            "contestant": "text",
            "error": "code",
            "code": "text",
            "constraint": "code",
            "columns": "text",
            "says": "text",
        },
        rows,
        "What the error tells by its attributes",
    )


_HOW_DRAWN = (
    "Time as a multiple of {}'s, on a log axis: the dot is the median of the rounds' ratios, the line its 95 % "
    "interval. A line that crosses 1× is no difference."
)
_HOW_COUNTED = "`a + b`: a statements, and b that only steer transactions and sessions, such as BEGIN and COMMIT."
_HOW_RANKED = (
    "A place is one more than the number of those that are told to be quicker; those `level with` it are not told from "
    "it, though they may be from each other."
)

_HOW_STARTED = (
    "Each is started alone, in a process of its own. `cold start` is from the start of the process to the answer of "
    "the first query; `most on top` the most memory that a scenario took beyond what the process had once it was open."
)


def _method(facts: Gathered, told: Sequence[OrmTiming]) -> Iterator[Block]:
    rounds = max((one.rounds for one in told), default=0)
    shared = "While calls are timed, client and session keep to one core. " if facts.one_core else ""
    quick = " Measured quickly, in fewer rounds: ratios near 1 are not told apart." if facts.quick else ""
    yield Text(
        "Service time: one client, each contestant in a process and a database of its own, all copies of one template; "
        f"up to {facts.warm} calls first uncounted, then batches of the same calls in turns, in another order in each "
        f"of {rounds} rounds. The first of a batch of short calls only rouses process and session. {shared}Only a "
        "contestant whose rows, returned and left behind, equal the raw driver's has a time. A ratio is the "
        "median of the rounds' ratios with its bootstrap interval, widened by how far two processes of one driver lay "
        f"apart; where the interval holds 1 it says {NO_DIFFERENCE}. Over all scenarios "
        "two contestants are compared by their own rounds, which tells more than their ratios to the raw driver do. "
        f"random_state {facts.random_state}.{quick}"
    )
    if facts.runtimes:
        yield Text(f"Contestants run on {facts.runtimes}.")
    if facts.setting:
        yield Text(facts.setting)
    yield from (Text(f"{taker.title}: {taker.remark}") for taker in facts.entrants if taker.remark)
    if facts.forms:
        yield _forms(facts)
    yield table(
        {"scenario": "text", "of": "text", "in facts": "code"},
        [(SCENARIOS[name], _asked_of(one, facts.rows), name) for name, one in facts.scenarios.items()],
        "What each scenario asks of",
    )
    yield Text(
        "Statements are counted by the server (pg_stat_statements): those of one call, plus those that steer "
        "transactions and sessions (BEGIN, COMMIT, SAVEPOINT, SET, DEALLOCATE …)."
        if not facts.uncounted
        else f"Statements were not counted: {facts.uncounted}."
    )
    if found := twins(facts, told):
        yield twin_table(found)


def _asked_of(scenario: Scenario, rows: Mapping[str, int]) -> str:
    """Return the tables of a scenario, the one that it is about first, with their rows."""
    return ", ".join(f"{name} ({rows[name]:,} rows)" if name in rows else name for name in involved(scenario))


def _forms(facts: Gathered) -> Table:
    """Return how each stores what the server has no type for, as it was seen in rows that it inserted."""
    titles = {taker.orm: taker.title for taker in facts.entrants}
    kinds = sorted({kind for seen in facts.forms.values() for kind in seen})
    rows = [(titles[orm], *(seen.get(kind) for kind in kinds)) for orm, seen in facts.forms.items() if orm in titles]
    return table({"contestant": "text", **dict.fromkeys(kinds, "text")}, rows, "How values are stored")


def _not_covered(facts: Gathered) -> Iterator[tuple[object, ...]]:
    for one in facts.absent:
        yield one.title, f"{one.outcome}: {one.reason}", one.mend or None
    for name, why in facts.missing.items():
        yield SCENARIOS[name], why, None
    if facts.quick:
        yield "features", "not probed in a quick run", "the same command without --quick"
    for finding in facts.refused:
        yield str(finding.place) or finding.rule, finding.message, finding.mend or None
    yield from (("scenarios", note, None) for note in facts.notes)
    if facts.left_out:
        yield "columns left out", ", ".join(facts.left_out), None
