"""Marks from recorded figures, scores, what weight changes the winner, and the document that says so."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.errors import UnknownName, UsageError
from dbplan.evidence import OrmFeature, OrmLoad, OrmRank, OrmStart, OrmStatements, OrmTiming, OrmViolation
from dbplan.orms.scoring import CRITERIA, Mark, Measured, marks, rank, weights
from dbplan.orms.selecting import NODE, OVERALL, PYTHON, document, select

DRIZZLE, PRISMA, TYPEORM = "drizzle", "prisma", "typeorm"
GROUP = [DRIZZLE, PRISMA, TYPEORM]


def timing(orm, median, scenario="point_read", **more):
    return OrmTiming(orm, scenario, "measured", median=median, low=median * 0.9, high=median * 1.1, **more)


MEASURED = Measured(
    timings=[
        timing("pg", 1e-4), timing("psycopg", 0.5e-4), timing("asyncpg", 2e-4), timing("pg", 2e-4, "upsert"),
        timing(DRIZZLE, 1.5e-4), timing(DRIZZLE, 3e-4, "upsert", note="raw SQL: no words for it"),
        timing(PRISMA, 3e-4), timing(PRISMA, 24e-4, "upsert"),
        timing(TYPEORM, 2e-4), OrmTiming(TYPEORM, "upsert", "wrong rows"),
        OrmTiming(TYPEORM, "aggregate", "not checked"), timing("tortoise", 1e-4), timing("sqlalchemy", 0.4e-4),
    ],
    statements=[OrmStatements("pg", "point_read", 1, 0, 0), OrmStatements("pg", "bulk_insert", 1, 0, 0),
                OrmStatements(PRISMA, "point_read", 2, 2, 1), OrmStatements(PRISMA, "bulk_insert", 100, 0, 0),
                OrmStatements(DRIZZLE, "point_read", 1, 0, 0)],
    starts=[OrmStart(PRISMA, "Prisma", "Node", whole=0.8, memory=90_000_000, size=40_000_000),
            OrmStart(DRIZZLE, "Drizzle", "Node", whole=0.4, memory=90_000_000, size=10_000_000)],
    loads=[OrmLoad(PRISMA, "point_read", "closed loop", 20, 2.0, 1000),
           OrmLoad("pg", "point_read", "closed loop", 20, 2.0, 4000),
           OrmLoad("psycopg", "point_read", "closed loop", 20, 2.0, 8000),
           OrmLoad(PRISMA, "transaction", "one row", 20, 1.0, 100, refused=10, lost=0),
           OrmLoad(TYPEORM, "transaction", "one row", 20, 1.0, 100, lost=1),
           OrmLoad(DRIZZLE, "transaction", "one row", 20, 0.0, 0, errors=("hung: no answer",))],
    violations=[OrmViolation(PRISMA, raised=True, type="P", code="P2002", columns=("email",)),
                OrmViolation(DRIZZLE, raised=True, type="D"), OrmViolation(TYPEORM, raised=False)],
    features=[OrmFeature(orm, feature, answer)
              for feature, answers in {"enums": ("yes", "yes", "yes"), "streaming": ("yes", "no", "not probed yet"),
                                       "json": ("yes", "partly", "no"), "upsert": ("no", "yes", "yes")}.items()
              for orm, answer in zip(GROUP, answers, strict=True)],
)  # fmt: skip


@pytest.mark.parametrize(
    ("criterion", "orm", "value"),
    [
        ("coverage", DRIZZLE, 0.75), ("coverage", PRISMA, 1.0), ("coverage", TYPEORM, 0.5),
        ("speed", DRIZZLE, 1 / 1.5), ("speed", PRISMA, 1 / 6), ("speed", TYPEORM, 0.5),
        ("statements", PRISMA, 1 / 20), ("statements", DRIZZLE, 1.0), ("load", PRISMA, 0.25),
        ("safety", PRISMA, 0.9), ("safety", TYPEORM, 0.0), ("safety", DRIZZLE, 0.0),
        ("errors", PRISMA, 1.0), ("errors", DRIZZLE, 0.0),
        ("errors", TYPEORM, 0.0), ("features", PRISMA, 2.5 / 3), ("features", DRIZZLE, 2 / 3),
        ("start", PRISMA, 0.5), ("start", DRIZZLE, 1.0), ("footprint", PRISMA, 0.5), ("footprint", DRIZZLE, 1.0),
    ],
)  # fmt: skip
def test_marks_are_made_of_what_was_measured(criterion, orm, value):
    assert marks(MEASURED, GROUP)[criterion][orm].value == pytest.approx(value)


def test_all_of_a_group_are_held_against_its_quickest_driver():
    speed = marks(MEASURED, ["tortoise", "sqlalchemy"])["speed"]
    assert speed["tortoise"].value == pytest.approx(0.5), "asyncpg is four times as slow as psycopg here"
    assert speed["sqlalchemy"].value == 1, "quicker than by hand is as good as it"
    assert marks(MEASURED, ["tortoise"])["speed"]["tortoise"].value == 1


def test_a_second_driver_of_a_language_counts_as_well():
    quicker = replace(MEASURED, timings=[*MEASURED.timings, timing("postgres", 0.5e-4)])
    assert marks(quicker, GROUP)["speed"][TYPEORM].value == pytest.approx(0.25)


def test_what_was_not_measured_has_no_mark_and_counts_for_nobody():
    found = marks(MEASURED, [DRIZZLE, PRISMA])
    assert DRIZZLE not in found["load"]
    ranking = rank("g", [DRIZZLE, PRISMA], found, weights({}))
    assert ranking.unweighed["load"] == "not measured of drizzle"
    assert "load" not in ranking.weights


def test_a_team_weighs_for_itself_and_no_other_criterion():
    assert weights({"speed": 9})["speed"] == 9
    assert weights({})["coverage"] == CRITERIA["coverage"].weight
    with pytest.raises(UnknownName, match="did you mean 'speed'"):
        weights({"sped": 1})
    with pytest.raises(UsageError, match="one at least is to count"):
        weights(dict.fromkeys(CRITERIA, 0))


def test_calls_that_were_refused_are_no_throughput():
    loads = [OrmLoad(PRISMA, "point_read", "closed loop", 20, 2.0, 1000, refused=600), *MEASURED.loads[1:]]
    assert marks(replace(MEASURED, loads=loads), GROUP)["load"][PRISMA].value == pytest.approx(400 / 4000)


def test_what_load_and_starts_vary_by_counts_as_what_speed_does():
    loads = [replace(MEASURED.loads[0], throughput_low=400.0, throughput_high=600.0), *MEASURED.loads[1:]]
    starts = [replace(MEASURED.starts[0], whole_low=0.7, whole_high=1.0), MEASURED.starts[1]]
    found = marks(replace(MEASURED, loads=loads, starts=starts), GROUP)
    assert found["load"][PRISMA].span == pytest.approx((0.2, 0.3))
    assert found["start"][PRISMA].span == pytest.approx((0.4, 0.4 / 0.7))
    assert found["start"][DRIZZLE].span == (1, 1)
    (score,) = rank("g", [PRISMA], found, weights(dict.fromkeys(CRITERIA, 0) | {"load": 1, "start": 1})).scores
    assert score.low == pytest.approx(score.score - (0.05**2 + 0.1**2) ** 0.5 / 2), "each errs for itself"


def test_two_are_level_where_the_interval_of_their_difference_holds_none():
    ways = {"a": Mark(0.5, "", 0.47, 0.53), "b": Mark(0.45, "", 0.42, 0.48), "c": Mark(0.46, "", 0.43, 0.49)}
    for other, tied in (("b", ("a",)), ("c", ("a", "c"))):
        found = {"speed": {name: ways[name] for name in ("a", other)}}
        assert rank("g", ["a", other], found, {"speed": 1.0}).tied == tied, "their own intervals meet in both"


def test_speed_varies_as_its_rounds_beside_the_driver_do():
    ranks = [OrmRank(PRISMA, "Node", 2, 3.0, 2.0, 4.0, place=1), OrmRank(DRIZZLE, "Node", 1, 3.0, 2.0, 4.0)]
    found = marks(replace(MEASURED, ranks=ranks), GROUP)["speed"]
    assert found[PRISMA].span == pytest.approx((1 / 8, 1 / 4))
    assert found[DRIZZLE].span == marks(MEASURED, GROUP)["speed"][DRIZZLE].span, "it has no place"


parts = st.integers(0, 20).map(lambda n: n / 20)


@given(st.lists(st.tuples(parts, parts, parts), min_size=2, max_size=5), st.tuples(*[st.integers(1, 9)] * 3))
def test_past_the_weight_that_is_named_another_is_first(table, weighed):
    names = [f"o{n}" for n in range(len(table))]
    given_ = {c: {o: Mark(row[i], "") for o, row in zip(names, table, strict=True)} for i, c in enumerate("abc")}
    used = dict(zip("abc", map(float, weighed), strict=True))
    before = rank("g", names, given_, used)
    for flip in before.flips:
        for share in (0.0, 0.5, 0.99):
            changed = used | {flip.criterion: flip.weight + share * (flip.instead - flip.weight)}
            assert rank("g", names, given_, changed).scores[0].score == pytest.approx(
                next(one.score for one in rank("g", names, given_, changed).scores if one.orm == before.winner)
            ), "before that weight the winner is still level with the best"
        at = {one.orm: one.score for one in rank("g", names, given_, used | {flip.criterion: flip.instead}).scores}
        if at:
            assert at[flip.winner] == pytest.approx(at[before.winner])


def test_the_document_says_who_is_taken_for_whom_and_what_follows(tmp_path):
    selection = select(MEASURED, {})
    assert [one.group for one in selection.rankings] == [NODE, PYTHON, OVERALL]
    text = document("shop", selection).save(tmp_path / "selection.md").read_text()
    for part in (
        "Context",
        "Options",
        "Evidence",
        "Decision",
        "Consequences",
        'plan "shop"',
        "is taken, with a score of",
    ):
        assert part in text


def test_one_alone_is_no_choice_and_one_language_has_no_ranking_over_both():
    of_node = replace(MEASURED, timings=[one for one in MEASURED.timings if one.orm in (*GROUP, "pg")])
    assert [one.group for one in select(of_node, {}).rankings] == [NODE]
    assert not select(replace(of_node, timings=[timing(PRISMA, 1e-4)]), {}).rankings


def test_nobody_measured_is_nobody_taken():
    assert select(Measured(), {}).verdict == "nothing to choose between"
