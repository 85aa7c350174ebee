"""MongoDB: a plan as a mongosh script: collections with validators, indexes, and what is embedded and why."""

from dbplan.exports.mongodb.script import write

__all__ = ["write"]
