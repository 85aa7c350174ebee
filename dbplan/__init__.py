"""dbplan: a design review for databases that runs. The face: the verbs, nothing else."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbplan.benchmarking import benchmark
    from dbplan.comparison import diff
    from dbplan.diagram import dictionary, erd
    from dbplan.exports import export
    from dbplan.linting import lint
    from dbplan.migration import dry_run
    from dbplan.orms import compare_orms
    from dbplan.plan import Plan, Query
    from dbplan.report import Report
    from dbplan.review import review
    from dbplan.sandbox import sandbox
    from dbplan.seeding import profile, seed
    from dbplan.seeding.anonymising import anonymise
    from dbplan.sources import read

__version__ = "0.1.0"

# A verb's room is imported when the verb is first named: `import dbplan` stays quick.
_ROOMS = {
    "Plan": "plan",
    "Query": "plan",
    "Report": "report",
    "anonymise": "seeding.anonymising",
    "benchmark": "benchmarking",
    "compare_orms": "orms",
    "dictionary": "diagram",
    "diff": "comparison",
    "dry_run": "migration",
    "erd": "diagram",
    "export": "exports",
    "lint": "linting",
    "profile": "seeding",
    "read": "sources",
    "review": "review",
    "sandbox": "sandbox",
    "seed": "seeding",
}

__all__ = [
    "Plan",
    "Query",
    "Report",
    "anonymise",
    "benchmark",
    "compare_orms",
    "dictionary",
    "diff",
    "dry_run",
    "erd",
    "export",
    "lint",
    "profile",
    "read",
    "review",
    "sandbox",
    "seed",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its verbs are: {', '.join(__all__)}")
    value = getattr(import_module(f"dbplan.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Face(ModuleType):
    """The package itself, on which a verb outranks the room of the same name.

    The import system binds a submodule to its parent; without this, `dbplan.sandbox` would turn from the
    verb into the folder as soon as anything imports the folder.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _ROOMS and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
