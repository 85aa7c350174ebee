"""A server that processes share: found running or started, connected to, stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dbplan.errors import SandboxError, UsageError
from dbplan.sandbox import locks
from dbplan.sandbox.directory import Directory

IDLE = "DBPLAN_IDLE_SECONDS"
_DEFAULT_IDLE = 300.0
_PATIENCE = 60.0


def connect(directory: Directory, before: Callable[[], None] = lambda: None) -> Any:
    """Connect to the server, after starting it where it does not run; `before` is called ahead of a start.

    The caller holds the directory's start lock until the session stands, so that an idle server cannot end in between.
    """
    deadline = time.monotonic() + _PATIENCE
    started = False
    while True:
        unkept = locks.is_free(directory.keeper_lock)
        try:
            connection = directory.connect()
        except directory.lost as error:
            problem = str(error).strip()
        else:
            if not unkept:
                return connection
            _start_keeper(directory)  # its keeper was killed: it lives on without, or is going down
            problem = "the server went down"
            with suppress(*directory.lost):
                directory.others(connection)
                return connection
        if time.monotonic() > deadline or (unkept and started and _said(directory)):
            raise SandboxError(
                f"{_said(directory) or problem}; the server's log is {directory.log}; "
                f"{directory.root} holds only throwaway databases and may be removed"
            )
        if unkept:
            before()
            directory.prepare()
            _start_keeper(directory)
            started = True
        time.sleep(0.01)


def _start_keeper(directory: Directory) -> None:
    directory.keeper_log.unlink(missing_ok=True)
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    done = subprocess.run(
        [sys.executable, "-m", "dbplan.sandbox.keeper", type(directory).__module__, str(idle_seconds())],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env=os.environ | {"DBPLAN_HOME": str(directory.root.parent), "PYTHONPATH": path},
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise SandboxError(f"cannot start the keeper of {directory.product}: {said[-1]}")


def idle_seconds() -> float:
    """Return the seconds after which an idle server ends; UsageError for a setting that is none."""
    text = os.environ.get(IDLE, "")
    try:
        seconds = float(text) if text else _DEFAULT_IDLE
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f'{IDLE} is "{text}"; give the seconds after which an idle server ends, for instance 300')
    return seconds


def _said(directory: Directory) -> str:
    try:
        lines = directory.keeper_log.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return lines[-1] if lines else ""


def stop(directory: Directory) -> bool:
    """Stop the server and wait for its keeper; say whether it ran. The caller holds the start lock."""
    ran = directory.postmaster() is not None or not locks.is_free(directory.keeper_lock)
    directory.halt()
    deadline = time.monotonic() + _PATIENCE
    while not locks.is_free(directory.keeper_lock):
        if time.monotonic() > deadline:
            raise SandboxError(f"the keeper of the server in {directory.root} does not end; see {directory.keeper_log}")
        time.sleep(0.02)
    return ran
