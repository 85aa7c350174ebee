"""Binary COPY: the server makes of every value what it makes of its text."""

import datetime as dt
import ipaddress
import uuid
from decimal import Decimal

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql as pg

from dbplan.columns import Digest, JsonDocument, Key, Money, UtcDateTime
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding.loading.binary import HEADER, TRAILER, Uncovered, encoder, server_types
from dbplan.seeding.loading.encode import copy_texts
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.texts import Chars, Coded, Number, Pool, Texts, UuidTexts

DIALECT = pg.dialect()
HERE = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Rows(dict):
    """Cells by column, as a frame has them."""

    def __len__(self):
        return len(next(iter(self.values())))


@pytest.fixture(scope="module")
def server():
    plan = Plan(name="binary", metadata=sa.MetaData())
    with sandbox(plan, on="postgresql") as stage, stage.engine.connect() as connection:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS citext")
        connection.exec_driver_sql("CREATE TYPE mood AS ENUM ('sad', 'so so', 'glücklich')")
        connection.exec_driver_sql("CREATE DOMAIN price AS numeric(12, 3) CHECK (VALUE > -1e8)")
        connection.exec_driver_sql("CREATE DOMAIN cost AS price")
        connection.exec_driver_sql("CREATE TYPE pair AS (a int, b int)")
        connection.exec_driver_sql("SET timezone = 'UTC'")
        connection.commit()
        yield connection


def sent(connection, statement, data):
    cursor = connection.connection.driver_connection.cursor()
    with cursor, cursor.copy(statement) as copy:
        copy.write(data)


def stored(connection, table, *types):
    """Return what the server holds, as it writes it itself."""
    names = ", ".join(f"{name}::text" for name in types)
    return connection.exec_driver_sql(f"SELECT {names} FROM {table} ORDER BY place").all()


def both(connection, types, kinds, cells):
    """Load cells as text and as binary into tables of those types; return what each then holds."""
    names = list(types)
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    for table in ("as_text", "as_binary"):
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {table} (place serial, {columns})")
    try:
        fields = [copy_texts(cells[name], kinds[name], DIALECT) for name in names]
        lines = "".join("\t".join(row) + "\n" for row in zip(*fields, strict=True))
        sent(connection, f"COPY as_text ({', '.join(names)}) FROM STDIN", lines.encode())
        table = sa.Table("as_binary", sa.MetaData(), *(sa.Column(n, k) for n, k in kinds.items()))
        made = encoder(table, names, server_types(connection, table), kinds, DIALECT)
        assert made is not None
        data = HEADER + made.rows(Rows(cells), set()) + TRAILER
        sent(connection, f"COPY as_binary ({', '.join(names)}) FROM STDIN (FORMAT binary)", data)
        return stored(connection, "as_text", *names), stored(connection, "as_binary", *names)
    finally:
        connection.rollback()


def agree(connection, server, kind, cells):
    text, binary = both(connection, {"v": server}, {"v": kind}, {"v": cells})
    assert text == binary
    assert len(text) == len(cells)
    return [value for (value,) in binary]


def objects(values):
    """Return values, None for NULL, as cells of objects."""
    return Cells(
        np.fromiter(values, dtype=object, count=len(values)), np.array([v is None for v in values], dtype=bool)
    )


def sometimes(cells):
    """Return cells with every third one NULL."""
    return Cells(cells.values, np.arange(len(cells)) % 3 == 1)


def words(*texts):
    return Texts(Coded(Pool(texts), np.arange(40) * 7 % len(texts)))


