"""Features of ORMs, probed by running: a small schema of our own, the same questions to each, answers with evidence."""

from __future__ import annotations

from typing import Any

__all__ = ["matrix", "probe_features"]


def __getattr__(name: str) -> Any:
    if name == "probe_features":
        from dbplan.orms.features.probing import probe_features

        return probe_features
    if name == "matrix":
        from dbplan.orms.features.judging import matrix

        return matrix
    raise AttributeError(name)
