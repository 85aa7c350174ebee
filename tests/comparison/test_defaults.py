"""Two spellings of one default are no difference; two defaults are, whatever they look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.comparison import differences
from dbplan.comparison.defaults import same
from dbplan.evidence import Catalog, Place, SchemaObject
from dbplan.plan import Plan
from dbplan.sandbox import sandbox


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("now()", "CURRENT_TIMESTAMP", "timestamp with time zone"),
        ("(now() + '1 day'::interval)", "(CURRENT_TIMESTAMP + '1 day'::interval)", "timestamp without time zone"),
        ("0", "'0'::bigint", "bigint"),
        ("'-1'::integer", "'-1'::bigint", "bigint"),
        ("1.5", "'1.5'::double precision", "double precision"),
        ("'abc'::text", "'abc'::character varying(5)", "character varying(5)"),
        ("'10:00:00'::time without time zone", "'10:00:00'::time(2) without time zone", "time(2) without time zone"),
        (
            "'{}'::character varying[]",
            "(ARRAY[]::character varying[])::character varying(5)[]",
            "character varying(5)[]",
        ),
        ("'{}'::numeric[]", "(ARRAY[]::numeric[])::numeric(5,1)[]", "numeric(5,1)[]"),
        ("'{t,f}'::boolean[]", "ARRAY[true, false]", "boolean[]"),
        ("'{1010}'::bit varying[]", "ARRAY[('1010'::\"bit\")::bit varying(6)]", "bit varying(6)[]"),
        ("'{}'::text[]", "ARRAY[]::text[]", "text[]"),
        ('\'{a,"b c","d\\"e"}\'::text[]', "ARRAY['a'::text, 'b c'::text, 'd\"e'::text]", "text[]"),
        ("'{1,2}'::integer[]", "ARRAY[1, 2]", "integer[]"),
    ],
)
def test_two_spellings_of_one_default_are_the_same(one, other, kind):
    assert same(one, other, kind)
    assert same(other, one, kind)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("now()", "", "timestamp with time zone"),
        ("now()", "clock_timestamp()", "timestamp with time zone"),
        ("CURRENT_TIMESTAMP(3)", "now()", "timestamp with time zone"),
        ("'now()'::text", "'CURRENT_TIMESTAMP'::text", "text"),
        ("0", "'00'::text", "text"),
        ("1", "2", "integer"),
        ("'{}'::text[]", "'{NULL}'::text[]", "text[]"),
        ("'{a,b}'::text[]", "ARRAY['a,b'::text]", "text[]"),
        ("ARRAY['a'::text]", "ARRAY['b'::text]", "text[]"),
        ("ARRAY['NULL'::text]", "ARRAY[NULL::text]", "text[]"),
        ("'abcdefg'::character varying", "'abcdefg'::character varying(5)", "character varying(5)"),
        ("'{1.55}'::numeric[]", "ARRAY[1.55::numeric(5,1)]", "numeric(5,2)[]"),
        ("'{1.5}'::numeric[]", "ARRAY[((1.5)::integer)::numeric]", "numeric[]"),
        ("'a '::bpchar", "'a '::text", "text"),
    ],
)
def test_two_defaults_are_not_the_same(one, other, kind):
    assert not same(one, other, kind)
    assert not same(other, one, kind)


def test_a_catalog_tells_of_no_difference_between_spellings():
    def catalog(default):
        table = SchemaObject("table", Place("t"), (("column order", "a"),))
        column = SchemaObject("column", Place("t", "a"), (("type", "timestamp with time zone"), ("default", default)))
        return Catalog("postgresql", (table, column))

    assert differences(catalog("now()"), catalog("CURRENT_TIMESTAMP")) == ()
    assert len(differences(catalog("now()"), catalog("clock_timestamp()"))) == 1


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["text", "integer", "text[]", "date"]))
def test_any_words_can_be_compared_from_both_sides(one, other, kind):
    assert same(one, one, kind)
    assert same(one, other, kind) == same(other, one, kind)


members = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6), max_size=3)


@pytest.fixture(scope="module")
def server():
    from sqlalchemy import MetaData

    with sandbox(Plan("defaults", MetaData()), create=False) as stage, stage.engine.connect() as connection:
        yield connection


def test_lists_are_the_same_where_the_server_says_so(server):
    """PostgreSQL itself reads both spellings of a list."""

    def spelled(items):
        """Return a list as a catalog writes it, which doubles quotes and nothing else."""
        written = server.exec_driver_sql("SELECT %s::text[]::text", (items,)).scalar_one().replace("'", "''")
        texts = ["'" + item.replace("'", "''") + "'::text" for item in items]
        return f"'{written}'::text[]", f"ARRAY[{', '.join(texts)}]"

    def equal(one, other):
        return server.exec_driver_sql(f"SELECT {one}::text[] = {other}::text[]".replace("%", "%%")).scalar_one()

    @given(members, members)
    def check(ours, theirs):
        braces, array = spelled(ours)[0], spelled(theirs)[1]
        assert not same(braces, array, "text[]") or equal(braces, array)
        if ours == theirs and "null" not in [item.lower() for item in ours]:
            assert same(braces, array, "text[]")

    check()
