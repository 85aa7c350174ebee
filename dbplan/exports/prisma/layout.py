"""Blocks of a Prisma schema laid out as Prisma's own formatter lays them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_INDENT = "  "


@dataclass(frozen=True)
class Row:
    """One line of a block, cell by cell: name, type, attributes; `above` are the comments over it."""

    cells: tuple[str, ...]
    above: tuple[str, ...] = ()


def block(
    kind: str, name: str, groups: Iterable[Sequence[Row]], attributes: Sequence[str] = (), above: Sequence[str] = ()
) -> str:
    """Return a block; an empty line parts its groups, each of which is aligned by itself."""
    parts = [list(_aligned(rows)) for rows in groups if rows]
    parts += [list(attributes)] if attributes else []
    body = [line for part in parts for line in ("", *part)][1:]
    lines = [f"{_INDENT}{line}" if line else "" for line in body]
    return "\n".join([*above, f"{kind} {name} {{", *lines, "}"])


def settings(kind: str, name: str, entries: Mapping[str, str], above: Sequence[str] = ()) -> str:
    """Return a datasource or generator."""
    width = max(map(len, entries), default=0)
    lines = [f"{_INDENT}{key.ljust(width)} = {value}" for key, value in entries.items()]
    return "\n".join([*above, f"{kind} {name} {{", *lines, "}"])


def quoted(text: str) -> str:
    """Return a text as Prisma writes it."""
    return '"{}"'.format("".join(_escaped(letter) for letter in text))


def documented(comment: str | None, sign: str = "///") -> tuple[str, ...]:
    """Return a comment as lines that belong to what stands below."""
    lines = [line.strip() for line in (comment or "").strip().splitlines()]
    return tuple(f"{sign} {line}".rstrip() for line in lines)


def listed(items: Iterable[str]) -> str:
    """Return a list of Prisma."""
    return f"[{', '.join(items)}]"


def _escaped(letter: str) -> str:
    return _ESCAPES.get(letter) or (f"\\u{ord(letter):04x}" if ord(letter) < 32 or letter == "\x7f" else letter)


def _aligned(rows: Sequence[Row]) -> Iterator[str]:
    columns = max(len(row.cells) for row in rows)
    widths = [max((_width(row.cells[i]) for row in rows if i < len(row.cells)), default=0) for i in range(columns)]
    for row in rows:
        yield from row.above
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row.cells, widths, strict=False)]
        yield " ".join(cells).rstrip()


def _width(cell: str) -> int:
    """Return a cell's width as Prisma's formatter counts it: in bytes."""
    return len(cell.encode())