def text_cells():
    number = Number(np.arange(40) * 977_777 % 3_000_017, 3, blank=0)
    few = np.arange(40)
    return [
        words("a", "", "zwölf", "日本語 🙂", "x" * 500, 'quo"ted\\', "tab\tnew\nline\r", "nul\0"),
        Texts(Coded(Pool(["a", "é", ""]), few % 3), "·", number, "@", Coded(Pool(["b", "ccc"]), few % 2)),
        Texts("id\\", number),
        Texts(Chars(np.full((40, 5), 97, np.uint8), np.arange(40) % 6), "-", Chars(np.full((40, 2), 92, np.uint8))),
        UuidTexts(np.arange(40, dtype=np.uint64) * 2**40, np.arange(40, dtype=np.uint64)),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["text", "varchar(600)", "citext", "bpchar(600)"])
@pytest.mark.parametrize("at", range(5))
def test_texts_of_parts_with_and_without_nulls(server, kind, at):
    values = text_cells()[at]
    for cells in (present(values), sometimes(present(values)), sometimes(present(values.objects))):
        agree(server, kind, sa.String(600), cells)


NUMBERS = {
    "smallint": (sa.SmallInteger(), np.array([0, 1, -1, 32767, -32768])),
    "integer": (sa.Integer(), np.array([0, 1, -1, 2**31 - 1, -(2**31)])),
    "bigint": (sa.BigInteger(), np.array([0, 1, -1, 2**63 - 1, -(2**63)])),
    "real": (sa.REAL(), np.array([0.0, -0.0, 1.5, -3e38, 1e-45, np.nan, np.inf, 0.1])),
    "double precision": (sa.Float(), np.array([0.0, 1.5, -1.7e308, 5e-324, np.nan, -np.inf, 0.1, 1 / 3])),
    "numeric": (sa.Numeric(), np.array([0.0, 0.1, -99.99, 12345678.9, 1e15, 1e20, -1e-7, 0.005, np.nan])),
    "numeric(12, 4)": (sa.Numeric(12, 4), np.array([0.0, 0.1, -99.9999, 12345678.9, 0.00005, 20000.0, 1e7])),
    "numeric(20, 0)": (sa.Numeric(20, 0), np.array([2**62, 0, -(2**63), 10_000, 9_999])),
    "price": (sa.Numeric(12, 3), np.array([0.001, 10.5, 100.0])),
    "cost": (Money(), np.array([0.01, 10.5, 100.0])),
    "boolean": (sa.Boolean(), np.array([True, False, True])),
    "timestamp": (sa.DateTime(), np.array(["1970-01-01", "0001-01-01", "9999-12-31T23:59:59.999999"], "M8[us]")),
    "timestamptz": (UtcDateTime(), np.array(["2026-03-29T01:30:00.5", "1900-01-01"], "M8[us]")),
    "date": (sa.Date(), np.array(["2024-02-29", "0001-01-01", "1999-12-31T23:00"], "M8[us]")),
    "time": (sa.Time(), np.array([0, 1, 86_399_999_999, 86_400_000_000], "m8[us]")),
    "interval": (sa.Interval(), np.array([0, -1, 86_400_000_000, 10**15 + 1], "m8[us]")),
}  # fmt: skip


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_and_times(server, kind):
    own, values = NUMBERS[kind]
    values = np.resize(values, 30)
    for cells in (present(values), sometimes(present(values))):
        agree(server, kind, own, cells)


