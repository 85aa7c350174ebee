"""Enums: the types of a plan that Prisma has a block for, their values spelled as Prisma takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Column

from dbplan.exports.facts import SqlType
from dbplan.exports.prisma.layout import Row, block, quoted
from dbplan.exports.prisma.names import RESERVED, free, is_spelled, spelled
from dbplan.exports.relations import pascal, snake

Key = tuple[str, str, tuple[str, ...]]
_KEYWORDS = frozenset({"true", "false", "null"})


@dataclass(frozen=True)
class Enumeration:
    """One enum: `labels` are what the server keeps, by which `values` says what Prisma calls them.

    `kept` is the type's own name and `schema` where it lies; "" where the server has no name for it.
    """

    name: str
    values: Mapping[str, str]
    kept: str = ""
    schema: str = ""

    def text(self, schema: str) -> str:
        """Return the block; `schema` is the one it stands in, "" where a plan has but one."""
        rows = [
            Row((value,) if value == label else (value, f"@map({quoted(label)})"))
            for label, value in self.values.items()
        ]
        attributes = [f"@@map({quoted(self.kept)})"] if self.kept and self.kept != self.name else []
        attributes += [f"@@schema({quoted(schema)})"] if schema else []
        return block("enum", self.name, [rows], attributes)


def key_of(kind: SqlType, provider: str) -> Key | None:
    """Return by what an enum's type is known; None for a type that is no enum of Prisma's."""
    if not kind.labels:
        return None
    if kind.native and provider in ("postgresql", "cockroachdb"):
        return kind.schema, kind.name, ()
    if kind.native and provider == "mysql":
        return "", "", kind.labels
    # SQLite keeps an enum of Prisma's as text.
    return ("", "", kind.labels) if provider == "sqlite" and kind.name == "text" else None


def enumerations(
    columns: Iterable[tuple[Column[object], SqlType]], provider: str, classes: Iterable[str], keep: bool
) -> dict[Key, Enumeration]:
    """Return the enums of the columns' types, named apart from the models; `keep` leaves names as they are."""
    found: dict[Key, Enumeration] = {}
    taken = {*classes, *RESERVED}
    for column, kind in columns:
        key = key_of(kind, provider)
        if key is None or key in found:
            continue
        named = kind.name if key[1] else str(getattr(column.type, "name", None) or f"{column.table.name}_{column.name}")
        wanted = named if keep and is_spelled(named) else spelled(pascal(named), "Enum")
        name = free(wanted, taken)
        found[key] = Enumeration(name, _values(kind.labels), key[1], key[0])
    return found


def _values(labels: tuple[str, ...]) -> dict[str, str]:
    """Return what Prisma calls each label; labels that it takes keep their own spelling."""
    good = {label for label in labels if is_spelled(label) and label not in _KEYWORDS}
    taken = good | _KEYWORDS
    return {label: label if label in good else free(spelled(snake(label), "value"), taken) for label in labels}
