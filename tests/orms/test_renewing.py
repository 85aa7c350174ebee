"""Tables put back under a connected process: all that a scenario may change, whatever stands between."""

import psycopg
import pytest
from orms.library import PLAN

from dbplan import sandbox, seed
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.counting import meter
from dbplan.orms.deriving import derive
from dbplan.orms.referee import Entrant, Referee
from dbplan.orms.renewing import Renewal, may_renew, written
from dbplan.orms.scenarios import WRITES

ENTRANT = Entrant(CONTESTANTS["psycopg"], ())


@pytest.fixture(scope="module")
def referee():
    with sandbox(PLAN) as stage, meter("postgresql") as counts:
        seed(stage, rows=60)
        with stage.engine.begin() as connection:
            derived = derive(PLAN, connection)
        stage.engine.dispose()
        assert may_renew(counts.connection)
        yield Referee(stage, counts, derived.tables, Renewal(stage)), derived.scenarios


def rows(clone):
    names = [table.fullname for table in PLAN.tables]
    quoted = (".".join(f'"{part}"' for part in name.split(".")) for name in names)
    return {name: sorted(map(str, clone.connection.execute(f"TABLE {name}"))) for name in quoted}


@pytest.mark.parametrize("name", sorted(WRITES))
def test_what_a_scenario_writes_is_put_back(referee, name):
    judge, scenarios = referee
    if name not in scenarios:
        pytest.skip(f"the library has no {name}")
    with judge.clone(ENTRANT) as clone:
        before = rows(clone)
        clone.connection.execute("SET session_replication_role = replica")
        for table in written(PLAN, scenarios[name]):
            clone.connection.execute(f'DELETE FROM "{table.name}"')
        assert rows(clone) != before
        assert judge.renew([clone], scenarios[name]) == []
        assert rows(clone) == before


def test_rows_that_were_put_back_are_not_taken_for_new_ones(referee):
    judge, scenarios = referee
    with judge.clone(ENTRANT) as clone:
        before = rows(clone)
        judge.renew([clone], scenarios["insert_one"])
        assert judge.restore(clone, scenarios["insert_one"]) == 0
        assert rows(clone) == before


def test_a_table_that_somebody_holds_is_told(referee, monkeypatch):
    monkeypatch.setattr("dbplan.orms.renewing.PATIENCE", "50ms")
    judge, scenarios = referee
    table = written(PLAN, scenarios["insert_one"])[0]
    with (
        judge.clone(ENTRANT) as clone,
        judge.clone(ENTRANT) as free,
        psycopg.connect(clone.connection.info.dsn) as other,
    ):
        other.execute(f'LOCK TABLE "{table.name}"')
        assert judge.renew([clone, free], scenarios["insert_one"]) == [clone]
