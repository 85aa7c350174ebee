"""diff(): sources of any kind, judged by one server; each difference once, with its mend."""

import pytest
from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    text,
)

from dbplan.comparison import diff
from dbplan.errors import ConnectionFailed, UnknownName, UsageError
from dbplan.evidence import Severity
from dbplan.plan import Plan
from dbplan.sandbox import sandbox

SCHEMA = """
datasource db {
  provider = "postgresql"
}

model Person {
  id    Int    @id @default(autoincrement())
  email String @unique @db.VarChar(100)
  pets  Pet[]

  @@map("people")
}

model Pet {
  id      Int     @id @default(autoincrement())
  name    String
  owner   Person  @relation(fields: [ownerId], references: [id], onDelete: Cascade)
  ownerId Int     @map("owner_id")

  @@index([ownerId])
  @@map("pets")
}
"""


def models(*more, length=100, ondelete="CASCADE"):
    metadata = MetaData()
    Table(
        "people",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("email", String(length), nullable=False),
        Index("people_email_key", "email", unique=True),
    )
    actions = {"ondelete": ondelete, "onupdate": "CASCADE", "name": "pets_owner_id_fkey"}
    Table(
        "pets",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", Text, nullable=False),
        Column("owner_id", ForeignKey("people.id", **actions), nullable=False),
        Index("pets_owner_id_idx", "owner_id"),
        *more,
    )
    return Plan("models", metadata)


@pytest.fixture
def prisma(tmp_path):
    path = tmp_path / "schema.prisma"
    path.write_text(SCHEMA)
    return str(path)


def told(report):
    return {(finding.rule, str(finding.place)): finding.mend for finding in report.evidence}


def test_models_equal_the_prisma_schema_that_says_the_same(prisma):
    report = diff(prisma, models())
    assert report.ok
    assert report.evidence == ()
    assert report.verdict.startswith("equal: 2 and 2 tables, judged by PostgreSQL 18")


def test_each_difference_is_told_once_with_its_mend(prisma):
    other = models(CheckConstraint("name <> ''", name="named"), Column("age", Integer), length=50, ondelete="SET NULL")
    report = diff(prisma, other)
    assert not report.ok
    assert told(report) == {
        ("diff-column-type", "people.email"): "ALTER TABLE people ALTER COLUMN email TYPE character varying(100);",
        ("diff-column", "pets.age"): "",
        ("diff-constraint", "pets (named)"): "ALTER TABLE pets DROP CONSTRAINT named;",
        ("diff-constraint-definition", "pets (pets_owner_id_fkey)"): "ALTER TABLE pets "
        "DROP CONSTRAINT pets_owner_id_fkey, ADD CONSTRAINT pets_owner_id_fkey "
        "FOREIGN KEY (owner_id) REFERENCES people(id) ON UPDATE CASCADE ON DELETE CASCADE;",
    }
    message = next(f.message for f in report.evidence if f.rule == "diff-column-type")
    assert message == f"column type differs: character varying(100) in {prisma}, character varying(50) in models"
    assert {f.rule: f.message for f in report.evidence}["diff-column"] == "column only in models: integer"


def test_a_live_database_is_asked_itself_and_its_drift_mended(prisma):
    with sandbox(models()) as stage:
        assert diff(prisma, stage.url).ok
        with stage.engine.begin() as connection:
            connection.execute(text("DROP INDEX pets_owner_id_idx"))
            connection.execute(text("ALTER TABLE pets ALTER name DROP NOT NULL, ALTER name SET DEFAULT 'x'"))
            connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
            connection.execute(text("CREATE TABLE alembic_version_pets (version_num text)"))
        report = diff(prisma, stage.url)
        assert set(told(report)) == {
            ("diff-index", "pets (pets_owner_id_idx)"),
            ("diff-column-not-null", "pets.name"),
            ("diff-column-default", "pets.name"),
        }
        with stage.engine.begin() as connection:
            for mend in told(report).values():
                connection.execute(text(mend))
        assert diff(prisma, stage.url).ok


