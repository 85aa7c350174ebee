import os
import re
import subprocess
import sys
import time
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from dbplan.diagram import erd
from dbplan.diagram.boxes import MOST_COLUMNS, table_box
from dbplan.diagram.lettering import cells, cut, cut_middle, width
from dbplan.domains.credits import PLAN
from dbplan.errors import UnknownName, UsageError
from dbplan.plan import Plan

SVG = "{http://www.w3.org/2000/svg}"
PLANS = ["shop", "ugly", "circle"]


def drawn(plan, *arguments, **options):
    report = erd(plan, *arguments, **options)
    return report, ET.fromstring(report.blocks[0].svg)


def words(root):
    """The letters of each text element, without its tooltip."""
    return [
        (element.text or "") + "".join(child.tail or "" for child in element) for element in root.iter(f"{SVG}text")
    ]


@pytest.mark.parametrize("name", PLANS)
def test_every_table_and_column_is_there_as_text(schemas, name):
    plan = getattr(schemas, name)()
    _, root = drawn(plan)
    text = words(root)
    for table in plan.tables:
        assert cut_middle(table.name, 40) in text
        for column in table.columns:
            assert cut_middle(column.name, 40) in text


@pytest.mark.parametrize("name", PLANS)
def test_no_line_of_text_runs_into_another_or_out_of_its_box(schemas, name):
    _, root = drawn(getattr(schemas, name)())
    checked = 0
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is None:
            continue
        lines = {}
        for element in group.findall(f"{SVG}text"):
            size = float((re.search(r"font-size:([\d.]+)", element.get("style", "")) or [0, "12"])[1])
            text = (element.text or "") + "".join(child.tail or "" for child in element)
            x, wide = float(element.get("x")), width(text, size)
            start = x - wide if element.get("text-anchor") == "end" else x
            lines.setdefault(round((float(element.get("y")) - size * 0.36) / 2), []).append((start, start + wide))
        for spans in lines.values():
            spans.sort()
            checked += 1
            assert spans[0][0] >= 0
            assert spans[-1][1] <= float(rect.get("width"))
            assert all(left[1] < right[0] for left, right in pairwise(spans))
    assert checked > 8


def test_the_verdict_counts_and_names_what_stands_alone(schemas):
    assert erd(schemas.shop()).verdict == "8 tables, 7 relations; 1 table without a relation (settings)."
    assert erd(schemas.circle()).verdict == "3 tables, 5 relations."
    assert erd(Plan("none", schemas.MetaData())).verdict == "0 tables, 0 relations."


def test_an_empty_plan_is_a_picture_too(schemas):
    _, root = drawn(Plan("none", schemas.MetaData()))
    assert words(root) == []


def test_relations_say_their_cardinality(schemas):
    _, root = drawn(schemas.shop())
    hints = {title.text for title in root.iter(f"{SVG}title")}
    assert {
        "orders.user_id → users.id: 1 to 0..N",
        "profiles.user_id → users.id: 1 to 0..1",
        "products.category_id → categories.id: 0..1 to 0..N",
        "categories.parent_id → categories.id: 0..1 to 0..N",
        "refunds (order_id, line_no) → order_lines (order_id, line_no): 0..1 to 0..N",
    } <= hints


def test_marks_enums_indexes_comments_and_planned_rows_are_shown(schemas):
    report, root = drawn(schemas.shop())
    text, hints = words(root), [title.text for title in root.iter(f"{SVG}title")]
    assert {"PK", "FK", "U", "PK FK", "order_status", "draft", "numeric(12,2)", "timestamptz?"} <= set(text)
    assert "unique (order_id, product_id)" in text or "unique (order_id, product_id)" in hints
    assert any("1,200,000 rows" in line for line in text)
    assert "orders: What users buy" in hints
    assert "status order_status: Where it stands" in hints
    assert "orders.user_id → users.id" in report.blocks[0].alt


def test_long_enums_and_wide_tables_are_bounded(schemas):
    _, root = drawn(schemas.ugly())
    assert "+ 23 more" in words(root)
    _, root = drawn(schemas.wide(120))
    assert "+ 118 more columns" in words(root)
    assert "attribute_1" not in words(root)
    _, root = drawn(schemas.wide(MOST_COLUMNS))
    assert "attribute_1" in words(root)


