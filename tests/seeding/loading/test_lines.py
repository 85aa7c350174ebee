"""Lines: text COPY, CSV and LOAD DATA, as the servers read them."""

import csv
import io
from functools import partial

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects import postgresql as pg

from dbplan.columns import Digest, Key, Money, UtcDateTime
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding.loading.encode import as_cells, copy_texts, objects
from dbplan.seeding.loading.lines import encoder
from dbplan.seeding.rows.cells import Cells, present
from dbplan.seeding.rows.texts import Chars, Coded, Number, Pool, Texts, UuidTexts

DIALECT = pg.dialect()
HERE = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
ROWS = 24


class Rows(dict):
    """Cells by column, as a frame has them."""

    def __len__(self):
        return len(next(iter(self.values())))


@pytest.fixture(scope="module")
def server():
    plan = Plan(name="lines", metadata=sa.MetaData())
    with sandbox(plan, on="postgresql") as stage, stage.engine.connect() as connection:
        connection.exec_driver_sql("SET timezone = 'UTC'")
        connection.commit()
        yield connection


def sometimes(values):
    """Return values as cells, every third one NULL."""
    return Cells(values, np.arange(len(values)) % 3 == 1)


def at(count):
    return np.arange(ROWS) * 7 % count


def uuids():
    return UuidTexts(np.arange(ROWS, dtype=np.uint64) << np.uint64(30), np.arange(ROWS, dtype=np.uint64))


