"""The workbook: notebooks executed from their paired scripts, and checked."""

from dbplan.workbook.check import check
from dbplan.workbook.run import run

__all__ = ["check", "run"]
