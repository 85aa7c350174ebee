"""Names of keys and indexes: what the database calls them, and what Prisma would."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count

from sqlalchemy import Index
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import Constraint

LONGEST = {"postgresql": 63, "cockroachdb": 63, "mysql": 64, "sqlserver": 128, "sqlite": 10000, "mongodb": 127}
"""The bytes that Prisma lets a name have."""

_SPELLING = re.compile(r"[^\W_]\w*")
_SCRIPT = (
    "async await break case catch class const continue debugger default delete do else enum export extends false "
    "finally for function if implements import in instanceof interface let new null package private protected public "
    "return super switch this throw true try typeof using var void while with yield"
)
_SCALARS = ("String", "Boolean", "Int", "BigInt", "Float", "Decimal", "DateTime", "Json", "Bytes", "Unsupported")
RESERVED = frozenset((*_SCRIPT.split(), *_SCALARS, "PrismaClient"))
"""What no model and no enum may be called."""


def actual(item: Constraint | Index, dialect: Dialect) -> str:
    """Return the name that a plan gives a constraint or index, by its convention too; "" for none."""
    if item.name is None:
        return ""
    return dialect.identifier_preparer.format_constraint(item, _alembic_quote=False) or ""


def usual(table: str, columns: Sequence[str], ending: str, provider: str) -> str:
    """Return the name that Prisma gives where none is said: `users_email_key`."""
    stem = "_".join((table, *columns)).encode()[: LONGEST[provider] - len(ending) - 1]
    return f"{stem.decode(errors='ignore')}_{ending}"


def servers(table: str, columns: Sequence[str], ending: str) -> str:
    """Return the name that PostgreSQL gives a constraint that has none: the longer part is cut first."""
    first, second = table.encode(), "_".join(columns).encode()
    room = LONGEST["postgresql"] - len(ending) - 1 - (1 if columns else 0)
    while len(first) + len(second) > room:
        if len(first) > len(second):
            first = first[:-1]
        else:
            second = second[:-1]
    parts = (first.decode(errors="ignore"), *([second.decode(errors="ignore")] if columns else ()), ending)
    return "_".join(parts)


def is_spelled(name: str) -> bool:
    """Whether Prisma takes a word for the name of a model, field or value."""
    return bool(_SPELLING.fullmatch(name)) and not name[0].isdigit() and _has_known_letters(name)


def _has_known_letters(name: str) -> bool:
    """Python takes more signs for letters than Prisma does."""
    return name.isascii() or all(letter.isascii() or letter.isalpha() for letter in name)


def spelled(name: str, otherwise: str) -> str:
    """Return a name as Prisma takes it: what it does not take left out, `otherwise` put before or in its place."""
    kept = "".join(letter if letter.isascii() or letter.isalpha() else "_" for letter in name)
    kept = re.sub(r"\W+", "_", kept).strip("_")
    if is_spelled(kept):
        return kept
    return f"{otherwise}_{kept}" if kept else otherwise


def free(wanted: str, taken: set[str]) -> str:
    """Return the wanted name, or the first with a number that nobody has; it is taken then."""
    name = wanted if wanted not in taken else next(w for n in count(2) if (w := f"{wanted}{n}") not in taken)
    taken.add(name)
    return name