TIMES = np.datetime64("1850-12-31T23:59:59.999999", "us") + np.arange(ROWS) * np.timedelta64(
    5_000_000_000_000_000, "us"
)
ODD = ["a", "", "é,", '"', "new\nline", "tab\t", "back\\slash", "\\.", "\\N", " ", "cr\r", "NULL", "nul\0"]
COLUMNS = {
    "a": ("text", sa.Text(), Texts(Coded(Pool(ODD), at(len(ODD))))),
    "b": ("text", sa.Text(), Texts(Coded(Pool(ODD), at(len(ODD))), Coded(Pool(["", "x"]), at(2)))),
    "c": ("text", sa.Text(), Texts(Coded(Pool(["ann", "bo"]), at(2)), ".", Number(at(9) * 12_345, 3, 0), "@x.org")),
    "d": ("text", sa.Text(), Texts(Coded(Pool(["ann", "b,o"]), at(2)), Number(at(9) * 12_345, 0, 0), '"q"')),
    "e": ("text", sa.Text(), Texts(Chars(np.resize(np.frombuffer(b'ab,"\\\n', np.uint8), (ROWS, 6)), at(7)))),
    "f": ("integer", sa.Integer(), np.resize([0, -1, 10_000, 2**31 - 1, -(2**31), 99_999], ROWS)),
    "g": ("bigint", sa.BigInteger(), np.resize([2**63 - 1, -(2**63), 0], ROWS)),
    "h": ("numeric(12,2)", sa.Numeric(12, 2), np.round(np.arange(ROWS) * 977.13 - 5000, 2)),
    "i": ("double precision", sa.Float(), np.resize([0.5, -3.25, 1e300, 0.1, np.inf, 1 / 3], ROWS)),
    "j": ("boolean", sa.Boolean(), at(2).astype(bool)),
    "k": ("timestamp", sa.DateTime(), TIMES),
    "l": ("timestamptz", UtcDateTime(), TIMES),
    "m": ("date", sa.Date(), TIMES),
    "n": ("time", sa.Time(), (np.arange(ROWS) * 3_777_777_777).astype("timedelta64[us]")),
    "o": ("uuid", Key(), uuids()),
    "p": ("text", sa.String(40), uuids()),
    "q": ("numeric(10,2)", Money(), np.round(np.arange(ROWS) / 3, 2)),
    "r": ("text", Digest(), Texts(Coded(Pool(ODD), at(len(ODD))))),
    "s": ("bytea", sa.LargeBinary(), np.fromiter([bytes([n, 0, 255]) for n in range(ROWS)], object, ROWS)),
    "t": ("text[]", pg.ARRAY(sa.Text()), np.fromiter([["a,", '"', None, "\\"]] * ROWS, object, ROWS)),
    "u": ("jsonb", pg.JSONB(), np.fromiter([{"é": [1, 'q"\n']}] * ROWS, object, ROWS)),
    "v": ("interval", sa.Interval(), (np.arange(ROWS) * 3_777_777_777).astype("timedelta64[us]")),
    "w": ("text", sa.Text(), np.fromiter([ODD[n % len(ODD)] for n in range(ROWS)], object, ROWS)),
    "x": ("real", sa.REAL(), np.arange(ROWS) / 8 - 1),
    "y": ("boolean", sa.Boolean(), np.fromiter([True, False] * (ROWS // 2), object, ROWS)),
    "z": ("timestamp", sa.DateTime(), np.fromiter(TIMES.tolist(), object, ROWS)),
}  # fmt: skip
KINDS = {name: kind for name, (_, kind, _) in COLUMNS.items()}


def loaded(connection, data, how="", columns=COLUMNS):
    """Return what the server makes of the lines."""
    described = ", ".join(f"{name} {kind}" for name, (kind, *_) in columns.items())
    names = ", ".join(columns)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE loaded (place serial, {described})")
    try:
        cursor = connection.connection.driver_connection.cursor()
        with cursor, cursor.copy(f"COPY loaded ({names}) FROM STDIN {how}") as copy:
            copy.write(data)
        texts = ", ".join(f"{name}::text" for name in columns)
        return connection.exec_driver_sql(f"SELECT {texts} FROM loaded ORDER BY place").all()
    finally:
        connection.rollback()


def as_texts(cells, kinds=KINDS):
    """Return the lines of `copy_texts`, cell by cell."""
    fields = [copy_texts(cells[name], kinds[name], DIALECT) for name in cells]
    return "".join("\t".join(row) + "\n" for row in zip(*fields, strict=True)).encode()


@pytest.mark.parametrize("make", [present, sometimes])
def test_copy_and_csv_are_read_as_the_texts_of_single_cells(server, make):
    cells = Rows({name: make(values) for name, (_, _, values) in COLUMNS.items()})
    expected = loaded(server, as_texts(cells))
    assert any(None in row for row in expected) == (make is sometimes)
    copy, comma = (encoder(list(cells), KINDS, style, DIALECT) for style in ("copy", "csv"))
    assert loaded(server, copy.header + copy.rows(cells, set())) == expected
    assert loaded(server, comma.header + comma.rows(cells, set()), "(FORMAT csv, HEADER)") == expected


def test_csv_reads_as_rfc_4180(server):
    names = ["a", "b", "d", "e", "f", "h", "j", "k", "l", "o"]
    cells = Rows({name: present(COLUMNS[name][2]) for name in names})
    made = encoder(names, KINDS, "csv", DIALECT)
    header, *rows = csv.reader(io.StringIO((made.header + made.rows(cells, set())).decode(), newline=""))
    assert header == names
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        values = COLUMNS[name][2]
        if isinstance(values, Texts):
            assert list(column) == [text.replace("\0", "") for text in values.tolist()]
    assert rows[0][4:] == [
        "0", "-5000.00", "false", "1850-12-31 23:59:59.999999", "1850-12-31 23:59:59.999999+00:00",
        "00000000-0000-0000-0000-000000000000",
    ]  # fmt: skip


def test_null_and_the_empty_text_differ_in_csv():
    cells = Rows(a=as_cells([None, "", "a"]), b=sometimes(Texts(Coded(Pool(["", "b"]), np.array([0, 0, 1])))))
    made = encoder(["a", "b"], {"a": sa.Text(), "b": sa.Text()}, "csv", DIALECT)
    assert made.rows(cells, set()) == b',""\n"",\na,b\n'
    assert made.rows(cells, {"a"}) == b',""\n,\n,b\n'
    assert encoder(["a,b"], {"a,b": sa.Text()}, "csv", DIALECT).header == b'"a,b"\n'


@pytest.mark.parametrize("style", ["copy", "csv", "mysql"])
def test_chunks_and_forms_of_cells_make_no_difference(style):
    """Rows are the same bytes in one chunk or in many, and their texts as parts or as objects."""
    for make in (present, sometimes):
        cells = {name: make(values) for name, (_, _, values) in COLUMNS.items()}
        made = encoder(list(cells), KINDS, style, DIALECT)
        together = made.rows(Rows(cells), set())
        single = [
            made.rows(Rows({name: cell.take(np.array([n])) for name, cell in cells.items()}), set())
            for n in range(ROWS)
        ]
        assert b"".join(single) == together
        spelled = {
            n: Cells(np.asarray(c.values), c.null) if isinstance(c.values, Texts) else c for n, c in cells.items()
        }
        assert made.rows(Rows(spelled), set()) == together
        assert made.rows(Rows({n: c.take(np.zeros(0, dtype=int)) for n, c in cells.items()}), set()) == b""


@HERE
@given(st.data())
def test_any_texts_and_numbers_are_read_back(server, data):
    rows = data.draw(st.integers(1, 40), "rows")
    printable = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
    words = data.draw(st.lists(printable, min_size=1, max_size=5), "words")
    parts = [
        Coded(Pool(words), np.arange(rows) % len(words)),
        data.draw(printable, "between"),
        Number(np.arange(rows), 0, 0),
    ]
    lists = partial(st.lists, min_size=rows, max_size=rows)
    whole = data.draw(lists(st.integers(-(2**63), 2**63 - 1)), "whole")
    units = data.draw(lists(st.integers(-(10**14), 10**14)), "units")
    scale = data.draw(st.integers(0, 9), "scale")
    columns = {
        "a": ("text", sa.Text(), present(Texts(*parts))),
        "b": ("text", sa.Text(), as_cells(data.draw(lists(st.none() | printable), "texts"))),
        "c": ("bigint", sa.BigInteger(), present(np.array(whole, dtype=np.int64))),
        "d": (f"numeric(40, {scale})", sa.Numeric(40, scale), present(np.array(units) / 10.0**scale)),
    }  # fmt: skip
    cells, kinds = Rows({n: c for n, (_, _, c) in columns.items()}), {n: k for n, (_, k, _) in columns.items()}
    expected = loaded(server, as_texts(cells, kinds), columns=columns)
    assert [(a, b, int(c)) for a, b, c, _ in expected] == list(
        zip(cells["a"].values.tolist(), cells["b"].values.tolist(), whole, strict=True)
    )
    for style, how in (("copy", ""), ("csv", "(FORMAT csv)")):
        made = encoder(list(cells), kinds, style, DIALECT)
        assert loaded(server, made.rows(cells, set()), how, columns) == expected


@pytest.mark.ci
def test_load_data_reads_what_an_insert_of_the_same_cells_stores(tmp_path):
    kinds = {
        **{name: KINDS[name] for name in "fghjmnqrs"}, "a": sa.Text(), "b": sa.Text(), "d": sa.Text(), "e": sa.Text(),
        "k": mysql.DATETIME(fsp=6), "l": UtcDateTime(), "o": Key(), "p": sa.String(40), "u": sa.JSON(), "w": sa.Text(),
        "n": mysql.TIME(fsp=6), "x": sa.Double(),
    }  # fmt: skip
    metadata = sa.MetaData()
    tables = [
        sa.Table(name, metadata, sa.Column("place", sa.Integer, primary_key=True, autoincrement=True),
                 *(sa.Column(column, kind) for column, kind in kinds.items()))
        for name in ("inserted", "loaded")
    ]  # fmt: skip
    later = {name: TIMES + np.timedelta64(200 * 365, "D") for name in "klm"}
    values = {name: COLUMNS[name][2] for name in kinds} | later
    with sandbox(Plan(name="lines", metadata=metadata), on="mariadb") as stage:
        engine = sa.create_engine(stage.engine.url, connect_args={"local_infile": True})
        with engine.connect() as connection:
            for make in (present, sometimes):
                cells = Rows({name: make(column) for name, column in values.items()})
                inserted(connection, tables[0], cells, kinds)
                read_from_file(connection, tmp_path / "lines", cells, kinds)
                one, other = (connection.execute(sa.select(t).order_by(t.c.place)).all() for t in tables)
                assert [row[1:] for row in one] == [row[1:] for row in other]
                assert len(one) == ROWS
                connection.rollback()
        engine.dispose()


def inserted(connection, table, cells, kinds):
    """Insert cells through SQLAlchemy."""
    columns = [objects(cells[name], kinds[name]) for name in cells]
    rows = [dict(zip(cells, row, strict=True)) for row in zip(*columns, strict=True)]
    connection.execute(table.insert(), rows)


def read_from_file(connection, file, cells, kinds):
    """Have the server read cells from a file of lines."""
    made = encoder(list(cells), kinds, "mysql", connection.dialect)
    assert made.hexed == {"s"}
    file.write_bytes(made.rows(cells, set()))
    fields = ", ".join("@s" if name == "s" else name for name in cells)
    read = f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE loaded CHARACTER SET utf8mb4"
    connection.exec_driver_sql(f"{read} ({fields}) SET s = UNHEX(@s)")
