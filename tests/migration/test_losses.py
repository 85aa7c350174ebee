"""What is lost is told with the move that lost it; what is moved, renamed or reordered is not lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData

from dbplan import Plan, sandbox
from dbplan.connection import new_engine
from dbplan.evidence import Place
from dbplan.migration.contents import NULL, occupied, read
from dbplan.migration.facts import Loss
from dbplan.migration.losses import back_and_there, there_and_back
from dbplan.sources.catalog import snapshot


def contents(*statements):
    engine = new_engine("sqlite://")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            return read(connection, snapshot(connection))
    finally:
        engine.dispose()


def people(rows, columns="id, name", table="people"):
    values = ", ".join(str(tuple("\0" if v is None else v for v in row)).replace("'\\x00'", "NULL") for row in rows)
    return contents(f"CREATE TABLE {table} ({columns})", *([f"INSERT INTO {table} VALUES {values}"] if rows else []))


ROWS = [(1, "Ada"), (2, "Bob"), (3, "Cy")]
NAME = Place("people", "name")


def test_what_comes_back_is_not_lost_whatever_was_between():
    before = people(ROWS)
    for between in (people([]), people(ROWS, "id, full_name"), {}, people([(1, "x"), (2, "x"), (3, "x")])):
        assert there_and_back(before, between, people(ROWS)) == ()


def test_a_dropped_column_is_lost_in_the_upgrade():
    gone = contents("CREATE TABLE people (id)", "INSERT INTO people VALUES (1), (2), (3)")
    after = people([(1, None), (2, None), (3, None)])
    assert there_and_back(people(ROWS), gone, after) == (Loss(NAME, "up", 3, 3),)


def test_a_renamed_column_is_lost_in_the_downgrade():
    after = people([(1, None), (2, None), (3, None)])
    assert there_and_back(people(ROWS), people(ROWS, "id, label"), after) == (Loss(NAME, "down", 3, 3),)


def test_a_column_moved_to_another_table_is_lost_in_the_downgrade():
    between = contents("CREATE TABLE people (id)", "CREATE TABLE names (n)", "INSERT INTO people VALUES (1), (2), (3)",
                       "INSERT INTO names VALUES ('Ada'), ('Bob'), ('Cy')")  # fmt: skip
    after = people([(1, None), (2, None), (3, None)])
    assert there_and_back(people(ROWS), between, after) == (Loss(NAME, "down", 3, 3),)


def test_rows_are_counted_where_they_vanish():
    assert there_and_back(people(ROWS), people(ROWS[:1]), people(ROWS[:1])) == (Loss(Place("people"), "up", 2, 3),)
    assert there_and_back(people(ROWS), people(ROWS), people(ROWS[:2])) == (Loss(Place("people"), "down", 1, 3),)
    assert there_and_back(people(ROWS), {}, {}) == (Loss(Place("people"), "up", 3, 3),)


def test_a_filled_null_is_told_apart():
    before = people([(1, None), (2, "Bob")])
    filled = people([(1, "x"), (2, "Bob")])
    assert there_and_back(before, filled, filled) == (Loss(NAME, "up", 1, 2, filled=True),)


def test_values_that_change_rows_are_lost_though_every_column_has_them_all():
    swapped = people([(1, "Bob"), (2, "Ada"), (3, "Cy")])
    assert there_and_back(people(ROWS), people(ROWS), swapped) == (Loss(Place("people"), "down", 2, 3),)


def test_minus_one_and_minus_two_are_two_values():
    assert there_and_back(people([(-1, "a")]), people([(-1, "a")]), people([(-2, "a")]))


def test_back_and_there_tells_only_what_the_older_schema_has_a_place_for():
    since, below = people([(1, "Ada", 7)], "id, name, extra"), people([(1, "Ada")])
    assert back_and_there(since, below, people([(1, "Ada", None)], "id, name, extra")) == ()
    short = people([(1, "A")])
    assert back_and_there(since, short, people([(1, "A", None)], "id, name, extra")) == (
        Loss(NAME, "down", 1, 1, since=True),
    )
    assert back_and_there(since, short, since) == ()  # the next upgrade has brought it back


values = st.lists(st.tuples(st.integers(-3, 3), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=12)


@given(values, st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(rows, random):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert there_and_back(people(rows), people(rows), people(shuffled)) == ()


@given(values, values)
def test_other_rows_are_always_a_loss(rows, others):
    lost = there_and_back(people(rows), people(rows), people(others))
    kept = all(others.count(row) >= rows.count(row) for row in rows)
    assert (lost == ()) == kept


@pytest.mark.parametrize("on", ["postgresql", "sqlite"])
def test_odd_names_and_values_are_read(on):
    with sandbox(Plan("odd", MetaData()), on, create=False) as stage, stage.engine.begin() as connection:
        run = connection.connection.driver_connection.execute
        run('CREATE TABLE "a%b:c" ("x.y" integer, "%s" text)')
        run('CREATE TABLE "order" (id integer)')
        run("INSERT INTO \"a%b:c\" VALUES (1, NULL), (NULL, '%')")
        catalog = snapshot(connection)
        assert occupied(connection, catalog) == {"a%b:c"}
        found = read(connection, catalog)
    assert {name: content.rows for name, content in found.items()} == {"a%b:c": 2, "order": 0}
    assert [prints.tolist().count(NULL) for prints in found["a%b:c"].columns.values()] == [1, 1]
