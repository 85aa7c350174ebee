"""Databases as strangers have them: nothing is read wrongly, and nothing is left out in silence."""

import pytest
from sqlalchemy import ARRAY, Column, Enum, Integer, MetaData, Sequence, Table

from dbplan.comparison import differences
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read
from dbplan.sources.catalog import snapshot

HELD = r"""
CREATE SCHEMA a; CREATE SCHEMA "Sch.ema"; CREATE SCHEMA types;
CREATE TYPE types.mood AS ENUM ('happy', 'it''s "ok"'); CREATE TYPE a.mood AS ENUM ('x');
CREATE DOMAIN types.email AS text CHECK (VALUE ~ '@');
CREATE SEQUENCE shared AS smallint START 100 INCREMENT 5;
CREATE TABLE users (id serial PRIMARY KEY, mood types.mood DEFAULT 'happy', moods types.mood[], m int DEFAULT
    nextval('shared'), email types.email, t text DEFAULT 'it''s 100% :fine', spot point, doc xml, n name);
CREATE TABLE a.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m smallint DEFAULT nextval('shared'),
    mood a.mood, other types.mood, boss bigint REFERENCES a.users DEFERRABLE INITIALLY DEFERRED,
    home int REFERENCES public.users ON DELETE SET NULL);
CREATE TABLE "Sch.ema"."Ta.ble ""q"" Ü" ("select" int, "100%" int, "a:b" text, UNIQUE ("100%") DEFERRABLE,
    PRIMARY KEY ("select", "100%"), CHECK ("a:b" <> ':foo %s' AND "100%" > 0));
CREATE INDEX "ix "".%" ON "Sch.ema"."Ta.ble ""q"" Ü" (("a:b" || ':x')) WHERE "a:b" <> ':y';
"""
MORE = """
CREATE TABLE part (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part DEFAULT PARTITION BY HASH (id);
CREATE TABLE part_2 PARTITION OF part_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE parent (id int); CREATE TABLE a_child (x int) INHERITS (parent);
CREATE VIEW a.v AS SELECT 1 AS one; CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION f();
CREATE TABLE booking (span int4range, t text, EXCLUDE USING gist (span WITH &&),
    CONSTRAINT ck CHECK (t <> '') NO INHERIT);
CREATE INDEX ix_c ON booking (t COLLATE "C");
"""


@pytest.fixture
def ugly():
    with sandbox(Plan("ugly", MetaData()), create=False) as stage:
        with stage.engine.begin() as connection:
            connection.exec_driver_sql(HELD.replace("%", "%%"))
        yield stage


def test_what_is_held_is_held_to_the_letter(ugly):
    plan = read(ugly.url)
    assert plan.metadata.info["not_covered"] == ()
    with sandbox(plan) as copy, copy.engine.connect() as made, ugly.engine.connect() as there:
        found = {(str(d.place), d.what, d.right) for d in differences(snapshot(there), snapshot(made))}
    assert found == set()


def test_names_are_read_right_under_any_search_path(ugly):
    with ugly.engine.begin() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{ugly.engine.url.database}" SET search_path = public, a, types')
    plan = read(ugly.url)
    keys = {str(key.parent.name): key.target_fullname for key in plan.table("a.users").foreign_keys}
    assert keys == {"boss": "a.users.id", "home": "users.id"}
    assert plan.table("a.users").c.other.type.schema == "types"


def test_what_sqlalchemy_has_no_place_for_is_held_too(ugly):
    with ugly.engine.begin() as connection:
        connection.exec_driver_sql(MORE)
    plan = read(ugly.url)
    assert plan.metadata.info["not_covered"] == ()
    assert plan.table("part_1").info["partition_of"] == ("part", "DEFAULT")
    assert plan.table("a_child").dialect_options["postgresql"]["inherits"] == ("parent",)
    assert plan.table("mv").info["materialized"]
    with sandbox(plan) as copy, copy.engine.connect() as made, ugly.engine.connect() as there:
        assert differences(snapshot(there), snapshot(made)) == ()
        assert copy.refused == ()


def test_a_copied_plan_keeps_the_schemas_of_types_and_the_numbers_of_sequences():
    metadata = MetaData()
    mood = Enum("x", name="mood", schema="types")
    Table("t", metadata, Column("m", mood), Column("ms", ARRAY(mood)), Column("n", Integer), schema="own")
    Sequence("s", start=7, metadata=metadata)
    copy = Plan("p", metadata).metadata
    table = copy.tables["own.t"]
    assert (table.c.m.type.schema, table.c.ms.type.item_type.schema) == ("types", "types")
    assert [sequence.start for sequence in copy._sequences.values()] == [7]
