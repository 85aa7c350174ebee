"""Empty databases, made once and emptied after each use: to make and drop one costs more than most tests."""

from contextlib import ExitStack, contextmanager

import sqlalchemy as sa

from dbplan.plan import Plan
from dbplan.sandbox import sandbox

EMPTY = Plan("tool", sa.MetaData())
_held = ExitStack()
_free = []

_EMPTIED = r"""
DO $$ DECLARE found record; BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';
    FOR found IN SELECT evtname AS name FROM pg_event_trigger LOOP
        EXECUTE format('DROP EVENT TRIGGER %I', found.name);
    END LOOP;
    FOR found IN SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' LOOP
        EXECUTE format('DROP EXTENSION IF EXISTS %I CASCADE', found.name);
    END LOOP;
    FOR found IN SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', found.name);
    END LOOP;
    CREATE SCHEMA public AUTHORIZATION pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
    COMMENT ON SCHEMA public IS 'standard public schema';
END $$
"""


@contextmanager
def empty_stage():
    """Give an empty database, which nobody else has until the end; then it is emptied for the next."""
    stage = _free.pop() if _free else _made()
    try:
        yield stage
    finally:
        stage.engine.dispose()
        _run(stage, _EMPTIED)
        _free.append(stage)


def _made():
    """Return a new database, in which no commit waits for the disk: what a crash leaves of it, nobody reads."""
    stage = _held.enter_context(sandbox(EMPTY, "postgresql", create=False))
    _run(stage, f'ALTER DATABASE "{stage.engine.url.database}" SET synchronous_commit = off')
    return stage


def _run(stage, sql):
    with stage.engine.connect().execution_options(isolation_level="AUTOCOMMIT", no_parameters=True) as connection:
        connection.exec_driver_sql(sql)
    stage.engine.dispose()


def drop():
    """Drop all of the databases."""
    _free.clear()
    _held.close()
