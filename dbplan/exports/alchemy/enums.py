"""Python enums of a plan's columns, written out where they are plain."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum as PythonEnum
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import Enum

from dbplan.exports.python import Imports, docstring, flat, literal
from dbplan.plan import Plan

_BASES: dict[type[PythonEnum], str] = {StrEnum: "StrEnum", IntEnum: "IntEnum", PythonEnum: "Enum"}


def classes(plan: Plan) -> dict[type[PythonEnum], str]:
    """Return the enums that can be written out, by class, with names that differ."""
    found: dict[type[PythonEnum], str] = {}
    for enum in _used(plan):
        if enum not in found and _is_plain(enum):
            names, wanted = set(found.values()), enum.__name__
            found[enum] = wanted if wanted not in names else f"{wanted}{sum(n.startswith(wanted) for n in names) + 1}"
    return found


def _used(plan: Plan) -> Iterator[type[PythonEnum]]:
    for table in plan.tables:
        for column in table.columns:
            kind: Any = column.type
            while kind is not None:
                if isinstance(kind, Enum) and kind.enum_class is not None:
                    yield kind.enum_class
                kind = getattr(kind, "item_type", None)


def _is_plain(enum: type[PythonEnum]) -> bool:
    return all(isinstance(m.value, str | int) and n.isidentifier() for n, m in enum.__members__.items())


def written(imports: Imports, enum: type[PythonEnum], name: str) -> str:
    """Return the class of an enum."""
    base = next(words for known, words in _BASES.items() if issubclass(enum, known))
    parents = [imports.name("enum", base)]
    if base == "Enum" and issubclass(enum, str):
        parents.insert(0, "str")
    told = enum.__doc__ if "__doc__" in vars(enum) and enum.__doc__ else ""
    lines = [f"class {name}({', '.join(parents)}):"]
    if told and not told.startswith("An enumeration"):
        lines += [docstring(told.split("\n\n")[0]), ""]
    for member_name, member in enum.__members__.items():
        lines.append(f"    {member_name} = {flat(literal(member.value) or '')}")
    return "\n".join(lines)
