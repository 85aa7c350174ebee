"""Locks between processes, on files: the kernel lets go of them when a process dies, however it dies."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbplan.errors import SandboxError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows, which `home()` refuses
    fcntl = None  # type: ignore[assignment]


def take(path: Path) -> int | None:
    """Return a descriptor that holds the lock on `path` until it is closed, or None where someone else holds it.

    A forked child shares the lock with its parent; a program started by exec does not get it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_free(path: Path) -> bool:
    """Say whether nobody holds the lock on `path`."""
    descriptor = take(path)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


@contextmanager
def held(path: Path, *, seconds: float = 120) -> Iterator[None]:
    """Hold the lock on `path`, after waiting for it up to that many seconds."""
    deadline = time.monotonic() + seconds
    while (descriptor := take(path)) is None:
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{path} has been locked by another process for {seconds:.0f} s; end that process, then try again"
            )
        time.sleep(0.01)
    try:
        yield
    finally:
        os.close(descriptor)
