"""Words: the singular of a table name, the tokens of a column name, a list as people write it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+")


def tokens(name: str) -> tuple[str, ...]:
    """Return the words of an identifier in lower case: `unitPrice`, `unit_price` → unit, price."""
    return tuple(part.lower() for part in _HUMP.split(name) if part)


def snake(name: str) -> str:
    """Return an identifier in lower_snake_case."""
    return "_".join(tokens(name))


def singular(name: str) -> str:
    """Return the singular of a regular English plural; other words as they are."""
    if name.endswith("ies") and len(name) > 4:
        return name[:-3] + "y"
    if name.endswith(("sses", "shes", "ches", "xes", "zes")):
        return name[:-2]
    if name.endswith("s") and not name.endswith(("ss", "us", "is")):
        return name[:-1]
    return name


def plural(name: str) -> str:
    """Return the regular English plural."""
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "z", "ch", "sh")) else "s")


def listed(items: Sequence[str], last: str = "and", most: int = 6) -> str:
    """Return `a, b and c`; past `most` items, how many more there are."""
    if len(items) > most:
        return f"{', '.join(items[: most - 1])} {last} {len(items) - most + 1} more"
    return f" {last} ".join(part for part in (", ".join(items[:-1]), items[-1] if items else "") if part)


def counted(number: int, noun: str) -> str:
    """Return `1 table`, `2 tables`."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"
