"""What can go wrong, said in one line: what happened, what was there, and the mend."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

_URL_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+.\-]*://[^\s:/?#@\"']*:)[^\s\"']*@(?=[^\s@]*)", re.IGNORECASE)
_PAIR_PASSWORD = re.compile(
    r"(?P<head>\b(?:password|passwd|pwd|sslpassword|secret|(?<!unrecognized )token|api_?key)\s*[=:]\s*)"
    r"(?P<value>'[^']*'|\"[^\"]*\"|[^\s&;,'\"]+)",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """Return `text` with the passwords of URLs and `password=…` pairs replaced by `***`.

    The token that SQLite says it does not recognize is a word of SQL.
    """
    return _PAIR_PASSWORD.sub(r"\g<head>***", _URL_PASSWORD.sub(r"\g<head>***@", text))


class DbplanError(Exception):
    """The root of every error that dbplan raises on purpose; its text never holds a password."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(mask(message))


class UsageError(DbplanError):
    """A call whose words are off: an option, a number or a combination that makes no sense."""


class UnknownName(UsageError):
    """A name that is not there; the message lists the names that are, nearest first."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "", kinds: str = "") -> None:
        names = sorted(known)
        self.name, self.known = name, tuple(names)
        near = get_close_matches(name, names, n=1, cutoff=0.6)
        shown = ", ".join(names[:30]) + (f", … ({len(names)} in all)" if len(names) > 30 else "")
        listing = f"{kinds or kind + 's'} are: {shown}" if names else f"there are no {kinds or kind + 's'}"
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f'no {kind} "{name}"{" in " + where if where else ""}; {listing}{hint}')


class SourceError(DbplanError):
    """A source that cannot be read as a plan."""


class RecipeError(DbplanError):
    """A seed recipe that is not well-formed or does not fit the plan."""


class Unsatisfiable(DbplanError):
    """Constraints that no generated row can hold; the message carries the arithmetic."""


class ConnectionFailed(DbplanError):
    """A database that cannot be reached."""


class NotCovered(DbplanError):
    """Something that dbplan knows it cannot do here, with the way round it."""


class ProductionRefused(DbplanError):
    """A writing command that was pointed at a production environment without its explicit flag."""


class SandboxError(DbplanError):
    """A throwaway server or database that cannot be had."""


class MigrationError(DbplanError):
    """A revision that cannot be found, loaded or run."""


class CannotWrite(DbplanError):
    """A file or folder that cannot be written."""


class WorkerLost(DbplanError):
    """A worker process that is gone before its work was done."""


class NotInstalled(DbplanError):
    """A package or program that is not installed, or cannot be."""
