"""Values as a recipe writes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any


def written(value: Any) -> str:
    """Return a value as TOML has it: dates and times plain, texts in quotes, keys before "="."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {written(item)}' for key, item in value.items())} }}" if value else "{}"
    return repr(value)
