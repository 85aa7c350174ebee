import datetime as dt
import uuid

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dbplan.columns import new_id
from dbplan.connection import transaction
from dbplan.domains.credits import PLAN
from dbplan.domains.credits.models import AuditLog, IdempotencyRecord, Status, Transaction, User

FIELDS = {
    "users": {"id", "credits", "membership_tier", "membership_expires_at", "created_at", "updated_at"},
    "transactions": {
        *("id", "user_id", "action", "amount", "balance_before", "balance_after", "metadata", "created_at"),
    },
    "audit_logs": {"id", "user_id", "action", "status", "metadata", "error_message", "created_at"},
    "idempotency_records": {"key", "result", "created_at", "expires_at"},
}
NULLABLE = {
    ("users", "membership_tier"),
    ("users", "membership_expires_at"),
    ("audit_logs", "error_message"),
}


def test_every_field_of_the_requirement_is_there_and_none_besides():
    assert {table.name: set(table.columns.keys()) for table in PLAN.tables} == FIELDS


def test_what_is_required_is_not_null():
    assert {(t.name, c.name) for t in PLAN.tables for c in t.columns if c.nullable} == NULLABLE


def test_every_reference_says_what_a_delete_does():
    assert {(fk.parent.table.name, fk.ondelete) for t in PLAN.tables for fk in t.foreign_keys} == {
        ("transactions", "RESTRICT"),
        ("audit_logs", "RESTRICT"),
    }


@pytest.fixture
def user_id(engine):
    with transaction(engine) as session:
        session.add(user := User())
        session.flush()
        return user.id


def entry(user_id, **changes):
    values = {"user_id": user_id, "amount": 5, "balance_before": 0, "balance_after": 5, "action": "top-up"}
    return Transaction(**(values | changes))


def log(user_id, **changes):
    return AuditLog(**({"user_id": user_id, "action": "charge", "status": Status.SUCCESS} | changes))


def record(**changes):
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    return IdempotencyRecord(**({"key": "k", "result": {}, "expires_at": later} | changes))


REFUSED = {
    "credits_not_negative": lambda _: User(credits=-1),
    "membership_tier_length": lambda _: User(membership_tier=""),
    "membership_tier_lower_case": lambda _: User(membership_tier="Pro"),
    "expiry_has_tier": lambda _: User(membership_expires_at=dt.datetime.now(dt.UTC)),
    "amount_not_zero": lambda user: entry(user, amount=0, balance_after=0),
    "balance_before_not_negative": lambda user: entry(user, balance_before=-5, balance_after=0),
    "balance_after_not_negative": lambda user: entry(user, amount=-5, balance_after=-5),
    "balance_adds_up": lambda user: entry(user, balance_after=6),
    "transactions_action_length": lambda user: entry(user, action=""),
    "audit_logs_action_length": lambda user: log(user, action=""),
    "error_only_if_failed": lambda user: log(user, error_message="why"),
    "error_message_length": lambda user: log(user, status=Status.FAILED, error_message="x" * 2001),
    "key_length": lambda _: record(key=""),
    "expires_after_creation": lambda _: record(expires_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
}


def test_a_row_that_cannot_be_true_is_refused(engine, user_id, subtests):
    for constraint, row in REFUSED.items():
        with subtests.test(constraint), pytest.raises(IntegrityError, match=constraint), transaction(engine) as session:
            session.add(row(user_id))


def test_every_check_is_tried_above():
    checks = {str(c.name) for t in PLAN.tables for c in t.constraints if c.name.startswith("ck_")}
    tried = {check for check in checks for name in REFUSED if check.endswith(name)}
    assert checks - tried == {"ck_audit_logs_status_known"}  # below: the ORM's Enum would refuse it first


def test_an_unknown_status_is_refused_by_the_server_too(engine, user_id):
    values = {"id": new_id().hex, "user": user_id.hex}
    statement = text("INSERT INTO audit_logs (id, user_id, action, status) VALUES (:id, :user, 'charge', 'maybe')")
    with pytest.raises(IntegrityError, match="status_known"), engine.begin() as connection:
        connection.execute(statement, values)


def test_a_user_with_a_ledger_is_not_deleted_by_the_way(engine, user_id):
    with transaction(engine) as session:
        session.add(entry(user_id))
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.delete(session.get_one(User, user_id))


def test_a_reference_leads_to_a_user(engine):
    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.add(entry(uuid.uuid4()))


def test_the_server_fills_what_is_left_out(engine):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO users (id) VALUES (:id)"), {"id": (key := new_id()).hex})
        user = Session(connection).get_one(User, key)
        assert (user.credits, user.membership_tier) == (0, None)
        assert abs(dt.datetime.now(dt.UTC) - user.created_at) < dt.timedelta(seconds=5)
        connection.execute(
            text(
                "INSERT INTO transactions (id, user_id, amount, balance_before, balance_after, action) "
                "VALUES (:id, :id, 1, 0, 1, 'gift')"
            ),
            {"id": key.hex},
        )
        assert connection.scalar(select(Transaction.details)) == {}


def test_a_change_moves_updated_at_and_nothing_else_does(engine, user_id):
    old = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    with transaction(engine) as session:
        session.execute(update(User).values(updated_at=old, created_at=old))
    with transaction(engine) as session:
        session.get_one(User, user_id).credits = 7
    with transaction(engine) as session:
        user = session.get_one(User, user_id)
        assert user.created_at == old
        assert dt.datetime.now(dt.UTC) - user.updated_at < dt.timedelta(seconds=5)


def test_a_user_reaches_their_rows_without_loading_all_of_them(engine, user_id):
    with transaction(engine) as session:
        session.add_all([entry(user_id), log(user_id)])
    with transaction(engine) as session:
        user = session.get_one(User, user_id)
        page = session.scalars(user.transactions.select().limit(1)).one()
        assert page.user is user
        assert session.scalar(select(func.count()).select_from(user.audit_logs.select().subquery())) == 1


def test_documents_keep_their_shape(engine, user_id):
    details = {"post": {"words": [1, "zwei", None]}, "größe": 1.5}
    with transaction(engine) as session:
        session.execute(insert(AuditLog).values(user_id=user_id, action="a", status=Status.FAILED, details=details))
        assert session.scalars(select(AuditLog)).one().details == details
