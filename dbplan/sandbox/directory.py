"""The directory of a server that processes share: its locks and logs, its socket, the processes that live in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any, ClassVar

from dbplan.errors import SandboxError
from dbplan.sandbox.home import Account, own_directory

KEEPER = "dbplan keeper"
# The kernel takes 107 bytes (103 on macOS) for a socket's path, of which PostgreSQL wants `/.s.PGSQL.65535.lock`.
_LONGEST_SOCKET_DIRECTORY = 80
_PROC = Path("/proc")
_SEES_PROCESSES = (_PROC / "self/cwd").exists()  # Linux


@dataclass(frozen=True)
class Directory(ABC):
    """One data directory below dbplan's home, and everything that is found by it; a subclass knows its server."""

    root: Path
    runner: Account

    product: ClassVar[str]
    """The server's name, for errors."""
    lost: ClassVar[tuple[type[Exception], ...]]
    """What a connection raises that is refused, or whose server has gone."""
    leftovers: ClassVar[tuple[str, ...]] = ()
    """What a start says that fails on the rest of a killed server, and may be tried again."""
    pid_file: ClassVar[str]

    @abstractmethod
    def connect(self, name: str = "dbplan") -> Any:
        """Connect to the server by its socket, with every statement on its own; raises one of `lost`."""

    @abstractmethod
    def others(self, connection: Any) -> int:
        """Return how many sessions there are beside `connection`."""

    @abstractmethod
    def sweep(self, connection: Any) -> None:
        """Drop the databases whose owners have gone."""

    @abstractmethod
    def launch(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server as a child that, on Linux, goes down with the calling process."""

    @abstractmethod
    def halt(self) -> None:
        """Stop the server, if it runs, and wait until it has gone; open sessions are ended."""

    @abstractmethod
    def reason(self, text: str) -> str:
        """Return the line of a program's output that says why it failed."""

    @abstractmethod
    def _fill(self, target: Path) -> None:
        """Make a data directory in `target`, which is empty."""

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

    @cached_property
    def sockets(self) -> Path:
        """The directory of the server's socket: in the home, or in /tmp where that path would be too long."""
        usual = self.root / "run"
        if len(os.fsencode(usual)) <= _LONGEST_SOCKET_DIRECTORY:
            return usual
        # Not TMPDIR: processes that share the home must agree on the place.
        return Path("/tmp") / f"dbplan-{self.runner.uid}-{sha256(os.fsencode(self.root)).hexdigest()[:12]}"  # noqa: S108

    def prepare(self) -> None:
        """Make the data directory when there is none, and the directory for the socket."""
        if not self.runner.reaches(self.root):
            raise SandboxError(
                f"user {self.runner.uid}, who runs {self.product} for root, cannot reach {self.root}; "
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
            self._fill(scratch)
            scratch.rename(self.data)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise

    def run(
        self, program: str | Path, *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as its account."""
        try:
            return subprocess.run(
                [program, *arguments],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                cwd="/",
                env=environment,
                **self.runner.options,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(f"cannot run {Path(program).name}: {error}") from None

    def processes(self) -> list[int]:
        """Return the process ids of whatever still runs in the data directory (Linux), else the server's."""
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
            pid = int((self.data / self.pid_file).read_text().split("\n", 1)[0])
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
        (self.data / self.pid_file).unlink(missing_ok=True)

    def remove_sockets(self) -> None:
        """Remove the directory of the socket where it lies outside of the home."""
        if self.sockets.parent != self.root:
            shutil.rmtree(self.sockets, ignore_errors=True)


def telling(text: str, tells: Callable[[str], bool]) -> str:
    """Return the first line of a program's output that tells why it failed, and the mend where it is plain."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if full := next((line for line in lines if "No space left on device" in line), None):
        return f"{full}; free some space there"
    return next(filter(tells, lines), (lines or ["it said nothing"])[-1])


def die_with_parent(gently: signal.Signals = signal.SIGINT) -> Any:
    """Return a function for a child to call before exec: it goes down, gently, once its parent has died (Linux)."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl, set_death_signal, parent = ctypes.CDLL(None).prctl, 1, os.getpid()

    def ask() -> None:
        prctl(set_death_signal, int(gently))
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
