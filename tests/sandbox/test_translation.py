"""A plan that was read from SQLite stands on PostgreSQL as well."""

import datetime as dt

import pytest
import sqlalchemy as sa

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read


def test_types_of_sqlite_become_those_of_postgresql():
    m = sa.MetaData()
    sa.Table(
        "t", m,
        sa.Column("id", sa.INTEGER, primary_key=True),
        sa.Column("secret", sa.BLOB), sa.Column("at", sa.DATETIME), sa.Column("text", sa.CLOB),
        sa.Column("name", sa.NVARCHAR(20)), sa.Column("short", sa.NCHAR(2)),
        sa.CheckConstraint("active IN (0, 1)"),
        sa.Column("active", sa.Boolean, server_default=sa.text("1")),
        sa.Column("hidden", sa.Boolean, server_default="0"),
    )  # fmt: skip
    with sandbox(Plan("t", m), "sqlite") as lite:
        plan = read(lite.url)
    with sandbox(plan) as stage:
        columns = sa.inspect(stage.engine).get_columns("t")
    types = {column["name"]: str(column["type"]) for column in columns}
    assert types["secret"] == "BYTEA"
    assert types["at"] == "TIMESTAMP"
    assert types["text"] == "TEXT"
    assert types["name"] == "VARCHAR(20)"
    assert [c["default"] for c in columns if c["name"] in ("active", "hidden")] == ["true", "false"]


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("sqlserver", "id Int @id @default(autoincrement())\n  at DateTime @default(now()) @db.DateTime2"),
        ("cockroachdb", "id BigInt @id @default(autoincrement())\n  at DateTime @default(now())"),
        ("mongodb", 'id String @id @default(auto()) @map("_id") @db.ObjectId\n  at DateTime'),
        ("sqlite", "id Int @id @default(autoincrement())\n  at DateTime @default(now())\n  data Bytes"),
    ],
)
def test_a_plan_for_a_server_that_is_not_here_is_made_on_postgresql(tmp_path, provider, fields):
    path = tmp_path / "schema.prisma"
    path.write_text(f'datasource db {{\n  provider = "{provider}"\n}}\n\nmodel User {{\n  {fields}\n}}\n')
    plan = read(path)
    with sandbox(plan) as stage, stage.engine.connect() as connection:
        made = sa.inspect(connection).get_columns("User")
    assert {column["name"]: column["type"].python_type for column in made}["at"] is dt.datetime
