"""Random plans for PostgreSQL: odd names, types with measures, defaults, keys, checks and indexes of all sorts."""

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql as pg

from dbplan.ddl import statements
from dbplan.plan import Plan

ODD = ["user", "Order", "two words", "a-b", "a_b", "été", "名前", "2nd", "class", "index", "type", "_", "x" * 63]
NAMES = st.one_of(st.sampled_from(ODD), st.text("abcZ_19", min_size=1, max_size=12))
TYPES = [
    (sa.Integer(), ["0", "-5", "'7'"]),
    (sa.BigInteger(), ["0", "9007199254740993"]),
    (sa.SmallInteger(), ["1"]),
    (sa.Numeric(12, 3), ["0.500", "-1"]),
    (sa.Numeric(), ["0"]),
    (sa.Float(), ["0.25"]),
    (sa.REAL(), []),
    (sa.Boolean(), ["true", "false"]),
    (sa.Text(), ["''", "'it''s'", "'a\\b'", "'${x} `y` ;'", "lower('A')"]),
    (sa.String(20), ["'a'", "'a'::text"]),
    (sa.String(20, collation="C"), ["'a'"]),
    (sa.CHAR(3), ["'abc'"]),
    (sa.Uuid(), ["gen_random_uuid()"]),
    (sa.Date(), ["'2020-01-01'", "CURRENT_DATE"]),
    (sa.DateTime(), ["now()", "'2020-01-01 00:00:00'"]),
    (pg.TIMESTAMP(timezone=True, precision=3), ["CURRENT_TIMESTAMP", "now() + '1 day'::interval"]),
    (pg.TIME(precision=0), []),
    (pg.INTERVAL(), ["'1 day'"]),
    (pg.JSON(), ["'{}'", "'[1, 2]'"]),
    (pg.JSONB(), ['\'{"a": {"b": [1.5, "x"]}}\'', "'[]'::jsonb"]),
    (sa.LargeBinary(), ["'\\x00'"]),
    (pg.ARRAY(sa.Text()), ["'{}'", "ARRAY['a', 'b']"]),
    (pg.ARRAY(sa.Numeric(5, 1)), ["'{1.5}'"]),
    (pg.BIT(4), []),
    (pg.INET(), ["'127.0.0.1'"]),
    (pg.TSTZRANGE(), []),
    (pg.TSVECTOR(), []),
]
ORDERED = (sa.Integer, sa.Text, sa.String, sa.Numeric, sa.Date)
ACTIONS = st.sampled_from([None, "CASCADE", "RESTRICT", "SET NULL", "NO ACTION"])


@st.composite
def columns(draw, name, enums):
    """Return a column that is no key."""
    kind, defaults = draw(st.sampled_from(TYPES))
    if draw(st.integers(0, 7)) == 0:
        kind, defaults = draw(st.sampled_from(enums)), []
        defaults = [f"'{kind.enums[0]}'"]
    default = draw(st.sampled_from([None, *defaults]))
    comment = draw(st.sampled_from([None, None, "what it's for", "a */ b ${c} `d` \\"]))
    given_default = sa.text(default.replace(":", "\\:")) if default else None
    nullable = draw(st.booleans())
    return sa.Column(name, kind, nullable=nullable, server_default=given_default, comment=comment)


def _keys(draw, table):
    names = list(table.columns.keys())
    kind = draw(st.sampled_from(["serial", "uuid", "both", "none", "identity"]))
    if kind == "none":
        return
    key = draw(st.sampled_from(["id", "ID"]).filter(lambda name: name not in names))
    made = {"serial": sa.Integer(), "identity": sa.BigInteger()}.get(kind, sa.Uuid())
    identity = [sa.Identity(always=draw(st.booleans()))] if kind == "identity" else []
    table.append_column(sa.Column(key, made, *identity, primary_key=True))
    if kind == "both":
        table.append_column(sa.Column("no", sa.Integer, primary_key=True, autoincrement=False))


def _ordered(table):
    return [column for column in table.columns if isinstance(column.type, ORDERED)]


