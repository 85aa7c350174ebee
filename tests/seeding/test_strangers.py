"""Schemas that nobody here has seen: every constraint holds, on SQLite and on PostgreSQL."""

import datetime as dt

import pytest
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    NullPool,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql as pg

from dbplan.connection import new_engine
from dbplan.errors import NotCovered, Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import explain, seed


def stranger(metadata, **more):
    return Plan(name="stranger", metadata=metadata, **more)


def filled(metadata, path, rows=40):
    """Seed a SQLite file and return the report and the engine."""
    plan = stranger(metadata)
    engine = new_engine(f"sqlite:///{path / 'stranger.db'}", poolclass=NullPool)
    plan.metadata.create_all(engine)
    return seed(engine, plan, rows=rows), engine


def shop():
    m = MetaData()
    Table(
        "tenants", m, Column("id", Integer, primary_key=True), Column("name", String(40), unique=True, nullable=False)
    )
    Table(
        "customers", m,
        Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
        Column("id", Integer, primary_key=True),
        Column("email", String(60), nullable=False),
        Column("first_name", String(10)),
        UniqueConstraint("tenant_id", "email"),
    )  # fmt: skip
    Table(
        "products", m,
        Column("tenant_id", ForeignKey("tenants.id"), primary_key=True),
        Column("sku", String(12), primary_key=True),
        Column("price", Numeric(10, 2), CheckConstraint("price > 0"), nullable=False),
        Column("sale_price", Numeric(10, 2)),
        Column("parent_sku", String(12)),
        ForeignKeyConstraint(["tenant_id", "parent_sku"], ["products.tenant_id", "products.sku"]),
        CheckConstraint("sale_price IS NULL OR sale_price < price"),
    )  # fmt: skip
    Table(
        "orders", m,
        Column("id", Uuid, primary_key=True),
        Column("tenant_id", Integer, nullable=False),
        Column("customer_id", Integer, nullable=False),
        Column("number", Integer, nullable=False),
        Column("placed_at", DateTime(timezone=True), nullable=False),
        Column("paid_at", DateTime(timezone=True)),
        Column("status", String(10), CheckConstraint("status in ('new', 'paid', 'sent')"), nullable=False),
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("paid_at >= placed_at"),
        CheckConstraint("status = 'new' OR paid_at IS NOT NULL"),
    )  # fmt: skip
    Table(
        "order_items", m,
        Column("order_id", ForeignKey("orders.id"), primary_key=True),
        Column("line_no", SmallInteger, primary_key=True),
        Column("tenant_id", Integer, nullable=False),
        Column("sku", String(12), nullable=False),
        Column("quantity", Integer, CheckConstraint("quantity BETWEEN 1 AND 5"), nullable=False),
        Column("unit_price", Numeric(10, 2), CheckConstraint("unit_price >= 0"), nullable=False),
        Column("total", Numeric(12, 2), nullable=False),
        ForeignKeyConstraint(["tenant_id", "sku"], ["products.tenant_id", "products.sku"]),
        CheckConstraint("total = quantity * unit_price"),
    )  # fmt: skip
    return m


def ugly():
    m = MetaData()
    Table(
        "Order", m,
        Column("select", Integer, primary_key=True),
        Column("from", String(3), nullable=False, unique=True),
        Column("Mixed Case", Text),
        Column("a%b", Float, nullable=False),
        Column("group", Boolean, nullable=False),
        Column("when", Date, nullable=False),
        Column("clock", Time, nullable=False),
        Column("how long", Interval),
        Column("blob", LargeBinary(8), nullable=False, unique=True),
        Column("doc", JSON, nullable=False),
        Column("twice", Integer, Computed('"select" * 2')),
        Column("kind", Enum("a", "b'c", 'd"e', name="kind"), nullable=False),
    )  # fmt: skip
    Table("no_key", m, Column("x", Integer), Column("y", ForeignKey("Order.select")))
    Table(
        "node", m,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("parent_id", ForeignKey("node.id")),
        Column("root_id", ForeignKey("node.id"), nullable=False),
        Column("sort", Integer, nullable=False),
        CheckConstraint("id <> parent_id"),
    )  # fmt: skip
    Table(
        "profile", m,
        Column("node_id", ForeignKey("node.id"), primary_key=True),
        Column("code", String(6), nullable=False, unique=True),
        Column("low", Integer, nullable=False), Column("high", Integer, nullable=False),
        Column("middle", Integer, nullable=False),
        CheckConstraint("length(code) = 6"),
        CheckConstraint("low <= middle AND middle <= high"),
        CheckConstraint("(low < 100 AND high > 500) OR low = 777"),
    )  # fmt: skip
    Table(
        "follows", m,
        Column("follower_id", ForeignKey("node.id")), Column("followed_id", ForeignKey("node.id")),
        PrimaryKeyConstraint("follower_id", "followed_id"),
        CheckConstraint("follower_id <> followed_id"),
    )  # fmt: skip
    Table("only_id", m, Column("id", Integer, primary_key=True))
    e = Table("lower_mail", m, Column("id", Integer, primary_key=True), Column("email", String(30)))
    Index("one_mail", func.lower(e.c.email), unique=True)
    return m


