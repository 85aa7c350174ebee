"""A Prisma schema for MySQL: the database that we make is the one of Prisma's words, on MariaDB, MySQL's kin."""

from pathlib import Path

import pytest
from prisma_equality import EMPTY

from dbplan.comparison import differences
from dbplan.ddl import statements
from dbplan.sandbox import sandbox
from dbplan.sources import read
from dbplan.sources.catalog import snapshot

FOLDER = Path(__file__).parent / "mysql"


def catalog(ddl):
    with sandbox(EMPTY, "mariadb", create=False) as stage, stage.engine.connect() as connection:
        for sql in ddl:
            connection.execution_options(no_parameters=True).exec_driver_sql(sql)
        return snapshot(connection)


@pytest.mark.ci
def test_our_database_is_prismas():
    theirs = (FOLDER / "prisma.sql").read_text(encoding="utf-8").split(";\n")
    ours = [statement.sql for statement in statements(read(FOLDER / "schema.prisma"), "mysql")]
    made = catalog(filter(str.strip, theirs))
    assert made.objects
    assert differences(made, catalog(ours)) == ()
