"""One thing ahead: the next rows are made while the server takes the last."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Generator[Item]:
    """Yield the items, each made in a thread while the one before it is used; an error comes in its item's place."""
    context = copy_context()

    def one() -> list[Item]:
        return context.run(lambda: list(islice(items, 1)))

    with ThreadPoolExecutor(1, thread_name_prefix="dbplan-seed") as thread:
        waiting = thread.submit(one)
        while made := waiting.result():
            waiting = thread.submit(one)
            yield made[0]
