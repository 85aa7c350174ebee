"""SQLite sandboxes: a file in a private directory, removed at the end or by the next one to come."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex

from dbplan.errors import SandboxError
from dbplan.sandbox import locks
from dbplan.sandbox.home import home, own_directory


@contextmanager
def directory() -> Iterator[Path]:
    """Give a private directory that lasts as long as this process needs it; what killed ones have left is removed."""
    root = own_directory(home() / "sqlite", 0o700)
    path = root / token_hex(8)
    with locks.held(root / "lock"):
        sweep(root)
        path.mkdir(mode=0o700)
        lock = locks.take(path / "lock")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def sweep(root: Path) -> None:
    """Remove the directories whose owners have gone; the caller holds the lock of `root`."""
    for path in root.iterdir():
        if path.is_dir() and locks.is_free(path / "lock"):
            shutil.rmtree(path, ignore_errors=True)


def copy(source: Path, target: Path) -> None:
    """Copy a database page by page as it stands now, even while others have it open."""
    try:
        with closing(sqlite3.connect(source)) as origin, closing(sqlite3.connect(target)) as copied:
            origin.backup(copied)
    except sqlite3.Error as error:
        raise SandboxError(
            f"cannot copy the sandbox: {error}; end open transactions and see that the disk has room"
        ) from None
