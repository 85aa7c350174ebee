"""The keeper: the process that has a shared server as its child and ends it once nobody needs it.

Run as `python -m dbplan.sandbox.keeper MODULE SECONDS`, where the module's `here()` returns the server's directory; it
detaches itself. The server goes down with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any

from dbplan.errors import DbplanError, SandboxError
from dbplan.sandbox import locks
from dbplan.sandbox.directory import KEEPER, Directory


class Keeper:
    """Watches one server; `child` is None for a server that another keeper, now dead, has started."""

    def __init__(self, directory: Directory, idle: float) -> None:
        self.directory, self.idle = directory, idle
        self.child: subprocess.Popen[bytes] | None = None
        self.connection: Any = None
        self.news = Event()
        signal.signal(signal.SIGCHLD, lambda *_: self.news.set())

    def run(self) -> None:
        """Have the server running; return after it has ended, or has been idle for long enough."""
        if self.directory.postmaster() is None:
            self.child = self._start()
        used = time.monotonic()
        while self._lives():
            if self._others():
                used = time.monotonic()
            elif time.monotonic() - used >= self.idle and self._end_idle():
                return
            self.news.wait(min(1.0, self.idle / 4))
            self.news.clear()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the server; a killed one may still be going down, so try for a while."""
        self.directory.clear(seconds=5)
        for attempt in range(20):
            with self.directory.log.open("wb") as log:
                child = self.directory.launch(log)
            if self._answers(child):
                return child
            said = self.directory.log.read_text(errors="replace")
            if attempt == 19 or not any(words in said for words in self.directory.leftovers):
                raise SandboxError(f"{self.directory.product} does not start: {self.directory.reason(said)}")
            time.sleep(0.25)
        raise AssertionError

    def _answers(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait until the server takes connections, or has ended."""
        while child.poll() is None:
            try:
                self.connection = self.directory.connect(KEEPER)
            except self.directory.lost:
                time.sleep(0.02)
            else:
                return True
        return False

    def _lives(self) -> bool:
        return self.directory.postmaster() is not None if self.child is None else self.child.poll() is None

    def _others(self) -> int:
        """Count the sessions that are not ours; while that cannot be told, the server counts as used."""
        try:
            if self.connection is None:
                self.connection = self.directory.connect(KEEPER)
            return self.directory.others(self.connection)
        except self.directory.lost:
            self.connection = None
            return 1

    def _end_idle(self) -> bool:
        """Stop the server unless somebody has come meanwhile."""
        lock = locks.take(self.directory.start_lock)
        if lock is None:  # somebody is coming, or stopping the server and waiting for us
            return False
        try:
            if self._others() or self.connection is None:
                return False
            self.directory.sweep(self.connection)
            self.stop()
            return True
        finally:
            os.close(lock)

    def stop(self) -> None:
        """Stop the server and wait for it."""
        if self.connection is not None:
            with suppress(*self.directory.lost):  # closed already, by the server's end
                self.connection.close()
        self.directory.halt()
        if self.child is not None:
            self.child.wait()


def main(module: str, idle: float) -> int:
    """Take the keeper's lock, leave for the background and keep the server."""
    directory: Directory = import_module(module).here()
    lock = locks.take(directory.keeper_lock)
    if lock is None:
        return 0  # another keeper is at work
    if os.fork():
        os._exit(0)  # the lock lives on in the child
    _detach(directory.keeper_log)
    keeper = Keeper(directory, idle)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        keeper.run()
    except DbplanError as error:
        print(error, flush=True)  # noqa: T201
        return 1
    finally:
        keeper.stop()
    return 0


def _detach(log: Path) -> None:
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