def cyclic(*, nullable):
    m = MetaData()
    Table(
        "a",
        m,
        Column("id", Integer, primary_key=True),
        Column("b_id", ForeignKey("b.id", use_alter=True, name="ab"), nullable=nullable),
    )
    Table("b", m, Column("id", Integer, primary_key=True), Column("a_id", ForeignKey("a.id"), nullable=False))
    return m


def postgresql_types():
    m = MetaData()
    Table(
        "p", m,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("u", pg.UUID, nullable=False, unique=True, server_default=text("uuidv7()")),
        Column("tags", ARRAY(Text), nullable=False), Column("grid", ARRAY(Integer, dimensions=2), nullable=False),
        Column("ip", pg.INET, nullable=False, unique=True), Column("net", pg.CIDR, nullable=False),
        Column("mac", pg.MACADDR, nullable=False), Column("doc", pg.JSONB, nullable=False),
        Column("span", pg.TSTZRANGE, nullable=False), Column("ints", pg.INT4RANGE, nullable=False),
        Column("days", pg.DATERANGE, nullable=False), Column("bits", pg.BIT(5), nullable=False),
        Column("took", pg.INTERVAL, nullable=False), Column("raw", pg.BYTEA, nullable=False),
        Column("mood", pg.ENUM("sad", "ok", name="mood"), nullable=False),
        Column("price", pg.DOMAIN("positive", Numeric(8, 2), check="VALUE > 0"), nullable=False),
        Column("body", Text, nullable=False),
        Column("search", pg.TSVECTOR, Computed("to_tsvector('english', body)")),
        Column("cash", pg.MONEY), Column("at", pg.TIMESTAMP(timezone=True), server_default=func.now()),
        Column("year", Integer, CheckConstraint("year > 1999")),
        Column("slug", String(20), CheckConstraint("slug ~ '^[a-z]+(-[a-z]+)*$'"), nullable=False, unique=True),
    )  # fmt: skip
    Table("q", m, Column("p_id", ForeignKey("p.id", ondelete="CASCADE"), nullable=False, unique=True), schema=None)
    return m


@pytest.mark.parametrize("make", [shop, ugly])
def test_every_constraint_holds_on_sqlite(make, tmp_path):
    report, engine = filled(make(), tmp_path)
    assert report.ok
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()


@pytest.mark.parametrize("make", [shop, ugly, postgresql_types])
def test_every_constraint_holds_on_postgresql(make):
    plan = stranger(make())
    with sandbox(plan) as stage:
        report = seed(stage, rows=40)
    assert report.ok
    assert ", 0 violations" in report.verdict


def test_a_reflected_schema_seeds_as_well():
    with sandbox(stranger(shop())) as stage:
        reflected = MetaData()
        reflected.reflect(stage.engine)
        assert seed(stage.engine, stranger(reflected), rows=50).ok


def test_a_circle_is_closed_through_its_nullable_key():
    with sandbox(stranger(cyclic(nullable=True))) as stage:
        assert seed(stage, rows=20).ok
        with stage.engine.connect() as connection:
            a = stage.plan.table("a")
            assert connection.execute(select(func.count()).select_from(a).where(a.c.b_id.is_not(None))).scalar() > 0


def test_a_circle_without_a_nullable_key_is_refused_with_its_path():
    with sandbox(stranger(cyclic(nullable=False))) as stage:
        with pytest.raises(Unsatisfiable, match="a → b → a form a circle.*make one nullable"):
            seed(stage, rows=20)
        assert inspect(stage.engine).has_table("a")


