"""What the tables of this plan share."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy.orm import DeclarativeBase

from dbplan.columns import TYPES, named_metadata

WEB = "url LIKE 'http://_%' OR url LIKE 'https://_%'"
"""The condition on an address that is fetched."""


class Base(DeclarativeBase):
    """The tables of this plan."""

    metadata = named_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = dict(TYPES)
