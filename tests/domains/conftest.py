"""The plan of a test module, `PLAN`, on both servers: an empty database with its tables, thrown away afterwards."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from alembic import command
from alembic.config import Config

from dbplan import encryption
from dbplan.connection import new_engine
from dbplan.domains import folder
from dbplan.sandbox import sandbox

DIALECTS = ("postgresql", "sqlite")
THREADS = 20


@pytest.fixture(autouse=True, scope="session")
def _development_key():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(encryption.VARIABLE, encryption.DEVELOPMENT)
        yield


@pytest.fixture(params=DIALECTS)
def engine(request):
    with sandbox(request.module.PLAN, on=request.param) as stage:
        made = new_engine(stage.url, **({"pool_size": THREADS} if request.param == "postgresql" else {}))
        yield made
        made.dispose()


@pytest.fixture(params=DIALECTS)
def bare(request):
    """An engine on a database without any table."""
    with sandbox(request.module.PLAN, on=request.param, create=False) as stage:
        made = new_engine(stage.url)
        yield made
        made.dispose()


@pytest.fixture
def alembic_config():
    """Return the configuration that runs a plan's revisions on a connection."""

    def made(connection, plan, **more):
        config = Config()
        config.set_main_option("script_location", str(folder("migrations")))
        config.attributes.update({"plan": plan, "connection": connection} | more)
        return config

    return made


@pytest.fixture
def move(request, alembic_config):
    """Move a database to a revision of the plan; the ways down are "base", "-1" and "down to REVISION"."""

    def run(engine, revision, plan=None):
        down = revision in ("base", "-1") or revision.startswith("down to ")
        with engine.connect() as connection:
            config = alembic_config(connection, plan or request.module.PLAN)
            (command.downgrade if down else command.upgrade)(config, revision.removeprefix("down to "))

    return run


@pytest.fixture
def at_once():
    """Run `work(n)` in twenty threads that start together, and return what each gave."""

    def run(work):
        start = Barrier(THREADS)

        def waiting(n):
            start.wait(timeout=30)
            return work(n)

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(waiting, range(THREADS)))

    return run
