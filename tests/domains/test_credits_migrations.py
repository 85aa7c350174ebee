"""The revisions of credits, and the one environment that runs the revisions of every plan."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Column, Integer, MetaData, Table, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from dbplan.columns import new_id
from dbplan.connection import new_engine, transaction
from dbplan.domains import folder
from dbplan.domains.credits import PLAN, operations
from dbplan.domains.credits.models import Transaction, User
from dbplan.plan import Plan
from dbplan.sandbox import sandbox

CATALOGS = {
    "columns": """
        SELECT c.relname, rank() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
               format_type(a.atttypid, a.atttypmod), a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^alembic_version'""",
    "tables": """
        SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname !~ '^alembic_version'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text !~ '^alembic_version'""",
    "indexes": """
        SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index
        WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
          AND indrelid::regclass::text !~ '^alembic_version'""",
    "types": "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')",
}


def config(connection, plan=PLAN, **more):
    made = Config()
    made.set_main_option("script_location", str(folder("migrations")))
    made.attributes.update({"plan": plan, "connection": connection} | more)
    return made


def move(engine, revision, plan=PLAN):
    verb = command.downgrade if revision in ("base", "-1") or revision.startswith("down to ") else command.upgrade
    with engine.connect() as connection:
        verb(config(connection, plan), revision.removeprefix("down to "))


def schema(engine):
    """Return all that the server itself says about the schema, the version table aside."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return {name: sorted(map(repr, connection.execute(text(sql)))) for name, sql in CATALOGS.items()}
        return {
            name: sqlite_table(connection, name)
            for name in inspect(connection).get_table_names()
            if "alembic" not in name
        }


def sqlite_table(connection, name):
    def rows(statement):
        return sorted(map(repr, connection.execute(text(statement))))

    written = connection.scalar(text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :n"), {"n": name})
    return {
        "columns": connection.execute(text(f"PRAGMA table_xinfo({name})")).all(),
        "written": sorted(line.strip().rstrip(",") for line in written.splitlines()[1:]),
        "references": rows(f"PRAGMA foreign_key_list({name})"),
        "indexes": rows(f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '{name}'"),
    }


def add_users_as_of_0001(engine, n, ledgers=0):
    """Add users, of whom the first `ledgers` have two ledger rows and end at 7 credits."""
    ids = [new_id() for _ in range(n)]
    users = Table("users", MetaData(), Column("id", User.__table__.c.id.type))
    with engine.begin() as connection:
        if ids:
            connection.execute(insert(users), [{"id": key} for key in ids])
        for key in ids[:ledgers]:
            for amount, before in ((10, 0), (-3, 10)):
                row = {"user_id": key, "amount": amount, "balance_before": before, "balance_after": before + amount}
                connection.execute(insert(Transaction), row | {"action": "x"})
    return ids


def balances(engine):
    with engine.connect() as connection:
        return dict(map(tuple, connection.execute(select(User.id, User.credits))))


def ledger(engine):
    columns = [column for column in Transaction.__table__.c if column.name != "created_at"]
    with engine.connect() as connection:
        return Counter(map(str, connection.execute(select(*columns))))


def test_the_revisions_end_where_the_models_are(bare):
    with sandbox(PLAN, on=bare.dialect.name) as stage:
        wanted = schema(stage.engine)
    move(bare, "head")
    assert schema(bare) == wanted


def test_alembic_itself_sees_no_difference(bare):
    move(bare, "head")
    with bare.connect() as connection:
        command.check(config(connection))


def test_down_and_up_again_gives_the_same_schema_at_every_step(bare):
    move(bare, "0001")
    first = schema(bare)
    move(bare, "head")
    second = schema(bare)
    move(bare, "-1")
    assert schema(bare) == first
    move(bare, "head")
    assert schema(bare) == second
    move(bare, "base")
    left = inspect(bare).get_table_names()
    assert left == ["alembic_version_credits"]


def test_existing_users_start_with_100_or_with_what_their_ledger_says(bare):
    move(bare, "0001")
    ids = add_users_as_of_0001(bare, 30, ledgers=10)
    move(bare, "head")
    assert balances(bare) == dict.fromkeys(ids[:10], 7) | dict.fromkeys(ids[10:], 100)
    with transaction(bare) as session:
        for key in ids:
            assert sum(entry.amount for entry in operations.history(session, key)) == balances(bare)[key]


def test_down_and_up_again_keeps_every_balance_and_ledger_row(bare):
    move(bare, "0001")
    ids = add_users_as_of_0001(bare, 20, ledgers=5)
    before = ledger(bare)
    move(bare, "head")
    after = ledger(bare)
    move(bare, "-1")
    assert ledger(bare) == before
    move(bare, "head")
    assert ledger(bare) == after
    with transaction(bare) as session:
        operations.charge(session, ids[-1], "generate-post", 30, key="a")
        operations.create_user(session)
        operations.create_user(session, opening=5)
    spent, entries = balances(bare), ledger(bare)
    for _ in range(2):
        move(bare, "-1")
        move(bare, "head")
        assert balances(bare) == spent
    assert sorted(spent.values()) == [0, 5] + [7] * 5 + [70] + [100] * 14
    assert ledger(bare) == entries


def test_a_rebuilt_users_table_keeps_what_refers_to_it(bare):
    move(bare, "0001")
    ids = add_users_as_of_0001(bare, 3, ledgers=3)
    move(bare, "head")
    with bare.begin() as connection:
        assert len(connection.execute(select(Transaction.user_id)).all()) == 6
        if bare.dialect.name == "sqlite":
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    assert set(balances(bare)) == set(ids)


def test_the_backfill_leaves_updated_at_alone(bare):
    move(bare, "0001")
    add_users_as_of_0001(bare, 3)
    with bare.connect() as connection:
        before = connection.execute(text("SELECT id, updated_at FROM users ORDER BY id")).all()
    move(bare, "head")
    with bare.connect() as connection:
        assert connection.execute(text("SELECT id, updated_at FROM users ORDER BY id")).all() == before


@pytest.fixture
def postgresql():
    with sandbox(PLAN, create=False) as stage:
        made = new_engine(stage.url)
        yield made
        made.dispose()


STOP_AT = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$;
    CREATE TRIGGER stop BEFORE INSERT ON transactions
    FOR EACH ROW WHEN (NEW.user_id = '%s') EXECUTE FUNCTION refuse()"""


