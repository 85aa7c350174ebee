"""Names of files: those of their tables, as far as every file system takes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b

from sqlalchemy import Table

_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_TAKEN = _DEVICES | {"load"}
"""What no table's file may be called: devices of Windows, and the script that loads SQL."""
_LONGEST = 120
"""Bytes of a name, so that a suffix and a part's number still fit."""


def file_names(tables: Iterable[Table]) -> dict[str, str]:
    """Return the name of each table's file, without a suffix, by table; the schema is in it where there are several.

    Letters and digits of any script, "_" and "-" stay; everything else is %XX, as in a URL. What would be one file
    where capitals do not count gets a "~2", and what Windows keeps for its devices a "~".
    """
    tables = list(tables)
    several = len({table.schema for table in tables}) > 1
    names: dict[str, str] = {}
    taken: set[str] = set()
    for table in tables:
        schema = f"{_safe(table.schema)}." if several and table.schema else ""
        names[str(table.key)] = _free(schema + _safe(table.name), taken)
    return names


def _safe(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    name = re.sub(r"[^\w-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), composed)
    return f"{name}~" if name.casefold() in _TAKEN else name


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no other file has, in any case, and that is not too long."""
    if len(name.encode()) > _LONGEST:
        digest = blake2b(name.encode(), digest_size=4).hexdigest()
        name = name.encode()[: _LONGEST - 9].decode(errors="ignore") + f"~{digest}"
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name}~{number}"
    taken.add(found.casefold())
    return found
