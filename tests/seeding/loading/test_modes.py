"""Ways to fill a database that holds something: the same rows, another run's, rows to empty or to add to."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, insert, inspect, select, text

from dbplan.connection import new_engine
from dbplan.domains.credits import PLAN
from dbplan.errors import CannotWrite, NotCovered, Unsatisfiable, UsageError
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import filling, seed
from dbplan.seeding.loading import chunked, ledger, longrun, writing
from dbplan.sources import read
from dbplan.sources.catalog import LEDGER, snapshot

ROWS = {"users": 40, "transactions": 300, "audit_logs": 200, "idempotency_records": 20}
TOTAL = "560 rows"


@pytest.fixture
def engine(tmp_path):
    made = new_engine(f"sqlite:///{tmp_path / 'dev.db'}")
    PLAN.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def in_chunks(monkeypatch):
    """Let a few rows be many."""
    monkeypatch.setattr(filling, "LARGE", 100)
    monkeypatch.setattr(chunked, "TASK", 50)
    monkeypatch.setattr(writing, "CHUNK", 20)


def content(engine, plan=PLAN):
    with engine.connect() as connection:
        return {str(t.key): connection.execute(select(t).order_by(*t.primary_key.columns)).all() for t in plan.tables}


def stopping(at):
    """Return a progress that ends the run as Ctrl-C does, once there are so many rows."""

    def progress(done, _total, _doing):
        if done >= at:
            raise KeyboardInterrupt

    return progress


def test_the_same_rows_are_found_and_left_alone(engine):
    seed(engine, PLAN, rows=ROWS)
    before = content(engine)
    report = seed(engine, PLAN, rows=ROWS)
    assert report.ok
    assert report.verdict == f"nothing to do, the same {TOTAL} are there"
    assert content(engine) == before


def test_other_rows_as_many_are_not_the_same(engine):
    seed(engine, PLAN, rows=ROWS, random_state=8)
    with pytest.raises(UsageError, match="--append adds to them, --truncate empties"):
        seed(engine, PLAN, rows=ROWS)


def test_chunks_write_what_one_transaction_does(engine, in_chunks, tmp_path, monkeypatch):
    told = []
    report = seed(engine, PLAN, rows=ROWS, progress=lambda *said: told.append(said))
    assert report.verdict == f"{TOTAL} in 4 tables, 0 violations"
    assert told[-1][:2] == (560, 560)
    assert not inspect(engine).has_table(LEDGER)
    monkeypatch.setattr(filling, "LARGE", 10_000)
    other = new_engine(f"sqlite:///{tmp_path / 'whole.db'}")
    PLAN.metadata.create_all(other)
    seed(other, PLAN, rows=ROWS)
    assert content(other) == content(engine)
    other.dispose()


def test_ctrl_c_says_what_is_kept_and_the_same_call_goes_on(engine, in_chunks):
    with pytest.raises(KeyboardInterrupt) as stopped:
        seed(engine, PLAN, rows=ROWS, progress=stopping(250))
    assert "what is written is kept; the same command goes on from there" in stopped.value.__notes__
    assert 0 < sum(map(len, content(engine).values())) < 560
    told = []
    seed(engine, PLAN, rows=ROWS, progress=lambda done, *_: told.append(done))
    assert told[0] >= 200
    assert sum(map(len, content(engine).values())) == 560


def test_ctrl_c_of_a_small_run_keeps_nothing_and_says_so(engine):
    with pytest.raises(KeyboardInterrupt) as stopped:
        seed(engine, PLAN, rows=ROWS, progress=stopping(1))
    assert stopped.value.__notes__ == ["nothing was kept"]
    assert not any(content(engine).values())


def test_no_reading_of_the_schema_tells_of_a_run_under_way(engine, in_chunks):
    with engine.connect() as connection:
        before = snapshot(connection)
    with pytest.raises(KeyboardInterrupt):
        seed(engine, PLAN, rows=ROWS, progress=stopping(250))
    assert inspect(engine).has_table(LEDGER)
    with engine.connect() as connection:
        assert snapshot(connection) == before
    assert set(read(str(engine.url)).metadata.tables) == set(PLAN.metadata.tables)


def test_another_runs_ledger_is_refused_and_truncate_begins_anew(engine, in_chunks):
    with pytest.raises(KeyboardInterrupt):
        seed(engine, PLAN, rows=ROWS, progress=stopping(250))
    for other in ({"random_state": 8}, {"rows": ROWS | {"users": 41}}, {"append": True}):
        with pytest.raises(UsageError, match=f'another run: {TOTAL} of plan "credits", random state 7; run that again'):
            seed(engine, PLAN, **{"rows": ROWS} | other)
    assert seed(engine, PLAN, rows=ROWS, random_state=8, truncate=True).ok
    assert sum(map(len, content(engine).values())) == 560
    assert not inspect(engine).has_table(LEDGER)


def test_truncate_empties_first_and_says_how_many(engine):
    seed(engine, PLAN, rows=ROWS, random_state=8)
    before = content(engine)
    dry = seed(engine, PLAN, rows=ROWS, truncate=True, dry_run=True)
    assert "Would be removed first: 200 of audit_logs, 20 of idempotency_records" in str(dry.blocks)
    assert content(engine) == before
    report = seed(engine, PLAN, rows=ROWS, truncate=True)
    assert " tables were removed first: 200 of audit_logs, " in str(report.blocks)
    assert content(engine) != before


def test_a_truncate_that_fails_keeps_the_old_rows(engine):
    seed(engine, PLAN, rows=ROWS, random_state=8)
    before = content(engine)
    with pytest.raises(KeyboardInterrupt):
        seed(engine, PLAN, rows=ROWS, truncate=True, progress=stopping(100))
    assert content(engine) == before


def test_tables_that_others_refer_to_are_not_emptied(engine):
    seed(engine, PLAN, rows=ROWS)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE badges (id INTEGER PRIMARY KEY, user_id REFERENCES users (id))")
    with pytest.raises(UsageError, match="badges of sqlite.* refer to tables of the plan and are not in it"):
        seed(engine, PLAN, rows=ROWS, truncate=True)
    assert sum(map(len, content(engine).values())) == 560


@pytest.mark.parametrize("name", ["transcription", "credits"])
def test_append_adds_more_each_time(name):
    plan = read(name)
    with sandbox(plan, on="sqlite") as stage:
        for turn in range(3):
            report = seed(stage, rows=60, append=True)
            assert report.ok, turn
        with stage.engine.connect() as connection:
            keys = [set(connection.execute(select(t.primary_key.columns)).all()) for t in plan.tables]
    fixed = 3 if name == "transcription" else 0
    assert max(map(len, keys)) == 3 * 60 + fixed


def numbered(rows):
    metadata = MetaData()
    Table("shelf", metadata, Column("id", Integer, primary_key=True), Column("mark", String(1), unique=True))
    Table("book", metadata, Column("id", Integer, primary_key=True), Column("shelf_id", ForeignKey("shelf.id")))
    return Plan("shelves", metadata, rows=rows)


def test_append_says_with_arithmetic_where_no_value_is_left(tmp_path):
    plan, engine = numbered({}), new_engine(f"sqlite:///{tmp_path / 'shelves.db'}")
    plan.metadata.create_all(engine)
    seed(engine, plan, rows={"shelf": 20, "book": 20}, append=True)
    with pytest.raises(Unsatisfiable, match=r"shelf.mark is unique and has \d+ values .*taken,? for 20 rows"):
        for _ in range(5):
            seed(engine, plan, rows={"shelf": 20, "book": 20}, append=True)
    with engine.connect() as connection:
        ids = connection.execute(select(plan.table("book").c.id).order_by("id")).scalars().all()
    assert ids == list(range(1, len(ids) + 1))
    engine.dispose()


def test_what_cannot_go_together_is_refused(engine):
    with pytest.raises(UsageError, match="append adds rows .* without truncate"):
        seed(engine, PLAN, rows=ROWS, append=True, truncate=True)
    with pytest.raises(NotCovered, match="not of sqlite"):
        seed(engine, PLAN, rows=ROWS, fast=True)


def test_a_dry_run_tells_rows_and_sizes_and_writes_nothing(engine):
    report = seed(engine, PLAN, rows=ROWS, dry_run=True)
    assert report.verdict.startswith("would write 560 rows in 4 tables, about ")
    assert set(report.frame["rows"]) == set(ROWS.values())
    assert (report.frame["bytes a row"] > 40).all()
    assert not any(content(engine).values())


FANCY = r'''
CREATE TABLE makers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(80) NOT NULL,
    "Code" varchar(20), CONSTRAINT "Odd ""name""" UNIQUE ("Code") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE parts (id integer NOT NULL, maker_id bigint NOT NULL, made date NOT NULL, grade integer CHECK (grade > 0));
