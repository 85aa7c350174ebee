"""Column types of a project's own: what their bind functions take is found out, and what they give is written."""

import enum
import json
import uuid

import pytest
from sqlalchemy import (
    CHAR,
    JSON,
    Column,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    PickleType,
    String,
    Table,
    Text,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed


class HexUuid(TypeDecorator):
    impl = CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect):
        return dialect.type_descriptor(CHAR(32))

    def process_bind_param(self, value, dialect):
        return value if value is None else (value if isinstance(value, uuid.UUID) else uuid.UUID(value)).hex


class Mood(enum.Enum):
    SAD = 1
    GLAD = 2


class MoodText(TypeDecorator):
    impl = String(4)
    cache_ok = True

    def __init__(self):
        super().__init__()
        self.moods = Mood

    def process_bind_param(self, value, dialect):
        return value if value is None else self.moods(value).name


class Document(TypeDecorator):
    """A document that is TEXT by its impl and JSONB on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect):
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())

    def process_bind_param(self, value, dialect):
        return value if value is None else {"wrapped": value}


class JsonText(TypeDecorator):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value if value is None else json.dumps({"n": value.get("n", 0), **value})


class Nothing(TypeDecorator):
    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value, dialect):
        raise ValueError("nothing is good enough")


def metadata():
    m = MetaData()
    Table(
        "t", m,
        Column("id", Integer, primary_key=True),
        Column("uuid", HexUuid, nullable=False, unique=True),
        Column("mood", MoodText(), nullable=False),
        Column("data", Document, nullable=False),
        Column("metadata", JsonText, nullable=False),
        Column("settings", PickleType, nullable=False),
        Column("odd", Nothing),
        Column("took", Interval, server_default="0", nullable=False),
    )  # fmt: skip
    return m


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_values_are_what_the_bind_function_takes(on):
    with sandbox(Plan("t", metadata()), on=on) as stage:
        assert seed(stage, rows=30).ok
        table = stage.plan.table("t")
        with stage.engine.connect() as connection:
            rows = connection.execute(select(table)).all()
    assert len({row.uuid for row in rows}) == 30
    assert {row.mood for row in rows} == {"SAD", "GLAD"}
    assert all(set(row.data) == {"wrapped"} for row in rows)
    assert {row.metadata for row in rows} == {'{"n": 0}'}
    assert all(row.settings is not None and row.odd is None and row.took for row in rows)


class Strict(TypeDecorator):
    """A document that only the application can make, and that it reads with care."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value, dialect):
        raise ValueError("no trigger")

    process_result_value = process_bind_param


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_a_type_that_takes_nothing_known_is_written_raw_where_it_may_not_be_null(on):
    m = MetaData()
    Table("t", m, Column("id", Integer, primary_key=True), Column("trigger", Strict, nullable=False))
    with sandbox(Plan("t", m), on=on) as stage:
        report = seed(stage, rows=5)
        with stage.engine.connect() as connection:
            assert {str(row[0]) for row in connection.exec_driver_sql('SELECT "trigger" FROM t')} == {"{}"}
    assert report.ok
    assert "t.trigger raw, for its type's own bind function takes none" in str(report.blocks)
