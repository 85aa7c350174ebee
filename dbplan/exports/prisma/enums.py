"""Enums: the types of a plan that Prisma has a block for, their values spelled as Prisma takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbplan.exports.facts import SqlType
from dbplan.exports.prisma.layout import Row, block, documented, quoted
from dbplan.exports.prisma.names import RESERVED, free, is_spelled, spelled
from dbplan.exports.relations import pascal, snake

Key = tuple[str, str, tuple[str, ...]]
_KEYWORDS = frozenset({"true", "false", "null"})


@dataclass(frozen=True)
class Enumeration:
    """One enum: `values` say what Prisma calls each label that the server keeps.

    `kept` is the type's own name and `schema` where it lies; "" where the server has no name for it. `comments` are
    those of labels.
    """

    name: str
    values: Mapping[str, str]
    kept: str = ""
    schema: str = ""
    comment: str = ""
    comments: Mapping[str, str] = field(default_factory=dict)

    def text(self, schema: str) -> str:
        """Return the block; `schema` is the one it stands in, "" where a plan has but one."""
        rows = [
            Row((value,) if value == label else (value, f"@map({quoted(label)})"), documented(self.comments.get(label)))
            for label, value in self.values.items()
        ]
        attributes = [f"@@map({quoted(self.kept)})"] if self.kept and self.kept != self.name else []
        attributes += [f"@@schema({quoted(schema)})"] if schema else []
        return block("enum", self.name, [rows], attributes, documented(self.comment))


def key_of(kind: SqlType, provider: str) -> Key | None:
    """Return by what an enum's type is known; None for a type that is no enum of Prisma's."""
    if not kind.labels:
        return None
    if kind.native and provider in ("postgresql", "cockroachdb"):
        return kind.schema, kind.name, ()
    if kind.native and provider == "mysql":
        return "", "", kind.labels
    # SQLite keeps an enum of Prisma's as text; MongoDB knows none, and Prisma's client guards it.
    return ("", "", kind.labels) if (provider == "sqlite" and kind.name == "text") or provider == "mongodb" else None


def enumerations(
    kinds: Iterable[tuple[str, SqlType]], provider: str, classes: Iterable[str], info: Mapping[str, Any]
) -> dict[Key, Enumeration]:
    """Return the enums among types, each with a name to call it by where it has none; `info` is that of the plan.

    Those of a Prisma schema keep their names, and are there without a column, too.
    """
    known: Mapping[str, Any] = info.get("prisma", {}).get("enums", {})
    found: dict[Key, Enumeration] = {}
    taken = {*classes, *RESERVED, *known}
    for called, kind in kinds:
        key = key_of(kind, provider)
        if key is None or key in found:
            continue
        named = kind.name if key[1] else called
        same = [name for name, told in known.items() if tuple(told["values"]) == kind.labels]
        own = next((name for name in same if named in (name, known[name]["table"])), "")
        own = own or (same[0] if same and not key[1] else "")  # where the server has no names, labels alone tell
        if own:
            found[key] = _known(own, known[own], key[0])
        else:
            found[key] = Enumeration(free(spelled(pascal(named), "Enum"), taken), _values(kind.labels), key[1], key[0])
    used = {enum.name for enum in found.values()}
    return found | {("", name, ()): _known(name, told, "") for name, told in known.items() if name not in used}


def _known(name: str, told: Mapping[str, Any], schema: str) -> Enumeration:
    """Return an enum as a Prisma schema had it."""
    values = {label: value for label, (value, _) in told["values"].items()}
    comments = {label: comment for label, (_, comment) in told["values"].items()}
    return Enumeration(name, values, told["table"], schema, told.get("comment", ""), comments)


def _values(labels: tuple[str, ...]) -> dict[str, str]:
    """Return what Prisma calls each label; labels that it takes keep their own spelling."""
    good = {label for label in labels if is_spelled(label) and label not in _KEYWORDS}
    taken = good | _KEYWORDS
    return {label: label if label in good else free(spelled(snake(label), "value"), taken) for label in labels}
