"""A view of the plan gets no rows, nor does a key that leads to it count."""

import sqlalchemy as sa

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed


def never(*_, **__):
    return False


def test_only_tables_are_filled():
    metadata = sa.MetaData()
    seen = sa.Table("seen", metadata, sa.Column("id", sa.Integer), info={"is_view": True, "view": ""})
    sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("seen_id", sa.Integer))
    key = sa.ForeignKeyConstraint(["seen_id"], [seen.c.id], info={"enforced": False})
    key.ddl_if(callable_=never)
    metadata.tables["users"].append_constraint(key)
    plan = Plan("shown", metadata)
    with sandbox(plan, on="sqlite") as stage:
        assert seed(stage, rows=5).ok
        with stage.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 5
            assert connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'seen'").all() == []
