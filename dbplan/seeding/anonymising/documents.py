"""JSON documents: walked key by key, every text in them replaced by what its key says, or by neutral prose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Maker = Callable[[Any], Any]


def walked(value: Any, maker: Callable[[str, Any], Maker | None], name: str = "") -> Any:
    """Return a document with its texts and personal numbers replaced; `maker` says by which function, by key and value.

    Keys stay, and what `maker` returns None for. A key that is itself an address is replaced like a text.
    """
    if isinstance(value, dict):
        return {_key(key, maker): walked(item, maker, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [walked(item, maker, name) for item in value]
    if value is None or isinstance(value, bool):
        return value
    make = maker(name, value)
    return value if make is None else make(value)


def _key(key: str, maker: Callable[[str, Any], Maker | None]) -> str:
    make = maker("email", key) if "@" in key else None
    return key if make is None else str(make(key))