def test_order_and_comments_are_notes():
    left, right = MetaData(), MetaData()
    Table("t", left, Column("a", Integer), Column("b", Integer, comment="b"))
    Table("t", right, Column("b", Integer), Column("a", Integer))
    report = diff(Plan("one", left), Plan("other", right))
    assert report.ok
    assert {(f.rule, f.severity) for f in report.evidence} == {
        ("diff-column-order", Severity.NOTE),
        ("diff-column-comment", Severity.NOTE),
    }
    assert report.verdict.startswith("equal but for 2 notes: 1 and 1 tables")


def test_the_kind_of_a_database_decides_who_judges(tmp_path):
    url = f"sqlite:///{tmp_path}/shop.db"
    plan = models()
    engine = create_engine(url)
    plan.metadata.create_all(engine)
    engine.dispose()
    report = diff(plan, url)
    assert report.ok
    assert "judged by SQLite" in report.verdict
    assert diff(models(Column("age", Numeric)), url).evidence[0].rule == "diff-column"


def test_what_hangs_on_a_table_of_one_side_is_told_with_it():
    left, right = MetaData(), MetaData()
    columns = (Column("id", Integer, Identity(), primary_key=True), Column("a", Integer), UniqueConstraint("a"))
    Table("t", left, Column("id", Integer, primary_key=True))
    Table("t", right, Column("id", Integer, primary_key=True))
    Table("u", right, *columns)
    assert [(f.rule, str(f.place)) for f in diff(Plan("a", left), Plan("b", right)).evidence] == [("diff-table", "u")]


def test_wrong_words_say_the_right_ones(prisma):
    with pytest.raises(UsageError, match="both sides are"):
        diff(prisma, prisma)
    with pytest.raises(UnknownName, match=r'no server "oracle"; servers are: mariadb, postgresql, sqlite'):
        diff(prisma, models(), on="oracle")
    with pytest.raises(ConnectionFailed) as error:
        diff(models(), "postgresql://me:secret@localhost:1/none")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("wanted", "there", "mended"),
    [
        (String(3), String(9), True),  # fails where a value is too long, and cuts none
        (Text(), String(9), True),
        (Integer(), BigInteger(), True),  # fails where a value is too large
        (Numeric(12, 4), Numeric(12, 2), True),
        (Numeric(12, 2), Numeric(12, 4), False),  # rounds
        (Numeric(12, 2), Float(), False),
        (CHAR(3), String(9), False),
        (Integer(), String(9), False),
    ],
)
def test_no_mend_of_a_type_loses_what_a_column_holds(wanted, there, mended):
    def plan(name, kind):
        metadata = MetaData()
        Table("t", metadata, Column("a", kind))
        return Plan(name, metadata)

    (finding,) = diff(plan("a", wanted), plan("b", there)).evidence
    assert finding.rule == "diff-column-type"
    assert finding.mend.startswith("ALTER TABLE t ALTER COLUMN a TYPE ") is mended
    assert "USING" not in finding.mend


def test_another_name_or_form_of_the_same_is_a_note():
    def plan(name, *items):
        metadata = MetaData()
        Table("t", metadata, Column("a", Integer), Column("b", Integer), *items)
        return Plan(name, metadata)

    left = plan("l", UniqueConstraint("a", name="one"), CheckConstraint("b > 0", name="here"), Index("i", "b"))
    right = plan("r", Index("one", "a", unique=True), CheckConstraint("b > 0", name="There"), Index("J", "b"))
    report = diff(left, right)
    assert report.ok
    assert told(report) == {
        ("diff-unique-form", "t (one)"): "ALTER TABLE t ADD CONSTRAINT one UNIQUE USING INDEX one;",
        ("diff-constraint-name", "t (here)"): 'ALTER TABLE t RENAME CONSTRAINT "There" TO here;',
        ("diff-index-name", "t (i)"): 'ALTER INDEX "J" RENAME TO i;',
    }
    with sandbox(right) as stage:
        with stage.engine.begin() as connection:
            for mend in told(report).values():
                connection.execute(text(mend))
        assert diff(left, stage.url).evidence == ()
    assert diff(left, plan("r", Index("one", "b", unique=True))).ok is False


def test_two_alike_are_paired_once():
    def plan(name, *items):
        metadata = MetaData()
        Table("t", metadata, Column("a", Integer), *items)
        return Plan(name, metadata)

    report = diff(plan("l", Index("i", "a"), Index("j", "a")), plan("r", Index("k", "a")))
    assert sorted(f.rule for f in report.evidence) == ["diff-index", "diff-index-name"]
