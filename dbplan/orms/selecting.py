"""Selecting: the document in which a team writes down which ORM it takes, and on what evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dbplan.evidence import (
    Fact,
    OrmFeature,
    OrmLoad,
    OrmRank,
    OrmScore,
    OrmStart,
    OrmStatements,
    OrmTiming,
    OrmViolation,
    Server,
)
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.scoring import CRITERIA, Flip, Measured, Ranking, marks, rank, weights
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Block, Section, Text, table
from dbplan.report.cells import Cell, Figures, estimate, show

PYTHON, NODE, OVERALL = "A Python team", "A Next.js team", "A team that may take either"
GOOD = 0.75
"""A mark below it is a consequence to live with."""


@dataclass(frozen=True)
class Selection:
    """The rankings of every group that holds two ORMs or more."""

    rankings: tuple[Ranking, ...]
    measured: Measured
    weights: Mapping[str, float]

    @property
    def verdict(self) -> str:
        """Who is taken, in one sentence, and what was measured of too few to count for it."""
        each = "; ".join(f"{_uncapital(one.group)}: {_winner(one)}" for one in self.rankings)
        left_out = [
            _uncapital(CRITERIA[name].title)
            for name, weight in self.weights.items()
            if weight and any(name in one.unweighed for one in self.rankings)
        ]
        but = f"; {_listed(left_out)} not weighed" if left_out else ""
        return f"{each[0].upper()}{each[1:]}{but}" if each else "nothing to choose between"


def select(found: Measured, priorities: Mapping[str, float]) -> Selection:
    """Rank the ORMs that were measured, those of Python, those of Node, and all.

    Raises UnknownName for a priority that is no criterion.
    """
    there = [name for name, one in CONTESTANTS.items() if not one.is_driver and _took_part(name, found)]
    node = [name for name in there if CONTESTANTS[name].is_node]
    python = [name for name in there if name not in node]
    groups = {NODE: node, PYTHON: python, OVERALL: there if node and python else []}
    weighed = weights(priorities)
    rankings = (rank(group, names, marks(found, names), weighed) for group, names in groups.items() if len(names) > 1)
    return Selection(tuple(rankings), found, weighed)


def _took_part(name: str, found: Measured) -> bool:
    return any(one.orm == name and one.outcome == "measured" for one in found.timings)


def selection(plan: Plan, report: Report) -> Report:
    """Return the selection document of a comparison of a plan: which ORM is taken, for whom, and what follows.

    The plan's priorities weigh; `.save("docs/orm/selection.md")` writes it. Raises UnknownName for one that is no mark.
    """
    return document(plan.name, select(measured(report.evidence), plan.priorities), report.server)


def measured(evidence: Iterable[Fact]) -> Measured:
    """Return what counts for marks among the evidence of a report."""
    facts = list(evidence)
    return Measured(
        timings=[one for one in facts if isinstance(one, OrmTiming)],
        statements=[one for one in facts if isinstance(one, OrmStatements)],
        starts=[one for one in facts if isinstance(one, OrmStart)],
        loads=[one for one in facts if isinstance(one, OrmLoad)],
        violations=[one for one in facts if isinstance(one, OrmViolation)],
        features=[one for one in facts if isinstance(one, OrmFeature)],
        ranks=[one for one in facts if isinstance(one, OrmRank)],
    )


def document(plan: str, selection: Selection, server: Server | None = None) -> Report:
    """Return the decision as a document: context, options, and for each team evidence, decision, consequences."""
    blocks: list[Block] = [_context(plan, server), _options(selection), criteria(selection), *teams(selection)]
    scores = tuple(score for ranking in selection.rankings for score in ranking.scores)
    return Report(f"Which ORM: {plan}", selection.verdict, blocks=tuple(blocks), evidence=scores, judged=False)


def teams(selection: Selection) -> list[Section]:
    """Return for each team what it takes, on what evidence, and what follows."""
    return [_team(ranking) for ranking in selection.rankings]


def criteria(selection: Selection) -> Section:
    """Return what was weighed, and how much."""
    rows = [(CRITERIA[name].title, weight, CRITERIA[name].meaning, name) for name, weight in selection.weights.items()]
    headings = {"Criterion": "text", "Weight": "number", "A mark of 1 means": "text", "In priorities": "code"}
    return Section(
        "Criteria",
        blocks=(table(headings, rows, "Weights of the criteria"),),  # type: ignore[arg-type]
    )


def _context(plan: str, server: Server | None) -> Section:
    where = f" They were measured on {server}." if server is not None else ""
    return Section(
        "Context",
        blocks=(
            Text(
                f'The team has the schema of plan "{plan}" and must choose what its application speaks to the database '
                f"with. Every ORM ran the same scenarios on that schema's own tables; only results equal to the raw "
                f"driver's count.{where}"
            ),
        ),
    )


def _options(selection: Selection) -> Section:
    starts = {one.orm: one for one in selection.measured.starts}
    known = sorted({score.orm for ranking in selection.rankings for score in ranking.scores})
    rows = [
        (CONTESTANTS[n].title, CONTESTANTS[n].table, starts[n].version, starts[n].driver) for n in known if n in starts
    ]
    return Section(
        "Options",
        blocks=(
            table({"ORM": "text", "Runs on": "text", "Version": "text", "Driver": "text"}, rows, "What took part"),
        ),
    )


def _team(ranking: Ranking) -> Section:
    return Section(
        ranking.group,
        blocks=(
            Section("Decision", blocks=(Text(_decision(ranking)),)),
            Section("Evidence", blocks=tuple(_evidence(ranking))),
            Section("Consequences", blocks=tuple(_consequences(ranking))),
        ),
    )


def _winner(ranking: Ranking) -> str:
    if not ranking.scores:
        return "nothing could be weighed"
    title = CONTESTANTS[ranking.winner].title
    others = [CONTESTANTS[orm].title for orm in ranking.tied if orm != ranking.winner]
    return f"{title}, level with {_listed(others)}" if others else title


def _evidence(ranking: Ranking) -> Iterable[Block]:
    titles = [CRITERIA[name].title for name in ranking.weights if name not in ranking.unweighed]
    headings = {"ORM": "text", **dict.fromkeys(("Score", *titles), "number")}
    rows = [_row(score) for score in ranking.scores]
    yield table(headings, rows, f"{ranking.group}: marks from 0 to 1")  # type: ignore[arg-type]
    for name, why in ranking.unweighed.items():
        yield Text(f"{CRITERIA[name].title} was not weighed: {why}.")


def _row(score: OrmScore) -> tuple[object, ...]:
    marked = (value for _, value, _ in score.marks)
    return CONTESTANTS[score.orm].title, estimate(score.score, score.low, score.high, "number"), *marked


def _decision(ranking: Ranking) -> str:
    if not ranking.scores:
        return "No criterion was measured of all of them, so that none is taken."
    first, *others = ranking.scores
    said = f"**{CONTESTANTS[first.orm].title}** is taken, with a score of {first.score:.2f}"
    if not others:
        return f"{said}."
    behind = f"; {CONTESTANTS[others[0].orm].title} follows with {others[0].score:.2f}"
    tied = [CONTESTANTS[orm].title for orm in ranking.tied if orm != first.orm]
    level = f" The figures do not tell it from {_listed(tied)}: there, habit may decide." if tied else ""
    return f"{said}{behind}.{level}"


def _consequences(ranking: Ranking) -> Iterable[Block]:
    if not ranking.scores:
        return
    first = ranking.scores[0]
    weak = [f"{CRITERIA[name].title} {value:.2f}: {said}." for name, value, said in first.marks if value < GOOD]
    title = CONTESTANTS[first.orm].title
    yield Text(f"What {title} is weak in: {' '.join(weak)}" if weak else f"No mark of {title} is below {GOOD:g}.")
    near = sorted(ranking.flips, key=lambda flip: abs(flip.instead - flip.weight))
    if near:
        yield _sensitivity(ranking.group, near)
    else:
        yield Text("No single weight, however high or low, puts another one first.")


def _sensitivity(group: str, flips: Sequence[Flip]) -> Block:
    rows = [(CRITERIA[f.criterion].title, f.weight, _from(f), CONTESTANTS[f.winner].title) for f in flips]
    headings = {"Criterion": "text", "Weight": "number", "Another is first": "number", "Which": "text"}
    return table(headings, rows, f"{group}: what would change the decision, one weight at a time")  # type: ignore[arg-type]


def _from(flip: Flip) -> Figures:
    side = "above" if flip.instead > flip.weight else "below"
    return Figures({"": flip.instead}, Cell(f"{side} {show(flip.instead, 'number')}"))


def _uncapital(words: str) -> str:
    return f"{words[0].lower()}{words[1:]}"


def _listed(titles: Sequence[str]) -> str:
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)
