"""Entities as they stand in the database."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import Select, select

E = TypeVar("E")


def current(entity: type[E]) -> Select[E]:
    """Return a select that reads rows anew: statements change them behind the back of a session that holds them."""
    return select(entity).execution_options(populate_existing=True)
