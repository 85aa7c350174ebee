"""Secrets that the database holds but cannot read: sealed here, under keys that never reach it.

The cipher is AES-SIV (RFC 5297): authenticated, and the same for the same text and place, so that data seeded twice are
the same twice. Whoever sees a column therefore sees which of its rows hold the same secret, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy.exc import DontWrapMixin

from dbplan.errors import DbplanError

VARIABLE = "DBPLAN_ENCRYPTION_KEY"
"""The environment variable with the keys in base64, separated by commas; the first one seals, all of them open."""

PREFIX = "sealed:"
"""What every sealed text begins with, so that a CHECK can refuse one in clear."""

DEVELOPMENT = "development"
"""The word that stands for a key known to everybody: it guards nothing, and is for databases of invented rows."""

MAKE = "openssl rand -base64 64 | tr -d '\\n'"
"""The command that makes a key."""

_rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)


class EncryptionError(DontWrapMixin, DbplanError):
    """A secret that cannot be sealed or opened with the keys that are there.

    SQLAlchemy lets it through as it is, where it would wrap another error with the values of the statement: secrets.
    """


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

    Raises EncryptionError where no key is set, or the text is none.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    key = _keys()[0]
    try:
        clear = text.encode()
    except UnicodeEncodeError:
        raise EncryptionError(f"the secret of {place} holds half a character, which UTF-8 cannot write") from None
    sealed = AESSIV(key).encrypt(clear, [place.encode()])
    return f"{PREFIX}{_name(key)}:{base64.b64encode(sealed).decode()}"


def unseal(sealed: str, place: str) -> str:
    """Return what was sealed for `place`; EncryptionError for another place, an unknown key, or a changed text.

    What is not sealed may be a secret in clear: no error repeats it.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    parts = re.fullmatch(f"{PREFIX}([0-9a-f]{{8}}):(.*)", sealed, re.DOTALL)
    if parts is None:
        raise EncryptionError(f"what {place} holds is not sealed; write it through a column of type Encrypted")
    name, body = parts.groups()
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
            f"no key to seal or open secrets with; set {VARIABLE}: `{MAKE}` makes one, "
            f'and the word "{DEVELOPMENT}" serves a database of invented rows'
        )
    return tuple(_key(word.strip()) for word in given.split(","))


def _key(word: str) -> bytes:
    if word == DEVELOPMENT:
        return hashlib.sha512(b"dbplan development").digest()
    try:
        key = base64.b64decode(word, validate=True)
    except ValueError:
        key = b""
    if len(key) != 64:
        raise EncryptionError(f"{VARIABLE} holds something else than base64 of 64 bytes; `{MAKE}` makes a key")
    return key


def _name(key: bytes) -> str:
    """Return by what a sealed text names its key; it tells nothing of the key."""
    return hashlib.sha256(b"name of " + key).hexdigest()[:8]
