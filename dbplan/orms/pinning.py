"""Pinning: a client and its sessions on one core while its calls are timed.

A message to another core wakes it, which on a virtual machine may cost several times a short query; whether there is
another is the scheduler's whim. Calls that wait for each answer have no use for a second core.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def one_core(processes: Iterable[int]) -> Iterator[bool]:
    """Keep all threads of processes on one core; tell whether they are: never where the system does not let us.

    They may run where they could before when this ends.
    """
    before = _pin([thread for process in processes for thread in _threads(process)])
    try:
        yield bool(before)
    finally:
        _put_back(before)


def _pin(threads: Iterable[int]) -> dict[int, set[int]]:
    """Pin threads; return the cores that each could run on before."""
    before: dict[int, set[int]] = {}
    if not hasattr(os, "sched_setaffinity"):
        return before
    core = {max(os.sched_getaffinity(0))}
    for thread in threads:
        try:
            cores = os.sched_getaffinity(thread)
            os.sched_setaffinity(thread, core)
        except ProcessLookupError:
            continue
        except OSError:  # another's process, or one that is kept to other cores
            _put_back(before)
            return {}
        before[thread] = cores
    return before


def _put_back(before: Mapping[int, set[int]]) -> None:
    for thread, cores in before.items():
        with suppress(OSError):  # it may be gone
            os.sched_setaffinity(thread, cores)


def _threads(process: int) -> list[int]:
    with suppress(OSError):
        return [int(path.name) for path in Path(f"/proc/{process}/task").iterdir()]
    return []


def is_called(process: int, name: str) -> bool:
    """Return whether a process of this machine tells a name in its title, as PostgreSQL's tell their database."""
    with suppress(OSError):
        return name.encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    return False
