"""A plan that was read from SQLite stands on PostgreSQL as well."""

import sqlalchemy as sa

from dbplan.plan import Plan
from dbplan.sandbox import sandbox


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
        reflected = sa.MetaData()
        reflected.reflect(lite.engine)
    with sandbox(Plan("t", reflected, source="sqlite:///app.db")) as stage:
        columns = sa.inspect(stage.engine).get_columns("t")
    types = {column["name"]: str(column["type"]) for column in columns}
    assert types["secret"] == "BYTEA"
    assert types["at"] == "TIMESTAMP"
    assert types["text"] == "TEXT"
    assert types["name"] == "VARCHAR(20)"
    assert [c["default"] for c in columns if c["name"] in ("active", "hidden")] == ["true", "false"]
