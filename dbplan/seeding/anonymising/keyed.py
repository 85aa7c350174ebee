"""Keyed hashes: what a replacement follows from, so that nobody without the key can try values against it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import blake2b, shake_256

VARIABLE = "DBPLAN_ANONYMISE_KEY"
"""The environment variable with the secret; without it the replacements follow from the random state alone."""


@dataclass(frozen=True)
class Keyed:
    """Numbers and bytes that follow from a secret, the random state, a kind of value and the value itself."""

    random_state: int
    secret: str = field(repr=False, default="")
    kind: str = ""

    def of(self, kind: str) -> Keyed:
        """Return the hash of another kind of value, under the same secret."""
        return _of(self.random_state, self.secret, kind)

    @cached_property
    def _begun(self) -> blake2b:
        secret = blake2b(self.secret.encode(), digest_size=32).digest()
        begun = blake2b(key=secret, digest_size=32)
        begun.update(f"{self.random_state}\0{self.kind}\0".encode())
        return begun

    def digest(self, value: str) -> bytes:
        """Return 32 bytes for a value."""
        hashed = self._begun.copy()
        hashed.update(value.encode("utf-8", "surrogatepass"))
        return hashed.digest()

    def named(self, name: str) -> Callable[[int, int], int]:
        """Return the function from two whole numbers to one of 256 bits that goes by a name."""
        begun = self._begun.copy()
        begun.update(name.encode("utf-8", "surrogatepass"))

        def drawn(turn: int, number: int) -> int:
            hashed = begun.copy()
            hashed.update(b"\0%d\0%x" % (turn, number))
            return int.from_bytes(hashed.digest(), "little")

        return drawn

    def number(self, value: str) -> int:
        """Return a number of 256 bits for a value."""
        return int.from_bytes(self.digest(value), "little")

    def stream(self, value: str, size: int) -> bytes:
        """Return as many bytes as wanted for a value."""
        return shake_256(self.digest(value)).digest(size)


@cache
def _of(random_state: int, secret: str, kind: str) -> Keyed:
    return Keyed(random_state, secret, kind)


def from_environment(random_state: int) -> Keyed:
    """Return the hash under the secret that is set."""
    return Keyed(random_state, os.environ.get(VARIABLE, ""))