def test_sequences_count_on_after_the_seed():
    with sandbox(stranger(postgresql_types())) as stage:
        seed(stage, rows=5)
        with stage.engine.connect() as connection:
            assert connection.execute(text("SELECT nextval(pg_get_serial_sequence('p', 'id'))")).scalar() == 6


def test_an_unreadable_check_is_named_before_the_first_row(tmp_path):
    m = MetaData()
    Table(
        "t",
        m,
        Column("id", Integer, primary_key=True),
        Column("x", Integer, CheckConstraint("strange(x) > 3", name="odd")),
    )
    with pytest.raises(NotCovered, match=r'CHECK "odd" of t .*strange.*\[tables.t.columns'):
        explain(stranger(m))


def test_a_check_that_no_value_holds_is_named(tmp_path):
    m = MetaData()
    Table(
        "t",
        m,
        Column("id", Integer, primary_key=True),
        Column("x", Integer, nullable=False),
        CheckConstraint("x * x = 3", name="root"),
    )
    with pytest.raises(Unsatisfiable, match='CHECK "root"'):
        filled(m, tmp_path)


def test_an_unknown_type_is_null_where_it_may_be_and_an_error_where_not(tmp_path):
    from sqlalchemy.types import UserDefinedType

    class Geometry(UserDefinedType):
        cache_ok = True

        def get_col_spec(self, **_):
            return "BLOB"

    m = MetaData()
    t = Table("t", m, Column("id", Integer, primary_key=True), Column("shape", Geometry))
    report, engine = filled(m, tmp_path)
    assert "t.shape NULL" in str(report.blocks)
    engine.dispose()
    t.c.shape.nullable = False
    with pytest.raises(NotCovered, match=r"t\.shape"):
        explain(stranger(m))


def test_one_to_one_children_are_clamped_in_proportion_and_refused_when_exact():
    m = MetaData()
    Table("user", m, Column("id", Integer, primary_key=True))
    Table("profile", m, Column("user_id", ForeignKey("user.id"), primary_key=True))
    plan = stranger(m, rows={"user": 10, "profile": 50})
    report = explain(plan, rows=50)
    assert "profile got 10 rows, not its share" in str(report.blocks)
    with pytest.raises(Unsatisfiable, match="10 rows of user.*not 50"):
        explain(plan, rows={"user": 10, "profile": 50})


def test_small_domains_bound_the_rows():
    m = MetaData()
    Table("flag", m, Column("on", Boolean, primary_key=True))
    with pytest.raises(Unsatisfiable, match=r"flag.*2 values.*3 rows"):
        explain(stranger(m), rows={"flag": 3})


def test_times_are_ordered(tmp_path):
    m = MetaData()
    Table(
        "t",
        m,
        Column("id", Integer, primary_key=True),
        Column("created_at", DateTime, nullable=False),
        Column("updated_at", DateTime, nullable=False),
    )
    _, engine = filled(m, tmp_path)
    with engine.connect() as connection:
        rows = connection.execute(select(m.tables["t"]).order_by(m.tables["t"].c.id)).all()
    created = [row.created_at for row in rows]
    assert created == sorted(created)
    assert all(row.updated_at > row.created_at for row in rows)
    assert max(row.updated_at for row in rows) < dt.datetime(2026, 1, 1)
    engine.dispose()


def assets():
    """A subset of another table's rows whose names differ, and whose addresses differ: each on its own."""
    m = MetaData()
    Table(
        "asset", m,
        Column("id", Integer, primary_key=True),
        Column("name", String(60), nullable=False), Column("uri", String(60), nullable=False),
        UniqueConstraint("name", "uri"),
    )  # fmt: skip
    for table, key in (("active", PrimaryKeyConstraint("name", "uri")), ("watched", PrimaryKeyConstraint("id"))):
        Table(
            table, m,
            Column("id", Integer, nullable=False), Column("name", String(60), nullable=False),
            Column("uri", String(60), nullable=False),
            ForeignKeyConstraint(["name", "uri"], ["asset.name", "asset.uri"]),
            key, UniqueConstraint("name"), UniqueConstraint("uri"),
        )  # fmt: skip
    return m


