"""Files: a report saved by the suffix of its path, whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path

from dbplan.errors import CannotWrite, UsageError
from dbplan.report import Report, dots, multiples
from dbplan.report.blocks import Code, Dots, Figure, Multiples, Table, walk
from dbplan.report.cells import heading
from dbplan.report.outline import slug
from dbplan.report.picture import png, standalone
from dbplan.report.tables import tabular


def save(report: Report, path: Path) -> Path:
    """Write the report by the suffix of `path`, making missing folders, and return the path.

    html, md, txt and json hold the whole report; csv one table a file, svg, png and other forms of a
    diagram one figure a file: the first under `path`, further ones beside it, named after their captions.
    A suffix of a file that the report holds (`.prisma`, `.sql`) writes that file alone.
    Raises UsageError for a suffix that the report cannot take, CannotWrite when the file cannot be written.
    """
    known = forms(report)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in known:
        right = ", ".join(known)
        raise UsageError(f'cannot save "{report.title}" as "{path.name}": its suffix can be one of {right}')
    for target, content in known[suffix](report, path):
        write(target, content)
    return path


def forms(report: Report) -> Mapping[str, Callable[[Report, Path], Iterator[tuple[Path, bytes]]]]:
    """Return the suffixes that this report can be saved by, each with the function that yields its files."""
    able = {"html": _html, "md": _markdown, "txt": _text, "json": _json}
    if tabular(report.blocks):
        able["csv"] = _csv
    if figures(report):
        able |= {"svg": _svg, "png": _png}
    able |= {suffix: _source for figure in figures(report) for suffix in sorted(figure.sources) if suffix not in able}
    return able | {_suffix(code.file): _listing for code in listings(report)}


def listings(report: Report) -> list[Code]:
    """Return what the report holds as files of other tools, in reading order."""
    return [block for block in walk(report.blocks) if isinstance(block, Code) and block.file]


def save_all(report: Report, folder: Path, only: Sequence[Code] | None = None) -> list[Path]:
    """Write the files that the report holds, or `only` some of them, into a folder, each under its own name."""
    written = []
    for code in listings(report) if only is None else only:
        written.append(folder / code.file)
        write(written[-1], code.source.encode())
    return written


def figures(report: Report) -> list[Figure]:
    """Return every figure of the report, plots among them, in reading order."""
    found = []
    for block in walk(report.blocks):
        if isinstance(block, Figure):
            found.append(block)
        elif isinstance(block, Dots) and block.timings:
            found.append(Figure(dots.svg(block.timings), dots.describe(block.timings), block.caption or "timings"))
        elif isinstance(block, Multiples) and block.series:
            found.append(Figure(multiples.svg(block), multiples.describe(block), block.caption or "plots"))
    return found


def write(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it; CannotWrite says what stood in the way."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(_mode(path))
        temporary.replace(path)
        temporary = None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CannotWrite(
            f"cannot write {path}: {reason}; choose a folder that can be written, with space left"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    if path.exists():
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _html(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    from dbplan.report.html import page

    yield path, page(report).encode()


def _text(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    from dbplan.report.text import text

    yield path, text(report).encode()


def _json(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    from dbplan.report.record import record

    yield path, (json.dumps(record(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _markdown(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    from urllib.parse import quote

    from dbplan.report.markdown import markdown

    pictures = [block for block in walk(report.blocks) if isinstance(block, Figure)]
    beside = dict(zip(map(id, pictures), _names(path.with_suffix(".svg"), [f.caption for f in pictures]), strict=True))
    for figure in pictures:
        yield beside[id(figure)], standalone(figure.svg).encode()
    yield path, markdown(report, lambda figure: quote(beside[id(figure)].name)).encode()


def _svg(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    found = figures(report)
    for target, figure in zip(_names(path, [f.caption for f in found]), found, strict=True):
        yield target, standalone(figure.svg).encode()


def _png(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    found = figures(report)
    for target, figure in zip(_names(path, [f.caption for f in found]), found, strict=True):
        yield target, png(figure.svg)


def _source(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    suffix = path.suffix.lower().removeprefix(".")
    found = [figure for figure in figures(report) if suffix in figure.sources]
    for target, figure in zip(_names(path, [f.caption for f in found]), found, strict=True):
        yield target, figure.sources[suffix].encode()


def _listing(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    yield path, next(code for code in listings(report) if _suffix(code.file) == _suffix(path.name)).source.encode()


def _suffix(name: str) -> str:
    return Path(name).suffix.lower().removeprefix(".")


def _csv(report: Report, path: Path) -> Iterator[tuple[Path, bytes]]:
    found = tabular(report.blocks)
    for target, (_, block) in zip(_names(path, [name for name, _ in found]), found, strict=True):
        yield target, _rows(block).encode()


def _rows(block: Table) -> str:
    from dbplan.report.record import plain

    paper = StringIO()
    writer = csv.writer(paper, lineterminator="\n")
    flat = block.flat
    writer.writerow(heading(field.title, field.kind) for field in flat.fields)
    writer.writerows(["" if (value := plain(cell)) is None else value for cell in row] for row in flat.rows)
    return paper.getvalue()


def _names(path: Path, captions: list[str]) -> list[Path]:
    """Name the first file `path`, and each further one after its caption."""
    names: list[Path] = []
    for number, caption in enumerate(captions):
        wanted = path.with_stem(f"{path.stem}-{slug(caption.lower())[:60]}") if number else path
        names.append(path.with_stem(f"{wanted.stem}-{number + 1}") if wanted in names else wanted)
    return names
