"""Writing: the files of a run, each by itself, here or on any executor, with the same bytes."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from dbplan.ddl.compilers import compiler_dialect
from dbplan.errors import CannotWrite
from dbplan.seeding.constraints.order import Order, order
from dbplan.seeding.loading.blueprint import blueprint, fingerprint
from dbplan.seeding.loading.executors import scattered
from dbplan.seeding.loading.files import folder as folders
from dbplan.seeding.loading.files import layout
from dbplan.seeding.loading.files.content import Content
from dbplan.seeding.loading.files.layout import Part, closing_parts, frames, parts, source_of
from dbplan.seeding.loading.files.script import SCRIPT, script
from dbplan.seeding.loading.statements import blank_at_first
from dbplan.seeding.rows.world import World


@dataclass(frozen=True)
class Files:
    """Where files go, and what they are; a worker gets it as it is."""

    folder: Path
    form: str
    dialect: str
    order: Order


@dataclass(frozen=True)
class Written:
    """A file that is there: its bytes, and the seconds that it took; 0 where it was there before."""

    part: Part
    size: int
    seconds: float = 0.0


def files(made: World, folder: Path, form: str, dialect: str) -> Files:
    """Return where the files of a world go; rows of SQL come after those that they refer to."""
    return Files(folder.absolute(), form, dialect, order(made.sources, defers=form != "sql" or dialect == "sqlite"))


def content_of(made: World, target: Files) -> list[Part]:
    """Return the files of rows, in the order in which SQL is loaded."""
    found = parts(made, target.order, target.form)
    if target.form == "sql":
        return found + closing_parts(made, target.order, target.form)
    return [part for part in found if part.columns or target.form == "jsonl"]


def fill(
    made: World, target: Files, wanted: Sequence[Part], executor: Executor | None = None, truncate: bool = False
) -> Generator[Written]:
    """Write the files that are not there yet; yield each as it is there, those of a run before first.

    Raises UsageError for a folder that holds something else, CannotWrite where a disk ends, WorkerLost for a worker's
    end; the same call then goes on.
    """
    manifest = manifest_of(made, target, wanted)
    folders.prepare(target.folder, manifest, truncate=truncate)
    missing = set(folders.missing(target.folder, manifest.files))
    yield from (_written(target, part) for part in wanted if part.path not in missing)
    waiting = [part for part in wanted if part.path in missing]
    if executor is None:
        yield from (_written(target, part, perform(made, target, part)) for part in waiting)
    elif waiting:
        with closing(scattered(executor, perform, blueprint(made), target, waiting)) as done:
            yield from (_written(target, part, seconds) for part, seconds in done)
    if SCRIPT in missing:
        with folders.whole(target.folder / SCRIPT) as out:
            out.write(script(made, target.dialect, [part.path for part in wanted]).encode())


def manifest_of(made: World, target: Files, wanted: Sequence[Part]) -> folders.Manifest:
    """Return what says whose files these are."""
    words = f"{target.form}{f' for {target.dialect}' if target.form == 'sql' else ''}"
    total = sum(source.total for source in made.sources.values())
    run = f'{total:,} rows of plan "{made.plan.name}" as {words}, random state {made.random_state}'
    rows = {part.path: part.rows for part in wanted} | ({SCRIPT: 0} if target.form == "sql" else {})
    dialect = target.dialect if target.form == "sql" else ""
    same = fingerprint(made, target.form, dialect, layout.PART, layout.CHUNK)
    return folders.Manifest(same, run, rows)


def _written(target: Files, part: Part, seconds: float = 0.0) -> Written:
    path = target.folder / part.path
    if not path.is_file():
        raise CannotWrite(
            f"{path} was written by a worker, and is not here; name a folder that all workers and this process share"
        )
    return Written(part, path.stat().st_size, seconds)


def perform(made: World, target: Files, part: Part) -> float:
    """Write one file; return the seconds that it took."""
    began = time.perf_counter()
    source = source_of(made, part.tasks[0]) if part.tasks else made.sources[part.table]
    blank = blank_at_first(made.sources[part.table], target.order) if target.form == "sql" else frozenset()
    content = Content(source, part.columns, frames(made, part), compiler_dialect(target.dialect), blank, part.closes)
    with folders.whole(target.folder / part.path) as out:
        import_module(f"dbplan.seeding.loading.files.{target.form}").write(out, content)
    return time.perf_counter() - began
