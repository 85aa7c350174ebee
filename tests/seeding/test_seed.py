"""The verb: the same rows every time, everywhere; the credits plan adds up; wrong use says so in one line."""

from dataclasses import replace
from hashlib import blake2b

import numpy as np
import pytest
from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, Numeric, String, Table, Uuid, select

from dbplan.connection import new_engine
from dbplan.domains.credits import PLAN
from dbplan.errors import CannotWrite, ConnectionFailed, ProductionRefused, UnknownName, UsageError
from dbplan.evidence import RowCount
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import explain, seed
from dbplan.seeding.constraints import violations as counting
from dbplan.seeding.loading.writing import SERVERS
from dbplan.seeding.run import prepare

ROWS = {"users": 40, "transactions": 600, "audit_logs": 500, "idempotency_records": 20}


@pytest.fixture
def engine(tmp_path):
    made = new_engine(f"sqlite:///{tmp_path / 'dev.db'}")
    PLAN.metadata.create_all(made)
    yield made
    made.dispose()


def content(engine, plan=PLAN):
    """Return every table's rows in their order of keys."""
    with engine.connect() as connection:
        return {str(t.key): connection.execute(select(t).order_by(*t.primary_key.columns)).all() for t in plan.tables}


def digest(engine, plan=PLAN):
    return blake2b(repr(content(engine, plan)).encode()).hexdigest()


def cells(plan, rows=50, random_state=7):
    """Return every column of every table as it would be written."""
    made, _ = prepare(plan, rows, random_state)
    return {
        (name, column): [None if n else v for v, n in zip(cell.values.tolist(), cell.null.tolist(), strict=True)]
        for name, source in made.sources.items()
        for frame in [source.frame(source.order)]
        for column in source.makers
        for cell in [frame[column]]
    }


