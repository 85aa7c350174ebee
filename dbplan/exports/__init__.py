"""Exports: a plan written for the tools that a team will use."""

from dbplan.exports.study import TARGETS, export

__all__ = ["TARGETS", "export"]
