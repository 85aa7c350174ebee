"""TOML written: values on one line, keys quoted where they must be."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def value(item: Any) -> str:
    """Return a value of a TOML document, as it is read back: texts, numbers, times, lists, inline tables."""
    if isinstance(item, bool):
        return str(item).lower()
    if isinstance(item, str):
        return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(item, dt.date | dt.time):
        return item.isoformat().replace("+00:00", "Z")
    if isinstance(item, float):
        return repr(item) if math.isfinite(item) else str(item)
    if isinstance(item, list):
        return f"[{', '.join(map(value, item))}]"
    if isinstance(item, Mapping):
        return f"{{ {', '.join(f'{key(name)} = {value(one)}' for name, one in item.items())} }}" if item else "{}"
    return str(item)


def key(name: str) -> str:
    """Return a key, in quotes where it is not bare."""
    return name if _BARE.fullmatch(name) else value(name)


def header(*names: str, each: bool = False) -> str:
    """Return the header of a table, or of one of a list of tables."""
    path = ".".join(map(key, names))
    return f"[[{path}]]" if each else f"[{path}]"
