"""Credits on both servers: an empty database with its tables, thrown away afterwards."""

import pytest

from dbplan.connection import new_engine
from dbplan.domains.credits import PLAN
from dbplan.sandbox import sandbox

DIALECTS = ("postgresql", "sqlite")


@pytest.fixture(params=DIALECTS)
def engine(request):
    with sandbox(PLAN, on=request.param) as stage:
        made = new_engine(stage.url, **({"pool_size": 20} if request.param == "postgresql" else {}))
        yield made
        made.dispose()


@pytest.fixture(params=DIALECTS)
def bare(request):
    """An engine on a database without any table."""
    with sandbox(PLAN, on=request.param, create=False) as stage:
        made = new_engine(stage.url)
        yield made
        made.dispose()
