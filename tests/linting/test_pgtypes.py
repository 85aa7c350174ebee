"""What is said about PostgreSQL's types agrees with PostgreSQL."""

from __future__ import annotations

from itertools import permutations

import pytest
from sqlalchemy import (
    ARRAY,
    CHAR,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType, TypeDecorator

from dbplan.linting.pgtypes import pg_type
from dbplan.linting.schema import Schema
from dbplan.linting.study import findings
from dbplan.plan import Plan
from dbplan.sandbox import sandbox


class Moment(TypeDecorator):
    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect):
        kind = DateTime(timezone=True) if dialect.name == "postgresql" else String(40)
        return dialect.type_descriptor(kind)


class Broken(TypeDecorator):
    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect):
        raise RuntimeError("not here")


@pytest.mark.parametrize(
    ("type_", "name", "args", "kind"),
    [
        (Integer(), "integer", (), "integer"),
        (BigInteger().with_variant(Integer, "sqlite"), "bigint", (), "integer"),
        (String(20), "varchar", (20,), "string"),
        (String(20, collation="C"), "varchar", (20,), "string"),
        (CHAR(3), "character", (3,), "string"),
        (Numeric(10, 2), "numeric", (10, 2), "decimal"),
        (Float(), "double precision", (), "float"),
        (Float(20), "real", (20,), "float"),
        (DateTime(), "timestamp", (), "instant"),
        (DateTime(timezone=True), "timestamptz", (), "instant"),
        (postgresql.TIMESTAMP(timezone=True, precision=3), "timestamptz", (3,), "instant"),
        (postgresql.TIME(timezone=True), "timetz", (), "timetz"),
        (ARRAY(Text), "text[]", (), "array"),
        (JSON().with_variant(postgresql.JSONB(), "postgresql"), "jsonb", (), "jsonb"),
        (Enum("a", "b", name="colour"), "colour", (), "enum colour"),
        (Enum("a", "bcd", native_enum=False), "varchar", (3,), "string"),
        (postgresql.DOMAIN("cents", BigInteger()), "bigint", (), "integer"),
        (postgresql.CITEXT(), "citext", (), ""),
        (mysql.LONGTEXT(), "varchar", (), "string"),
        (Moment(), "timestamptz", (), "instant"),
        (Broken(), "", (), ""),
        (NullType(), "", (), ""),
    ],
    ids=repr,
)
def test_a_type_is_read_as_postgresql_has_it(type_, name, args, kind):
    found = pg_type(type_)
    assert (found.name, found.args, found.kind) == (name, args, kind)


TYPES = [
    *(SmallInteger(), Integer(), BigInteger(), Numeric(10, 2), postgresql.REAL(), Float(), Text(), String(9), CHAR(3)),
    *(Boolean(), Uuid(), Date(), DateTime(), DateTime(timezone=True), Interval(), LargeBinary(), postgresql.JSONB()),
    *(JSON(), ARRAY(Integer), postgresql.INET(), postgresql.CIDR(), postgresql.MACADDR(), postgresql.TSVECTOR()),
    *(postgresql.TSQUERY(), postgresql.INT4RANGE(), postgresql.INT4MULTIRANGE(), postgresql.BIT(3), postgresql.MONEY()),
    *(postgresql.TIME(timezone=True), postgresql.TIME()),
    postgresql.ENUM("a", "b", name="mood"),
]
METHODS = ("btree", "hash", "gin", "gist", "spgist", "brin")


def _name(type_) -> str:
    return pg_type(type_).text


@pytest.fixture(scope="module")
def server():
    with sandbox(Plan("types", MetaData()), create=False) as stage, stage.engine.connect() as connection:
        connection.exec_driver_sql("CREATE TYPE mood AS ENUM ('a', 'b')")
        connection.exec_driver_sql(
            "CREATE TABLE typed (" + ", ".join(f"c{n} {_name(t)}" for n, t in enumerate(TYPES)) + ")"
        )
        connection.commit()
        yield connection


def _works(connection, *statements: str) -> bool:
    try:
        with connection.begin_nested():
            for statement in statements:
                connection.exec_driver_sql(statement)
            return True
    except DBAPIError:
        return False
    finally:
        connection.rollback()


@pytest.mark.parametrize("method", METHODS)
def test_default_operator_classes_are_those_of_the_server(server, method):
    for number, type_ in enumerate(TYPES):
        works = _works(server, f"CREATE INDEX ON typed USING {method} (c{number})")
        assert pg_type(type_).default_class(method) is works, _name(type_)


def test_a_foreign_key_is_called_refused_exactly_when_the_server_refuses_it(server):
    keys = [type_ for type_ in TYPES if pg_type(type_).default_class("btree")]
    wrong = []
    for here, there in permutations(keys, 2):
        metadata = MetaData()
        Table("parent", metadata, Column("id", there, primary_key=True, autoincrement=False))
        Table("child", metadata, Column("parent_id", here, ForeignKey("parent.id")))
        refused = any(f.rule == "fk-type-mismatch" for f in findings(Schema(Plan("pair", metadata))))
        parent = f"CREATE TEMP TABLE parent (id {_name(there)} PRIMARY KEY)"
        child = f"CREATE TEMP TABLE child (parent_id {_name(here)} REFERENCES parent)"
        if refused is _works(server, parent, child):
            wrong.append(f"{_name(here)} → {_name(there)}")
    assert not wrong


def test_types_that_nobody_knows_are_said_and_stop_nothing():
    metadata = MetaData()
    table = Table("odd", metadata, Column("id", Integer, primary_key=True), Column("a"), Column("b", Broken()))
    Index("ix_odd", table.c.a, table.c.b, postgresql_using="gin")
    said = {str(f.place) for f in findings(Schema(Plan("odd", metadata))) if f.rule == "type-unknown"}
    assert said == {"odd.a", "odd.b"}
