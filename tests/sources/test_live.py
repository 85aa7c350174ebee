import os
from pathlib import Path

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    make_url,
    text,
)

from dbplan.comparison import differences
from dbplan.ddl import statements, translated
from dbplan.ddl.compilers import compiler_dialect
from dbplan.errors import ConnectionFailed, SourceError
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import postgresql, read
from dbplan.sources.catalog import snapshot


def _plan() -> Plan:
    metadata = MetaData()
    Table("Select", metadata, Column("id", Integer, primary_key=True), Column("group", Text, nullable=False))
    child = Table(
        "child",
        metadata,
        Column("id", BigInteger, primary_key=True),
        Column("parent", ForeignKey("Select.id", ondelete="CASCADE")),
        Column("mood", Enum("glad", "sad", name="mood")),
        schema="other",
    )
    Index("ix_mood", child.c.mood.desc(), postgresql_where=text("mood = 'sad'"))
    return Plan("live", metadata)


def test_a_live_postgresql_is_read_with_all_its_schemas():
    with sandbox(_plan()) as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE ticket (id serial PRIMARY KEY, queue serial)")
            connection.exec_driver_sql("CREATE VIEW glad AS SELECT 1 AS one")
        plan = read(stage.url)
        assert [table.fullname for table in plan.tables] == ["Select", "glad", "other.child", "ticket"]
        key = next(iter(plan.table("other.child").foreign_keys))
        assert (str(key.column), key.ondelete) == ("Select.id", "CASCADE")
        assert plan.table("other.child").c.mood.type.enums == ["glad", "sad"]
        assert plan.metadata.info["not_covered"] == ()
        assert plan.table("glad").info == {"is_view": True, "view": "SELECT 1 AS one"}
        with sandbox(plan) as copy, copy.engine.connect() as connection:
            assert connection.scalar(text("INSERT INTO ticket DEFAULT VALUES RETURNING queue")) == 1


