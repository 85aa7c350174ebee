"""Schemas that strangers have: all that makes an exporter stumble."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from dbplan.plan import Plan

LONG = "a_name_that_is_exactly_as_long_as_a_name_may_be_in_postgresql_x"
assert len(LONG) == 63


def stranger():
    """A schema of everything at once."""
    m = sa.MetaData()
    role = pg.ENUM("admin", "it's", "two words", "", "1st", "Ünï", name="role", metadata=m)
    kind = pg.ENUM("a", "b", name="Kind", schema="app", metadata=m)
    _keys(m)
    _types(m, role, kind)
    _words(m)
    _indexes(m)
    _views(m)
    m.info["dialect"] = "postgresql"
    return Plan("stranger", m)


def _keys(m):
    sa.Table(
        "order", m,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("select", sa.Text, nullable=False, unique=True),
        sa.Column("parent_id", sa.ForeignKey("order.id", ondelete="SET NULL", onupdate="CASCADE")),
        comment="It's an \"order\" */ with `ticks` and ${more}",
    )  # fmt: skip
    sa.Table(
        "Line Item", m,
        sa.Column("orderID", sa.BigInteger, sa.ForeignKey("order.id", name="fk; odd"), primary_key=True),
        sa.Column("no", sa.SmallInteger, primary_key=True, comment="two\nlines and a \\ backslash"),
        sa.Column("class", sa.String(10), server_default="it's; -- ,,"),
        sa.Column("type", sa.CHAR(3)),
        sa.CheckConstraint("class <> ';' AND class NOT LIKE '%--%' AND class <> 'a`${b}\\'", name="ck_odd"),
        sa.CheckConstraint("no > 0"),
        sa.UniqueConstraint("no", "orderID", deferrable=True, initially="DEFERRED"),
        schema="app",
    )  # fmt: skip
    sa.Table(
        "part", m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("line_order", sa.BigInteger), sa.Column("line_no", sa.SmallInteger),
        sa.Column("twin_id", sa.Integer, sa.ForeignKey("app.part.id"), unique=True),
        sa.ForeignKeyConstraint(
            ["line_order", "line_no"], ["app.Line Item.orderID", "app.Line Item.no"],
            match="FULL", deferrable=True, initially="DEFERRED",
        ),
        schema="app",
    )  # fmt: skip
    sa.Table("no_key", m, sa.Column("a", sa.Integer), sa.Column("b", sa.Text, unique=True))
    for one, other in (("hen", "egg"), ("egg", "hen")):
        sa.Table(
            one, m,
            sa.Column("id", sa.Integer, sa.Identity(always=True, start=10, increment=5), primary_key=True),
            sa.Column(f"{other}_id", sa.ForeignKey(f"{other}.id", name=f"fk_{one}_{other}", use_alter=True)),
        )  # fmt: skip
    sa.Table(
        LONG, m,
        sa.Column(LONG, sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
        sa.Column(LONG[:-1], sa.ForeignKey(f"{LONG}.{LONG}"), index=True),
    )  # fmt: skip


def _types(m, role, kind):
    sa.Sequence("ticket", start=100, increment=2, metadata=m)
    sa.Table(
        "types", m,
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("role", role, server_default="it's"),
        sa.Column("roles", pg.ARRAY(role), server_default=sa.text("'{}'")),
        sa.Column("kind", kind),
        sa.Column("money", sa.Numeric(10, 2), server_default=sa.text("0.50")),
        sa.Column("many", sa.Numeric, server_default=sa.text("0")),
        sa.Column("ratio", sa.Float, server_default=sa.text("0.5")), sa.Column("small", sa.REAL),
        sa.Column("flag", sa.Boolean, server_default=sa.true(), nullable=False),
        sa.Column("at", pg.TIMESTAMP(timezone=True, precision=3), server_default=sa.text("CURRENT_TIMESTAMP")),
        sa.Column("at0", pg.TIMESTAMP(precision=0)), sa.Column("day", sa.Date, server_default=sa.func.now()),
        sa.Column("hour", pg.TIME(timezone=True, precision=2)), sa.Column("for", pg.INTERVAL),
        sa.Column("span", pg.INTERVAL(fields="DAY TO SECOND", precision=3)),
        sa.Column("doc", pg.JSON, server_default='{"a":1}'),
        sa.Column("bin", pg.JSONB, server_default=sa.text("'{\"a\": [1, \"x\"]}'::jsonb")),
        sa.Column("raw", sa.LargeBinary), sa.Column("bits", pg.BIT(5)), sa.Column("vary", pg.BIT(7, varying=True)),
        sa.Column("net", pg.INET), sa.Column("mac", pg.MACADDR), sa.Column("cid", pg.CIDR),
        sa.Column("words", pg.TSVECTOR), sa.Column("range", pg.INT4RANGE), sa.Column("cash", pg.MONEY),
        sa.Column("tags", pg.ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("matrix", pg.ARRAY(sa.Integer, dimensions=2)),
        sa.Column("codes", pg.ARRAY(sa.String(5)), server_default=sa.text("ARRAY['a', 'b']")),
        sa.Column("sorted", sa.String(20, collation="C")),
        sa.Column("mail", pg.DOMAIN("mail", sa.String(99), check=sa.text("VALUE LIKE '%@%'"))),
        sa.Column("citext", pg.CITEXT),
        sa.Column("oid", pg.OID),
        sa.Column("both", sa.Integer, sa.Computed("id * 2", persisted=True)),
        sa.Column("ticket", sa.BigInteger, server_default=sa.text("nextval('ticket'::regclass)")),
        sa.Column("constructor", sa.Text), sa.Column("enableRLS", sa.Text),
        sa.Column("état civil", sa.Text), sa.Column("名前", sa.Text), sa.Column("2nd", sa.Text),
        sa.Column("a-b", sa.Text), sa.Column("a_b", sa.Text), sa.Column("_", sa.Text), sa.Column("$", sa.Text),
    )  # fmt: skip


def _words(m):
    for name in ("index", "check", "text", "users", "user", "Users", "sql", "relations", "date", "object", "entity"):
        sa.Table(name, m, sa.Column("id", sa.Integer, primary_key=True), schema="app" if name == "user" else None)
    sa.Table("users", m, sa.Column("id", sa.Integer, primary_key=True), schema="app")
    sa.Table(
        "follows", m,
        sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("other_id", sa.ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True),
        sa.Column("index_id", sa.ForeignKey("index.id", ondelete="SET DEFAULT"), server_default=sa.text("1")),
    )  # fmt: skip


def _indexes(m):
    t = sa.Table(
        "found", m,
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text), sa.Column("b", sa.Integer),
        sa.Column("c", pg.JSONB), sa.Column("r", pg.INT4RANGE), sa.Column("words", pg.TSVECTOR),
        sa.UniqueConstraint("a", "b", name="uq_nulls", postgresql_nulls_not_distinct=True),
    )  # fmt: skip
    t.append_constraint(pg.ExcludeConstraint((t.c.r, "&&"), name="ex_r", using="gist", where=sa.text("b > 0")))
    sa.Index("ix_lower", sa.func.lower(t.c.a), t.c.b.desc())
    sa.Index("ix_sum", sa.text("(b + 1)"))
    sa.Index("ix_gin", t.c.c, postgresql_using="gin", postgresql_ops={"c": "jsonb_path_ops"})
    sa.Index("ix_words", t.c.words, postgresql_using="gin")
    sa.Index("ix_brin", t.c.b, postgresql_using="brin", postgresql_with={"pages_per_range": 16})
    sa.Index("ix_nulls", t.c.a.asc().nulls_first(), t.c.b.desc().nulls_last())
    sa.Index("ix_like", t.c.a, postgresql_ops={"a": "text_pattern_ops"})
    sa.Index("ix_like_desc", t.c.a.desc(), postgresql_ops={"a": "text_pattern_ops"})
    sa.Index("ix_cover", t.c.a, postgresql_include=["b"], unique=True)
    sa.Index("ix_part", t.c.b, unique=True, postgresql_where=sa.text("a <> ';' AND a = 'x--y'"))
    sa.Index("ix_hash", t.c.a, postgresql_using="hash")


def _views(m):
    columns = (sa.Column("id", sa.Integer), sa.Column("a", sa.Text))
    second = {"is_view": True, "view": "SELECT id,\n    a\nFROM a_view\nWHERE a <> '`${x}';"}
    sa.Table("Late View", m, *columns, info=second, comment="The second")
    columns = (sa.Column("id", sa.Integer), sa.Column("a", sa.Text))
    sa.Table("a_view", m, *columns, info={"is_view": True, "view": "SELECT id, a FROM found"})
    stored = {"is_view": True, "view": "SELECT count(*) AS n FROM found", "materialized": True}
    sa.Table("counted", m, sa.Column("n", sa.BigInteger), schema="app", info=stored)
