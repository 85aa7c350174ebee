"""What anonymise refuses, in words, with nothing kept and no value told; and what drift does."""

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, Text, create_engine, select

from dbplan.connection import new_engine
from dbplan.errors import ProductionRefused, RecipeError, UnknownName, Unsatisfiable, UsageError
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding.anonymising import anonymise, explain
from dbplan.seeding.anonymising.rules import read_rules


def people(*more, tables=()):
    metadata = MetaData()
    Table(
        "people", metadata,
        Column("id", Integer, primary_key=True), Column("email", String(80), unique=True, nullable=False), *more,
    )  # fmt: skip
    for name in tables:
        Table(name, metadata, Column("id", Integer, primary_key=True), Column("person_id", ForeignKey("people.id")))
    return Plan(name="people", metadata=metadata)


PLAN = people()
ROWS = [{"id": 1, "email": "ada@corp.test"}, {"id": 2, "email": "bob@corp.test"}]


@pytest.fixture
def files(tmp_path):
    """Give a function that makes a SQLite database of a plan, with rows."""
    made = []

    def make(name, plan=PLAN, rows=()):
        engine = new_engine(f"sqlite:///{tmp_path / name}")
        plan.metadata.create_all(engine)
        with engine.begin() as connection:
            for row in rows:
                connection.execute(plan.metadata.tables["people"].insert(), row)
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.dispose()


def emails(engine):
    with engine.connect() as connection:
        return connection.execute(sa.text("SELECT email FROM people ORDER BY id")).scalars().all()


def test_the_same_file_by_another_spelling_is_refused(files, tmp_path, monkeypatch):
    source = files("a.db", rows=ROWS)
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///a.db", f"sqlite:///{tmp_path}/../{tmp_path.name}/a.db", "sqlite:///link.db"):
        other = new_engine(url)
        with pytest.raises(UsageError, match="are the same database"):
            anonymise(source, other, PLAN, truncate=True)
        other.dispose()
    assert emails(source) == [row["email"] for row in ROWS]


def test_the_same_database_of_a_server_is_refused_under_any_name():
    with sandbox(PLAN) as stage, sandbox(PLAN) as other:
        with stage.engine.begin() as connection:
            connection.execute(PLAN.metadata.tables["people"].insert(), ROWS)
        again = create_engine(stage.engine.url.update_query_dict({"application_name": "other"}))
        with pytest.raises(UsageError, match="are the same database"):
            anonymise(stage, again, PLAN, truncate=True)
        again.dispose()
        anonymise(stage, other)
        assert emails(stage.engine) == [row["email"] for row in ROWS]


def test_a_production_environment_is_refused_whatever_the_target(files, monkeypatch):
    source, target = files("live.db", rows=ROWS), files("dev.db")
    monkeypatch.setenv("DBPLAN_ENVIRONMENT", "production")
    monkeypatch.setenv("DATABASE_URL", str(source.url))
    for reads, writes in ((target, source), (source, target)):
        with pytest.raises(ProductionRefused, match="DBPLAN_ENVIRONMENT=development in front"):
            anonymise(reads, writes, PLAN, truncate=True)
    monkeypatch.setenv("DBPLAN_ENVIRONMENT", "development")
    assert anonymise(source, target, PLAN).ok


def test_rows_in_the_target_are_refused_unless_they_may_go(files):
    source, target = files("a.db", rows=ROWS), files("b.db", rows=[{"id": 9, "email": "old@dev.test"}])
    with pytest.raises(UsageError, match="has rows in people"):
        anonymise(source, target, PLAN)
    assert emails(target) == ["old@dev.test"]
    report = anonymise(source, target, PLAN, truncate=True)
    assert len(emails(target)) == 2
    assert "people: 1 rows were removed first." in str(report)


def test_files_and_tables_that_are_not_there(files, tmp_path):
    source, empty = files("a.db", rows=ROWS), files("empty.db", Plan(name="none", metadata=MetaData()))
    with pytest.raises(UsageError, match=r"no file .*missing\.db"):
        anonymise(source, f"sqlite:///{tmp_path / 'missing.db'}", PLAN)
    with pytest.raises(UsageError, match=r"no file .*missing\.db to read from"):
        anonymise(f"sqlite:///{tmp_path / 'missing.db'}", source, PLAN)
    with pytest.raises(UsageError, match="has no table people; create the tables first"):
        anonymise(source, empty, PLAN)
    with pytest.raises(UsageError, match='has none of the tables of plan "people": people'):
        anonymise(empty, files("b.db"), PLAN)
    with pytest.raises(UsageError, match="cannot anonymise with int"):
        anonymise(3, source, PLAN)


def test_a_column_that_one_side_lacks_is_said(files):
    source = files("a.db", rows=ROWS)
    needed = people(Column("level", Integer, nullable=False))
    with pytest.raises(UsageError, match=r"people of the source has no column level, which is NOT NULL"):
        anonymise(source, files("b.db", needed), needed)
    with pytest.raises(UsageError, match=r"people of .*c\.db has no column level, which the plan has"):
        anonymise(source, files("c.db"), needed)
    wider = people(Column("level", Integer), tables=("visits",))
    report = anonymise(source, files("d.db", wider), wider)
    assert "people of the source has no column level; it gets its default." in str(report)
    assert "visits is not in the source; it stays empty." in str(report)