def test_the_backfill_goes_past_one_batch_and_may_be_stopped_and_run_again(postgresql):
    move(postgresql, "0001")
    ids = add_users_as_of_0001(postgresql, 5100)
    with postgresql.begin() as connection:
        connection.exec_driver_sql(STOP_AT % ids[-1])
    with pytest.raises(DBAPIError, match="stopped"):
        move(postgresql, "head")
    assert Counter(balances(postgresql).values()) == {100: 5000, 0: 100}
    with postgresql.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER stop ON transactions; DROP FUNCTION refuse")
    move(postgresql, "head")
    assert Counter(balances(postgresql).values()) == {100: 5100}
    assert ledger(postgresql).total() == 5100


def test_nothing_waits_for_a_lock_for_long(postgresql):
    move(postgresql, "0001")
    with postgresql.begin() as reader, postgresql.connect() as connection:
        reader.exec_driver_sql("SELECT * FROM users")
        with pytest.raises(DBAPIError, match="lock timeout"):
            command.upgrade(config(connection, lock_timeout="50ms"), "head")
    move(postgresql, "head")
    with postgresql.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "0"
    assert "SET lock_timeout = '5s'" in offline(str(postgresql.url), "head")


def offline(url, revision, direction=command.upgrade):
    from io import StringIO

    script = StringIO()
    made = Config(output_buffer=script)
    made.set_main_option("script_location", str(folder("migrations")))
    made.attributes["plan"] = PLAN
    made.cmd_opts = type("Options", (), {"x": [f"url={url}"]})()
    direction(made, revision, sql=True)
    return script.getvalue()


def test_the_sql_script_makes_the_same_schema(bare):
    script = offline(bare.url.render_as_string(hide_password=False), "head")
    run_script(bare, script)
    with sandbox(PLAN, on=bare.dialect.name) as stage:
        assert schema(bare) == schema(stage.engine)


def test_the_sql_script_goes_down_again(bare):
    move(bare, "head")
    run_script(bare, offline(bare.url.render_as_string(hide_password=False), "0002:base", command.downgrade))
    assert inspect(bare).get_table_names() == ["alembic_version_credits"]


def run_script(engine, script):
    """Run a script statement by statement, as psql and sqlite3 do."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            driver.executescript(script)
            return
        driver.autocommit = True
        for statement in script.split(";\n\n"):
            if statement.strip():
                driver.execute(statement)
        driver.autocommit = False


def test_a_plan_of_the_users_own_has_its_own_folder_and_version_table(bare, tmp_path):
    metadata = MetaData()
    Table("things", metadata, Column("id", Integer, primary_key=True))
    plan = Plan("mine", metadata, migrations=tmp_path)
    with bare.connect() as connection:
        command.revision(config(connection, plan), "make things", autogenerate=True, rev_id="0001")
    (revision,) = tmp_path.glob("0001*.py")
    assert 'op.create_table("things"' in revision.read_text().replace("'", '"')
    move(bare, "head", plan)
    move(bare, "head")
    names = set(inspect(bare).get_table_names())
    assert {"things", "users", "alembic_version_mine", "alembic_version_credits"} <= names


def test_a_connection_with_a_transaction_open_is_refused(bare):
    with bare.connect() as connection, connection.begin(), pytest.raises(CommandError, match="transaction open"):
        command.upgrade(config(connection), "head")


def test_a_plan_without_a_folder_is_refused(bare):
    with bare.connect() as connection, pytest.raises(CommandError, match='plan "x" names no folder'):
        command.upgrade(config(connection, Plan("x", MetaData())), "head")


def alembic(*arguments):
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "alembic", *arguments], cwd=root, capture_output=True, text=True, check=False
    )


def test_the_command_line_at_the_root_of_the_repository(tmp_path):
    url = f"url=sqlite:///{tmp_path}/dev.db"
    done = alembic("-x", "plan=credits", "-x", url, "upgrade", "head")
    assert done.returncode == 0, done.stderr
    assert "0002 (head)" in alembic("-x", "plan=credits", "-x", url, "current").stdout


def test_the_command_line_says_which_plans_there_are():
    unknown = alembic("-x", "plan=credis", "upgrade", "head")
    assert unknown.returncode != 0
    assert 'no plan "credis"' in unknown.stdout + unknown.stderr
    assert "credits" in unknown.stdout + unknown.stderr
    assert "Traceback" not in unknown.stderr
    missing = alembic("upgrade", "head")
    assert "which plan? alembic -x plan=NAME" in missing.stdout + missing.stderr


def test_an_update_of_one_user_meets_the_new_checks(bare):
    move(bare, "0001")
    add_users_as_of_0001(bare, 1)
    move(bare, "head")
    with pytest.raises(IntegrityError, match="credits_not_negative"), bare.begin() as connection:
        connection.execute(update(User).values(credits=-1))