def test_a_key_that_leads_out_is_said_in_words(schemas):
    notes = [block.text for block in erd(schemas.ugly()).blocks[1:]]
    assert notes == ["1 foreign key leads out of the plan and is not drawn: pk.fk → nowhere.tab.id."]


def test_focus_shows_a_table_and_its_neighbours(schemas):
    plan = schemas.shop()
    report, root = drawn(plan, "orders")
    assert report.verdict == "3 tables, 2 relations, of 8 tables in the plan."
    assert {"users", "orders", "order_lines"} <= set(words(root))
    assert "products" not in words(root)
    assert erd(plan, "orders", hops=0).verdict.startswith("1 table,")
    assert erd(plan, "users, settings", hops=2).verdict.startswith("5 tables,")
    assert erd(plan, ["users", "settings"], hops=2).verdict.startswith("5 tables,")
    assert erd(schemas.ugly(), "Order").verdict.startswith("2 tables,")


def test_focus_on_nothing_known_is_refused(schemas):
    with pytest.raises(UnknownName, match='no table "order" in plan "shop".*did you mean \'orders\''):
        erd(schemas.shop(), "order")
    with pytest.raises(UnknownName, match="no look"):
        erd(schemas.shop(), look="baroque")
    with pytest.raises(UsageError, match="hops is -1"):
        erd(schemas.shop(), "users", hops=-1)


def test_focus_on_a_name_of_two_schemas_asks_which():
    from sqlalchemy import Column, Integer, MetaData, Table

    m = MetaData()
    for schema in ("a", "b"):
        Table("t", m, Column("id", Integer, primary_key=True), schema=schema)
    with pytest.raises(UsageError, match=r"a\.t, b\.t"):
        erd(Plan("two", m), "t")
    _, root = drawn(Plan("two", m))
    assert {"a", "b"} <= set(words(root))


def test_many_tables_show_their_keys_and_say_so(schemas):
    report, root = drawn(schemas.large(61))
    assert not [word for word in words(root) if word.startswith("value_")]
    assert any("61 tables: the diagram shows their keys" in block.text for block in report.blocks[1:])


def test_four_hundred_tables_are_drawn_within_ten_seconds(schemas):
    plan = schemas.large(400)
    start = time.process_time()
    report = erd(plan)
    assert time.process_time() - start < 10
    assert report.verdict.startswith("400 tables, ")
    assert ET.fromstring(report.blocks[0].svg) is not None


PROGRAM = """
import hashlib
from dbplan.diagram import erd
from dbplan.domains.credits import PLAN
figure = erd(PLAN).blocks[0]
print(hashlib.sha256("".join([figure.svg, *figure.sources.values()]).encode()).hexdigest())
"""


def test_the_bytes_are_the_same_in_every_process():
    seen = set()
    for seed in ("0", "1", "7"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
        seen.add(done.stdout)
    assert len(seen) == 1


def test_the_order_of_declaration_does_not_matter(schemas):
    def small(names):
        m = schemas.MetaData()
        for name in names:
            schemas.Table(name, m, schemas.Column("id", schemas.Integer, primary_key=True), *foreign[name])
        return Plan("order", m)

    def key():
        return schemas.Column("a_id", schemas.ForeignKey("a.id"))

    foreign = {"a": [], "b": [key()], "c": [key()]}
    first = erd(small("abc")).blocks[0]
    foreign = {"a": [], "b": [key()], "c": [key()]}
    assert erd(small("cba")).blocks[0] == first


def test_colours_may_be_set_by_the_page_and_have_a_fallback():
    svg = erd(PLAN).blocks[0].svg
    assert re.findall(r"(?:fill|stroke):(?!none|var\(--[a-z]+, #[0-9a-f]{6}\))[^;\"]+", svg) == []


def test_text_is_cut_by_what_it_takes_on_paper():
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"
    assert cells(cut("データベース", 7)) <= 7
    assert cut_middle("transaction_id_of_the_first", 12) == "transa…first"
    assert cut("a\nb\x00c", 9) == "a b\ufffdc"


def test_what_is_default_schema_needs_no_words(schemas):
    from sqlalchemy import Column, Integer, MetaData, Table

    m = MetaData(schema="app")
    table = Table("t", m, Column("id", Integer, primary_key=True))
    assert table_box(table, default_schema="app").schema == ""
    assert table_box(table, default_schema="public").schema == "app"
