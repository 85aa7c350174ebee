"""A plan as Peewee models: what Peewee has words for, SQL where it takes it, and by name what is left."""

from dbplan.exports.peewee.module import write

__all__ = ["write"]
