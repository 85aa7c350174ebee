"""The keeper: the process that has the embedded server as its child and ends it once nobody needs it.

Run as `python -m dbplan.sandbox.keeper SECONDS`; it detaches itself. The server goes down with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any

import psycopg

from dbplan.errors import DbplanError, SandboxError
from dbplan.sandbox import databases, locks
from dbplan.sandbox.cluster import KEEPER, Cluster, here, reason

_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
_LEFTOVERS = ("already exists", "still in use")


class Keeper:
    """Watches one server; `child` is None for a server that another keeper, now dead, has started."""

    def __init__(self, cluster: Cluster, idle: float) -> None:
        self.cluster, self.idle = cluster, idle
        self.child: subprocess.Popen[bytes] | None = None
        self.connection: psycopg.Connection[Any] | None = None
        self.news = Event()
        signal.signal(signal.SIGCHLD, lambda *_: self.news.set())

    def run(self) -> None:
        """Have the server running; return after it has ended, or has been idle for long enough."""
        if self.cluster.postmaster() is None:
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
        self.cluster.clear(seconds=5)
        for attempt in range(20):
            with self.cluster.log.open("wb") as log:
                child = self.cluster.launch(log)
            if self._answers(child):
                return child
            said = self.cluster.log.read_text(errors="replace")
            if attempt == 19 or not any(words in said for words in _LEFTOVERS):
                raise SandboxError(f"PostgreSQL does not start: {reason(said)}")
            time.sleep(0.25)
        raise AssertionError

    def _answers(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait until the server takes connections, or has ended."""
        while child.poll() is None:
            try:
                self.connection = self.cluster.connect(KEEPER)
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def _lives(self) -> bool:
        return self.cluster.postmaster() is not None if self.child is None else self.child.poll() is None

    def _others(self) -> int:
        """Count the sessions that are not ours; while that cannot be told, the server counts as used."""
        try:
            if self.connection is None or self.connection.closed:
                self.connection = self.cluster.connect(KEEPER)
            row = self.connection.execute(_OTHERS).fetchone()
        except psycopg.Error:
            self.connection = None
            return 1
        return int(row[0]) if row else 1

    def _end_idle(self) -> bool:
        """Stop the server unless somebody has come meanwhile."""
        lock = locks.take(self.cluster.start_lock)
        if lock is None:  # somebody is coming, or stopping the server and waiting for us
            return False
        try:
            if self._others() or self.connection is None:
                return False
            databases.sweep(self.connection)
            self.stop()
            return True
        finally:
            os.close(lock)

    def stop(self) -> None:
        """Stop the server and wait for it."""
        if self.connection is not None:
            self.connection.close()
        self.cluster.halt()
        if self.child is not None:
            self.child.wait()


def main(idle: float) -> int:
    """Take the keeper's lock, leave for the background and keep the server."""
    cluster = here()
    lock = locks.take(cluster.keeper_lock)
    if lock is None:
        return 0  # another keeper is at work
    if os.fork():
        os._exit(0)  # the lock lives on in the child
    _detach(cluster.keeper_log)
    keeper = Keeper(cluster, idle)
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
    sys.exit(main(float(sys.argv[1])))
