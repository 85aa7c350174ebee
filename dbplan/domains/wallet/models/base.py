"""What all tables of wallet share."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy.orm import DeclarativeBase

from dbplan.columns import TYPES, named_metadata

MOST = 10**15
"""The largest amount of one movement, in minor units: ten trillion euros, ten million bitcoins."""

BOUND = 10**18
"""How far a balance may be from zero: whatever is added to it once more still fits a bigint, on every server."""

IN_RANGE = f"amount BETWEEN 1 AND {MOST}"


class Base(DeclarativeBase):
    """The tables of this plan."""

    metadata = named_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = dict(TYPES)