EAST = dt.timezone(dt.timedelta(hours=5))
UUID = uuid.UUID("0190f5fe-7c00-7a00-8000-00000000000f")
OBJECTS = {
    "smallint": (sa.SmallInteger(), [1, None, -32768]),
    "numeric": (sa.Numeric(), [*map(Decimal, ["1E+3", "-0.00010", "123456789012345.12", "NaN", "-Infinity"]), None, 7]),
    "double precision": (sa.Float(), [1, 2.5, None, Decimal("0.1")]),
    "boolean": (sa.Boolean(), [True, None, False]),
    "text": (sa.Text(), ["", None, "NULL", "\\N", "é\0x"]),
    "mood": (pg.ENUM("sad", "so so", "glücklich", name="mood"), ["sad", "glücklich", None]),
    "uuid": (sa.Uuid(), [UUID.hex, str(UUID), None]),
    "uuid[]": (pg.ARRAY(sa.Uuid()), [[UUID], [], None]),
    "json": (sa.JSON(), [{"a": [1, None, "é\n"]}, [], None, "text", 1.5]),
    "jsonb": (JsonDocument, [{"a": [1, None, "é\n"]}, {}, None]),
    "bytea": (sa.LargeBinary(), [b"", b"\0\xff\\x", None]),
    "timestamp": (sa.DateTime(), [dt.datetime(2026, 1, 2, 3, 4, 5, 6), None, dt.datetime(2026, 1, 2)]),
    "timestamptz": (sa.DateTime(timezone=True), [dt.datetime(2026, 1, 2, tzinfo=EAST), None]),
    "date": (sa.Date(), [dt.date(2026, 1, 2), None]),
    "time": (sa.Time(), [dt.time(23, 59, 59, 5), None]),
    "interval": (sa.Interval(), [dt.timedelta(days=-1, microseconds=5), None, dt.timedelta(hours=30)]),
    "inet": (pg.INET(), ["10.0.0.1", "10.0.0.1/8", "::1", None, ipaddress.ip_address("1.2.3.4")]),
    "cidr": (pg.CIDR(), ["10.0.0.0/8", "2001:db8::/32", None]),
    "macaddr": (pg.MACADDR(), ["08:00:2b:01:02:03", None]),
    "text[]": (pg.ARRAY(sa.Text()), [["a", 'b"\\,{}', None, "NULL", ""], [], None]),
    "mood[]": (pg.ARRAY(pg.ENUM("sad", name="mood")), [["sad", "glücklich"], None]),
    "integer[]": (pg.ARRAY(sa.Integer()), [[1, None, -3], [], [7]]),
    "price[]": (pg.ARRAY(sa.Numeric()), [[Decimal("1.5")], None]),
    "timestamptz[]": (pg.ARRAY(sa.DateTime()), [[dt.datetime(2026, 1, 2, 3)], []]),
}  # fmt: skip


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_of_every_kind(server, kind):
    own, values = OBJECTS[kind]
    kept = agree(server, kind, own, objects(values))
    assert [value is None for value in kept] == [value is None for value in values]


def test_types_with_a_bind_function_of_their_own(server):
    tokens = [value for (value,) in both(server, {"v": "text"}, {"v": Digest()}, {"v": present(words("a", "b"))})[1]]
    assert {len(value) for value in tokens} == {64}
    agree(server, "uuid", Key(), present(UuidTexts(np.arange(9, dtype=np.uint64), np.arange(9, dtype=np.uint64))))
    agree(server, "numeric(10, 2)", Money(), objects([Decimal("1.50"), None]))


def test_the_types_are_the_servers_own(server):
    server.exec_driver_sql(
        'CREATE TEMPORARY TABLE "Odd Table" '
        '(a int, "B c" cost, c mood[], d price[], e pair, f int4range, g varchar(3), h name)'
    )
    table = sa.Table("Odd Table", sa.MetaData())
    types = server_types(server, table)
    server.rollback()
    assert types.pop("c").startswith("array:enum:")
    assert types.pop("d").startswith("array:numeric:")
    assert types == {
        "a": "int4", "B c": "numeric", "e": "c pair", "f": "r int4range", "g": "varchar", "h": "name",
    }  # fmt: skip


def made(kind, server, values):
    table = sa.Table("t", sa.MetaData(), sa.Column("v", kind))
    found = encoder(table, ["v"], {"v": server}, {"v": kind}, DIALECT)
    return found and found.rows(Rows(v=values if isinstance(values, Cells) else present(values)), set())


@pytest.mark.parametrize("server", ["c pair", "r int4range", "tsvector", "", "array:c pair:1", "money"])
def test_a_type_without_a_binary_form_has_no_encoder(server):
    assert made(sa.Text(), server, np.array(["x"], dtype=object)) is None