@pytest.mark.parametrize("rows", [40, {"asset": 40, "active": 40, "watched": 7}])
def test_a_unique_on_part_of_a_wide_key_holds_through_the_parent(rows, tmp_path):
    report, engine = filled(assets(), tmp_path, rows)
    assert report.ok
    engine.dispose()


def test_a_unique_on_part_of_a_wide_key_lowers_the_rows_to_those_of_the_parent(tmp_path):
    plan = stranger(assets(), rows={"asset": 10, "active": 30, "watched": 30})
    assert "active got 10 rows, not its share" in str(explain(plan, rows=30).blocks)


def test_two_keys_are_not_the_two_ends_of_a_chain_of_checks(tmp_path):
    m = MetaData()
    Table(
        "t", m,
        Column("id", Integer, primary_key=True),
        Column("low", Integer, nullable=False), Column("middle", Numeric(8, 2), nullable=False),
        Column("high", Numeric(8, 2), CheckConstraint("high BETWEEN -5 AND 500"), nullable=False),
        Column("a_id", ForeignKey("t.id")), Column("b_id", ForeignKey("t.id")),
        CheckConstraint("low <= middle"), CheckConstraint("middle <= high"),
        UniqueConstraint("a_id", "low"), UniqueConstraint("b_id", "high"),
    )  # fmt: skip
    report, engine = filled(m, tmp_path)
    assert report.ok
    engine.dispose()


def test_a_column_that_a_key_leads_to_is_not_left_to_the_servers_default(tmp_path):
    m = MetaData()
    Table(
        "model", m,
        Column("workspace", String(63), server_default=text("'default'"), primary_key=True),
        Column("name", String(60), primary_key=True),
    )  # fmt: skip
    Table(
        "version", m,
        Column("workspace", String(63), server_default=text("'default'"), primary_key=True),
        Column("name", String(60), primary_key=True), Column("version", Integer, primary_key=True),
        ForeignKeyConstraint(["workspace", "name"], ["model.workspace", "model.name"]),
    )  # fmt: skip
    report, engine = filled(m, tmp_path)
    assert report.ok
    engine.dispose()


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_a_key_leads_to_what_the_database_computes(on):
    with sandbox(stranger(computed_key("id * 2")), on) as stage:
        assert seed(stage, rows=20).ok


def test_a_key_to_what_only_the_database_can_compute_is_not_covered():
    with pytest.raises(NotCovered, match=r"b \(code → a\) refers to a\.code, which the database itself fills"):
        explain(stranger(computed_key("strange(id)")))


def computed_key(sql):
    m = MetaData()
    Table(
        "a", m,
        Column("id", Integer, primary_key=True),
        Column("code", Integer, Computed(sql, persisted=True), unique=True),
    )  # fmt: skip
    Table("b", m, Column("id", Integer, primary_key=True), Column("code", ForeignKey("a.code")))
    return m


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_a_check_meant_for_another_server_is_not_counted_there(on):
    m = MetaData()
    Table(
        "t", m,
        Column("id", Integer, primary_key=True), Column("slug", String(20), nullable=False),
        CheckConstraint("slug ~ '^[a-z]+$'").ddl_if(dialect="postgresql"),
        CheckConstraint("slug REGEXP '^[a-z]+$'").ddl_if(dialect=("mysql", "mariadb")),
    )  # fmt: skip
    with sandbox(stranger(m), on) as stage:
        assert seed(stage, rows=20).ok


def test_a_boolean_read_from_sqlite_is_one_on_postgresql(tmp_path):
    m = MetaData(info={"dialect": "sqlite"})  # as read() tells it
    Table(
        "t", m,
        Column("id", Integer, primary_key=True), Column("done", Boolean, nullable=False, server_default=text("0")),
        CheckConstraint("done IN (0, 1)"),
    )  # fmt: skip
    with sandbox(stranger(m)) as stage:
        assert seed(stage, rows=20).ok


def test_a_key_to_columns_that_are_not_unique_is_named_on_sqlite():
    metadata = MetaData()
    Table("a", metadata, Column("id", Integer, primary_key=True), Column("code", Integer, nullable=False))
    Table("b", metadata, Column("id", Integer, primary_key=True), Column("code", ForeignKey("a.code"), nullable=False))
    with sandbox(Plan("loose", metadata), on="sqlite") as stage, pytest.raises(Unsatisfiable, match="not unique"):
        seed(stage, rows=5)