def test_what_the_source_has_beyond_the_plan_is_left_out_and_said(files):
    wider = people(Column("diary", Text), tables=("visits",))
    source, target = files("a.db", wider, [{**ROWS[0], "diary": "dear diary"}]), files("b.db")
    report = anonymise(source, target, PLAN)
    assert "people: diary of the source is not in the plan; not copied." in str(report)
    assert "not in the plan and are not copied: visits." in " ".join(str(report).split())


def test_rules_are_checked(files):
    plan = people(Column("born", sa.Date), Column("note", Text))
    for rules, error, said in (
        ({"people.mail": "keep"}, UnknownName, 'no column "mail" in table "people"'),
        ({"folk.email": "keep"}, UnknownName, 'no table "folk"'),
        ({"people.note": "hide"}, UnknownName, 'no kind of replacement "hide" in people.note'),
        ({"people.born": "email"}, UsageError, 'people.born is DATE, which "email" is not for'),
        ({"people.note": "secret"}, UsageError, "is no Encrypted column"),
        ({"people.id": "drop"}, UsageError, "is a key and NOT NULL"),
    ):
        with pytest.raises(error, match=said):
            explain(plan, rules)


def test_a_type_that_is_not_looked_into_wants_a_rule_where_it_may_not_be_null(files):
    plan = people(Column("shape", sa.types.NullType(), nullable=False), Column("size", sa.Float, nullable=False))
    assert "wants a rule" in explain(plan).frame.set_index("column")["why"]["people.shape"]
    with pytest.raises(UsageError, match=r"people\.shape: of a type .* people\.shape=keep"):
        anonymise(files("a.db"), files("b.db"), plan)


def test_rules_say_what_is_done(files):
    plan = people(Column("note", Text), Column("code", String(10), info={"anonymise": "keep"}))
    row = {**ROWS[0], "note": "hello", "code": "A-1"}
    source, target = files("a.db", plan, [row]), files("b.db", plan)
    anonymise(source, target, plan, columns={"people.email": "keep", "people.note": "drop"})
    with target.connect() as connection:
        assert connection.execute(select(plan.metadata.tables["people"])).one() == (1, row["email"], None, "A-1")


def test_rules_of_one_key_agree():
    metadata = MetaData()
    Table("a", metadata, Column("email", String(80), primary_key=True))
    Table("b", metadata, Column("id", Integer, primary_key=True), Column("who", ForeignKey("a.email")))
    plan = Plan(name="two", metadata=metadata)
    why = explain(plan).frame.set_index("column")["why"]
    assert why["b.who"] == "as a.email, which it shares a key with"
    with pytest.raises(UsageError, match="columns of one foreign key are replaced alike; the rules differ"):
        explain(plan, {"a.email": "keep", "b.who": "email"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[people]\nemail = 3\n", r"\[people\] email is 3; a rule is a text"),
        ("email = 'keep'\n", '"email" stands outside of a table'),
        ("[people\n", "Expected"),
    ],
)
def test_a_file_of_rules_that_is_none(tmp_path, text, said):
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(RecipeError, match=said):
        read_rules(tmp_path / "rules.toml")
    with pytest.raises(RecipeError, match="No such file"):
        read_rules(tmp_path / "none.toml")


def test_a_file_of_rules(tmp_path):
    (tmp_path / "rules.toml").write_text('[people]\nemail = "keep"\n["audit.log"]\nnote = "drop"\n')
    assert read_rules(tmp_path / "rules.toml") == {"people.email": "keep", "audit.log.note": "drop"}


def test_what_the_target_refuses_tells_no_value_and_keeps_nothing(files):
    narrow = people(sa.CheckConstraint("email LIKE '%@corp.test'"))
    source = files("a.db", rows=ROWS)
    target = files("b.db", narrow)
    with pytest.raises(Unsatisfiable, match="at people, and nothing was kept") as caught:
        anonymise(source, target, narrow)
    assert "ada" not in str(caught.value)
    assert emails(target) == []


def test_a_value_of_another_type_is_said_and_not_shown(files):
    plan = people(Column("birth_date", sa.Date))
    source, target = files("a.db", plan, [ROWS[0]]), files("b.db", plan)
    with source.begin() as connection:
        connection.execute(sa.text("UPDATE people SET birth_date = 'in May'"))
    with pytest.raises(UsageError, match="people holds a value that is not of its column's type") as caught:
        anonymise(source, target, plan)
    assert "May" not in str(caught.value)


def test_the_source_is_never_written_to(files):
    from dbplan.seeding.anonymising.sides import snapshot

    source = files("a.db", rows=ROWS)
    with snapshot(source) as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.execute(PLAN.metadata.tables["people"].delete())
    with (
        sandbox(PLAN) as stage,
        snapshot(stage.engine) as connection,
        pytest.raises(sa.exc.DBAPIError, match="read-only"),
    ):
        connection.execute(PLAN.metadata.tables["people"].delete())
    assert len(emails(source)) == 2
    with source.begin() as connection:  # and the connection may write again
        connection.execute(PLAN.metadata.tables["people"].delete())
