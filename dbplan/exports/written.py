"""What an exporter hands back: files, and what the target cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dbplan.evidence import Finding


@dataclass(frozen=True)
class Written:
    """Files by name, as text; `lost` says of each thing that the target has no words for what stands instead."""

    files: Mapping[str, str]
    lost: tuple[Finding, ...] = ()
