"""Scripts run as people run them: whole, by the server's own client or driver."""

import sqlite3
import subprocess
from contextlib import contextmanager

from sqlalchemy import MetaData

from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read


@contextmanager
def database(script, on):
    """Give the Stage of a database on "postgresql", "mariadb" or "sqlite" in which a script has run to its end."""
    with sandbox(Plan("script", MetaData()), on, create=False) as stage:
        RUN[on](script, stage)
        yield stage


def read_back(script, on):
    """Return the plan of the database that a script makes."""
    with database(script, on) as stage:
        return read(stage.url)


def _postgresql(script, stage):
    with stage.engine.begin() as connection:
        connection.connection.driver_connection.execute(script)


def _sqlite(script, stage):
    with sqlite3.connect(stage.engine.url.database) as connection:
        connection.executescript(script)
    connection.close()


def _mariadb(script, stage):
    url = stage.engine.url
    socket = ["--socket", url.query["unix_socket"]] if "unix_socket" in url.query else []
    command = ["mariadb", "--no-defaults", *socket, "--user", url.username or "root", url.database]
    done = subprocess.run(command, input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


RUN = {"postgresql": _postgresql, "sqlite": _sqlite, "mariadb": _mariadb}
