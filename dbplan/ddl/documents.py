"""A type of documents that SQLAlchemy has no class for."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import sqlite


class JsonText(sqlite.JSON[Any]):
    """A document that SQLite keeps as text in a column declared JSONB, as Prisma makes and fills it."""

    __visit_name__ = "JSONB"

    def __str__(self) -> str:
        return "JSONB"
