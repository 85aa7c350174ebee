"""Documents: the keys of a JSON column that its rows share."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import Column, Connection, select

SAMPLE = 500
"""Documents that are looked at."""


def keys_of_documents(connection: Connection, column: Column[Any]) -> list[str]:
    """Return the keys whose values are texts in many documents, those with few different values first."""
    found = connection.execute(select(column).where(column.is_not(None)).limit(SAMPLE)).scalars().all()
    texts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for document in found:
        if isinstance(document, dict):
            for key, value in document.items():
                if isinstance(value, str) and key.isidentifier():
                    texts[key][value] += 1
    common = {key: values for key, values in texts.items() if values.total() >= len(found) / 10}
    return sorted(common, key=lambda key: (len(common[key]), key))
