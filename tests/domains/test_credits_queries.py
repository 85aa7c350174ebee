import datetime as dt

import pytest
from sqlalchemy import Column, Executable, func, insert, select, text

from dbplan.columns import new_id
from dbplan.connection import transaction
from dbplan.domains.credits import PLAN, operations, statements
from dbplan.domains.credits.models import IdempotencyRecord, Transaction
from dbplan.plan import compared_column
from dbplan.sandbox import sandbox

DIALECTS = ("postgresql", "sqlite")
NAMES = [query.name for query in PLAN.queries]
USES = {
    "account": "pk_users",
    "lock account": "pk_users",
    "seal account": "pk_users",
    "set balance": "pk_users",
    "set membership": "pk_users",
    "history": "ix_transactions_user_id_created_at",
    "transactions by action": "ix_transactions_action_created_at",
    "audit trail": "ix_audit_logs_user_id_created_at",
    "failures": "ix_audit_logs_failed",
    "members": "ix_users_membership_tier",
    "recall": "pk_idempotency_records",
    "forget": "pk_idempotency_records",
    "expire": "ix_idempotency_records_expires_at",
    "erase transactions": "ix_transactions_user_id_created_at",
    "erase audit logs": "ix_audit_logs_user_id_created_at",
    "erase user": "pk_users",
}


@pytest.fixture(scope="module", params=DIALECTS)
def lived_in(request):
    """A database where something of everything has happened; tests leave it as it is."""
    with sandbox(PLAN, on=request.param) as stage:
        with transaction(stage.engine) as session:
            for n in range(20):
                user_id = operations.create_user(session, opening=100)
                operations.set_membership(session, user_id, "pro")
                operations.charge(session, user_id, "generate-post", 10, key=f"{n}-a")
                operations.charge(session, user_id, "generate-film", 1000, key=f"{n}-b")
        yield stage.engine


def drawn(connection, query):
    """Draw a value for every parameter as `Query.draws` says: columns of one table from one row."""
    values = {}
    rows = {}
    for name in query.parameters:
        source = query.draws.get(name, compared_column(query, name))
        if isinstance(source, Column):
            table = source.table.name
            if table not in rows:
                rows[table] = connection.execute(select(PLAN.table(table)).order_by(func.random()).limit(1)).one()
            values[name] = rows[table]._mapping[source.name]
        else:
            values[name] = source() if callable(source) else source[0]
    return values


def test_every_statement_of_the_operations_is_a_named_query():
    asked = {id(query.statement) for query in PLAN.queries}
    made = {
        name for name, value in vars(statements).items() if not name.startswith("_") and isinstance(value, Executable)
    } - {"USERS", "TRANSACTIONS", "AUDIT_LOGS", "RECORDS"}
    assert {name for name in made if id(getattr(statements, name)) not in asked} == set()
    assert len(made) == len(asked)


@pytest.mark.parametrize("name", NAMES)
def test_a_query_runs_on_values_drawn_from_the_data(lived_in, name):
    query = PLAN.query(name)
    with lived_in.connect() as connection, connection.begin() as work:
        values = drawn(connection, query)
        assert set(values) == set(query.parameters)
        result = connection.execute(query.statement, values)
        if name not in ("expire", "forget", "erase user", "history, next page"):
            assert len(result.all()) if result.returns_rows else result.rowcount
        work.rollback()


def test_every_query_is_called_sometimes_and_reads_are_told_from_writes():
    assert all(query.per_second > 0 for query in PLAN.queries)
    writes = {query.name for query in PLAN.queries if query.writes}
    assert {"post transaction", "set balance", "expire"} <= writes
    assert not {"account", "lock account", "history"} & writes


@pytest.mark.parametrize("name", USES)
def test_a_query_can_use_the_index_that_is_there_for_it(lived_in, name):
    query = PLAN.query(name)
    with lived_in.connect() as connection, connection.begin() as work:
        values = drawn(connection, query)
        connection.execute(
            text("SET LOCAL enable_seqscan = off") if lived_in.dialect.name == "postgresql" else text("SELECT 1")
        )
        explain = "EXPLAIN " if lived_in.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        compiled = query.statement.compile(lived_in, compile_kwargs={"render_postcompile": True})
        parameters = compiled.construct_params(values)
        processors = compiled._bind_processors
        bound = {k: processors[k](v) if k in processors else v for k, v in parameters.items()}
        if compiled.positional:
            bound = tuple(bound[k] for k in compiled.positiontup)
        plan = "\n".join(" ".join(map(str, row)) for row in connection.exec_driver_sql(explain + str(compiled), bound))
        work.rollback()
    expected = USES[name].replace("pk_", "sqlite_autoindex_") if lived_in.dialect.name == "sqlite" else USES[name]
    assert expected in plan, plan


def test_the_newest_failures_are_read_in_the_order_of_their_index(lived_in):
    if lived_in.dialect.name == "sqlite":
        explain, sort = "EXPLAIN QUERY PLAN ", "TEMP B-TREE FOR ORDER BY"
    else:
        explain, sort = "EXPLAIN ", "Seq Scan"
    statement = "SELECT id FROM audit_logs WHERE status = 'failed' ORDER BY created_at DESC LIMIT 10"
    with lived_in.begin() as connection:
        if lived_in.dialect.name == "postgresql":
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
