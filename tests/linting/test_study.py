"""lint(): the verdict, what size decides, and that no schema stops it."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateView
from sqlalchemy.types import NullType

from dbplan.linting import RULES, fixes, lint, write_fixes
from dbplan.linting.schema import Schema
from dbplan.linting.study import findings
from dbplan.plan import Plan
from dbplan.report import Report, blocks
from dbplan.report.blocks import Findings, Section
from dbplan.sandbox import sandbox


def shop(rows: int | None = None) -> Plan:
    metadata = MetaData()
    Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
    Table(
        "orders",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("user_id", BigInteger, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
    )
    return Plan("shop", metadata, rows={} if rows is None else {"orders": rows})


def severities(report: Report, rule: str) -> list[str]:
    return [str(f.severity) for f in report.evidence if f.rule == rule]


def test_the_verdict_counts_findings_rules_and_tables():
    report = lint(shop())
    count = int(report.verdict.split(" notes from ")[0].split(", ")[1])
    assert report.verdict.startswith("1 warning, ")
    assert f" from {len(RULES) - 1} rules over 2 tables" in report.verdict
    assert count == sum(f.severity == "note" for f in report.evidence)
    assert report.ok
    assert [f.rule for f in report.actions] == ["fk-no-index"]


def test_worst_first():
    ranks = [f.severity.rank for f in lint(ugly()).evidence]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(("rows", "severity"), [(None, "warning"), (200, "note"), (9_999, "note"), (10_000, "warning")])
def test_planned_rows_decide_how_much_a_missing_index_weighs(rows, severity):
    report = lint(shop(rows))
    assert severities(report, "fk-no-index") == [severity]
    said = next(f.message for f in report.evidence if f.rule == "fk-no-index")
    assert (f"{rows:,} rows are planned" in said) is (severity == "note") if rows else True


def test_the_table_of_rules_says_which_were_asked():
    report = lint(shop())
    frame = report.frames["Lint rules"].set_index("rule")
    assert frame.loc["pk-overflow", "not asked"] == "no planned rows"
    assert frame.loc["fk-no-index", "findings"] == 1
    rules = next(block for block in report.blocks if isinstance(block, Section) and block.title == "Rules")
    rest = next(block.text for block in rules.blocks if isinstance(block, blocks.Text))
    assert "`fk-cycle`" in rest
    assert {*frame.index} | {rule.id for rule in RULES if f"`{rule.id}`" in rest} == {rule.id for rule in RULES}


def test_notes_are_folded_by_rule():
    notes = next(b for b in lint(shop()).blocks if isinstance(b, Section) and b.title == "Notes")
    assert notes.folded
    (found,) = notes.blocks
    assert isinstance(found, Findings)
    assert {finding.rule for finding in found.findings} >= {"doc-missing", "time-created-missing"}


def test_an_empty_plan_is_no_crash():
    report = lint(Plan("none", MetaData()))
    assert report.ok
    assert report.verdict == "nothing found from 0 rules over 0 tables"


def test_views_are_left_out_and_said():
    metadata = MetaData()
    users = Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
    CreateView(select(users.c.id), "ids", metadata=metadata)
    report = lint(Plan("views", metadata))
    assert not [f for f in report.evidence if f.place.table == "ids"]
    assert "Views are left out: ids." in str(report)


def test_what_a_live_server_holds_is_not_called_impossible():
    plan = Plan("live", MetaData(), source="postgresql://host/db")
    table = Table("t", plan.metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("n", Integer))
    Index("ix_n", table.c.n, postgresql_using="gin")
    frame = lint(plan).frames["Lint rules"].set_index("rule")
    assert frame.loc["idx-no-opclass", "not asked"] == "the server holds it"


def test_fixes_are_one_script_and_what_needs_hands_is_a_comment(tmp_path):
    script = fixes(lint(shop()))
    assert "\n\nBEGIN;\n" in script
    assert "CREATE INDEX ix_orders_user_id ON orders (user_id);" in script
    assert "-- doc-missing:orders: comment=" in script
    assert write_fixes(lint(shop()), tmp_path / "fix.sql").read_text(encoding="utf-8") == script


def ugly() -> Plan:
    """Reserved words, quotes, blanks, percent and colons in names, two schemas, cycles, odd types, no keys."""
    metadata = MetaData()
    Table(
        "user",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("Order", Boolean, index=True),
        Column("a%b", Enum("x:y", "it's", "50%", native_enum=False)),
        Column('say "hi"', JSON),
        Column("e-mail", Text, unique=True),
        Column("email", String(255), unique=True),
        Column("name", Text, server_default="NULL"),
        Column("deleted_at", DateTime),
        Column("tag", ARRAY(Text), index=True),
        Column("point", NullType),
        UniqueConstraint("email", "name"),
        UniqueConstraint("name", "deleted_at"),
        Index("ix_expr", text("(name || 'x') DESC"), text('"Order" DESC NULLS LAST')),
        schema="My Schema",
    )
    user = metadata.tables["My Schema.user"]
    Index("ix_user_%", user.c["a%b"], postgresql_where=user.c["a%b"] == "50%")
    Index(None, func.lower(user.c.email), unique=True)
    Table(
        "Größe",
        metadata,
        Column("user_id", Integer, ForeignKey("My Schema.user.id")),
        Column("gone_id", Integer, ForeignKey("nowhere.id")),
        Column("also_gone", Integer, ForeignKey("My Schema.user.nothing")),
        Column("amount", Float),
        Column("größe 1", DateTime),
        Column("twice", Integer, Computed("user_id * 2")),
    )
    Table("a", metadata, Column("x", Integer, primary_key=True), Column("y", Integer), Column("b_id", Text))
    Table("b", metadata, Column("x", Integer, primary_key=True), Column("y", Integer, primary_key=True))
    metadata.tables["a"].append_constraint(ForeignKeyConstraint(["x", "y"], ["b.x", "b.y"], use_alter=True, name="ab"))
    metadata.tables["b"].append_constraint(ForeignKeyConstraint(["x"], ["a.x"], use_alter=True, name="ba"))
    Table("empty", metadata)
    Table(
        "rooms",
        metadata,
        Column("room", Integer, ForeignKey("a.x"), nullable=False),
        Column("during", postgresql.TSTZRANGE, nullable=False),
        Column("level", postgresql.DOMAIN("level", Integer)),
        Column("price", postgresql.MONEY),
        postgresql.ExcludeConstraint(("room", "="), ("during", "&&"), using="gist", name="no_overlap"),
    )
    return Plan("ugly", metadata)


def test_an_ugly_schema_is_read_to_the_end():
    report = lint(ugly())
    found = {f.rule for f in report.evidence}
    assert found >= {"fk-target-missing", "pk-missing", "name-reserved", "name-case", "type-unknown", "default-quoted"}
    assert str(report)
    assert fixes(report)
    assert {str(f.place) for f in report.evidence if f.rule == "fk-target-missing"} == {
        "Größe.gone_id",
        "Größe.also_gone",
    }


def test_an_exclusion_constraint_serves_a_foreign_key():
    assert "fk-no-index:rooms.room" not in {f.key for f in findings(Schema(ugly()))}


def test_the_mends_of_an_ugly_schema_run_on_postgresql():
    """What can be made of it is made; then all its mends run as one script, quotes, blanks, % and : and all."""
    metadata = MetaData()
    Table(
        "user",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("Order", Boolean, index=True),
        Column("a%b", Enum("x:y", "it's", "50%", native_enum=False)),
        Column('say "hi"', JSON),
        Column("email", String(255), unique=True),
        Column("deleted_at", DateTime),
        Column("Tag list", ARRAY(Text), index=True),
        Column("x:y", Boolean),
        UniqueConstraint("email", "deleted_at"),
        schema="My Schema",
    )
    Table(
        "Größe" * 5,
        metadata,
        Column("user_id", Integer, ForeignKey("My Schema.user.id")),
        Column("ein sehr langer Name mit Blanks und Umläuten äöü", Integer, ForeignKey("My Schema.user.id")),
        Column("amount", Float),
        Column("größe 1", DateTime),
    )
    plan = Plan("ugly", metadata)
    with sandbox(plan, create=False) as stage, stage.engine.connect() as connection:
        connection.exec_driver_sql('CREATE SCHEMA "My Schema"')
        plan.metadata.create_all(connection)
        connection.commit()
        # as it is: no % in it is a placeholder
        connection.connection.driver_connection.execute(fixes(lint(plan)))
        connection.commit()
        held = MetaData()
        for schema in (None, "My Schema"):
            held.reflect(connection, schema=schema, resolve_fks=False)
    left = {f.rule for f in findings(Schema(Plan("mended", held)))}
    assert not left & {
        "fk-no-index",
        "type-json",
        "type-tz-naive",
        "type-money-float",
        "pk-missing",
        "enum-unchecked",
        "fk-duplicate",
    }


TYPES = st.sampled_from(
    [
        *(Integer(), BigInteger(), Text(), String(40), Float(), Boolean(), DateTime(), JSON(), Uuid(), NullType()),
        *(Numeric(8, 2), ARRAY(Text), postgresql.JSONB(), postgresql.TSVECTOR(), postgresql.MONEY()),
        *(Enum("a", "b", name="ab"), Enum("a", "c", name="ab"), Enum("a", native_enum=False)),
    ]
)
NAMES = st.one_of(
    st.sampled_from(["id", "user_id", "email", "deleted_at", "updated_at", "amount", "order", "phone1", "t0_id"]),
    st.text(min_size=1, max_size=70).filter(lambda name: "." not in name and "\x00" not in name),
)


@st.composite
def schemas(draw) -> MetaData:
    metadata = MetaData()
    count = draw(st.integers(1, 4))
    for number in range(count):
        names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
        columns = [
            Column(name, draw(TYPES), primary_key=draw(st.booleans()), nullable=draw(st.booleans())) for name in names
        ]
        table = Table(f"t{number}", metadata, *columns, schema=draw(st.sampled_from([None, "other"])))
        for _ in range(draw(st.integers(0, 3))):
            chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
            picked = [table.c[name] for name in chosen]
            kind = draw(st.sampled_from(["index", "desc", "lower", "unique", "gin", "where", "fk", "check"]))
            _add(draw, table, kind, picked)
    return metadata


def _add(draw, table: Table, kind: str, columns: list[Column]) -> None:
    name = draw(st.sampled_from([None, "one", "two", "x" * 70]))
    if kind == "unique":
        table.append_constraint(UniqueConstraint(*columns, name=name))
    elif kind == "fk":
        target = draw(st.sampled_from(["t0", "t1", "other.t2", "gone"]))
        names = [column.name for column in columns]
        aims = [f"{target}.{draw(st.sampled_from(['id', 'user_id', 'none']))}" for _ in columns]
        actions = st.sampled_from([None, "SET NULL", "cascade", "SET NULL (a)"])
        table.append_constraint(ForeignKeyConstraint(names, aims, name=name, ondelete=draw(actions)))
    elif kind == "check":
        table.append_constraint(CheckConstraint("1 = 1", name=name))
    elif kind == "lower":
        Index(name or "lo", func.lower(columns[0]))
    elif kind == "desc":
        Index(name or "de", *(column.desc().nulls_last() for column in columns))
    else:
        options = {"gin": {"postgresql_using": "gin"}, "where": {"postgresql_where": columns[0].is_(None)}}
        Index(name or "ix", *columns, unique=draw(st.booleans()), **options.get(kind, {}))


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schemas())
def test_no_schema_stops_lint(metadata):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a composite key without all parts, a duplicate index: said by SQLAlchemy
        plan = Plan("made", metadata)
    report = lint(plan)
    assert report.ok is not any(f.severity == "error" for f in report.evidence)
    assert len({f.rule for f in report.evidence} - {rule.id for rule in RULES}) == 0
    assert fixes(report).endswith("\n")


def test_lint_does_not_change_the_plan():
    plan = ugly()
    before = {t.fullname: (len(t.indexes), len(t.constraints), len(t.columns)) for t in plan.tables}
    lint(plan)
    assert {t.fullname: (len(t.indexes), len(t.constraints), len(t.columns)) for t in plan.tables} == before


def test_lint_says_the_same_twice():
    assert lint(ugly()).evidence == lint(ugly()).evidence


def test_a_schema_reflected_from_sqlite_is_read():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE "group" (id INTEGER PRIMARY KEY AUTOINCREMENT, name, "when" DATETIME)')
        connection.exec_driver_sql(
            "CREATE TABLE item (a TEXT, b TEXT, group_id INTEGER REFERENCES \"group\", CHECK (a <> ''), UNIQUE (a, b))"
        )
        metadata = MetaData()
        metadata.reflect(connection)
    engine.dispose()
    report = lint(Plan("reflected", metadata, source="sqlite:///x.db"))
    rules = {f.rule for f in report.evidence}
    assert {"pk-missing", "name-reserved", "type-unknown", "fk-no-index"} <= rules
    assert "type-tz-naive" not in rules


def test_mends_for_a_plan_of_another_server_say_whose_words_they_are():
    metadata = MetaData(info={"dialect": "mysql"})
    Table("t", metadata, Column("a", Integer))
    assert "written for MySQL" in str(lint(Plan("p", metadata)))
    metadata.info["dialect"] = "postgresql"
    assert "written for" not in str(lint(Plan("p", metadata)))
