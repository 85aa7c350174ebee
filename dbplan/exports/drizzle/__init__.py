"""Drizzle: a plan as one `schema.ts` for drizzle-orm and drizzle-kit."""

from dbplan.exports.drizzle.file import write

__all__ = ["write"]
