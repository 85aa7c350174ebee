"""Options that several commands take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dbplan.errors import UsageError


def given(parameter: typer.CallbackParam, url: str | None) -> str | None:
    """Refuse an empty URL: a variable that is not set must not stand for another database."""
    if url is not None and not url.strip():
        name = parameter.opts[0]
        raise UsageError(
            f"{name} is empty; is its variable set? write {name} URL, for instance {name} sqlite:///dev.db"
        )
    return url


_PLAN = "A name that `dbplan plans` lists, module:attr, file.py, URL, schema.prisma"
PlanName = Annotated[str, typer.Argument(metavar="PLAN", help=f"{_PLAN}.")]
PlanNames = Annotated[list[str] | None, typer.Argument(metavar="PLAN", help=f"{_PLAN}; several, one after the other.")]
On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="SERVER",
        callback=given,
        help="postgresql, mariadb, sqlite or a URL; default: the plan's own kind.",
    ),
]
Rows = Annotated[
    int | None,
    typer.Option("--rows", metavar="N", help="Rows of the table planned largest, or of each; a review takes 100,000."),
]


def writable(path: Path | None) -> Path | None:
    """Refuse a file that no report can be written to before the work is done, not after."""
    forms = ("html", "md", "txt", "json", "csv", "svg", "png", "mmd", "toml")
    if path is not None and path.suffix.lstrip(".").lower() not in forms:
        raise UsageError(
            f'cannot write "{path}": a report is written as {", ".join(forms[:5])}; say which by the suffix'
        )
    return within_reach(path)


def within_reach(path: Path | None) -> Path | None:
    """Refuse a file that cannot be written where it is to stand."""
    if path is None:
        return None
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if path.is_dir():
        raise UsageError(f'cannot write "{path}": it is a folder; name a file in it')
    if not folder.is_dir():
        raise UsageError(f'cannot write "{path}": {folder.name} is a file; name a folder')
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f'cannot write "{path}": {folder} is not yours to write to; name another folder')
    return path


Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", callback=writable, help="Write the report: html, md, txt, json, csv."
    ),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="URL", callback=given, help="The database; by default DIRECT_URL, then DATABASE_URL."),
]
RandomState = Annotated[int, typer.Option("--random-state", metavar="N", help="Same number, same values.")]
Production = Annotated[bool, typer.Option("--production", help="Really do it to a production database.")]
