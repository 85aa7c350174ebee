"""Files: what they say is what the database would hold, on every plan, and they are there whole or not at all."""

import csv
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from functools import cache

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from dbplan import read
from dbplan.connection import new_engine
from dbplan.domains import PLANS
from dbplan.encryption import rehearsal
from dbplan.errors import CannotWrite, NotCovered, UnknownName, UsageError
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sandbox.installation import program
from dbplan.seeding import seed
from dbplan.seeding.filing import seed_files
from dbplan.seeding.filling import fill as fill_database
from dbplan.seeding.loading.files import folder as folders
from dbplan.seeding.loading.files import layout
from dbplan.seeding.loading.files.names import file_names
from dbplan.seeding.loading.files.writing import content_of, files, fill
from dbplan.seeding.loading.longrun import Wish
from dbplan.seeding.loading.statements import quoter
from dbplan.seeding.run import prepare

ROWS = 80


def strange():
    """A plan of what most plans have not: odd names and types, several schemas, a circle, defaults alone."""
    metadata = sa.MetaData()
    sa.Table(
        'Order "1"/a', metadata,
        sa.Column("Select", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("50%", sa.Text, nullable=False), sa.Column("note", sa.Text),
        sa.Column("tags", pg.ARRAY(sa.Text)), sa.Column("numbers", pg.ARRAY(sa.Integer), nullable=False),
        sa.Column("raw", sa.LargeBinary), sa.Column("price", sa.Numeric(12, 4)), sa.Column("loose", sa.Numeric),
        sa.Column("ratio", sa.Float), sa.Column("flag", sa.Boolean), sa.Column("day", sa.Date),
        sa.Column("at", sa.Time),
        sa.Column("took", sa.Interval), sa.Column("plain", sa.DateTime), sa.Column("when", sa.DateTime(timezone=True)),
        sa.Column("doc", pg.JSONB), sa.Column("address", pg.INET), sa.Column("span", pg.INT4RANGE),
        sa.Column("key", sa.Uuid), sa.Column("kind", sa.Enum("a b", "c'd", "e\\f", name="kind")),
        sa.Column("double", sa.Integer, sa.Computed('"Select" * 2')), sa.Column("made", sa.Text, server_default="x"),
    )  # fmt: skip
    sa.Table(
        "head", metadata, sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("hand_id", sa.ForeignKey("other.hand.id", use_alter=True, name="fk_hand")),
    )  # fmt: skip
    sa.Table(
        "hand", metadata, sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("head_id", sa.ForeignKey("head.id"), nullable=False), schema="other",
    )  # fmt: skip
    sa.Table("empty", metadata, sa.Column("at", sa.DateTime, sa.Computed("timestamp '2024-01-01'")))
    return Plan(name="strange", metadata=metadata)


UNCHECKED = "SET session_replication_role = replica;"
"""What lets a circle of foreign keys be copied table by table."""
SUBJECTS = [*PLANS, "strange"]


def subject(name):
    return strange() if name == "strange" else read(name)


NEEDS_SQLITE3 = pytest.mark.skipif(
    shutil.which("sqlite3") is None and not os.environ.get("CI"), reason="the program sqlite3 is not there"
)


def psql(engine, *arguments, cwd=None):
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(program("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def held(engine, plan):
    """Return the rows of every table, sorted, as PostgreSQL spells them."""
    with engine.connect() as connection:
        connection.exec_driver_sql("SET timezone = 'UTC'")
        name = connection.dialect.identifier_preparer.format_table
        return {
            str(t.key): sorted(
                connection.exec_driver_sql(f"SELECT t::text FROM {name(t).replace('%', '%%')} t").scalars()
            )
            for t in plan.tables
        }


def empty(engine, plan):
    with engine.begin() as connection:
        name = connection.dialect.identifier_preparer.format_table
        names = ", ".join(name(t) for t in plan.tables).replace("%", "%%")
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")


def listed(folder):
    """Return the files of a folder in the order of references, with their tables."""
    return json.loads((folder / folders.MANIFEST).read_text())["files"]


def tables_of(plan):
    return {file: plan.table(key) for key, file in file_names(plan.tables).items()}


def parts_of(folder, plan):
    """Yield each file with its table."""
    names = tables_of(plan)
    for path in listed(folder):
        stem = path.split("/")[0] if "/" in path else path.rsplit(".", 1)[0]
        yield folder / path, names[stem]


def load_csv(engine, folder, plan):
    quote, commands = quoter(engine.dialect), []
    for path, table in parts_of(folder, plan):
        columns = ", ".join(map(quote.quote, pd.read_csv(path, nrows=0).columns))
        commands.append(f"\\copy {quote.format_table(table)} ({columns}) from '{path}' csv header")
    script = folder / "copy.psql"
    script.write_text("\n".join([UNCHECKED, *commands]))
    psql(engine, "-f", str(script))


def load_jsonl(engine, folder, plan):
    quote = quoter(engine.dialect)
    with engine.begin() as connection:
        connection.exec_driver_sql(UNCHECKED.replace("SET", "SET LOCAL"))
        for path, table in parts_of(folder, plan):
            lines = path.read_text("utf-8").splitlines()
            for columns in {tuple(json.loads(line)) for line in lines}:
                same = [line for line in lines if tuple(json.loads(line)) == columns]
                name, listing = quote.format_table(table), ", ".join(map(quote.quote, columns))
                always = "OVERRIDING SYSTEM VALUE" if "Select" in columns else ""
                rows = f"SELECT {listing} FROM json_populate_record(NULL::{name}, "
                statement = f"INSERT INTO {name} ({listing}) {always} {rows}".replace("%", "%%") + "%s)"
                if columns:
                    cursor = connection.connection.driver_connection.cursor()
                    cursor.executemany(statement, [(line,) for line in same])


def load_sql(engine, folder, _plan):
    psql(engine, "-f", str(folder / "load.sql"))


def write(made, folder, form, dialect="postgresql", **options):
    target = files(made, folder, form, dialect)
    with rehearsal():
        return list(fill(made, target, content_of(made, target), **options))


@cache
def world(name):
    """Return what `seed` would write for a plan; built once, as most of the time goes there."""
    return prepare(subject(name), ROWS, 7)[0]


@rehearsal()
def seed_world(engine, made):
    """Write to a database what `seed` would."""
    fill_database(engine, made, Wish(fast=False, truncate=False, append=False), None)


@pytest.fixture(scope="module", params=SUBJECTS)
def filled(request):
    """A database that is filled, with what it holds."""
    made = world(request.param)
    with sandbox(made.plan) as stage:
        seed_world(stage.engine, made)
        yield made, stage.engine, held(stage.engine, made.plan)


@pytest.mark.parametrize(("form", "load"), [("csv", load_csv), ("jsonl", load_jsonl), ("sql", load_sql)])
def test_files_hold_what_the_database_does(filled, tmp_path, form, load):
    made, engine, before = filled
    plan = made.plan
    write(made, tmp_path, form)
    empty(engine, plan)
    load(engine, tmp_path, plan)
    after = held(engine, plan)
    if form != "sql":  # which alone has words for a row of defaults
        after["empty"], before = before.get("empty"), dict(before, empty=before.get("empty"))
    assert after == before


def spelled(value):
    """Return a value of Parquet, or of psycopg, as something that both have."""
    if isinstance(value, str) and value[:1] == "{" and value[-1:] == "}":
        value = json.loads(value)
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).isoformat()
    return value.normalize() if isinstance(value, Decimal) else value


def test_parquet_holds_what_the_database_does(filled, tmp_path):
    made, engine, _ = filled
    write(made, tmp_path, "parquet")
    quote = engine.dialect.identifier_preparer
    for path, table in parts_of(tmp_path, made.plan):
        frame = pd.read_parquet(path)
        rows = [tuple(map(spelled, row.values())) for row in pq.read_table(path).to_pylist()]
        texts = {"address": "host(address)", "span": "span::text"}
        columns = ", ".join(texts.get(name, quote.quote(name)) for name in frame.columns)
        with engine.connect() as connection:
            connection.exec_driver_sql("SET timezone = 'UTC'")
            statement = f"SELECT {columns} FROM {quote.format_table(table)}"
            held = [tuple(map(spelled, row)) for row in connection.exec_driver_sql(statement)]
        assert len(frame) == len(rows)
        assert set(map(repr, rows)) <= set(map(repr, held))


TYPES = {
    "Select": "int64", "50%": "string", "tags": "list<element: string>", "raw": "binary", "price": "decimal128(12, 4)",
    "loose": "decimal128(38, 9)", "ratio": "double", "flag": "bool", "day": "date32[day]", "at": "time64[us]",
    "took": "duration[us]", "plain": "timestamp[us]", "when": "timestamp[us, tz=UTC]", "doc": "extension<arrow.json>",
    "address": "string", "span": "string", "key": "extension<arrow.uuid>",
    "kind": "dictionary<values=string, indices=int32, ordered=0>",
}  # fmt: skip


def test_parquet_has_the_types_of_the_columns(tmp_path):
    seed_files(tmp_path, strange(), format="parquet", rows=30)
    schema = pq.read_schema(tmp_path / "Order%20%221%22%2Fa.parquet")
    assert {name: str(schema.field(name).type) for name in TYPES} == TYPES
    assert not {"double", "made"} & set(schema.names)


def raw(engine, plan):
    with engine.connect() as connection:
        name = connection.dialect.identifier_preparer.format_table
        return {
            t.key: sorted(connection.exec_driver_sql(f"SELECT * FROM {name(t)}").all(), key=repr) for t in plan.tables
        }


@NEEDS_SQLITE3
@pytest.mark.parametrize("name", PLANS)
def test_sql_for_sqlite_makes_the_same_database(name, tmp_path):
    made = world(name)
    plan, engine = made.plan, new_engine(f"sqlite:///{tmp_path / 'one.db'}")
    plan.metadata.create_all(engine)
    seed_world(engine, made)
    write(made, tmp_path / "sql", "sql", "sqlite")
    other = new_engine(f"sqlite:///{tmp_path / 'other.db'}")
    plan.metadata.create_all(other)
    with (tmp_path / "sql" / "load.sql").open() as script:
        command = ["sqlite3", str(tmp_path / "other.db")]
        done = subprocess.run(command, stdin=script, capture_output=True, text=True, cwd=tmp_path / "sql", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert raw(other, plan) == raw(engine, plan)
    other.dispose()
    engine.dispose()


@pytest.mark.ci
@pytest.mark.parametrize("name", ["store", "credits"])
def test_sql_for_mariadb_makes_the_same_database(name, tmp_path):
    made = world(name)
    plan = made.plan
    with sandbox(plan, on="mariadb") as stage:
        seed_world(stage.engine, made)
        before = raw(stage.engine, plan)
        write(made, tmp_path / "sql", "sql", "mariadb")
        with stage.engine.begin() as connection:
            connection.exec_driver_sql("SET foreign_key_checks = 0")
            for table in plan.tables:
                connection.exec_driver_sql(f"TRUNCATE `{table.name}`")
        url = stage.engine.url
        socket = url.query.get("unix_socket")
        place = [f"--socket={socket}"] if socket else [f"--host={url.host}", f"--port={url.port}"]
        password = [f"--password={url.password}"] if url.password else []
        command = ["mariadb", "--no-defaults", *place, f"--user={url.username}", *password, url.database]
        with (tmp_path / "sql" / "load.sql").open() as script:
            done = subprocess.run(
                command, stdin=script, capture_output=True, text=True, cwd=tmp_path / "sql", check=False
            )
        assert (done.returncode, done.stderr) == (0, "")
        assert raw(stage.engine, plan) == before


@NEEDS_SQLITE3
def test_sql_literals_keep_every_character(tmp_path):
    metadata = sa.MetaData()
    sa.Table(
        "words",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("word", sa.Text),
        sa.Column("x", sa.LargeBinary),
    )
    words = ["it's", 'a "b"', "back\\slash \\n", "line\nfeed\ttab\r", "%s :name $1 ?", "naïve 🙂", "", "NULL", "\\."]
    (tmp_path / "words.toml").write_text(
        f"[tables.words.columns]\nword = {{ values = {json.dumps(words, ensure_ascii=False)} }}\n", "utf-8"
    )
    plan = Plan(name="words", metadata=metadata, recipe=tmp_path / "words.toml")
    seed_files(tmp_path / "sql", plan, format="sql", dialect="sqlite", rows=200)
    engine = new_engine(f"sqlite:///{tmp_path / 'words.db'}")
    metadata.create_all(engine)
    with (tmp_path / "sql" / "load.sql").open() as script:
        subprocess.run(["sqlite3", str(tmp_path / "words.db")], stdin=script, cwd=tmp_path / "sql", check=True)
    with engine.connect() as connection:
        assert set(connection.exec_driver_sql("SELECT word FROM words").scalars()) == {*words, None}
    engine.dispose()
    seed_files(tmp_path / "csv", plan, format="csv", rows=200)
    with (tmp_path / "csv" / "words.csv").open(newline="", encoding="utf-8") as out:
        assert {row["word"] for row in csv.DictReader(out)} == set(words)
    seed_files(tmp_path / "jsonl", plan, format="jsonl", rows=200)
    lines = (tmp_path / "jsonl" / "words.jsonl").read_text("utf-8").split("\n")[:-1]
    assert {json.loads(line)["word"] for line in lines} == {*words, None}


def test_an_equal_run_writes_nothing_again_and_another_is_refused(tmp_path):
    plan = read("credits")
    seed_files(tmp_path, plan, format="csv", rows=30)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    (tmp_path / "users.csv.1234abcd.partial").write_text("of a killed run")
    report = seed_files(tmp_path, plan, format="csv", rows=30)
    assert report.verdict.endswith("in 4 files, 4 of them there before")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    (tmp_path / "users.csv").unlink()
    assert seed_files(tmp_path, plan, format="csv", rows=30).verdict.endswith("in 4 files, 3 of them there before")
    for options in ({"rows": 31}, {"rows": 30, "random_state": 8}, {"rows": 30, "format": "jsonl"}):
        with pytest.raises(UsageError, match=r'another run \(.* rows of plan "credits" as csv, random state 7\)'):
            seed_files(tmp_path, plan, **{"format": "csv"} | options)
    (tmp_path / "mine.txt").write_text("kept")
    seed_files(tmp_path, plan, format="jsonl", rows=30, truncate=True)
    assert {path.name for path in tmp_path.iterdir()} == {
        "audit_logs.jsonl", "idempotency_records.jsonl", "transactions.jsonl", "users.jsonl",
        folders.MANIFEST, "mine.txt",
    }  # fmt: skip


def test_a_dry_run_says_what_would_be_written_and_removed(tmp_path):
    plan, verdicts = read("credits"), []
    for options in ({"dry_run": True}, {}, {"dry_run": True}, {"dry_run": True, "rows": 31, "truncate": True}):
        report = seed_files(tmp_path / "new", plan, format="csv", **{"rows": 30} | options)
        verdicts.append(report.verdict.split(":")[0].replace(str(tmp_path), ""))
        assert (tmp_path / "new").exists() is (len(verdicts) > 1)
    written = "files would be written to /new"
    assert verdicts == [f"4 of 4 {written}", "57 rows in 4 files", f"0 of 4 {written}", f"4 of 4 {written}"]
    assert report.blocks[1].text.startswith('4 files go first: 57 rows of plan "credits" as csv')
    with pytest.raises(UsageError, match="another run"):
        seed_files(tmp_path / "new", plan, format="csv", rows=31, dry_run=True)


def test_files_of_somebody_else_are_never_replaced(tmp_path):
    (tmp_path / "users.csv").write_text("mine")
    for truncate in (False, True):
        with pytest.raises(UsageError, match=r"has users.csv already, and no dbplan-seed.json"):
            seed_files(tmp_path, read("credits"), format="csv", rows=9, truncate=truncate)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    (tmp_path / folders.MANIFEST).write_text("{}")
    with pytest.raises(UsageError, match="is not what dbplan writes"):
        seed_files(tmp_path, read("credits"), format="csv", rows=9)
    evil = folders.Manifest("", "", {"../users.csv": 1})
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / folders.MANIFEST).write_text(json.dumps(vars(evil)))
    with pytest.raises(UsageError, match=r"lists \.\./users.csv, which is not in the folder"):
        seed_files(tmp_path / "in", read("credits"), format="csv", rows=9, truncate=True)
    assert (tmp_path / "users.csv").exists()


@pytest.fixture(scope="module")
def store():
    return world("store")


def test_large_tables_are_parts_with_the_same_rows(store, monkeypatch, tmp_path):
    write(store, tmp_path / "whole", "jsonl")
    monkeypatch.setattr(layout, "PART", 25)
    monkeypatch.setattr(layout, "CHUNK", 10)
    write(store, tmp_path / "parts", "jsonl")
    for path in (tmp_path / "whole").glob("*.jsonl"):
        folder = tmp_path / "parts" / path.stem
        pieces = sorted(folder.iterdir()) if folder.is_dir() else [folder.with_suffix(".jsonl")]
        assert all(len(piece.read_bytes().splitlines()) <= 25 for piece in pieces)
        assert b"".join(piece.read_bytes() for piece in pieces) == path.read_bytes()
    assert list((tmp_path / "parts").glob("*/part-00003.jsonl"))


def test_fixed_rows_that_leave_out_other_columns_stand_in_files_of_their_own(tmp_path):
    metadata = sa.MetaData()
    columns = sa.Column("name", sa.Text), sa.Column("made", sa.Text, server_default=sa.text("current_setting('x.y')"))
    sa.Table("kinds", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    rows = '[[tables.kinds.fixed]]\nid = 1\nname = "a"\n[[tables.kinds.fixed]]\nid = 2\nname = "b"\nmade = "c"\n'
    (tmp_path / "kinds.toml").write_text(f"{rows}[[tables.kinds.fixed]]\nid = 3\nname = 'd'\nmade = 'e'\n")
    plan = Plan(name="kinds", metadata=metadata, recipe=tmp_path / "kinds.toml")
    report = seed_files(tmp_path / "csv", plan, format="csv", rows={"kinds": 2})
    texts = [path.read_text() for path in sorted((tmp_path / "csv" / "kinds").iterdir())]
    assert texts[:2] == ["id,name\n1,a\n", "id,name,made\n2,b,c\n3,d,e\n"]
    assert texts[2].startswith("id,name\n4,")
    assert report.verdict == "5 rows in 3 files"


def test_rows_of_defaults_alone_are_said(tmp_path):
    report = seed_files(tmp_path, strange(), format="parquet", rows=30)
    notes = [block.text for block in report.blocks if hasattr(block, "text")]
    assert any("empty: " in note and "sql alone has words for them" in note for note in notes)
    assert 'Order "1"/a: without double, made, which the database itself fills.' in notes
    assert not (tmp_path / "empty.parquet").exists()


def test_secrets_are_sealed(store, tmp_path):
    write(store, tmp_path, "jsonl")
    tokens = [json.loads(line)["access_token"] for line in (tmp_path / "accounts.jsonl").read_text().splitlines()]
    assert any(tokens)
    assert all(token is None or token.startswith("sealed:") for token in tokens)


def test_wrong_words_are_said_before_any_file(tmp_path, monkeypatch):
    plan = read("credits")
    for options, fault, said in (
        ({"format": "cvs"}, UnknownName, "did you mean 'csv'"),
        ({"format": "csv", "dialect": "mysql"}, UsageError, "csv has no dialects; sql has"),
        ({"format": "sql", "dialect": "oracle"}, UnknownName, "dialects are: mariadb, mysql, postgresql, sqlite"),
    ):
        with pytest.raises(fault, match=said):
            seed_files(tmp_path / "files", plan, **options)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(NotCovered, match=r'pip install "dbplan\[parquet\]"'):
        seed(str(tmp_path / "files"), plan, format="parquet")
    assert not (tmp_path / "files").exists()


def test_a_disk_that_ends_is_said_and_leaves_no_half_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="No space left on device.*the same command goes on"):
        seed_files(tmp_path, read("credits"), format="csv", rows=9)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="File exists|Not a directory"):
        seed_files(tmp_path / "file", read("credits"), format="csv", rows=9)


def test_names_are_safe_on_every_file_system():
    metadata = sa.MetaData()
    given = ("User", "user", "USER", "con", "Con", "a/b", "..", "load", "таблица", "x" * 300, "dot.ted", " ", "é")
    for name in given:
        sa.Table(name, metadata, sa.Column("id", sa.Integer))
    sa.Table("user", metadata, sa.Column("id", sa.Integer), schema="aux")
    names = file_names(metadata.tables.values())
    assert names["a/b"] == "a%2Fb"
    assert names["aux.user"] == "aux~.user"
    assert names["таблица"] == "таблица"
    assert len({name.casefold() for name in names.values()}) == len(given) + 1
    for name in names.values():
        assert len(name.encode()) <= 130
        assert not set('<>:"/\\|?* ') & set(name)
        assert name.split(".")[0].casefold() not in ("con", "aux", "load")
