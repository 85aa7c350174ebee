"""Lint: rules asked of a schema; each finding says where, why and what mends it."""

from __future__ import annotations

from dbplan.linting.accepted import baseline_text, write_baseline
from dbplan.linting.fixes import fixes, write_fixes
from dbplan.linting.rules import RULES
from dbplan.linting.study import lint

__all__ = ["RULES", "baseline_text", "fixes", "lint", "write_baseline", "write_fixes"]
