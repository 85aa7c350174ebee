"""The bar of a seeding: rows, rows a second, and the time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 1.0
"""Seconds before a bar is drawn."""


@contextmanager
def rows_written(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """Draw rows on a terminal's stderr once it takes longer than a second; on Ctrl-C say what was kept."""
    bar = _Bar(title, sys.stderr.isatty())
    try:
        yield bar.tell
    except KeyboardInterrupt as stop:
        bar.stop()
        said = "; ".join(getattr(stop, "__notes__", ())) or "nothing was kept"
        typer.echo(f"dbplan: interrupted; {said}", err=True)
        raise typer.Exit(1) from None
    finally:
        bar.stop()


class _Bar:
    def __init__(self, title: str, drawn: bool) -> None:
        self.title, self.wanted, self.began = title, drawn, time.monotonic()
        self.bar: Progress | None = None

    def tell(self, done: int, total: int, doing: str) -> None:
        """Draw that `done` of `total` rows are there."""
        if not self.wanted or (self.bar is None and time.monotonic() - self.began < PATIENCE):
            return
        if self.bar is None:
            self.bar = _drawn()
            self.bar.add_task(self.title, total=total, completed=done)
            self.bar.start()
        self.bar.update(self.bar.task_ids[0], completed=done, description=f"{self.title}: {doing}")

    def stop(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()


def _drawn() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:,.0f} rows/s" if task.speed else "")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
        Speed(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
