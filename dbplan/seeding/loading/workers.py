"""Workers: processes of this machine, or of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing.process import parent_process
from typing import Any

from dbplan.errors import ConnectionFailed, NotCovered, UsageError

PATIENCE = 30
"""Seconds to wait for a scheduler, and for its first worker."""


def executor_of(
    executor: Executor | None = None, workers: int | None = None, dask: str | None = None
) -> AbstractContextManager[Executor | None]:
    """Return the one executor that was asked for, None for none: this process does it all.

    An executor that is given stays open; processes end with the block. Raises UsageError for two at once.
    """
    ways = {"executor": executor, "workers": workers, "dask": dask}
    asked = [name for name, given in ways.items() if given is not None]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} are several ways to share out the work; give one of them")
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers; it takes 1 or more")
    if dask is not None:
        return cluster(dask)
    return processes(workers) if workers is not None and workers > 1 else nullcontext(executor)


@contextmanager
def processes(count: int) -> Iterator[Executor]:
    """Open that many processes: started afresh, for a fork would copy the locks of threads that it has not."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin) as pool:
        yield pool


def _begin() -> None:
    """Leave Ctrl-C to the parent, and go when it goes, however it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """Open the Dask cluster whose scheduler is at an address, such as tcp://127.0.0.1:8786."""
    try:
        from distributed import Client
    except ImportError:
        raise NotCovered('a Dask cluster needs packages that are not here; pip install "dbplan[distributed]"') from None
    try:
        opened: Any = Client
        client = opened(address, set_as_default=False, timeout=PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConnectionFailed(f"no Dask scheduler answers at {address}: {' '.join(str(error).split())}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            said = f"the Dask scheduler at {address} has no workers; start one: dask worker {address}"
            raise ConnectionFailed(said) from None
        yield client.get_executor()
