"""One statement of a schema's DDL."""

from __future__ import annotations

from dataclasses import dataclass

from dbplan.evidence import Place


@dataclass(frozen=True)
class Statement:
    """One statement without its semicolon, what it makes (table, index, view, …), and the place that it is for."""

    place: Place
    kind: str
    sql: str