def test_a_live_sqlite_is_read(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    _plan().table("Select").create(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql('CREATE INDEX ix_lower ON "Select" (lower("group"))')
    engine.dispose()
    plan = read(f"file:{tmp_path}/x.db")
    assert (plan.name, [table.name for table in plan.tables]) == ("x", ["Select"])
    assert "ix_lower" in "".join(plan.metadata.info["not_covered"]) + "".join(
        str(index.name) for index in plan.table("Select").indexes
    )


def test_what_a_role_may_not_read_is_described_all_the_same():
    with sandbox(_plan()) as stage:
        role = f"blind_{os.getpid()}"
        with stage.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
            connection.exec_driver_sql("REVOKE ALL ON SCHEMA public FROM public")
        try:
            plan = read(make_url(stage.url).set(username=role).render_as_string())
        finally:
            with stage.engine.begin() as connection:
                connection.exec_driver_sql("GRANT ALL ON SCHEMA public TO public")
                connection.exec_driver_sql(f"DROP ROLE {role}")
        assert [table.key for table in plan.tables] == ["other.child", "public.Select"]
        assert plan.metadata.info["not_covered"] == ()


def test_a_table_that_another_session_holds_is_one_line(monkeypatch):
    monkeypatch.setattr(postgresql, "PATIENCE", 0.2)
    with sandbox(_plan()) as stage, stage.engine.begin() as connection:
        connection.exec_driver_sql('ALTER TABLE "Select" ADD CHECK (id > 0)')
        with pytest.raises(
            SourceError, match=r"cannot be read: another session is changing one of its tables"
        ) as caught:
            read(stage.url)
    assert "\n" not in str(caught.value)


def test_the_sequence_of_a_key_comes_with_it_also_under_a_name_that_is_cut():
    metadata = MetaData()
    for name in ("long_" * 12, "é" * 31, "t"):
        Table(name, metadata, Column("id", Integer, primary_key=True))
    Table("x" * 40, metadata, Column("y" * 50, Integer, primary_key=True))
    with sandbox(Plan("live", metadata)) as stage:
        plan = read(stage.url)
        with stage.engine.connect() as connection:
            before = snapshot(connection)
    assert plan.metadata._sequences == {}
    assert {column.server_default for table in plan.tables for column in table.columns} == {None}
    with sandbox(plan) as stage, stage.engine.connect() as connection:
        assert differences(before, snapshot(connection)) == ()


def test_an_index_keeps_the_order_of_its_expressions():
    columns = "(lower(a)) text_pattern_ops DESC", "(a || 'x') NULLS FIRST", "upper(a) DESC NULLS LAST, id", "upper(a)"
    with sandbox(Plan("live", MetaData())) as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (id int, a text)")
            for number, told in enumerate(columns):
                connection.exec_driver_sql(f"CREATE INDEX ix_{number} ON t ({told})")
            before = snapshot(connection)
        plan = read(stage.url)
    found = sorted(plan.table("t").indexes, key=lambda index: str(index.name))
    assert [str(index.expressions[0]) for index in found] == [
        "lower(a) DESC",
        "(a || 'x'::text) NULLS FIRST",
        "upper(a) DESC NULLS LAST",
        "upper(a)",
    ]
    with sandbox(plan) as stage, stage.engine.connect() as connection:
        assert differences(before, snapshot(connection)) == ()


def test_an_unreachable_or_empty_database_is_one_masked_line(tmp_path: Path):
    with pytest.raises(ConnectionFailed) as caught:
        read("postgresql://bob:hunter2@127.0.0.1:1/shop")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SourceError, match="no file"):
        read(f"sqlite:///{tmp_path}/empty.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(SourceError, match="holds no tables"):
        read(f"sqlite:///{tmp_path}/empty.db")


def test_a_plain_unique_of_a_live_postgresql_is_plain():
    metadata = MetaData()
    kept = Table("t", metadata, Column("a", Integer), Column("b", Integer))
    kept.append_constraint(UniqueConstraint("a", "b", name="uq_plain"))
    kept.append_constraint(UniqueConstraint("b", name="uq_nulls", postgresql_nulls_not_distinct=True))
    Index("ix_plain", kept.c.a, unique=True)
    with sandbox(Plan("live", metadata)) as stage:
        found = read(stage.url).table("t")
    made = {item.name: item for item in (*found.constraints, *found.indexes) if item.name}
    assert {name: item.info for name, item in made.items()} == {"uq_plain": {}, "uq_nulls": {}, "ix_plain": {}}
    said = {name: item.dialect_options["postgresql"]["nulls_not_distinct"] for name, item in made.items()}
    assert said == {"uq_plain": None, "uq_nulls": True, "ix_plain": None}


def test_a_domain_keeps_the_measures_of_its_type():
    made = """
    CREATE DOMAIN pct AS numeric(5,2) CHECK (value <= 100); CREATE DOMAIN code AS varchar(3);
    CREATE DOMAIN moment AS timestamp(3) with time zone; CREATE DOMAIN flags AS bit varying(4);
    CREATE TABLE t (a pct, b code, c moment, d flags, e pct[])
    """
    with sandbox(Plan("live", MetaData())) as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql(made)
        plan = read(stage.url)
    types = [getattr(column.type, "item_type", column.type).data_type for column in plan.table("t").columns]
    words = ["NUMERIC(5, 2)", "VARCHAR(3)", "TIMESTAMP(3) WITH TIME ZONE", "BIT VARYING(4)", "NUMERIC(5, 2)"]
    assert [kind.compile(compiler_dialect("postgresql")).upper() for kind in types] == words
    assert "a DECIMAL(5, 2)" in "\n".join(s.sql for s in spoken(plan, "mysql")).replace("NUMERIC", "DECIMAL")


def spoken(plan, dialect):
    """Return the statements of a plan in another server's words."""
    return statements(Plan("p", translated(plan.metadata, dialect).metadata), dialect)
