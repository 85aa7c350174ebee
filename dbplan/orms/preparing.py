"""Preparing: the models of a contestant in a folder, as `export()` writes them; on Node, what is built from them."""

from __future__ import annotations

from pathlib import Path

from dbplan.errors import NotCovered
from dbplan.exports.study import export
from dbplan.orms.contestants import Contestant
from dbplan.orms.process import Fault, Process
from dbplan.plan import Plan
from dbplan.report.files import save_all

BUILDING = 300.0
"""Seconds in which a schema of thousands of tables becomes a client."""


def prepare(contestant: Contestant, plan: Plan, folder: Path, *, dialect: str = "") -> tuple[Path, ...]:
    """Write the models of a contestant into a folder, make there what it imports, and return the exported files.

    They are for the database that it takes part on, or for `dialect`.

    A raw driver has none. What was made of the same models before is left as it is.
    Raises NotCovered where the models cannot be written, or the ORM's own tools refuse them.
    """
    if contestant.export is None:
        return ()
    folder.mkdir(parents=True, exist_ok=True)
    written = tuple(save_all(export(plan, contestant.export, dialect=dialect or contestant.dialect), folder))
    if contestant.is_node:
        _build(contestant, folder)
    return written


def _build(contestant: Contestant, folder: Path) -> None:
    """Have the contestant's own tools build what it imports: Prisma a client, TypeScript its JavaScript."""
    from dbplan.orms.installing import command

    process = Process(command(contestant))
    try:
        answer = process.ask("prepare", BUILDING, study={"models": str(folder)})
    except Fault as error:
        raise NotCovered(f"{contestant.title} cannot be prepared: {error}") from None
    finally:
        process.close()
    if reason := answer.get("not_covered"):
        raise NotCovered(str(reason))
