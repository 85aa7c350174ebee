"""The folder: a manifest says whose files these are, and each file is there whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from dbplan.errors import CannotWrite, UsageError

FORMATS = ("parquet", "csv", "jsonl", "sql")
MANIFEST = "dbplan-seed.json"
UNFINISHED = ".partial"
"""How the name of a file ends that is being written."""


@dataclass(frozen=True)
class Manifest:
    """Whose files a folder holds: the run's fingerprint, what it was in words, and the rows of each file."""

    fingerprint: str
    run: str
    files: Mapping[str, int]


def prepare(folder: Path, manifest: Manifest, *, truncate: bool) -> None:
    """Make the folder ready for the files of a run; what an earlier, equal run has finished stays.

    Raises UsageError for another run's files, which `truncate` removes, and for files of anybody else.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        there = examined(folder, manifest, truncate=truncate)
        if there is not None and truncate:
            remove(folder, there)
            there = None
        for path in _unfinished(folder, manifest.files):
            path.unlink(missing_ok=True)
        if there is None:
            text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False) + "\n"
            with whole(folder / MANIFEST) as out:
                out.write(text.encode())


def examined(folder: Path, manifest: Manifest, *, truncate: bool) -> Manifest | None:
    """Return the manifest that is there; UsageError for another run's that is to stay, and for a stranger's files."""
    there = read(folder)
    if there is not None and not truncate and there.fingerprint != manifest.fingerprint:
        raise UsageError(
            f"{folder} holds the files of another run ({there.run}), and this is {manifest.run}; "
            "name another folder, or replace them with --truncate"
        )
    _refuse_strangers(folder, set(manifest.files) - set(there.files if there is not None else ()))
    return there


def read(folder: Path) -> Manifest | None:
    """Return the manifest of a folder; None where there is none."""
    path = folder / MANIFEST
    try:
        return Manifest(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise UsageError(f"{path} is not what dbplan writes; remove it, or name another folder") from None


def remove(folder: Path, manifest: Manifest) -> None:
    """Remove the files that a manifest lists, the manifest last, and the folders that this leaves empty."""
    for path in (*_unfinished(folder, manifest.files), *(_inside(folder, name) for name in manifest.files)):
        path.unlink(missing_ok=True)
    for parent in {_inside(folder, name).parent for name in manifest.files} - {folder}:
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
    (folder / MANIFEST).unlink()


def _inside(folder: Path, name: str) -> Path:
    """Return a listed file; a manifest that somebody has edited leads nowhere else."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{folder / MANIFEST} lists {name}, which is not in the folder; remove the manifest")
    return path


def _refuse_strangers(folder: Path, names: Iterable[str]) -> None:
    strangers = sorted(name for name in names if (folder / name).exists())
    if strangers:
        listing = ", ".join(strangers[:5]) + (", …" if len(strangers) > 5 else "")
        raise UsageError(
            f"{folder} has {listing} already, and no {MANIFEST} that says dbplan wrote it; "
            "name another folder, or remove them yourself"
        )


def _unfinished(folder: Path, names: Iterable[str]) -> list[Path]:
    """Return what killed runs have left."""
    folders = {folder, *(_inside(folder, name).parent for name in names)}
    return [path for one in folders if one.is_dir() for path in one.glob(f"*{UNFINISHED}")]


def missing(folder: Path, names: Iterable[str]) -> list[str]:
    """Return the files that are not there yet."""
    return [name for name in names if not (folder / name).is_file()]


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes its name when all is written: a run that is killed leaves none, or all of it."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{uuid4().hex[:8]}{UNFINISHED}")
        try:
            with unfinished.open("wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


@contextmanager
def writing(path: Path) -> Iterator[Any]:
    """Say in one line what the file system refuses."""
    try:
        yield
    except OSError as error:
        said = f"{error.strerror or error}: {error.filename or path}"
        raise CannotWrite(
            f"{said}; what is written whole stays, and the same command goes on from there once that is mended"
        ) from None
