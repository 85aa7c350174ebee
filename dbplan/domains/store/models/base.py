"""What the models of the store plan stand on."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy.orm import DeclarativeBase

from dbplan.columns import TYPES, named_metadata


class Base(DeclarativeBase):
    """The tables of this plan."""

    metadata = named_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = dict(TYPES)


def no_space(column: str) -> str:
    """Return the condition that `column` is one word of a URL: no space, no slash."""
    return f"{column} NOT LIKE '% %' AND {column} NOT LIKE '%/%'"


def above_price(column: str) -> str:
    """Return the condition that a price to compare with is above the price beside it, which is then there."""
    return f"{column} IS NULL OR (price IS NOT NULL AND {column} > price)"
