"""Types that a text or a JSON document stands for on servers which have no such type."""

from __future__ import annotations

from typing import Any

from sqlalchemy import types as sa
from sqlalchemy.dialects import postgresql as pg

NARROWER = (pg.INET, pg.CIDR, pg.MACADDR, pg.MACADDR8, sa.Uuid, sa.Enum)
"""Types of PostgreSQL whose values a text elsewhere holds as well, but not every text."""


def on_postgresql(kind: Any) -> Any:
    """Return the narrower type that a text, or a JSON list, is kept as on PostgreSQL, where it is.

    Values are the same everywhere.
    """
    found: Any
    if isinstance(kind, sa.TypeDecorator):
        try:
            found = kind.load_dialect_impl(pg.dialect())  # type: ignore[no-untyped-call]
        except Exception:  # a stranger's type may raise anything
            return None
        beneath = getattr(kind, "impl_instance", kind.impl)
    else:
        beneath, found = kind, dict(getattr(kind, "_variant_mapping", {})).get("postgresql")
    if isinstance(beneath, sa.JSON):
        return found if isinstance(found, sa.ARRAY) else None
    texts = isinstance(beneath, sa.String) and not isinstance(beneath, sa.Enum)
    return found if texts and isinstance(found, NARROWER) else None
