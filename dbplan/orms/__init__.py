"""ORMs compared on a plan's own tables: every result checked, timed beside the raw driver, statements counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbplan.orms.run import compare_orms

__all__ = ["compare_orms"]


def __getattr__(name: str) -> Any:
    # The processes of contestants import this room too, and what they import is measured.
    if name == "compare_orms":
        from dbplan.orms.run import compare_orms

        return compare_orms
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
