"""Replacements of texts that are no one's name: places, links, files, secrets, and prose."""

from __future__ import annotations

import ipaddress
import re
from functools import cache, lru_cache

from dbplan.seeding.anonymising.keyed import Keyed
from dbplan.seeding.anonymising.shapes import scrambled
from dbplan.seeding.values.words import pool

PROSE = 1 << 15
_LINK = re.compile(r"(https?://|//|www\.)", re.IGNORECASE)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def neutral(keyed: Keyed, value: str) -> str:
    """Return prose of the same length that says nothing."""
    prose, length = _prose(), len(value)
    at = prose.index(" ", keyed.number(value) % (PROSE // 2)) + 1
    made = prose[at : at + length] if length < PROSE // 2 else (prose * (length // PROSE + 2))[at : at + length]
    made = made[:-1] + "." if made.endswith(" ") else made
    return made[:1].upper() + made[1:] if value[:1].isupper() else made


@cache
def _prose() -> str:
    """Return words without end, the same in every run."""
    said = " ".join(map(str, pool("sentence", "la").tolist())).lower().replace(".", "")
    return (said + " ") * (PROSE // len(said) + 2)


def from_pool(keyed: Keyed, value: str, provider: str, locale: str, longest: int | None) -> str:
    """Return one of a provider's words, in at most that many characters."""
    words = pool(provider, locale)
    word = str(words[keyed.number(value.lower()) % len(words)]).replace("\n", ", ")
    return word if longest is None or len(word) <= longest else word[:longest].rstrip(" ,") or "x"


def link(keyed: Keyed, value: str, longest: int | None) -> str:
    """Return a link to nowhere, of the same scheme and with the same suffix; a path keeps its shape."""
    suffix = (_SUFFIX.findall(value.split("?")[0]) or [""])[0]
    if not _LINK.match(value) and not value.startswith("data:"):
        return file(keyed, value)
    scheme = "http" if value.lower().startswith("http://") else "https"
    path = keyed.digest(value).hex()[:24]
    made = f"{scheme}://example.com/{path}{suffix if '/' in value[8:] else ''}"
    return made if longest is None or len(made) <= longest else scrambled(keyed, value)


def host(keyed: Keyed, value: str, longest: int | None) -> str:
    """Return the name of a host that there is not; a name without dots keeps its shape."""
    made = f"h{keyed.digest(value.lower()).hex()[:16]}.example.com"
    fits = _HOST.fullmatch(value) and (longest is None or len(made) <= longest)
    return made if fits else scrambled(keyed, value)


def file(keyed: Keyed, value: str) -> str:
    """Return a file's name or path of the same shape and suffix."""
    suffix = _SUFFIX.search(value)
    end = suffix.start() if suffix else len(value)
    return scrambled(keyed, value[:end]) + value[end:]


def internet_address(keyed: Keyed, value: str) -> str:
    """Return another address of the same version and network size, a permutation where it has 32 bits."""
    plain, slash, size = value.partition("/")
    try:
        found = ipaddress.ip_address(plain)
    except ValueError:
        return scrambled(keyed, value)
    bits = found.max_prefixlen
    kept = bits if not slash or not size.isdigit() or _has_host_bits(value) else min(int(size), bits)
    turned = _turned(keyed, int(found) >> (bits - kept), kept) << (bits - kept)
    if found.version == 6 and kept == bits:
        turned = turned & ~(0xFF << 120) | 0xFD << 120
    return f"{type(found)(turned)}{slash}{size}"


def _has_host_bits(value: str) -> bool:
    return str(ipaddress.ip_network(value, strict=False)) != value


def _turned(keyed: Keyed, number: int, bits: int) -> int:
    """Return a permutation of the numbers of that many bits: a Feistel network, one more bit on the right."""
    left_bits, right_bits = bits // 2, bits - bits // 2
    drawn = keyed.named(f"bits {bits}")
    left, right = number >> right_bits, number & ((1 << right_bits) - 1)
    for turn in range(3):
        left ^= drawn(2 * turn, right) & ((1 << left_bits) - 1)
        right ^= drawn(2 * turn + 1, left) & ((1 << right_bits) - 1)
    return left << right_bits | right


@lru_cache(1024)
def unusable(value: str) -> str:
    """Return what no password opens, in the form of the hash that it replaces: parameters stay, salt and hash go."""
    parts = value.split("$")
    if len(parts) > 2:
        blank = 1 if re.match(r"\$2[abxy]?\$", value) else 2
        return "$".join([*parts[:-blank], *("A" * len(part) for part in parts[-blank:])])
    if re.fullmatch("[0-9a-fA-F]{32,}", value):
        return "0" * len(value)
    return ("!" + "x" * len(value))[: len(value)]
