"""The plan of a test module, `PLAN`, on both servers: an empty database with its tables, thrown away afterwards."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from dbplan import encryption
from dbplan.connection import new_engine
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