ALTER TABLE parts ADD CONSTRAINT parts_pkey PRIMARY KEY (id);
ALTER TABLE parts ADD CONSTRAINT parts_maker FOREIGN KEY (maker_id) REFERENCES makers ON DELETE CASCADE NOT VALID;
CREATE UNIQUE INDEX parts_part ON parts (maker_id, id) INCLUDE (grade) WHERE grade > 1;
CREATE INDEX parts_made ON parts USING brin (made) WITH (pages_per_range = 16);
CREATE INDEX "100%" ON makers (lower(name) text_pattern_ops DESC NULLS LAST);
COMMENT ON CONSTRAINT parts_pkey ON parts IS 'it is a \ "key" %';
COMMENT ON INDEX parts_made IS 'by day';
ALTER TABLE parts CLUSTER ON parts_pkey;
ALTER TABLE parts REPLICA IDENTITY USING INDEX parts_pkey;
CREATE VIEW grouped AS SELECT id, name, count(*) FROM makers GROUP BY id;
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER loud BEFORE INSERT ON parts FOR EACH ROW EXECUTE FUNCTION shout();
'''


@pytest.fixture(scope="module")
def fancy():
    """Give a database whose keys and indexes have all that they can have."""
    with sandbox(Plan("fancy", MetaData())) as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql(FANCY.replace("%", "%%"))
        yield stage.engine


def test_fast_puts_everything_back_as_it_was(fancy, monkeypatch):
    plan = read(fancy.url.render_as_string(hide_password=False))
    with fancy.connect() as connection:
        before, gone = snapshot(connection), []
    monkeypatch.setattr(longrun, "bring_back", watched(longrun.bring_back, fancy, gone))
    seed(fancy, plan, rows=300, fast=True)
    with fancy.connect() as connection:
        assert snapshot(connection) == before
    assert gone == ["makers_pkey"]  # which a view stands on


def watched(bring_back, engine, gone):
    """Return bring_back, which notes the indexes that are there when it begins."""

    def watching(connection, *more):
        indexes = "SELECT indexname FROM pg_indexes WHERE tablename IN ('makers', 'parts') ORDER BY 1"
        gone.extend(connection.execute(text(indexes)).scalars())
        bring_back(connection, *more)

    return watching


def test_triggers_rest_during_a_long_run_and_stand_again(fancy, in_chunks):
    plan = read(fancy.url.render_as_string(hide_password=False))
    with fancy.connect() as connection:
        before = snapshot(connection)
    seed(fancy, plan, rows=300, truncate=True)
    with fancy.connect() as connection:
        assert snapshot(connection) == before


def circle():
    """Return tables that refer to each other, and to themselves."""
    metadata = MetaData()
    Table(
        "team", metadata, Column("id", Integer, primary_key=True), Column("name", String(40), nullable=False),
        Column("captain_id", ForeignKey("player.id", name="captain", use_alter=True)),
    )  # fmt: skip
    Table(
        "player", metadata, Column("id", Integer, primary_key=True), Column("name", String(40), nullable=False),
        Column("team_id", ForeignKey("team.id"), nullable=False), Column("coach_id", ForeignKey("player.id")),
    )  # fmt: skip
    return Plan("circle", metadata)


def test_circles_are_the_same_whichever_way_they_are_closed(monkeypatch):
    plan, rows, found = circle(), {"team": 300, "player": 700}, []
    monkeypatch.setattr(chunked, "TASK", 100)
    for large, fast in ((10_000, False), (100, False), (100, True)):
        monkeypatch.setattr(filling, "LARGE", large)
        with sandbox(plan) as stage:
            assert seed(stage, rows=rows, fast=fast).ok
            found.append(content(stage.engine, plan))
    assert found[0] == found[1] == found[2]
    assert any(row.captain_id for row in found[0]["team"])


def test_a_run_waits_for_the_last_transaction_of_one_that_was_killed(in_chunks):
    with sandbox(PLAN) as stage:
        with pytest.raises(KeyboardInterrupt):
            seed(stage, rows=ROWS, progress=stopping(250))
        with stage.engine.connect() as late, ThreadPoolExecutor(1) as pool:
            late.execute(insert(ledger.TABLE).values(run="", **vars(ledger.Entry(ledger.ROWS))))
            again = pool.submit(seed, stage, rows=ROWS)
            time.sleep(1)
            assert not again.done()
            late.rollback()
            assert again.result().ok
        assert sum(map(len, content(stage.engine).values())) == 560


def test_who_may_not_alter_the_tables_is_told(fancy):
    plan, role = read(fancy.url.render_as_string(hide_password=False)), f"dbplan_guest_{os.getpid()}"
    with fancy.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    guest = new_engine(fancy.url.set(username=role))
    try:
        with pytest.raises(CannotWrite, match="this account may not .* let the tables' owner seed"):
            seed(guest, plan, rows=300, truncate=True, fast=True)
    finally:
        guest.dispose()
        with fancy.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}; DROP ROLE {role}")
