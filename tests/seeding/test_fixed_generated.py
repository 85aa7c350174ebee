"""Fixed rows of generated schemas, taken from what would be generated: each stands, and nothing is there twice."""

import json
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    select,
)

from dbplan.connection import new_engine
from dbplan.errors import RecipeError, Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.run import prepare

KEYS = (Integer(), Uuid(), String(12))
TYPES = (
    String(30),
    Integer(),
    Numeric(8, 2),
    Uuid(),
    DateTime(),
    Date(),
    Boolean(),
    Enum("x", "y", "z", name="letters"),
)
NAMES = ("email", "code", "status", "amount", "day")


@st.composite
def schemas(draw):
    """Return a parent, its children with a unique of one or two columns, and how many rows each has."""
    m = MetaData()
    for name in ("parent", "child"):
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
        columns = [Column(n, draw(st.sampled_from(TYPES)), nullable=draw(st.booleans())) for n in names]
        more = [UniqueConstraint(*draw(st.sampled_from(([names[0]], names[:2]))))]
        if name == "child":
            columns.append(Column("parent_id", ForeignKey("parent.id"), nullable=draw(st.booleans())))
            more += draw(st.sampled_from(([], [UniqueConstraint("parent_id", names[-1])])))
        Table(name, m, Column("id", draw(st.sampled_from(KEYS)), primary_key=True), *columns, *more)
    rows = {"parent": draw(st.integers(0, 12)), "child": draw(st.integers(1, 20))}
    return m, rows, draw(st.integers(1, 3)), draw(st.integers(1, 3))


def made(plan, rows):
    """Return the cells of every table by column."""
    sources = prepare(plan, rows, 7)[0].sources
    return {n: {c: s.frame(np.arange(s.rows))[c] for c in s.makers} for n, s in sources.items()}


def literal(value):
    if isinstance(value, np.datetime64):
        return str(value)[:19]
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return json.dumps(value)


def table(name, cells, numbers, kinds, **instead):
    """Return fixed rows of a recipe with the cells of those rows."""
    text = ""
    for number in numbers:
        text += f"[[tables.{name}.fixed]]\n"
        for column, cell in cells.items():
            if not cell.null[number]:
                value = cell.values[number : number + 1]
                value = value[0] if value.dtype.kind == "M" else value.tolist()[0]
                text += f"{column} = {instead.get(column) or shown(value, kinds[column].type)}\n"
    return text


def shown(value, kind):
    return str(value)[:10] if isinstance(kind, Date) else literal(value)


def recipe_of(metadata, rows, parents, children):
    """Return fixed rows that are the first generated ones; the children refer to the first of the parents."""
    cells = made(Plan("p", metadata), {"parent": max(parents, rows["parent"]), "child": max(children, rows["child"])})
    t = metadata.tables
    first = shown(cells["parent"]["id"].values.tolist()[0], t["parent"].c.id.type)
    text = table("parent", cells["parent"], range(parents), t["parent"].c)
    text += table("child", cells["child"], range(children), t["child"].c, parent_id=first)
    return text + "".join(f"[tables.{name}]\nrows = {count}\n" for name, count in rows.items())


QUICK = {"phases": [Phase.explicit, Phase.generate], "suppress_health_check": [HealthCheck.too_slow]}


def check(case, target):
    metadata, rows, parents, children = case
    plain = Plan("p", metadata)
    try:
        text = recipe_of(metadata, rows, parents, children)
        before = made(plain, {"parent": max(1, rows["parent"]), "child": rows["child"]})
    except Unsatisfiable:
        return
    note(text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.toml"
        path.write_text(text, "utf-8")
        plan = Plan("p", metadata, recipe=path)
        try:
            with target(plan) as (engine, again):
                assert seed(engine, again).ok
                with engine.connect() as connection:
                    counts = {n: len(connection.execute(select(t)).all()) for n, t in metadata.tables.items()}
        except (Unsatisfiable, RecipeError) as error:
            note(str(error))
            assert "unique" in str(error) or "stands in the row" in str(error) or "leave room" in str(error), error
            return
        assert counts == {"parent": rows["parent"] + parents, "child": rows["child"] + children}
        after = made(plan, None)
    for column in [] if not rows["parent"] else before["parent"]:
        kept = sum(a == b for a, b in zip(before["parent"][column].values, after["parent"][column].values, strict=True))
        assert kept >= rows["parent"] - parents or column == "id"


class Sqlite:
    def __init__(self, plan):
        self.plan, self.engine = plan, new_engine("sqlite://")

    def __enter__(self):
        self.plan.metadata.create_all(self.engine)
        return self.engine, self.plan

    def __exit__(self, *_):
        self.engine.dispose()


class Server:
    def __init__(self, plan):
        self.context = sandbox(plan)

    def __enter__(self):
        stage = self.context.__enter__()
        return stage.engine, stage.plan

    def __exit__(self, *error):
        return self.context.__exit__(*error)


@settings(max_examples=60, **QUICK)
@given(schemas())
def test_fixed_rows_stand_beside_generated_ones(case):
    check(case, Sqlite)


@settings(max_examples=8, **QUICK)
@given(schemas())
def test_postgresql_holds_them_as_well(case):
    check(case, Server)
