"""A Prisma schema for CockroachDB: no server of it is here, so PostgreSQL, whose words it speaks, takes both DDLs."""

import re
from pathlib import Path

from prisma_equality import EMPTY, prisma_ddl

from dbplan.comparison import differences
from dbplan.ddl import statements
from dbplan.sandbox import sandbox
from dbplan.sources import read
from dbplan.sources.catalog import snapshot

SCHEMA = Path(__file__).parent / "cockroachdb" / "schema.prisma"
ITS_OWN = "CREATE FUNCTION unique_rowid() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'"
SPELLED = {r"\bSTRING\((\d+)\)": r"VARCHAR(\1)", r"\bSTRING\b": "TEXT", r"\bBYTES\b": "BYTEA"}


def catalog(*ddl):
    with sandbox(EMPTY, create=False) as stage, stage.engine.connect() as connection:
        for sql in (ITS_OWN, *ddl):
            connection.connection.driver_connection.execute(sql, prepare=False)
        return snapshot(connection)


def test_our_database_is_prismas():
    theirs = prisma_ddl([SCHEMA])[0]
    for words, others in SPELLED.items():
        theirs = re.sub(words, others, theirs)
    ours = [statement.sql for statement in statements(read(SCHEMA), "cockroachdb")]
    assert differences(catalog(theirs), catalog(*ours)) == ()
