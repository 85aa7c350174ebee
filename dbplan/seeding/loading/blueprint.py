"""Blueprints: what any process needs to build the same rows for itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import blake2b
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from dbplan.encryption import VARIABLE, EncryptionError, rehearsal, seal
from dbplan.plan import Plan
from dbplan.seeding.recipe.reading import Recipe, TableRule

if TYPE_CHECKING:
    from dbplan.seeding.rows.cells import Cells
    from dbplan.seeding.rows.clearance import Standing
    from dbplan.seeding.rows.frames import Source
    from dbplan.seeding.rows.world import World

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_PROBE = 64
"""Rows of each table that say whether two runs are the same."""


@dataclass(frozen=True)
class Blueprint:
    """A plan, its recipe, the rows to generate by table, and the random state; `pickled` sends it anywhere."""

    plan: Plan
    recipe: Recipe
    rows: Mapping[str, int]
    random_state: int
    key: str
    """The name of the key that seals secrets; it tells nothing of the key."""
    standing: Standing
    """What rows of the database hold that the new ones keep clear of."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what a world is built of: no queries, which may draw their values from anywhere."""
        plan = self.plan
        metadata = {"metadata": plan.metadata, "info": dict(plan.metadata.info)}  # which SQLAlchemy does not pickle
        return vars(self) | {"plan": {"name": plan.name, "rows": dict(plan.rows)} | metadata}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the plan again."""
        plan = dict(state["plan"])
        plan["metadata"].info.update(plan.pop("info"))
        vars(self).update(state | {"plan": Plan(**plan)})

    @rehearsal()
    def world(self) -> World:
        """Return the sources of all rows; EncryptionError where secrets would be sealed with another key."""
        from dbplan.seeding.rows.world import world

        here = key_name()
        if here != self.key:
            raise EncryptionError(
                f"this worker seals secrets with key {here or 'none'}, the run with key {self.key}; "
                f"set {VARIABLE} for the workers as for the command"
            )
        return world(self.plan, self.recipe, self.rows, self.random_state, self.standing)


def blueprint(made: World) -> Blueprint:
    """Return the blueprint of a world."""
    rows = {name: 0 if source.given else source.rows for name, source in made.sources.items()}
    standing = {name: source.standing for name, source in made.sources.items() if source.standing}
    return Blueprint(made.plan, made.recipe, rows, made.random_state, key_name(), standing)


@rehearsal()
def key_name() -> str:
    """Return the name of the key that seals secrets here."""
    return seal("", "").split(":")[1]


def fingerprint(made: World, *more: object) -> str:
    """Return what two runs share that write the same rows; `more` is what else counts, such as a format."""
    digest = blake2b(digest_size=16)
    recipe = made.recipe
    version = import_module("dbplan").__version__
    of_all = (version, made.random_state, recipe.start, recipe.end, recipe.locale, key_name(), *more)
    of_tables = [(name, part) for name, source in sorted(made.sources.items()) for part in source.parts]
    of_rows = (_of_source(name, part) for name, part in of_tables)
    for text in map(repr, (*of_all, *(_of_rule(recipe.table(name)) for name, _ in of_tables), *of_rows)):
        digest.update(_ADDRESS.sub("", text).encode() + b"\0")
    return digest.hexdigest()


def _of_rule(rule: TableRule) -> list[Any]:
    """Return what the recipe says of a table; its fixed rows are among the first cells."""
    return [getattr(rule, part.name) for part in fields(rule) if part.name != "fixed"]


def _of_source(name: str, source: Source) -> tuple[Any, ...]:
    """Return names, types, reasons and the first cells of a table."""
    first = source.rows if source.given else min(_PROBE, source.rows)
    frame = source.frame(np.arange(first, dtype=np.int64))
    cells = {column: frame[column] for column in sorted(source.makers)}
    values = [(n, _known(c)) for n, c in cells.items()]
    types = [(column.name, repr(column.type)) for column in source.table.columns]
    return name, source.rows, len(source.given), types, sorted(source.why.items()), values


def _known(cells: Cells) -> list[Any]:
    return [None if null else value for value, null in zip(cells.values.tolist(), cells.null.tolist(), strict=True)]
