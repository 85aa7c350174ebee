"""Other ways to fill the benchmark's table: the servers' own programs with a file that is ready, and drizzle-seed."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa
from users import PLAN, count, load_into

from dbplan import sandbox
from dbplan.connection import new_engine
from dbplan.sandbox.installation import program

sys.path.insert(0, str(Path(__file__).parents[1]))
from node_tools import node

BARE = (
    "CREATE TABLE users (id INTEGER, first_name VARCHAR(40) NOT NULL, last_name VARCHAR(40) NOT NULL, "
    "email VARCHAR(120) NOT NULL, city VARCHAR(60) NOT NULL, created_at DATETIME NOT NULL, "
    "is_active BOOLEAN NOT NULL, logins INTEGER NOT NULL)"
)


def run(*words):
    subprocess.run(list(map(str, words)), check=True, stdout=subprocess.DEVNULL)


class PostgreSQL:
    """A table of an embedded server, emptied before each turn; `keyed` or without keys."""

    def __init__(self, stage, rows, keyed):
        self.stage, self.rows, self.keyed = stage, rows, keyed
        url = sa.make_url(stage.url)
        self.url = (
            f"postgresql://{url.username}@localhost/{url.database}?host={url.query['host']}&port={url.query['port']}"
        )
        self.sql("TRUNCATE users")
        if not keyed:
            self.sql("ALTER TABLE users DROP CONSTRAINT users_pkey, DROP CONSTRAINT users_email_key")

    def sql(self, statement):
        with self.stage.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)

    def empty(self):
        """No rows, and nothing left to write from the turn before."""
        self.sql("TRUNCATE users")
        self.sql("CHECKPOINT")

    def copy(self, words):
        run(program("psql"), self.url, "-q", "-v", "ON_ERROR_STOP=1", "-c", rf"\copy users {words}")

    def ready(self, folder):
        """Write the rows to files in CSV and binary form."""
        load_into(self.stage.engine, self.rows)
        for form in ("csv", "binary"):
            self.copy(f"TO '{folder / form}' (FORMAT {form})")

    def check(self):
        assert count(self.stage.engine) == self.rows


def drizzle_seconds(postgresql, rows):
    """Return the seconds that drizzle-seed takes, without the start of Node."""
    said = json.loads(node("drizzle_seed.mjs", postgresql.url, rows, timeout=900))
    assert said["rows"] == rows
    return said["seconds"]


def has_sqlite_program():
    return shutil.which("sqlite3") is not None


class SQLite:
    """A file made anew before each turn."""

    def __init__(self, folder, rows, keyed):
        self.path, self.rows, self.keyed = folder / "users.db", rows, keyed
        self.file = folder / "sqlite.csv"

    def fresh(self):
        for suffix in ("", "-journal", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        if self.keyed:
            engine = new_engine(f"sqlite:///{self.path}")
            PLAN.metadata.create_all(engine)
            engine.dispose()
        else:
            connection = sqlite3.connect(self.path)
            connection.execute(BARE)
            connection.close()

    def ready(self):
        self.fresh()
        self.ours()
        run("sqlite3", self.path, ".mode csv", f".output {self.file}", "SELECT * FROM users")

    def imported(self):
        run("sqlite3", self.path, f".import --csv {self.file} users")

    def ours(self):
        engine = new_engine(f"sqlite:///{self.path}")
        load_into(engine, self.rows)
        engine.dispose()

    def check(self):
        connection = sqlite3.connect(self.path)
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (self.rows,)
        connection.close()


def has_mariadb_programs():
    server = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    return server is not None and shutil.which("mariadb") is not None


class MariaDB:
    """A table of a private server, emptied before each turn."""

    def __init__(self, stage, rows, folder):
        self.stage, self.rows, self.file = stage, rows, folder / "mariadb.tsv"
        url = sa.make_url(stage.url)
        self.client = ("mariadb", "--no-defaults", "--local-infile=1", f"--socket={url.query['unix_socket']}")
        self.client += (f"--user={url.username}", url.database)

    def empty(self):
        with self.stage.engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE users")

    def ready(self):
        self.empty()
        self.ours()
        with self.file.open("wb") as out:
            subprocess.run([*self.client, "--batch", "-N", "-e", "SELECT * FROM users"], check=True, stdout=out)

    def loaded(self):
        load = f"LOAD DATA LOCAL INFILE '{self.file}' INTO TABLE users CHARACTER SET utf8mb4"
        run(*self.client, "-e", load)

    def ours(self):
        load_into(self.stage.engine, self.rows)

    def check(self):
        assert count(self.stage.engine) == self.rows


def server(on):
    return sandbox(PLAN, on=on)
