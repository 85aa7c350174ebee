"""Secrets that the database holds but cannot read: sealed here, under keys that never reach it.

The cipher is AES-SIV (RFC 5297): authenticated, and the same for the same text and place, so that data seeded twice are
the same twice. Whoever sees a column therefore sees which of its rows hold the same secret, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from dbplan.errors import DbplanError

VARIABLE = "DBPLAN_ENCRYPTION_KEY"
"""The environment variable with the keys in base64, separated by commas; the first one seals, all of them open."""

PREFIX = "sealed:"
"""What every sealed text begins with, so that a CHECK can refuse one in clear."""

DEVELOPMENT = "development"
"""The word that stands for a key known to everybody: it guards nothing, and is for databases of invented rows."""

_rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)


class EncryptionError(DbplanError):
    """A secret that cannot be sealed or opened with the keys that are there."""


@contextmanager
def rehearsal() -> Iterator[None]:
    """Seal with the development key inside the block, where no key is set: the rows are invented."""
    before = _rehearsing.set(True)
    try:
        yield
    finally:
        _rehearsing.reset(before)


def seal(text: str, place: str) -> str:
    """Return `text` encrypted with the first key; only `unseal` with the same `place` opens it.

    Raises EncryptionError where no key is set.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    key = _keys()[0]
    sealed = AESSIV(key).encrypt(text.encode(), [place.encode()])
    return f"{PREFIX}{_name(key)}:{base64.b64encode(sealed).decode()}"


def unseal(sealed: str, place: str) -> str:
    """Return what was sealed for `place`; EncryptionError for another place, an unknown key, or a changed text."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    name, _, body = sealed.removeprefix(PREFIX).partition(":")
    for key in _keys():
        if _name(key) == name:
            try:
                return AESSIV(key).decrypt(base64.b64decode(body, validate=True), [place.encode()]).decode()
            except (InvalidTag, ValueError):
                raise EncryptionError(f"the secret of {place} was changed, or sealed for another place") from None
    raise EncryptionError(f"the secret of {place} is sealed with key {name}, which {VARIABLE} does not hold")


def new_key() -> str:
    """Return a fresh key as `DBPLAN_ENCRYPTION_KEY` holds it: 64 random bytes in base64."""
    return base64.b64encode(os.urandom(64)).decode()


def _keys() -> tuple[bytes, ...]:
    given = os.environ.get(VARIABLE) or (DEVELOPMENT if _rehearsing.get() else "")
    if not given:
        raise EncryptionError(
            f"no key to seal or open secrets with; set {VARIABLE}: `openssl rand -base64 64 | tr -d '\\n'` makes one, "
            f'and the word "{DEVELOPMENT}" serves a database of invented rows'
        )
    return tuple(_key(word.strip()) for word in given.split(","))


def _key(word: str) -> bytes:
    if word == DEVELOPMENT:
        return hashlib.sha512(b"dbplan development").digest()
    try:
        key = base64.b64decode(word, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 64:
        raise EncryptionError(f"{VARIABLE} holds something else than base64 of 64 bytes; `openssl rand -base64 64`")
    return key


def _name(key: bytes) -> str:
    """Return by what a sealed text names its key; it tells nothing of the key."""
    return hashlib.sha256(b"name of " + key).hexdigest()[:8]
