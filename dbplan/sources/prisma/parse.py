"""Prisma schemas as text: read from files, parsed into a `Schema`, refused with a place where they are malformed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dbplan.errors import SourceError
from dbplan.sources.prisma.syntax import Enumeration, Model, Schema, Settings

if TYPE_CHECKING:
    from lark import Lark

Block = Model | Enumeration | Settings


def load(path: str | Path) -> Schema:
    """Read a schema file, or all `.prisma` files below a folder, and parse them as one schema.

    Files are named as the path leads to them. SourceError for what cannot be read, and for malformed syntax.
    """
    root = Path(path)
    return parse({str(file): _text(file) for file in _files(root)})


def parse(files: Mapping[str, str]) -> Schema:
    """Parse the files of a schema (name → text); blocks keep the order of the files.

    Accepts what Prisma's own parser accepts. SourceError, with file, line and column, for anything else.
    """
    blocks = [block for name, text in files.items() for block in _blocks(name, text)]
    return Schema(
        models=tuple(block for block in blocks if isinstance(block, Model)),
        enums=tuple(block for block in blocks if isinstance(block, Enumeration)),
        settings=tuple(block for block in blocks if isinstance(block, Settings)),
        files=tuple(files),
    )


def _files(root: Path) -> list[Path]:
    """Return the schema's files, sorted; SourceError if there are none."""
    if not root.exists():
        raise SourceError(f'no Prisma schema at "{root}"; give a .prisma file or a folder of them')
    if not root.is_dir():
        return [root]
    # Prisma's client leaves a copy of the schema among the packages.
    found = sorted(file for file in root.rglob("*.prisma") if file.is_file() and "node_modules" not in file.parts)
    if not found:
        what = f'no .prisma file in the folder "{root}" or below it, and no Python module'
        raise SourceError(f"{what}; give the schema's file or its folder")
    return found


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise SourceError(f'cannot read "{file}": {error.strerror or error}') from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        byte = f"0x{error.object[error.start]:02x}"
        raise SourceError(f"{file}:{line}:{column}: byte {byte} is not UTF-8; save the file as UTF-8") from error


def _blocks(name: str, text: str) -> Iterator[Block]:
    """Parse one file; each of its blocks as it stands there."""
    from lark import UnexpectedInput
    from lark.exceptions import VisitError

    from dbplan.sources.prisma.build import Builder
    from dbplan.sources.prisma.expectation import syntax_error

    # Prisma ends a line at any of the three; no string may hold one of them.
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        yield from Builder(name).transform(_grammar().parse(lines))
    except UnexpectedInput as error:
        raise syntax_error(name, lines, error) from None
    except VisitError as error:
        raise error.orig_exc from None


@cache
def _grammar() -> Lark:
    from lark import Lark

    return Lark.open(
        "grammar.lark", rel_to=__file__, parser="lalr", lexer="contextual", start="schema", maybe_placeholders=False
    )