def people(*more, tables=()):
    metadata = MetaData()
    Table(
        "person", metadata,
        Column("id", Integer, primary_key=True), Column("key", Uuid, unique=True),
        Column("email", String(40), unique=True, nullable=False), Column("first_name", String(20)),
        *more, Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    Table(
        "visit", metadata,
        Column("id", Integer, primary_key=True), Column("person_id", ForeignKey("person.id"), nullable=False),
        Column("price", Numeric(8, 2), nullable=False), Column("created_at", DateTime, nullable=False),
    )  # fmt: skip
    for name in tables:
        Table(name, metadata, Column("id", Integer, primary_key=True), Column("title", String(30)))
    return Plan(name="people", metadata=metadata)


def test_two_runs_give_the_same_rows_and_another_state_other_ones(engine, tmp_path):
    seed(engine, PLAN, rows=ROWS)
    hashes = {7: digest(engine)}
    for state in (7, 8):
        other = new_engine(f"sqlite:///{tmp_path / f'{state}.db'}")
        PLAN.metadata.create_all(other)
        seed(other, PLAN, rows=ROWS, random_state=state)
        hashes[f"again {state}"] = digest(other)
        other.dispose()
    assert hashes[7] == hashes["again 7"] != hashes["again 8"]


def test_postgresql_and_sqlite_hold_the_same_rows(engine):
    seed(engine, PLAN, rows=ROWS)
    with sandbox(PLAN) as stage:
        seed(stage, rows=ROWS)
        assert content(stage.engine) == content(engine)


def test_a_new_column_or_table_leaves_every_other_cell_alone():
    before = cells(people())
    after = cells(people(Column("city", String(30)), tables=("note",)))
    assert set(after) > set(before)
    assert all(after[place] == before[place] for place in before)


def test_a_smaller_run_is_a_prefix_but_for_times():
    few, many = cells(people(), rows=20), cells(people(), rows=30)
    for column in ("id", "key", "email", "first_name"):
        assert many["person", column][:20] == few["person", column]


def test_the_way_for_any_server_writes_the_same_rows(monkeypatch, engine, tmp_path):
    seed(engine, PLAN, rows=ROWS)
    monkeypatch.setitem(SERVERS, "sqlite", "anywhere")
    other = new_engine(f"sqlite:///{tmp_path / 'slow.db'}")
    PLAN.metadata.create_all(other)
    seed(other, PLAN, rows=ROWS)
    assert digest(other) == digest(engine)
    other.dispose()


def test_chunks_do_not_matter(monkeypatch, engine, tmp_path):
    seed(engine, PLAN, rows=ROWS)
    monkeypatch.setattr("dbplan.seeding.loading.writing.CHUNK", 7)
    other = new_engine(f"sqlite:///{tmp_path / 'small.db'}")
    PLAN.metadata.create_all(other)
    seed(other, PLAN, rows=ROWS)
    assert digest(other) == digest(engine)
    other.dispose()


def test_any_rows_in_any_order_have_the_cells_they_have_in_order():
    made, _ = prepare(PLAN, ROWS, 7)
    some = np.array([599, 3, 3, 250, 0])
    for name, source in made.sources.items():
        rows = some % source.rows
        whole, part = source.frame(np.arange(source.rows)), source.frame(rows)
        for column in source.makers:
            assert part[column].values.tolist() == whole[column].take(rows).values.tolist(), (name, column)


def test_the_ledger_of_every_user_is_an_unbroken_chain(engine):
    seed(engine, PLAN, rows=ROWS)
    t, u = PLAN.table("transactions"), PLAN.table("users")
    with engine.connect() as connection:
        ledger = connection.execute(select(t).order_by(t.c.user_id, t.c.created_at)).all()
        users = {row.id: row for row in connection.execute(select(u))}
    balance = dict.fromkeys(users, 0)
    for row in ledger:
        assert row.balance_before == balance[row.user_id]
        assert row.balance_after == row.balance_before + row.amount
        assert (row.amount > 0) == (row.action in {"top-up", "refund", "bonus"})
        assert users[row.user_id].created_at < row.created_at
        balance[row.user_id] = row.balance_after
    assert balance == {key: row.credits for key, row in users.items()}


def test_failures_are_rare_and_alone_have_a_message(engine):
    seed(engine, PLAN, rows=ROWS)
    table = PLAN.table("audit_logs")
    with engine.connect() as connection:
        rows = connection.execute(select(table)).all()
    failed = [row for row in rows if row.status == "failed"]
    assert 0 < len(failed) < len(rows) * 0.1
    assert all((row.error_message is not None) == (row.status == "failed") for row in rows)


def test_keys_sort_by_time_and_rows_stand_in_the_order_of_time(engine):
    seed(engine, PLAN, rows=ROWS)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, created_at, user_id FROM transactions ORDER BY rowid").all()
    assert [r.created_at for r in rows] == sorted(r.created_at for r in rows)
    assert [r.id for r in sorted(rows, key=lambda r: r.created_at)] == sorted(r.id for r in rows)
    assert len({r.user_id for r in rows[:30]}) > 5


def test_a_number_goes_to_the_table_planned_largest(engine):
    report = seed(engine, PLAN, rows=6_000)
    counts = {fact.table: fact.rows for fact in report.evidence if isinstance(fact, RowCount)}
    assert counts == {"users": 100, "transactions": 5_000, "audit_logs": 6_000, "idempotency_records": 30}
    assert report.verdict == "11,130 rows in 4 tables, 0 violations"
    assert report.ok


def test_without_rows_the_recipe_counts(engine):
    assert seed(engine, PLAN).verdict.startswith("9,250 rows")


def test_fan_out_and_samples_are_reported(engine):
    report = seed(engine, PLAN, rows=ROWS)
    children = report.frames["Children of each parent"]
    assert set(children["children"]) == {"transactions.user_id", "audit_logs.user_id"}
    assert (children["least"] <= children["median"]).all()
    assert len(report.frames["transactions"]) == 3


@pytest.mark.parametrize("rows", [0, -5, True, 1.5, {"users": 0}])
def test_less_than_one_row_is_refused(engine, rows):
    with pytest.raises(UsageError, match="1 or more"):
        seed(engine, PLAN, rows=rows)


def test_an_unknown_table_lists_the_tables(engine):
    with pytest.raises(UnknownName, match="tables are: audit_logs.*did you mean 'users'"):
        seed(engine, PLAN, rows={"user": 3})


def test_rows_that_are_there_are_never_touched(engine):
    seed(engine, PLAN, rows=ROWS)
    before = digest(engine)
    with pytest.raises(UsageError, match="has rows in audit_logs, .*deletes nothing"):
        seed(engine, PLAN, rows=ROWS, random_state=8)
    assert digest(engine) == before


def test_a_database_without_the_tables_says_how_to_get_them(tmp_path):
    bare = new_engine(f"sqlite:///{tmp_path / 'bare.db'}")
    with pytest.raises(UsageError, match="no file .*bare.db; .*dbplan migrate up credits --to sqlite"):
        seed(bare, PLAN, rows=10)
    with bare.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE other (id integer)")
    with pytest.raises(UsageError, match="has no table audit_logs.*dbplan migrate up credits --to sqlite"):
        seed(bare, PLAN, rows=10)
    bare.dispose()


def test_an_unreachable_database_is_named_without_its_password():
    with pytest.raises(ConnectionFailed) as caught:
        seed("postgresql://me:hush@127.0.0.1:1/none", PLAN, rows=10)
    assert "hush" not in str(caught.value)


def test_a_target_without_a_plan_is_refused(engine):
    with pytest.raises(UsageError, match="needs to know the plan"):
        seed(engine)
    with pytest.raises(UsageError, match="cannot seed int"):
        seed(3, PLAN)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_run_leaves_nothing(engine, monkeypatch, interruption):
    def stop(*_):
        raise interruption

    monkeypatch.setattr(counting, "violations", stop)
    with pytest.raises(interruption):
        seed(engine, PLAN, rows=ROWS)
    assert not any(content(engine).values())


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing(engine):
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    small = engine.execution_options()
    with small.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
        connection.commit()
    with pytest.raises(CannotWrite, match="nothing was kept.*full"):
        seed(engine, PLAN, rows=ROWS)
    assert not any(content(engine).values())


@pytest.mark.parametrize("named", [True, False], ids=["DATABASE_URL", "another URL"])
def test_a_production_environment_is_refused_whatever_the_database(monkeypatch, engine, tmp_path, named):
    monkeypatch.chdir(tmp_path)
    seed(engine, PLAN, rows=10)
    before = content(engine)
    monkeypatch.setenv("DBPLAN_ENVIRONMENT", "production")
    monkeypatch.setenv("DATABASE_URL", str(engine.url) if named else "postgresql://db/live")
    for target in (engine, str(engine.url)):
        with pytest.raises(ProductionRefused, match="DBPLAN_ENVIRONMENT=development in front"):
            seed(target, PLAN, rows=20, truncate=True)
    assert content(engine) == before


def test_a_sandbox_is_filled_in_a_production_environment(monkeypatch):
    monkeypatch.setenv("DBPLAN_ENVIRONMENT", "production")
    with sandbox(PLAN, on="sqlite") as stage:
        assert seed(stage, rows=10).ok


def test_explain_tells_every_column_and_writes_nothing():
    report = explain(PLAN, rows=100)
    said = str(report.blocks)
    for table in PLAN.tables:
        for column in table.columns:
            assert f"'{column.name}'" in said
    assert "expression = balance_after - balance_before" in said
    assert "UUIDv7, sorted by time" in said
    assert "credits.toml" in report.verdict


def test_a_plan_without_a_recipe_seeds_as_well(engine):
    assert seed(engine, replace(PLAN, recipe=None, rows={}), rows=30).ok
