"""Random plans as Prisma schemas: Prisma takes each, formatted as it formats, and makes the same database of it."""

import json
import keyword

import pytest
import sqlalchemy as sa
from exports.loop import catalog_of, empty_database, run, taken
from exports.random_plans import drawn, many
from exports.test_prisma import asked, unexplained
from hypothesis import strategies as st
from node_tools import node
from prisma_equality import unequal
from prisma_models import schemas
from sqlalchemy.dialects import postgresql as pg

from dbplan.comparison import differences
from dbplan.exports.prisma import write
from dbplan.plan import Plan
from dbplan.sources import read

COUNT = many(3)
pytestmark = pytest.mark.filterwarnings("ignore:Type object .* OperatorClass")  # SQLAlchemy's own of MONEY

# No double quote: Prisma does not escape it in the names that it writes.
signs = st.characters(categories=["Lu", "Ll", "Lo", "Nd"], include_characters=" _-.$'\\", max_codepoint=0x2FFF)
names = st.one_of(
    st.sampled_from(
        ["id", "user", "order", "select", "type", "2nd", "a b", "_x", "Model", "String", *keyword.kwlist[:3]]
    ),
    st.text(signs, min_size=1, max_size=8).filter(lambda name: name.strip() == name),
    st.text("abc_", min_size=40, max_size=50).filter(lambda name: name.strip("_")),
)
kinds = st.sampled_from(
    [
        sa.Integer(), sa.SmallInteger(), sa.BigInteger(), sa.Text(), sa.String(12), sa.String(), sa.CHAR(3), sa.Uuid(),
        sa.Boolean(), sa.Float(), sa.REAL(), sa.Numeric(8, 3), sa.Numeric(), sa.Date(), sa.Time(), sa.DateTime(),
        sa.DateTime(timezone=True), pg.TIMESTAMP(precision=3), pg.TIME(True, 2), pg.JSON(), pg.JSONB(), pg.INET(),
        sa.LargeBinary(), pg.BIT(4), pg.BIT(varying=True), pg.INTERVAL(), pg.CIDR(), pg.MONEY(), pg.TSVECTOR(),
        pg.INT4RANGE(), pg.ARRAY(sa.Integer()), pg.ARRAY(sa.String(5)), pg.ENUM("a", "two words", "1", name="kind"),
    ]
)  # fmt: skip
values = {
    sa.Integer: ["0", "-1", sa.text("7"), sa.text("(1 + 2)")],
    sa.BigInteger: ["5", sa.text("-3")],
    sa.Text: ["", 'it\'s: "so" %s\\\n', sa.text("lower('A')")],
    sa.String: ["x", sa.text("'it''s'")],
    sa.Boolean: [sa.text("true"), "0"],
    sa.Float: [sa.text("0.5"), "1e5"],
    sa.Numeric: [sa.text("1.500"), "2"],
    sa.DateTime: [sa.func.now(), sa.text("CURRENT_TIMESTAMP"), "2020-01-02 03:04:05"],
    pg.JSONB: ["{}", sa.text("'[1]'::jsonb")],
    pg.ENUM: ["two words", "1"],
    pg.ARRAY: [sa.text("'{}'")],
}
actions = st.sampled_from([None, "CASCADE", "RESTRICT", "SET NULL", "SET DEFAULT", "NO ACTION"])


@st.composite
def plans(draw):
    m = sa.MetaData()
    made = []
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        schema = draw(st.sampled_from([None, None, "other"]))
        table = sa.Table(name, m, schema=schema, comment=draw(st.sampled_from([None, "What\nit holds"])))
        for column in draw(st.lists(names, min_size=1, max_size=5, unique=True)):
            kind = draw(kinds)
            filled = draw(st.sampled_from([None, *values.get(type(kind), [])]))
            table.append_column(sa.Column(column, kind, server_default=filled, nullable=draw(st.booleans())))
        made.append(table)
        _add_keys(table, draw)
    for number, child in enumerate(made):
        _add_foreign_key(child, made, draw, number)
    return Plan("random", m)


