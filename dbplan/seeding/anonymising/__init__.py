"""Anonymising: a live database's rows in a development database, every key intact, nobody in them."""

from dbplan.seeding.anonymising.run import anonymise, explain

__all__ = ["anonymise", "explain"]
