"""Defaults: what fills a column in, as `@default(…)`."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from dbplan.exports.facts import Default, Facts, parsed
from dbplan.exports.prisma.layout import listed, quoted

_NOW = re.compile(r"\(*\s*(?:now\(\)|transaction_timestamp\(\)|current_timestamp)\s*\)*", re.IGNORECASE)
_MYSQL_NOW = re.compile(r"\(*\s*(?:now|current_timestamp)(?:\((\d?)\))?\s*\)*", re.IGNORECASE)
_LIST = re.compile(r"ARRAY\[(.*?)\](?:::[^\[\]]+(?:\[\])+)?", re.DOTALL | re.IGNORECASE)
_EMPTY = re.compile(r"'\{\}'(?:::.*)?", re.DOTALL)
_DIGITS = re.compile(r"'?([+-]?\d+(?:\.\d+)?)'?(?:::.*)?")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ?([+-]\d\d:\d\d)")
_BYTES = re.compile(r"\\x((?:[0-9a-fA-F]{2})*)")
_CLIENT = re.compile(r"(?:cuid|uuid|ulid|nanoid|auto)\(\s*\d*\s*\)")
_WHOLE = {"Int": 31, "BigInt": 63}


def default(facts: Facts, scalar: str, provider: str, labels: Mapping[str, str] | None = None) -> str | None:
    """Return what stands in `@default(…)`, None for nothing; `labels` are an enum's values by what the server keeps.

    `scalar` is Prisma's type, "" for one that it lacks.
    """
    found = facts.default
    if found is None:
        return _client(facts, scalar, provider)
    if found.kind == "literal" and found.value is None:
        return None
    if scalar == "BigInt" and provider == "cockroachdb" and found.sql.strip("() ") == "unique_rowid":
        return "autoincrement()"
    if facts.type.dimensions:
        said = _list(found, scalar, labels)
    elif _is_now(facts, found, scalar, provider):
        return "now()"
    else:
        said = _one(found, scalar, labels)
    return said if said is not None else f"dbgenerated({quoted(found.sql)})"


def is_known(client: str) -> bool:
    """Whether Prisma has a function of that name for its client."""
    return bool(_CLIENT.fullmatch(client))


def _client(facts: Facts, scalar: str, provider: str) -> str | None:
    if facts.client == "dbgenerated()" or (provider == "mysql" and _is_document(facts.client, scalar)):
        return facts.client
    wanted = "String" if provider != "mongodb" or facts.client != "auto()" else scalar
    fits = scalar == wanted and not facts.type.dimensions and is_known(facts.client)
    if provider != "mongodb" or not facts.client or fits:
        return facts.client if fits else None
    return facts.client


def _is_document(client: str, scalar: str) -> bool:
    """Whether the client fills in a text that MySQL takes no default of."""
    return client.startswith('"') and scalar in ("Json", "Bytes")


def _is_now(facts: Facts, found: Default, scalar: str, provider: str) -> bool:
    """Whether `now()` makes the same DDL: MySQL's has as many digits as the column."""
    if scalar != "DateTime":
        return False
    if provider != "mysql":
        return bool(_NOW.fullmatch(found.sql.strip()))
    match = _MYSQL_NOW.fullmatch(found.sql.strip())
    digits = facts.type.arguments[0] if facts.type.arguments else "0"
    return match is not None and (match[1] or "0") == digits


def _list(found: Default, scalar: str, labels: Mapping[str, str] | None) -> str | None:
    if _EMPTY.fullmatch(found.sql.strip()) and scalar:
        return "[]"
    match = _LIST.fullmatch(found.sql.strip())
    if match is None or not scalar:
        return None
    items = [_one(parsed(item), scalar, labels) for item in _items(match[1])]
    return listed(item for item in items if item is not None) if None not in items else None


def _items(text: str) -> list[str]:
    """Return what stands between the commas of a list, those in quotes left alone."""
    parts = re.findall(r"(?:'(?:[^']|'')*'|[^',])+", text)
    return [part.strip() for part in parts if part.strip()]


def _one(found: Default, scalar: str, labels: Mapping[str, str] | None) -> str | None:
    if found.kind != "literal":
        return None
    if labels is not None:
        return labels.get(str(found.value))
    writer = _WRITERS.get(scalar)
    return writer(found) if writer else None


def _boolean(found: Default) -> str | None:
    return {True: "true", False: "false"}.get(found.value) if not isinstance(found.value, str) else None


def _whole(bits: int) -> Callable[[Default], str | None]:
    def written(found: Default) -> str | None:
        digits = _number(found)
        whole = digits is not None and "." not in digits and -(2**bits) <= int(digits) < 2**bits
        return str(int(digits)) if whole and digits is not None else None

    return written


def _number(found: Default) -> str | None:
    """Return the digits as they stand, for 1.50 is not 1.5 to a server."""
    match = _DIGITS.fullmatch(found.sql.strip(" ()"))
    if match is None or isinstance(found.value, bool):
        return None
    try:
        Decimal(match[1])
    except InvalidOperation:
        return None
    return match[1].lstrip("+")


def _text(found: Default) -> str | None:
    return quoted(found.value) if isinstance(found.value, str) and "\0" not in found.value else None


def _json(found: Default) -> str | None:
    try:
        json.loads(found.value)
    except (ValueError, TypeError):
        return None
    return _text(found)


def _moment(found: Default) -> str | None:
    match = _MOMENT.fullmatch(found.value) if isinstance(found.value, str) else None
    if match is None:
        return None
    return quoted(f"{match[1]}T{match[2]}{'Z' if match[3] == '+00:00' else match[3]}")


def _bytes(found: Default) -> str | None:
    match = _BYTES.fullmatch(found.value) if isinstance(found.value, str) else None
    return quoted(base64.b64encode(bytes.fromhex(match[1])).decode()) if match else None


_WRITERS: Mapping[str, Callable[[Default], str | None]] = {
    "Boolean": _boolean,
    "Int": _whole(_WHOLE["Int"]),
    "BigInt": _whole(_WHOLE["BigInt"]),
    "Float": _number,
    "Decimal": _number,
    "String": _text,
    "Json": _json,
    "DateTime": _moment,
    "Bytes": _bytes,
}
