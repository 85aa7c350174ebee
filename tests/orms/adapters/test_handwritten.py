"""SQL by hand: one statement a task, names quoted, values in places."""

import pytest

from dbplan.orms.adapters.handwritten import Words, bound
from dbplan.orms.adapters.joining import attach, keys_of, needed
from dbplan.orms.scenarios import Link, Scenario, TableFacts

TABLES = {
    "shop.order": TableFacts("order", "shop", ("id",), {}),
    "line": TableFacts("line", None, ("order", "position"), {}),
}
WORDS = Words(TABLES, lambda name: f'"{name}"', lambda number: f"${number}")
LINES = Link("line", ("position",), (("id", "order"),), ("order", "position"))
COLUMNS = ("id", "paid")

EXPECTED = {
    Scenario(
        "point_read", "line", ("position",)
    ): 'SELECT "position" FROM "line" WHERE "order" = $1 AND "position" = $2',
    Scenario("filtered_list", "shop.order", COLUMNS, filter="paid", order=("at", "id"), descending=True, limit=5): (
        'SELECT "id", "paid" FROM "shop"."order" WHERE "paid" = $1 ORDER BY "at" DESC, "id" DESC LIMIT 5'
    ),
    Scenario("keyset_page", "shop.order", COLUMNS, order=("at", "id"), limit=5): (
        'SELECT "id", "paid" FROM "shop"."order" WHERE ("at", "id") > ($1, $2) ORDER BY "at", "id" LIMIT 5'
    ),
    Scenario("json_filter", "shop.order", ("id",), filter="doc", path="it's", limit=5): (
        'SELECT "id" FROM "shop"."order" WHERE "doc" ->> $1 = $2 ORDER BY "id" LIMIT 5'
    ),
    Scenario("aggregate", "shop.order", COLUMNS, group="paid", total="sum"): (
        'SELECT "paid" AS "group", count(*) AS "count", sum("sum") AS "total" FROM "shop"."order" '
        'WHERE "paid" IS NOT NULL GROUP BY 1 ORDER BY 1'
    ),
    Scenario("update_one", "line", (), update="paid"): (
        'UPDATE "line" SET "paid" = $1 WHERE "order" = $2 AND "position" = $3'
    ),
}


@pytest.mark.parametrize("scenario", EXPECTED, ids=lambda s: s.name)
def test_statement(scenario):
    assert bound(WORDS, scenario).sql == EXPECTED[scenario]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("insert_one", 'INSERT INTO "line" ("order", "position") VALUES ($1, $2) RETURNING "position"'),
        (
            "upsert",
            'INSERT INTO "line" ("order", "position") VALUES ($1, $2) '
            'ON CONFLICT ("order", "position") DO UPDATE SET "paid" = EXCLUDED."paid"',
        ),
    ],
)
def test_an_insert_is_written_once_for_its_columns(name, text):
    made = bound(WORDS, Scenario(name, "line", ("position",), update="paid"))
    assert made.insert({"order": 1, "position": 2}) == text
    assert made.insert({"order": 3, "position": 4}) is made.insert({"order": 1, "position": 2})


def test_an_insert_without_columns():
    assert WORDS.insert("line", ()) == 'INSERT INTO "line" DEFAULT VALUES'


def test_parents_come_by_one_join():
    scenario = Scenario(
        "list_to_one", "line", ("position",), parent=Link("shop.order", ("id",), (("order", "id"),)), limit=3
    )
    joined = bound(WORDS, scenario).sql
    assert joined.sql == (
        'SELECT c."position", p."id", p."id" IS NOT NULL FROM "line" AS c LEFT JOIN "shop"."order" AS p '
        'ON p."id" = c."order" WHERE (c."order", c."position") > ($1, $2) ORDER BY c."order", c."position" LIMIT 3'
    )
    assert joined.row((4, 7, True)) == {"position": 4, "parent": {"id": 7}}
    assert joined.row((4, None, False)) == {"position": 4, "parent": None}


def test_children_come_by_one_statement_a_level():
    among, level = bound(WORDS, Scenario("nested_include", "shop.order", ("paid",), children=LINES)).sql
    assert among.sql(9) == 'SELECT "paid", "id" FROM "shop"."order" WHERE "id" = ANY($1) ORDER BY "id"'
    assert among.given([(1,), (2,)]) == [[1, 2]]
    assert level.among.sql(9) == (
        'SELECT "position", "order" FROM "line" WHERE "order" = ANY($1) ORDER BY "order", "position"'
    )


def test_several_columns_are_compared_as_rows():
    among, _ = bound(WORDS, Scenario("nested_include", "line", ("position",), children=LINES)).sql
    assert among.sql(2).endswith('WHERE ("order", "position") IN (($1, $2), ($3, $4)) ORDER BY "order", "position"')
    assert among.given([(1, 2), (3, 4)]) == [1, 2, 3, 4]


def test_children_are_deleted_before_their_parents():
    deeper = Link("line", (), (("position", "order"),))
    link = Link("line", (), (("id", "order"),), children=deeper)
    assert bound(WORDS, Scenario("delete_cascade", "shop.order", (), cascade=(link,))).sql == [
        ('DELETE FROM "line" WHERE "order" IN (SELECT "position" FROM "line" WHERE "order" = $1)', ("id",)),
        ('DELETE FROM "line" WHERE "order" = $1', ("id",)),
        ('DELETE FROM "shop"."order" WHERE "id" = $1', ("id",)),
    ]


def test_what_the_database_deletes_is_left_to_it():
    link = Link("line", (), (("id", "order"),), by_database=True)
    assert bound(WORDS, Scenario("delete_cascade", "shop.order", (), cascade=(link,))).sql == [
        ('DELETE FROM "shop"."order" WHERE "id" = $1', ("id",)),
    ]


def test_children_join_their_parents():
    rows = [{"a": 1, "b": None}, {"a": 1, "b": 2}, {"a": 1, "b": 2}]
    assert keys_of(rows, ("a", "b")) == [(1, 2)]
    attach(rows, ("a", "b"), [{"x": 1, "y": 2, "n": 5}], ("x", "y"))
    assert [[child["n"] for child in row["children"]] for row in rows] == [[], [5], [5]]
    assert needed(("a", "b"), ("b", "c")) == ("a", "b", "c")
