"""Views are created after those that they read."""

import pytest
import sqlalchemy as sa

from dbplan.ddl import statements, views_in_order, views_read
from dbplan.plan import Plan
from dbplan.sandbox import sandbox


def views(*, schema=None, **selects):
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("c", sa.Text))
    for name, select in selects.items():
        info = {"is_view": True, "view": select}
        sa.Table(name, metadata, sa.Column("id", sa.Integer), schema=schema, info=info)
    return metadata


CHAIN = {
    "a": "SELECT id FROM Z JOIN public.m USING (id)",
    "m": "SELECT id FROM (SELECT id FROM z) AS s WHERE id::text <> 'a'",
    "z": "SELECT id, c AS a FROM t",
}


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_a_view_comes_after_those_that_it_reads(on):
    chain = (
        CHAIN if on == "postgresql" else {n: s.replace("public.", "").replace("::text", "") for n, s in CHAIN.items()}
    )
    plan = Plan("p", views(**chain))
    assert [str(s.place) for s in statements(plan, on) if s.kind == "view"] == ["z", "m", "a"]
    with sandbox(plan, on) as stage:
        assert set(sa.inspect(stage.engine).get_view_names()) == {"a", "m", "z"}


def test_what_no_parser_reads_is_searched_for_names():
    metadata = views(a="SELECT id FROM b <<<>>> 'c'", b="SELECT id FROM t", c="SELECT id FROM t")
    assert {v.name: [o.name for o in read] for v, read in views_read(metadata).items()} == {
        "a": ["b"],
        "b": [],
        "c": [],
    }


def test_a_circle_has_an_order_and_ends():
    metadata = views(a="SELECT id FROM b", b="SELECT id FROM a", c="SELECT id FROM d", d="SELECT id FROM t")
    assert [view.name for view in views_in_order(metadata)] == ["d", "c", "a", "b"]


def test_views_of_a_schema():
    metadata = views(schema="app", a="SELECT id FROM app.b", b="SELECT id FROM t", c="SELECT id FROM other.a")
    assert [view.key for view in views_in_order(metadata)] == ["app.b", "app.c", "app.a"]
