"""Schemas for the tests of MariaDB, and databases to put them in."""

from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources.catalog import snapshot

WILD = tuple(Path(__file__).with_suffix(".sql").read_text().strip().removesuffix(";").split(";\n\n"))
EMPTY = Plan("wild", sa.MetaData())


@contextmanager
def database(*statements):
    """Give the URL of a database that these statements have made."""
    with sandbox(EMPTY, on="mariadb") as stage:
        with stage.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))
        yield stage.url


def catalog(url):
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return snapshot(connection)
    finally:
        engine.dispose()
