"""Comparison: two schemas, equal or not, and where."""

from dbplan.comparison.catalogs import COLUMN_ORDER, differences
from dbplan.comparison.study import diff

__all__ = ["COLUMN_ORDER", "diff", "differences"]
