"""Files: what they say is what the database would hold, on every plan, and they are there whole or not at all."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

import numpy as np
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
from dbplan.seeding.loading.files import folder as folders
from dbplan.seeding.loading.files import layout
from dbplan.seeding.loading.files.names import file_names
from dbplan.seeding.loading.files.writing import content_of, files, fill
from dbplan.seeding.loading.statements import quoter
from dbplan.seeding.run import prepare

ROWS = 150


def strange():
    """A plan of what most plans have not: odd names and types, several schemas, a circle, defaults alone."""
    metadata = sa.MetaData()
    sa.Table(
        'Order "1"/a', metadata,
        sa.Column("Select", sa.Integer, sa.Identity(always=True), primary_key=True),
        sa.Column("50%", sa.Text, nullable=False), sa.Column("note", sa.Text),
        sa.Column("tags", pg.ARRAY(sa.Text)), sa.Column("numbers", pg.ARRAY(sa.Integer), nullable=False),
        sa.Column("raw", sa.LargeBinary), sa.Column("price", sa.Numeric(12, 4)), sa.Column("loose", sa.Numeric),
        sa.Column("ratio", sa.Float), sa.Column("flag", sa.Boolean), sa.Column("day", sa.Date), sa.Column("at", sa.Time),
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


@pytest.fixture(scope="module", params=SUBJECTS)
def filled(request):
    """A database that `seed` has filled, with what it holds."""
    plan = subject(request.param)
    with sandbox(plan) as stage:
        seed(stage, rows=ROWS)
        made, _ = prepare(plan, ROWS, 7)
        yield made, stage.engine, held(stage.engine, plan)


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
