"""Profile: what the tables of a database hold, measured on the rows themselves."""

from dbplan.seeding.profiling.run import profile

__all__ = ["profile"]
