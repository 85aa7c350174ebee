"""DBML: a plan as one `NAME.dbml`, which dbdiagram.io, dbdocs.io and DBML's own command read."""

from dbplan.exports.dbml.file import write

__all__ = ["write"]
