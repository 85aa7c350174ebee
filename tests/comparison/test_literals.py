"""Constants of a catalog, judged by the server: defaults that are taken for the same fill in the same."""

from itertools import chain, combinations

import pytest
import sqlalchemy as sa

from dbplan.comparison.defaults import same
from dbplan.comparison.literals import type_of, value_of
from dbplan.plan import Plan
from dbplan.sandbox import sandbox

BEFORE = """
CREATE SCHEMA other;
CREATE TYPE kind AS ENUM ('a');
CREATE TYPE other."Odd [] k" AS ENUM ('a', 'it''s');
CREATE DOMAIN code AS character varying(9);
"""
TYPES = {
    "character varying(5)": ["abc", "abcdefg", "", "a,b", "it's", "NULL"],
    "character varying": ["abc", 'a"b\\'],
    "character(3)": ["abc", "a", "abcd"],
    "text": ["a", " a ", "{}", "true"],
    "numeric(5,1)": ["1.5", "1.55", "-7"],
    "numeric": ["1.50", "3"],
    "smallint": ["1"],
    "integer": ["-1", "2"],
    "bigint": ["1", "9007199254740993"],
    "real": ["1.5", "16777217"],
    "double precision": ["0.1", "1e+300"],
    "boolean": ["true", "f"],
    "uuid": ["6f1ed002-ab5f-4ab9-9a4b-000000000000"],
    "date": ["2020-01-01"],
    "timestamp(3) without time zone": ["2020-01-01 10:00:00.12345"],
    "timestamp with time zone": ["2020-01-01 10:00:00+02"],
    "time(2) with time zone": ["10:00:00.123+01"],
    "interval(3)": ["1 day 00:00:00.12345"],
    "interval year": ["1 year 3 months"],
    "interval day to second(2)": ["1 day 00:00:00.12345"],
    "bit(4)": ["1010", "101"],
    "bit varying(6)": ["1010", "10101010"],
    "bit varying": ["10"],
    "inet": ["127.0.0.1"],
    "jsonb": ["{}", '{"a": 1}'],
    "bytea": ["\\x00"],
    "money": ["1"],
    "int4range": ["[1,2)"],
    '"char"': ["a"],
    "kind": ["a"],
    'other."Odd [] k"': ["it's"],
    "code": ["abc", "abcdefghijk"],
}


@pytest.fixture(scope="module")
def server():
    engine_options = {"isolation_level": "AUTOCOMMIT"}
    with sandbox(Plan("literals", sa.MetaData()), create=False) as stage:
        engine = stage.engine.execution_options(**engine_options)
        with engine.connect() as connection:
            connection.exec_driver_sql(BEFORE)
            yield connection


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def braces(text):
    return '{"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"}'


def spellings(kind, value):
    """Return ways to write one value as a default, and a list of it."""
    plain = [quoted(value), f"{quoted(value)}::text::{kind}", f"CAST({quoted(value)} AS {kind})"]
    listed = [quoted(braces(value)), f"{quoted(braces(value))}::{kind}[]", f"ARRAY[{quoted(value)}]::{kind}[]"]
    return plain, [*listed, f"ARRAY[{quoted(value)}::{kind}]", f"ARRAY[{quoted(value)}::text]::{kind}[]"]


def filled(server, kind, defaults):
    """Return the words of the catalog for each default, and what the server fills in; None where it refuses."""
    found = {}
    server.exec_driver_sql(f"CREATE TABLE filled (a {kind})".replace("%", "%%"))
    for default in defaults:
        try:
            server.exec_driver_sql(f"ALTER TABLE filled ALTER a SET DEFAULT {default}".replace("%", "%%"))
        except sa.exc.DBAPIError:
            continue  # is no value of the type
        words = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'filled'::regclass"
        spelled = server.exec_driver_sql(words).scalar_one()
        try:
            made = server.exec_driver_sql("INSERT INTO filled DEFAULT VALUES RETURNING a::text").scalar_one()
        except sa.exc.DBAPIError:
            made = None
        found[spelled] = made
    server.exec_driver_sql("DROP TABLE filled")
    return found


@pytest.mark.parametrize("kind", TYPES)
def test_what_is_taken_for_the_same_fills_in_the_same(server, kind):
    plain, listed = zip(*(spellings(kind, value) for value in TYPES[kind]), strict=True)
    empty = ["'{}'", f"'{{}}'::{kind}[]", f"ARRAY[]::{kind}[]", "'{NULL}'", f"ARRAY[NULL]::{kind}[]"]
    for type_, defaults in ((kind, chain(*plain)), (f"{kind}[]", chain(empty, *listed))):
        found = filled(server, type_, defaults)
        for one, other in combinations(found, 2):
            if same(one, other, type_):
                assert found[one] == found[other], (one, other)


@pytest.mark.parametrize("kind", TYPES)
def test_an_empty_list_is_the_same_however_it_is_written(server, kind):
    first, *others = filled(server, f"{kind}[]", ["'{}'", f"'{{}}'::{kind}[]", f"ARRAY[]::{kind}[]"])
    assert all(same(first, other, f"{kind}[]") and same(other, first, f"{kind}[]") for other in others)


@pytest.mark.parametrize("kind", ["character varying(5)", "character(3)", "bit(4)", "smallint", "bigint", "kind"])
def test_a_list_of_what_fits_is_the_same_however_it_is_written(server, kind):
    _, listed = spellings(kind, TYPES[kind][0])
    first, *others = filled(server, f"{kind}[]", listed[:4])
    assert all(same(first, other, f"{kind}[]") for other in others), (first, others)


@pytest.mark.parametrize(
    "words",
    ["(" * 2000 + "1" + ")" * 2000, "ARRAY[" * 2000, "'{", "ARRAY[1 2]", "ARRAY[", "(1", "1::", "'a'::'b'", "now()"],
)
def test_words_that_are_no_constant_are_none(words):
    assert value_of(words, type_of("integer[]")) is None
    assert value_of(words, type_of("integer")) is None
