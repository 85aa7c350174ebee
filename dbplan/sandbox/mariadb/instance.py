"""A private MariaDB server from the machine's own programs: its data directory, made, run, stopped."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dbplan.errors import NotCovered, SandboxError
from dbplan.sandbox.directory import Directory, die_with_parent, telling
from dbplan.sandbox.home import account, home, own_directory

try:
    import pymysql
except ModuleNotFoundError:  # pragma: no cover - the extra is installed wherever the tests run
    pymysql = None

if TYPE_CHECKING:
    from pymysql.connections import Connection

USER = "root"
SETTINGS = {
    "character-set-server": "utf8mb4",
    "default-time-zone": "+00:00",
    "innodb-buffer-pool-size": "256M",
    "local-infile": "1",
    "log-warnings": "1",
    "max-connections": "200",
}
"""What the server is given. Durability stays as in production, since figures depend on it."""

_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/usr/libexec", "/opt/homebrew/bin")
_PACKAGES = {"mariadbd": "mariadb-server-core", "mariadb-install-db": "mariadb-server-core"}
_TELLING = re.compile(r"\[ERROR\]|\bERROR\b|FATAL ERROR")
_PATIENCE = 60.0
_KNOCK = 10.0
_SESSIONS = """
    SELECT count(*) FROM information_schema.processlist
    WHERE id <> connection_id() AND command NOT IN ('Daemon', 'Killed')
      AND user NOT IN ('system user', 'event_scheduler')
"""


@dataclass(frozen=True)
class Instance(Directory):
    """The data directory of a MariaDB that listens on a socket alone."""

    product = "MariaDB"
    lost = () if pymysql is None else (pymysql.MySQLError, OSError)
    leftovers = ("Unable to lock", "Can't lock", "already in use")
    pid_file = "server.pid"

    @property
    def socket(self) -> Path:
        """The server's socket, in a directory that only its account and root may enter."""
        return self.sockets / "mysqld.sock"

    def connect(self, name: str = "dbplan") -> Any:
        """Connect by the socket, without a database, in autocommit; raises one of `lost`."""
        made = driver().connect(user=USER, autocommit=True, program_name=name, defer_connect=True)
        own = socket.socket(socket.AF_UNIX)  # PyMySQL would leave one open that nobody answers
        try:
            own.settimeout(_KNOCK)
            own.connect(str(self.socket))
            made.connect(own)
            own.settimeout(None)
        except BaseException:
            own.close()
            raise
        return made

    def others(self, connection: Connection[Any]) -> int:
        """Return how many sessions of clients there are beside `connection`."""
        with connection.cursor() as cursor:
            cursor.execute(_SESSIONS)
            row = cursor.fetchone()
        return int(row[0]) if row else 1

    def sweep(self, connection: Connection[Any]) -> None:
        """Drop the databases whose owners have gone."""
        from dbplan.sandbox.mariadb import databases

        databases.sweep(connection)

    def reason(self, text: str) -> str:
        """Return the line of a program's output that says why it failed."""
        return telling(text, lambda line: bool(_TELLING.search(line)))

    def _fill(self, target: Path) -> None:
        done = self.run(
            program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={target}",
            "--auth-root-authentication-method=normal",  # by the socket, which nobody else reaches
            "--skip-test-db",
            "--skip-name-resolve",
        )
        if done.returncode:
            raise SandboxError(
                f"mariadb-install-db failed in {self.root}: {self.reason(done.stderr.strip() or done.stdout)}"
            )

    def launch(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server as a child that, on Linux, goes down with the calling process."""
        settings = SETTINGS | {
            "datadir": str(self.data),
            "socket": str(self.socket),
            "pid-file": str(self.data / self.pid_file),
            "tmpdir": str(self.data),
        }
        return subprocess.Popen(
            [
                program("mariadbd"),
                "--no-defaults",
                "--skip-networking",
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            preexec_fn=die_with_parent(signal.SIGTERM),
            **self.runner.options,
        )

    def halt(self) -> None:
        """Stop the server, if it runs, and wait until it has gone; open sessions are ended."""
        pid, deadline = self.postmaster(), time.monotonic() + _PATIENCE
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
        while pid is not None and self.postmaster() == pid:
            if time.monotonic() > deadline:
                raise SandboxError(f"cannot stop the server in {self.root}: it still runs after {_PATIENCE:.0f} s")
            time.sleep(0.02)
        self.remove_sockets()


def driver() -> Any:
    """Return the module pymysql; NotCovered names the extra that brings it."""
    if pymysql is None:
        raise NotCovered('MariaDB and MySQL need a driver that is not installed: pip install "dbplan[mysql]"')
    return pymysql


@cache
def program(name: str) -> Path:
    """Return the path of one of MariaDB's programs; SandboxError names the package to install."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(_PLACES))
    if found is None:
        raise SandboxError(
            f"there is no {name} on this machine; install MariaDB's server, on Debian and Ubuntu with: "
            f"apt-get install {_PACKAGES[name]} mariadb-client-core"
        )
    return Path(found)


@cache
def version() -> str:
    """Return the version of the machine's MariaDB, such as 10.11.18."""
    said = subprocess.run(
        [program("mariadbd"), "--no-defaults", "--version"], check=False, capture_output=True, text=True
    )
    number = re.search(r"\b(\d+\.\d+\.\d+)-MariaDB", said.stdout)
    if number is None:
        raise SandboxError(
            f"{program('mariadbd')} does not say that it is MariaDB, but: {(said.stdout or said.stderr).strip()[:200]}"
        )
    return number[1]


def here() -> Instance:
    """Return the instance in dbplan's home for this machine's MariaDB, with its directory there."""
    driver()
    runner, series = account(), ".".join(version().split(".")[:2])
    return Instance(own_directory(home() / f"mariadb-{series}", 0o711 if runner.switch else 0o700), runner)


def present() -> list[Instance]:
    """Return the instances that dbplan's home already holds, of whatever version; none where there is no driver."""
    return [] if pymysql is None else [Instance(path, account()) for path in sorted(home().glob("mariadb-*"))]
