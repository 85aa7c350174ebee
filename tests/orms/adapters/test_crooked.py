"""psycopg by hand, asyncpg by hand and SQLAlchemy in its five forms agree on crooked names, keys and types."""

import pytest
from orms.adapters.contest import FACTS, answers, runner, state
from orms.adapters.crooked import ALL, CASES, FIRST, METADATA, NEW, PARENTS, ROWS, TWINS, C, P
from sqlalchemy import event

from dbplan import export, read, sandbox
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.scenarios import WRITES, Link, Scenario, TableFacts

MINE = ("asyncpg", "sqlalchemy-core", "sqlalchemy", "sqlalchemy-async", "sqlmodel", "sqlmodel-async")


@pytest.fixture(scope="module", autouse=True)
def key():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBPLAN_ENCRYPTION_KEY", "development")
        yield


@pytest.fixture(scope="module")
def stage(key):
    with sandbox(read(METADATA)) as opened:
        with opened.engine.begin() as connection:
            for table, rows in ROWS.items():
                connection.execute(table.insert(), rows)
        opened.engine.dispose()
        yield opened


@pytest.fixture(scope="module")
def models(stage, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crooked")
    for target in ("models", "sqlmodel"):
        (folder / target).mkdir()
        export(stage.plan, target).save(folder / target / "models.py")
    return folder


@pytest.fixture(scope="module")
def truth(stage, models):
    return told("psycopg", stage, models)


def told(name, stage, models):
    """Return what a contestant answers, and the rows that a write leaves."""
    folder, found = models / (CONTESTANTS[name].export or ""), {}
    reads = {case: it for case, it in CASES.items() if it[0].name not in WRITES}
    with runner(name, stage, folder) as one:
        found |= {case: answers(one, *it) for case, it in reads.items()}
    for case, it in CASES.items():
        if case not in reads:
            with stage.clone() as copy:
                with runner(name, copy, folder) as one:
                    found[case] = answers(one, *it)
                found[case] = found[case], state(copy)
    return found


def test_the_reference_says_what_is_there(truth):
    assert [row and row['say "hi"'] for row in truth["read"]] == ["a: %s 1", None]
    assert truth["read"][0]["mood"] == "GLAD"
    assert [[row["n)"] for row in page] for page in truth["list by enum"]] == [[3, 1], [2]]
    with_parents = truth["list with parents"][0]
    assert [(row["id"], row["parent"] and row["parent"]["key:"]) for row in with_parents] == [
        (4, "ß%"), (5, "a:"), (7, None), (9, None),
    ]  # fmt: skip
    assert [[c["id"] for c in row["children"]] for row in truth["include"][0]] == [[3, 5], [4]]
    assert [[len(c["children"]) for c in row["children"]] for row in truth["deep"][0]] == [[0, 1], [1]]
    assert truth["include nothing"] == [[]]
    assert truth["aggregate"] == [
        [{"group": "GLAD", "count": 3, "total": "0.625"}, {"group": "SO_SO", "count": 1, "total": "0.25"}]
    ]
    assert [row["total"] for row in truth["aggregate without total"][0]] == [None, None]
    assert truth["update"][0] == [1, 0]
    assert [row["n)"] for row in truth["page"][0]] == [1, 2]
    assert [row["id"] for row in truth["page backwards"][0]] == [5, 4]
    assert truth["bulk"][0] == [30]
    assert len(truth["bulk"][1][P]) == len(ROWS[PARENTS]) + 30
    assert [len(truth["cascade"][1][name]) for name in (P, C, TWINS.key)] == [2, 2, 0]


@pytest.mark.parametrize("name", MINE)
def test_all_agree(truth, stage, models, name):
    found = told(name, stage, models)
    assert {case: answer for case, answer in found.items() if answer != truth[case]} == {}


@pytest.mark.parametrize("name", ["psycopg", *MINE])
def test_a_unique_violation_tells_its_constraint(stage, models, name):
    with runner(name, stage, models / (CONTESTANTS[name].export or "")) as one:
        one.bind(vars(Scenario("insert_one", TWINS.key, ALL[TWINS])))
        told = one.violate([{"row": {"of": 3, "metadata": "five"}}])
    assert told["raised"]
    assert (told["code"], told["constraint"]) == ("23505", "one of each")


@pytest.mark.parametrize("name", ["psycopg", *MINE])
def test_a_row_to_lock_that_is_gone_leaves_nothing_behind(stage, models, name):
    scenario, (params,) = CASES["transaction"]
    gone = {**params, "key": FIRST | {"n)": -1}}
    before = state(stage)
    with (
        runner(name, stage, models / (CONTESTANTS[name].export or "")) as one,
        pytest.raises(LookupError, match="the row to lock is not there"),
    ):
        answers(one, scenario, [gone])
    assert state(stage) == before


@pytest.mark.parametrize("name", ["psycopg", *MINE])
def test_many_clients_at_once(stage, models, name):
    scenario, params = CASES["include"]
    with runner(name, stage, models / (CONTESTANTS[name].export or "")) as one:
        one.bind(vars(scenario) | {"children": vars(scenario.children)})
        told = one.load(params * 40, clients=8)
    assert (told["done"], told["errors"]) == (40, {})


@pytest.mark.parametrize("name", MINE[2:])
def test_a_table_without_a_key_is_not_covered(stage, models, name):
    tables = FACTS | {"no key": TableFacts("no key", None, (), {"said": {"kind": "text", "nullable": True}})}
    with runner(name, stage, models / CONTESTANTS[name].export, tables) as one:
        told = one.bind(vars(Scenario("insert_one", "no key", ("said",))))
    assert told == {"not_covered": "the models have no class for no key: the ORM maps only tables with a primary key"}


@pytest.mark.parametrize("name", ["sqlalchemy", "sqlmodel"])
def test_a_relation_that_the_models_do_not_have_is_not_covered(stage, models, name):
    link = Link(C, ("id",), (("n)", "id"),), ("id",))
    with runner(name, stage, models / CONTESTANTS[name].export) as one:
        told = one.bind(vars(Scenario("nested_include", P, ("n)",))) | {"children": vars(link)})
    assert told == {"not_covered": "the models have no relationship from Über Café.50% off to child's (n) = id)"}


@pytest.mark.parametrize("name", MINE[1:])
def test_statements_are_as_few_as_by_hand(stage, models, name):
    seen, counts = [], {}
    with stage.clone() as copy, runner(name, copy, models / CONTESTANTS[name].export) as one:
        engine = getattr(one.db.engine, "sync_engine", one.db.engine)
        event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        for case in ("list with parents", "include", "deep", "transaction"):
            scenario, params = CASES[case]
            answers(one, scenario, params[:1])
            counts[case] = len(seen)
            seen.clear()
    assert counts == {"list with parents": 1, "include": 2, "deep": 3, "transaction": 3}


def test_a_digest_is_bound_as_it_was_read(stage, models):
    with runner("sqlalchemy", stage, models / "models") as one:
        one.bind(vars(Scenario("insert_one", P, tuple(NEW))))
        (given,) = one.adapted([{"row": NEW}])
    assert type(given["row"]["token"]).__name__ == "Hashed"
    assert given["row"]["mood"].name == "SO_SO"
