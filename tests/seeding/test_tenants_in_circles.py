"""Keys of tenants that go in a circle: hotels have managers, who work in hotels of the same chain."""

import pytest
from sqlalchemy import (
    ARRAY,
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    NullPool,
    Table,
    Text,
    func,
    select,
)

from dbplan.connection import new_engine
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed

WORDS = JSON().with_variant(ARRAY(Text), "postgresql")


def keyed(m, name, own, *more, direct=True):
    chain = [ForeignKey("chains.id")] if direct else []
    key = Column("chain_id", Integer, *chain, primary_key=True)
    return Table(name, m, key, Column("id", Integer, primary_key=True, autoincrement=False), own, *more)


def hotels(*, required="employees", direct="hotels employees"):
    """Return chains with hotels and employees; `required` has NOT NULL keys, `direct` a key to the chains."""
    m = MetaData()
    Table("chains", m, Column("id", Integer, primary_key=True))
    keyed(
        m, "hotels", Column("manager_id", Integer, nullable="hotels" not in required), Column("amenities", WORDS),
        ForeignKeyConstraint(
            ["chain_id", "manager_id"], ["employees.chain_id", "employees.id"],
            name="manager", use_alter=True, deferrable=True, initially="DEFERRED",
        ),
        direct="hotels" in direct,
    )  # fmt: skip
    keyed(
        m, "employees", Column("hotel_id", Integer, nullable="employees" not in required),
        Column("supervisor_id", Integer),
        ForeignKeyConstraint(["chain_id", "hotel_id"], ["hotels.chain_id", "hotels.id"]),
        ForeignKeyConstraint(["chain_id", "supervisor_id"], ["employees.chain_id", "employees.id"]),
        CheckConstraint("supervisor_id <> id", name="not_self"),
        direct="employees" in direct,
    )  # fmt: skip
    return m


def with_reservations():
    """Return the same with what needs a room and a guest of one chain."""
    m = hotels()
    keyed(m, "guests", Column("name", Text, nullable=False))
    keyed(
        m, "rooms", Column("hotel_id", Integer, nullable=False),
        ForeignKeyConstraint(["chain_id", "hotel_id"], ["hotels.chain_id", "hotels.id"]),
    )  # fmt: skip
    keyed(
        m, "reservations", Column("room_id", Integer, nullable=False), Column("guest_id", Integer, nullable=False),
        ForeignKeyConstraint(["chain_id", "room_id"], ["rooms.chain_id", "rooms.id"]),
        ForeignKeyConstraint(["chain_id", "guest_id"], ["guests.chain_id", "guests.id"]),
        direct=False,
    )  # fmt: skip
    return m


SHAPES = {
    "usual": hotels,
    "both may be NULL": lambda: hotels(required=""),
    "neither may be NULL": lambda: hotels(required="hotels employees"),
    "hotels know no chains": lambda: hotels(direct="employees"),
    "employees know no chains": lambda: hotels(required="hotels", direct="hotels"),
    "reservations": with_reservations,
}


@pytest.fixture(scope="module")
def stage():
    with sandbox(Plan("tenants", MetaData()), on="postgresql") as made:
        yield made


def every_row(engine, metadata):
    with engine.connect() as connection:
        return {
            t.name: connection.execute(select(t).order_by(*t.primary_key.columns)).all() for t in metadata.sorted_tables
        }


def filled(engine, metadata):
    metadata.create_all(engine)
    try:
        report = seed(engine, Plan("tenants", metadata), rows=50)
        assert "0 violations" in report.verdict
        return every_row(engine, metadata)
    finally:
        metadata.drop_all(engine)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.filterwarnings("ignore:Cannot correctly sort tables")
def test_keys_of_tenants_may_go_in_a_circle(shape, stage, tmp_path):
    metadata = SHAPES[shape]()
    here = filled(new_engine(f"sqlite:///{tmp_path / 'tenants.db'}", poolclass=NullPool), metadata)
    assert here == filled(stage.engine, metadata)
    assert {len(rows) for rows in here.values()} == {50}
    homes = {(row.chain_id, row.id) for row in here["hotels"]}
    staff = {(row.chain_id, row.id) for row in here["employees"]}
    bosses = {(row.chain_id, row.manager_id) for row in here["hotels"] if row.manager_id is not None}
    assert bosses
    assert bosses <= staff
    assert {(row.chain_id, row.hotel_id) for row in here["employees"] if row.hotel_id is not None} <= homes
    assert len({row.chain_id for row in here["hotels"]}) > 5


def test_ids_beside_a_tenants_number_count_from_one(tmp_path):
    metadata = hotels()
    engine = new_engine(f"sqlite:///{tmp_path / 'tenants.db'}", poolclass=NullPool)
    metadata.create_all(engine)
    seed(engine, Plan("tenants", metadata), rows=50)
    with engine.connect() as connection:
        for name in ("hotels", "employees"):
            assert connection.scalar(select(func.min(metadata.tables[name].c.id))) == 1


@pytest.mark.filterwarnings("ignore:Cannot correctly sort tables")
def test_json_that_is_an_array_on_postgresql_holds_lists_of_words(stage, tmp_path):
    here = filled(new_engine(f"sqlite:///{tmp_path / 'tenants.db'}", poolclass=NullPool), hotels())
    there = filled(stage.engine, hotels())
    lists = [row.amenities for row in here["hotels"] if row.amenities is not None]
    assert lists
    assert all(words and all(isinstance(word, str) for word in words) for words in lists)
    assert [row.amenities for row in there["hotels"]] == [row.amenities for row in here["hotels"]]


@pytest.mark.parametrize("rows", [{"hotels": 7, "employees": 40}, {"hotels": 40, "employees": 7}])
def test_the_smaller_table_of_a_circle_has_the_tenants_of_the_larger(rows, tmp_path):
    metadata = hotels(required="hotels employees")
    engine = new_engine(f"sqlite:///{tmp_path / 'tenants.db'}", poolclass=NullPool)
    metadata.create_all(engine)
    assert (
        "97 rows in 3 tables, 0 violations"
        in seed(engine, Plan("tenants", metadata), rows=rows | {"chains": 50}).verdict
    )
