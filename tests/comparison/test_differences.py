"""Two catalogs differ where their objects do, each difference told once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.comparison import COLUMN_ORDER, differences
from dbplan.errors import UsageError
from dbplan.evidence import Catalog, Difference, Place, SchemaObject


def table(name, *columns, **properties):
    told = (*properties.items(), ("column order", ", ".join(columns)))
    yield SchemaObject("table", Place(name), told)
    for column in columns:
        yield SchemaObject("column", Place(name, column), (("type", "integer"), ("not null", "no")))


def catalog(*objects, dialect="postgresql"):
    return Catalog(dialect, tuple(o for group in objects for o in group))


def test_a_table_that_one_side_has_is_one_difference():
    index = SchemaObject("index", Place("t", index="ix"), (("definition", "CREATE INDEX ix ON t (a)"),))
    left = catalog(table("t", "a", "b"), [index])
    assert differences(left, catalog()) == (Difference(Place("t"), "table", "(a, b)", ""),)
    assert differences(catalog(), left) == (Difference(Place("t"), "table", "", "(a, b)"),)


def test_a_rename_is_one_gone_and_one_added():
    found = differences(catalog(table("t", "a")), catalog(table("t", "b")))
    assert [(str(d.place), d.what, d.left, d.right) for d in found] == [
        ("t.a", "column", "integer", ""),
        ("t.b", "column", "", "integer"),
    ]


def test_column_order_is_told_apart_and_can_be_left_out():
    left, right = catalog(table("t", "a", "b", "c")), catalog(table("t", "b", "a", "c"))
    assert differences(left, right) == (Difference(Place("t"), COLUMN_ORDER, "a, b, c", "b, a, c"),)
    assert differences(left, right, column_order=False) == ()


def test_an_added_column_is_no_other_order():
    found = differences(catalog(table("t", "a", "c")), catalog(table("t", "a", "b", "c")))
    assert [d.what for d in found] == ["column"]


def test_names_on_sqlite_are_the_same_in_any_case():
    left, right = catalog(table("T", "A"), dialect="sqlite"), catalog(table("t", "a"), dialect="sqlite")
    assert differences(left, right) == ()
    assert len(differences(catalog(table("T", "A")), catalog(table("t", "a")))) == 2


def test_catalogs_of_different_servers_are_not_compared():
    with pytest.raises(UsageError, match="a postgresql catalog cannot be compared with one of sqlite"):
        differences(catalog(), catalog(dialect="sqlite"))


names = st.sampled_from(["a", "b", "c", "d"])
tables = st.dictionaries(names, st.lists(names, unique=True), max_size=4)


def made(tables):
    return catalog(*(table(name, *columns) for name, columns in tables.items()))


@given(tables, tables)
def test_equal_catalogs_alone_have_no_differences_and_sides_mirror(one, other):
    left, right = made(one), made(other)
    found = differences(left, right)
    assert (found == ()) == (one == other)
    assert {(d.place, d.what, d.right, d.left) for d in differences(right, left)} == {
        (d.place, d.what, d.left, d.right) for d in found
    }


def test_the_usual_precision_may_be_said_or_not():
    def of(kind):
        return catalog([SchemaObject("column", Place("t", "at"), (("type", kind),))])

    assert differences(of("timestamp(6) with time zone"), of("timestamp with time zone")) == ()
    assert differences(of("interval(6)"), of("interval")) == ()
    assert len(differences(of("timestamp(3) with time zone"), of("timestamp with time zone"))) == 1
    assert len(differences(of("timestamp(6)"), of("timestamp"))) == 1  # MariaDB's, which keeps whole seconds untold
