"""The embedded server's data directory: made, run, found running, stopped."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any

import psycopg

from dbplan.errors import SandboxError
from dbplan.sandbox.home import Account, account, home, own_directory
from dbplan.sandbox.installation import server_program

PORT = 5432
ROLE = "dbplan"
MAINTENANCE = "postgres"
KEEPER = "dbplan keeper"
# The kernel takes 107 bytes (103 on macOS) for a socket's path, of which PostgreSQL wants `/.s.PGSQL.65535.lock`.
_LONGEST_SOCKET_DIRECTORY = 80
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
_PROC = Path("/proc")
_SEES_PROCESSES = (_PROC / "self/cwd").exists()  # Linux


@dataclass(frozen=True)
class Cluster:
    """One data directory below dbplan's home, and everything that is found by it."""

    root: Path
    runner: Account

    @property
    def data(self) -> Path:
        """The data directory, private to the server's account."""
        return self.root / "data"

    @property
    def start_lock(self) -> Path:
        """Held while somebody looks for, starts or stops the server."""
        return self.root / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper as long as it lives."""
        return self.root / "keeper.lock"

    @property
    def log(self) -> Path:
        """What the server of this or the latest run has said."""
        return self.root / "server.log"

    @property
    def keeper_log(self) -> Path:
        """What the keeper of this or the latest run has said."""
        return self.root / "keeper.log"

    @property
    def passfile(self) -> Path:
        """The password for TCP connections, in libpq's format."""
        return self.root / "passfile"

    @property
    def port_file(self) -> Path:
        """The TCP port that was asked for, where one was."""
        return self.root / "port"

    @cached_property
    def sockets(self) -> Path:
        """The directory of the server's socket: in the home, or in /tmp where that path would be too long."""
        usual = self.root / "run"
        if len(os.fsencode(usual)) <= _LONGEST_SOCKET_DIRECTORY:
            return usual
        # Not TMPDIR: processes that share the home must agree on the place.
        return Path("/tmp") / f"dbplan-{self.runner.uid}-{sha256(os.fsencode(self.root)).hexdigest()[:12]}"  # noqa: S108

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

    def prepare(self) -> None:
        """Make the data directory when there is none, and the directory for the socket."""
        if not self.runner.reaches(self.root):
            raise SandboxError(
                f"user {self.runner.uid}, who runs PostgreSQL for root, cannot reach {self.root}; "
                "set DBPLAN_HOME to a directory whose parents all users may pass, such as /var/cache/dbplan"
            )
        own_directory(self.sockets, 0o700, self.runner)
        if not self.data.exists():
            self._initialise()

    def _initialise(self) -> None:
        for rest in self.root.glob("initialising-*"):
            shutil.rmtree(rest, ignore_errors=True)
        scratch = Path(mkdtemp(prefix="initialising-", dir=self.root))
        if self.runner.switch:
            os.chown(scratch, self.runner.uid, self.runner.gid)
        try:
            self._initdb(scratch)
            scratch.rename(self.data)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise

    def _initdb(self, target: Path) -> None:
        # The builtin locale sorts by code point on every host, and needs neither ICU nor an installed locale.
        options = ["--username", ROLE, "--auth-local", "trust", "--auth-host", "scram-sha-256", "--encoding", "UTF8"]
        options += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-sync"]
        done = self.run("initdb", "--pgdata", str(target), "--no-instructions", *options)
        if done.returncode:
            raise SandboxError(f"initdb failed in {self.root}: {reason(done.stderr)}")

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the server's account."""
        try:
            return subprocess.run(
                [server_program(name), *arguments],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                cwd="/",
                env=environment(),
                **self.runner.options,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(f"cannot run {name}: {error}") from None

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

    def processes(self) -> list[int]:
        """Return the process ids of whatever still runs in the data directory (Linux), else its postmaster's."""
        if not _SEES_PROCESSES:
            pid = self.postmaster()
            return [pid] if pid else []
        return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit() and self._lives_in(entry)]

    def _lives_in(self, process: Path) -> bool:
        try:
            # A zombie has no working directory: it counts as dead, which kill(pid, 0) would not tell.
            return process.stat().st_uid == self.runner.uid and (process / "cwd").readlink() == self.data
        except OSError:
            return False

    def postmaster(self) -> int | None:
        """Return the process id of the running server, None where there is none."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            if _SEES_PROCESSES:
                return pid if self._lives_in(_PROC / str(pid)) else None
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid

    def clear(self, *, seconds: float) -> None:
        """End what a killed server has left: its processes after that many seconds, then its lock file."""
        deadline = time.monotonic() + seconds
        while rest := self.processes():
            if time.monotonic() > deadline:
                for pid in rest:
                    _kill(pid)
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def halt(self) -> None:
        """Stop the server, if it runs, and wait until it has gone; open sessions are ended."""
        if self.postmaster() is not None:
            done = self.run(
                "pg_ctl", "stop", "--pgdata", str(self.data), "--mode", "fast", "--timeout", "60", "--silent"
            )
            if done.returncode and self.postmaster() is not None:
                raise SandboxError(f"cannot stop the server in {self.root}: {reason(done.stderr)}")
        if self.sockets.parent != self.root:
            shutil.rmtree(self.sockets, ignore_errors=True)


def here() -> Cluster:
    """Return the cluster in dbplan's home, with its directory there."""
    own, runner = home(), account()
    return Cluster(own_directory(own / "postgresql-18", 0o711 if runner.switch else 0o700), runner)


def reason(text: str) -> str:
    """Return the line of a PostgreSQL program's output that says why it failed, and the mend where it is plain."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if full := next((line for line in lines if "No space left on device" in line), None):
        return f"{full}; free some space there"
    telling = [line for line in lines if _TELLING.search(line) and _REFUSAL not in line]
    return (telling or lines[-1:] or ["it said nothing"])[0]


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


def die_with_parent() -> Any:
    """Return a function for a child to call before exec: it goes down, gently, once its parent has died (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl, set_death_signal, parent = ctypes.CDLL(None).prctl, 1, os.getpid()

    def ask() -> None:
        prctl(set_death_signal, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