@pytest.mark.parametrize(
    ("server", "kind", "values"),
    [
        ("int4", sa.BigInteger(), np.array([2**31])),
        ("int2", sa.Integer(), np.array([-(2**15) - 1])),
        ("int8", sa.Integer(), objects(["7"])),
        ("int8", sa.Integer(), objects([2**70])),
        ("float4", sa.Float(), np.array([1e39])),
        ("numeric", sa.Text(), objects(["many"])),
        ("numeric", sa.Numeric(), objects([Decimal("-NaN")])),
        ("uuid", sa.Uuid(), objects(["not one"])),
        ("bool", sa.Boolean(), objects(["yes"])),
        ("timestamp", sa.DateTime(), objects(["now"])),
        ("time", sa.Time(), objects([dt.time(1, tzinfo=dt.UTC)])),
        ("inet", pg.INET(), objects(["here"])),
        ("inet", pg.INET(), objects(["10.0.0.1/x"])),
        ("cidr", pg.CIDR(), objects(["10"])),
        ("macaddr", pg.MACADDR(), objects(["08:00"])),
        ("bytea", sa.LargeBinary(), objects(["text"])),
        ("array:int4:23", pg.ARRAY(sa.Integer()), objects([[[1], [2]]])),
    ],
)
def test_a_value_of_another_form_is_left_to_the_text(server, kind, values):
    with pytest.raises(Uncovered, match="column v"):
        made(kind, server, values)


def test_blank_columns_are_null_and_no_rows_are_no_bytes(server):
    table = sa.Table("t", sa.MetaData(), sa.Column("v", sa.Integer), sa.Column("w", sa.Text))
    found = encoder(table, ["v", "w"], {"v": "int4", "w": "text"}, {c.name: c.type for c in table.columns}, DIALECT)
    cells = {"v": present(np.array([5])), "w": present(np.array(["a"], dtype=object))}
    assert found.rows(Rows(cells), {"w"}) == bytes.fromhex("0002 00000004 00000005 ffffffff")
    assert found.rows(Rows({name: cell.take(np.zeros(0, dtype=int)) for name, cell in cells.items()}), set()) == b""


@HERE
@given(st.data())
def test_any_values_are_the_same_in_both_forms(server, data):
    rows = data.draw(st.integers(1, 60), "rows")
    printable = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80)
    column = {
        "a": ("text", sa.Text(), printable),
        "b": ("bigint", sa.BigInteger(), st.integers(-(2**63), 2**63 - 1)),
        "c": ("numeric", sa.Numeric(), st.decimals(-(10**40), 10**40, allow_nan=False)),
        "d": ("double precision", sa.Float(), st.floats()),
        "e": ("timestamp", sa.DateTime(), st.datetimes()),
        "f": ("varchar[]", pg.ARRAY(sa.String()), st.lists(st.none() | printable, max_size=4)),
        "g": ("bytea", sa.LargeBinary(), st.binary(max_size=40)),
        "h": ("date", sa.Date(), st.dates()),
        "i": ("jsonb", pg.JSONB(), st.dictionaries(printable, st.integers() | printable, max_size=3)),
        "j": ("text", sa.Text(), printable),
    }  # fmt: skip
    cells = {
        name: objects(data.draw(st.lists(st.none() | values, min_size=rows, max_size=rows), name))
        for name, (_, _, values) in column.items()
    }
    kinds = {name: kind for name, (_, kind, _) in column.items()}
    text, binary = both(server, {name: kind for name, (kind, _, _) in column.items()}, kinds, cells)
    assert text == binary


@HERE
@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=50), st.integers(0, 9))
def test_decimals_of_any_scale_and_floats_that_are_none(server, units, scale):
    exact = present(np.array(units) / 10.0**scale)
    noisy = present(np.array(units) / 7.0)
    for cells in (exact, noisy):
        agree(server, "numeric", sa.Numeric(30, scale), cells)