def _extras(draw, table, number):
    ordered = _ordered(table)
    for place in range(draw(st.integers(0, 3)) if ordered else 0):
        chosen = draw(st.lists(st.sampled_from(ordered), min_size=1, max_size=2, unique=True))
        parts = [draw(st.sampled_from([c, c, c.desc(), c.asc().nulls_first(), sa.func.coalesce(c, c)])) for c in chosen]
        where = draw(st.sampled_from([None, sa.column(chosen[0].name).is_not(None)]))
        unique = draw(st.booleans())
        sa.Index(f"ix_{number}_{place}", *parts, unique=unique, postgresql_where=where)
    if ordered and draw(st.booleans()):
        name = draw(st.sampled_from([None, f"uq_{number}"]))
        late = draw(st.sampled_from([None, "DEFERRED"]))
        distinct = draw(st.sampled_from([None, True]))
        options = {"deferrable": bool(late) or None, "initially": late, "postgresql_nulls_not_distinct": distinct}
        table.append_constraint(sa.UniqueConstraint(draw(st.sampled_from(ordered)), name=name, **options))
    if ordered and draw(st.booleans()):
        column = draw(st.sampled_from(ordered))
        name = draw(st.sampled_from([None, f"ck_{number}"]))
        table.append_constraint(
            sa.CheckConstraint(column.is_not(None) | (sa.literal_column("'a;b%`${'") != "--"), name=name)
        )


def _references(draw, table, others, number):
    for place, other in enumerate(draw(st.lists(st.sampled_from(others), max_size=2))):
        keys = list(other.primary_key.columns)
        if not keys:
            continue
        made = [sa.Column(f"to_{place}_{k}", key.type, nullable=True) for k, key in enumerate(keys)]
        for column in made:
            table.append_column(column)
        name = draw(st.sampled_from([None, f"fk_{number}_{place}"]))
        options = {
            "ondelete": draw(ACTIONS),
            "onupdate": draw(ACTIONS),
            "deferrable": draw(st.sampled_from([None, True])),
        }
        table.append_constraint(sa.ForeignKeyConstraint(made, keys, name=name, **options))
        if draw(st.booleans()):
            table.append_constraint(sa.UniqueConstraint(*made, name=f"uq_{number}_{place}_to"))


@st.composite
def plans(draw):
    """Return a plan of up to five tables in two schemas."""
    metadata = sa.MetaData(info={"dialect": "postgresql"})
    enums = [
        pg.ENUM("a", "it's", "B b", name="kind", metadata=metadata),
        pg.ENUM("x", name="Of Two", metadata=metadata),
    ]
    tables = []
    for number, name in enumerate(draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=str.lower))):
        schema = draw(st.sampled_from([None, None, "other"]))
        table = sa.Table(name, metadata, schema=schema, comment=draw(st.sampled_from([None, "it's a table"])))
        for column in draw(st.lists(NAMES, max_size=6, unique_by=str.lower)):
            table.append_column(draw(columns(column, enums)))
        _keys(draw, table)
        if not len(table.columns):
            table.append_column(sa.Column("only", sa.Text))
        tables.append(table)
        _references(draw, table, tables, number)
        _extras(draw, table, number)
    note(_Shown(metadata))
    return Plan("random", metadata)


class _Shown:
    """The SQL of a plan, which is written for the example that is told alone."""

    def __init__(self, metadata):
        self.metadata = metadata

    def __repr__(self):
        return "\n".join(f"{one.sql};" for one in statements(Plan("random", self.metadata), "postgresql"))


def many(count):
    """Return how many examples a costly test takes: in proportion to those that the profile asks for of any."""
    return count * settings.default.max_examples // 100


def drawn(strategy, count):
    """Return examples of a strategy, for a tool that is asked for all of them at once."""
    found = []

    @settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def keep(example):
        found.append(example)

    keep()
    return found


def over_random_plans(count):
    """Run a test over random plans, so many of them."""

    def decorate(test):
        return settings(max_examples=many(count), suppress_health_check=list(HealthCheck))(given(plans())(test))

    return decorate
