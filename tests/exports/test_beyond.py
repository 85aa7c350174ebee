"""What a tool makes, and then the SQL for what it cannot say: the database is the plan's again, told by diff()."""

import pytest
from node_tools import prisma

from dbplan import diff, export, read, sandbox
from dbplan.domains import PLANS
from dbplan.report.files import listings


def run(stage, *scripts):
    with stage.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for script in scripts:
            connection.exec_driver_sql(script.replace("%", "%%"))


@pytest.mark.parametrize("name", PLANS)
def test_a_prisma_schema_and_the_sql_beyond_it_make_the_plan(name, tmp_path):
    plan = read(name)
    report = export(plan, "prisma")
    schema, beyond = listings(report)
    (tmp_path / schema.file).write_text(schema.source)
    made = prisma("ddl", tmp_path / schema.file)
    with sandbox(plan, create=False) as stage:
        run(stage, made, beyond.source)
        assert diff(plan, stage.url).evidence == ()
