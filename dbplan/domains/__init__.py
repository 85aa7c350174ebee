"""The worked plans, by name; a plan's module is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

PLANS: Mapping[str, str] = MappingProxyType(
    {
        "clone_jobs": "dbplan.domains.clone_jobs",
        "credits": "dbplan.domains.credits",
        "store": "dbplan.domains.store",
        "transcription": "dbplan.domains.transcription",
        "wallet": "dbplan.domains.wallet",
    }
)
"""Plan name → the module that holds it as `PLAN`."""

_PACKAGE = Path(__file__).parents[1]


def folder(kind: str) -> Path:
    """Return the folder `migrations` or `seeds`: beside the package in a checkout, inside it in an installed wheel."""
    bundled = _PACKAGE / "_bundled" / kind
    return bundled if bundled.is_dir() else _PACKAGE.parent / kind
