"""Throwaway databases on real servers: an embedded PostgreSQL 18, SQLite, or a server of yours."""

from dbplan.sandbox.stage import Stage, sandbox

__all__ = ["Stage", "sandbox"]