def _plain(table):
    """Return the columns that any server can sort."""
    odd = (pg.JSON, pg.JSONB, pg.ARRAY, pg.INT4RANGE, pg.TSVECTOR)
    return [column for column in table.columns if not isinstance(column.type, odd)]


def _add_keys(table, draw):
    plain = _plain(table)
    if plain and draw(st.booleans()):
        key = draw(st.lists(st.sampled_from(plain), min_size=1, max_size=2, unique_by=lambda c: c.name))
        for column in key:
            column.nullable = False
        table.append_constraint(sa.PrimaryKeyConstraint(*key, name=draw(st.sampled_from([None, f"pk {table.name}"]))))
    if plain and draw(st.booleans()):
        key = draw(st.lists(st.sampled_from(plain), min_size=1, max_size=2, unique_by=lambda c: c.name))
        table.append_constraint(sa.UniqueConstraint(*key, name=draw(st.sampled_from([None, f"uq {table.name}"]))))
        if draw(st.booleans()):  # the same once more, which PostgreSQL takes for one
            table.append_constraint(sa.UniqueConstraint(*key, name=draw(st.sampled_from([None, f"re {table.name}"]))))
    if plain and draw(st.booleans()):
        first = draw(st.sampled_from(plain))
        quoted = sa.sql.quoted_name(first.name, True).replace(":", "\\:")
        where = draw(st.sampled_from([None, sa.text(f'"{quoted}" IS NOT NULL')]))
        part = draw(st.sampled_from([first, sa.desc(first) if not isinstance(first.type, pg.MONEY) else first]))
        sa.Index(f"ix {table.name}"[:50], part, unique=draw(st.booleans()), postgresql_where=where)


def _add_foreign_key(child, made, draw, number):
    parent = draw(st.sampled_from(made))
    key = list(parent.primary_key.columns) or next(
        (list(c.columns) for c in parent.constraints if isinstance(c, sa.UniqueConstraint)), []
    )
    if not key or not draw(st.booleans()):
        return
    columns = [sa.Column(f"to_{number}_{place}", column.type) for place, column in enumerate(key)]
    for column in columns:
        child.append_column(column)
    named = draw(st.sampled_from([None, f"fk {number}"]))
    on_delete, on_update = draw(actions), draw(actions)
    child.append_constraint(
        sa.ForeignKeyConstraint(columns, key, name=named, ondelete=on_delete, onupdate=on_update, use_alter=bool(named))
    )


def test_a_random_plan_is_the_same_database_to_prisma(tmp_path):
    examples = drawn(plans(), COUNT * 8)
    written = [write(plan, "postgresql") for plan in examples]
    texts = [made.files["schema.prisma"] for made in written]
    assert asked("formats", tmp_path, texts) == texts
    found = asked("each", tmp_path, texts)
    for plan, made, ddl in list(zip(examples, written, found, strict=True))[-COUNT:]:
        with empty_database() as stage:
            run(stage, ddl)
            differ = differences(catalog_of(plan), taken(stage))
        assert unexplained(differ, made.lost) == [], made.files["schema.prisma"]


def test_a_random_schema_of_prismas_comes_back_as_the_same_database(tmp_path):
    paths = []
    for number, text in enumerate(sorted(set(drawn(schemas("postgresql"), COUNT * 4)), key=len)):
        paths.append(tmp_path / f"{number}.prisma")
        paths[-1].write_text(text, "utf-8")
    answers = json.loads(node("prisma.mjs", "each", *paths))
    taken_by_prisma = [(path, answer["text"]) for path, answer in zip(paths, answers, strict=True) if answer["ok"]]
    texts = [write(read(path), "postgresql").files["schema.prisma"] for path, _ in taken_by_prisma]
    assert asked("formats", tmp_path, texts) == texts
    for (path, one), other in zip(taken_by_prisma, asked("each", tmp_path, texts), strict=True):
        same = sorted(one.split("\n\n")) == sorted(other.split("\n\n"))
        assert same or unequal(path, other) == (), path.read_text("utf-8")
