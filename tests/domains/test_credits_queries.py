import datetime as dt

from sqlalchemy import insert, select, text

from dbplan.columns import new_id
from dbplan.connection import transaction
from dbplan.domains.credits import PLAN, operations, statements  # noqa: F401 - PLAN is for the fixtures
from dbplan.domains.credits.models import IdempotencyRecord, Transaction


def test_the_newest_failures_are_read_in_the_order_of_their_index(engine):
    if engine.dialect.name == "sqlite":
        explain, sort = "EXPLAIN QUERY PLAN ", "TEMP B-TREE FOR ORDER BY"
    else:
        explain, sort = "EXPLAIN ", "Seq Scan"
    statement = "SELECT id FROM audit_logs WHERE status = 'failed' ORDER BY created_at DESC LIMIT 10"
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(" ".join(map(str, row)) for row in connection.exec_driver_sql(explain + statement))
    assert "ix_audit_logs_failed" in plan
    assert sort not in plan


def test_a_posted_row_adds_up_whatever_is_bound(engine):
    with transaction(engine) as session:
        user_id = operations.create_user(session, opening=1)
        values = {"new_id": new_id(), "owner": user_id, "what": "x", "details": {}, "credits": 2**40, "balance": 1}
        session.execute(statements.post, values)
        assert session.get_one(Transaction, values["new_id"]).balance_after == 2**40 + 1


def test_expiry_takes_the_oldest_first(engine):
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    rows = [
        {"key": str(n), "created_at": start, "expires_at": start + dt.timedelta(hours=n + 1), "result": {}}
        for n in (3, 1, 2)
    ]
    with transaction(engine) as session:
        session.execute(insert(IdempotencyRecord), rows)
        operations.expire_idempotency_records(session, limit=2)
        assert session.scalars(select(IdempotencyRecord.key)).all() == ["3"]
