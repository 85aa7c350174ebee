"""Diagram: a plan drawn (erd) and told in words (dictionary)."""

from __future__ import annotations

from dbplan.diagram.entities import erd
from dbplan.diagram.meanings import dictionary

__all__ = ["dictionary", "erd"]
