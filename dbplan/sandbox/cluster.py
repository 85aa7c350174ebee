"""The embedded server's data directory: made, run, found running, stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg

from dbplan.errors import SandboxError
from dbplan.sandbox import databases
from dbplan.sandbox.directory import Directory, die_with_parent, telling
from dbplan.sandbox.home import account, home, own_directory
from dbplan.sandbox.installation import server_program

PORT = 5432
ROLE = "dbplan"
MAINTENANCE = "postgres"
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
_SCARCE_SHARED_MEMORY = 512 * 1024**2

SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "all",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "shared_buffers": "256MB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "track_io_timing": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "unix_socket_permissions": "0700",
}
"""What the server is given. Durability stays as in production (fsync on), since figures depend on it."""

_TELLING = re.compile(r"\b(FATAL|PANIC|ERROR|error): ")
_REFUSAL = "the database system is"  # … starting up: said to those who knock too early


@dataclass(frozen=True)
class Cluster(Directory):
    """The embedded PostgreSQL's data directory."""

    product = "PostgreSQL"
    lost = (psycopg.Error,)
    leftovers = ("already exists", "still in use")
    pid_file = "postmaster.pid"

    @property
    def passfile(self) -> Path:
        """The password for TCP connections, in libpq's format."""
        return self.root / "passfile"

    @property
    def port_file(self) -> Path:
        """The TCP port that was asked for, where one was."""
        return self.root / "port"

    @property
    def tcp_port(self) -> int | None:
        """The TCP port of the latest start, None where none was opened."""
        try:
            return int(self.port_file.read_text())
        except FileNotFoundError:
            return None

    @property
    def port(self) -> int:
        """The port in the socket's name."""
        return self.tcp_port or PORT

    def connect(self, name: str = "dbplan") -> psycopg.Connection[tuple[Any, ...]]:
        """Connect to the maintenance database by the socket; raises psycopg.OperationalError."""
        return psycopg.connect(
            host=str(self.sockets),
            hostaddr="",  # or $PGHOSTADDR would lead elsewhere
            port=self.port,
            user=ROLE,
            dbname=MAINTENANCE,
            autocommit=True,
            application_name=name,
            connect_timeout=10,
        )

    def others(self, connection: psycopg.Connection[tuple[Any, ...]]) -> int:
        """Return how many sessions of clients there are beside `connection`."""
        row = connection.execute(_OTHERS).fetchone()
        return int(row[0]) if row else 1

    def sweep(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Drop the databases whose owners have gone."""
        databases.sweep(connection)

    def reason(self, text: str) -> str:
        """Return the line of a program's output that says why it failed, and the mend where it is plain."""
        return reason(text)

    def _fill(self, target: Path) -> None:
        # The builtin locale sorts by code point on every host, and needs neither ICU nor an installed locale.
        options = ["--username", ROLE, "--auth-local", "trust", "--auth-host", "scram-sha-256", "--encoding", "UTF8"]
        options += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-sync"]
        done = self.program("initdb", "--pgdata", str(target), "--no-instructions", *options)
        if done.returncode:
            raise SandboxError(f"initdb failed in {self.root}: {reason(done.stderr)}")

    def program(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's account."""
        return self.run(server_program(name), *arguments, environment=environment())

    def launch(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server as a child that, on Linux, goes down with the calling process."""
        settings = SETTINGS | {
            "unix_socket_directories": str(self.sockets),
            "listen_addresses": "127.0.0.1" if self.tcp_port else "",
            "port": str(self.port),
        }
        if shared_memory() < _SCARCE_SHARED_MEMORY:  # a container's /dev/shm is 64 MB: parallel queries would fail
            settings["dynamic_shared_memory_type"] = "mmap"
        return subprocess.Popen(
            [server_program("postgres"), "-D", self.data, *(f"--{name}={value}" for name, value in settings.items())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment(),
            preexec_fn=die_with_parent(),
            **self.runner.options,
        )

    def halt(self) -> None:
        """Stop the server, if it runs, and wait until it has gone; open sessions are ended."""
        if self.postmaster() is not None:
            done = self.program(
                "pg_ctl", "stop", "--pgdata", str(self.data), "--mode", "fast", "--timeout", "60", "--silent"
            )
            if done.returncode and self.postmaster() is not None:
                raise SandboxError(f"cannot stop the server in {self.root}: {reason(done.stderr)}")
        self.remove_sockets()


def here() -> Cluster:
    """Return the cluster in dbplan's home, with its directory there."""
    own, runner = home(), account()
    return Cluster(own_directory(own / "postgresql-18", 0o711 if runner.switch else 0o700), runner)


def reason(text: str) -> str:
    """Return the line of a PostgreSQL program's output that says why it failed, and the mend where it is plain."""
    return telling(text, lambda line: bool(_TELLING.search(line)) and _REFUSAL not in line)


def environment() -> dict[str, str]:
    """Return our environment without what would steer PostgreSQL's programs elsewhere or into another language."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def shared_memory() -> int:
    """Return the size of /dev/shm in bytes; where there is none it does not bind."""
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108
    except OSError:
        return sys.maxsize
    return found.f_frsize * found.f_blocks
