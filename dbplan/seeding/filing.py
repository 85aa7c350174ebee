"""The verb for files: a recipe and a plan in, a folder of files and a Report out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dbplan.encryption import rehearsal
from dbplan.errors import UnknownName, UsageError
from dbplan.plan import Plan
from dbplan.report import Report

if TYPE_CHECKING:
    from dbplan.seeding.loading.files.writing import Written
    from dbplan.seeding.loading.writing import Watch

FORMATS = ("parquet", "csv", "jsonl", "sql")
DIALECTS = ("postgresql", "sqlite", "mariadb", "mysql")


@rehearsal()
def seed_files(
    folder: str | Path,
    plan: Plan,
    *,
    format: str,
    dialect: str | None = None,
    rows: int | Mapping[str, int] | None = None,
    profile: str | None = None,
    random_state: int | None = None,
    truncate: bool = False,
    dry_run: bool = False,
    executor: Executor | None = None,
    workers: int | None = None,
    dask: str | None = None,
    progress: Watch | None = None,
) -> Report:
    """Write believable rows that hold every constraint to a folder: the rows that `seed` writes to a database.

    `format` is "parquet", "csv", "jsonl" or "sql", the last in a `dialect`: "postgresql", "sqlite", "mariadb" or
    "mysql", by default the plan's own; `rows`, `profile` and `random_state` are those of `seed`. Each file is there
    whole or not at all; a call that was ended goes on where it was. Whatever writes, this process or several
    (`executor`, `workers` or the address of a `dask` scheduler), the bytes are the same. `truncate` replaces the files
    of another run. With `dry_run` the Report says what would be written and removed. `progress` is told of rows
    written, of how many, and the file.

    Raises UsageError, UnknownName, RecipeError, Unsatisfiable and NotCovered before the first file, and CannotWrite.
    """
    from dbplan.seeding.loading.files.folder import examined
    from dbplan.seeding.loading.files.telling import foresee, judge
    from dbplan.seeding.loading.files.writing import content_of, files, fill, manifest_of
    from dbplan.seeding.loading.workers import executor_of
    from dbplan.seeding.run import prepare

    spoken = _dialect(plan, format, dialect)
    made, notes = prepare(plan, rows, random_state, profile)
    target = files(made, Path(folder), format, spoken)
    wanted = content_of(made, target)
    if dry_run:
        manifest = manifest_of(made, target, wanted)
        there = examined(target.folder, manifest, truncate=truncate)
        return foresee(made, target.folder, manifest, there if truncate else None, notes)
    total = sum(part.rows for part in wanted)
    written: list[Written] = []
    with _kept(target.folder, written, len(wanted)), executor_of(executor, workers, dask) as pool:
        for one in fill(made, target, wanted, pool, truncate):
            written.append(one)
            if progress is not None:
                progress(sum(done.part.rows for done in written), total, one.part.path)
    return judge(made, written, notes)


@contextmanager
def _kept(folder: Path, written: Sequence[Written], wanted: int) -> Iterator[None]:
    """Note on Ctrl-C what stays."""
    try:
        yield
    except KeyboardInterrupt as stop:
        there = f"{len(written):,} of {wanted:,} files are in {folder}"
        stop.add_note(f"{there}, and the same command goes on with the others")
        raise


def _dialect(plan: Plan, form: str, dialect: str | None) -> str:
    """Return the dialect of SQL, the plan's own where none is said; refuse what nothing here writes."""
    if form not in FORMATS:
        raise UnknownName("format", form, FORMATS)
    if dialect is not None and form != "sql":
        raise UsageError(f"{form} has no dialects; sql has")
    if dialect is not None and dialect not in DIALECTS:
        raise UnknownName("dialect", dialect, DIALECTS)
    if form == "parquet":
        from dbplan.seeding.loading.files.parquet import require

        require()
    own = str(plan.metadata.info.get("dialect"))
    return dialect or (own if form == "sql" and own in DIALECTS else "postgresql")
