"""Enums of the server and of CHECKs, as classes of the module."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Enum

from dbplan.exports.facts import SqlType
from dbplan.exports.orm.page import Page
from dbplan.exports.python import quoted
from dbplan.exports.relations import pascal, snake

_TAKEN = frozenset({"MRO", "NAME", "VALUE", "NAMES", "VALUES", "LABELS"})


def server_type(type_: Any) -> Any:
    """Return what lies below decorators."""
    while hasattr(type_, "impl_instance"):
        type_ = type_.impl_instance
    return type_


def enum_class(page: Page, column: Column[Any], type_: SqlType) -> str:
    """Return the class of an enum's labels, which is written once."""
    if type_.labels not in page.enums:
        kind: Any = server_type(column.type)
        own = kind.enum_class if isinstance(kind, Enum) else None
        wanted = own.__name__ if own is not None else pascal(str(getattr(kind, "name", None) or column.name))
        name = page.imports.reserve(wanted)
        page.enums[type_.labels] = name
        page.blocks[name] = _written(page, name, type_.labels)
    return page.enums[type_.labels]


def _written(page: Page, name: str, labels: tuple[str, ...]) -> str:
    lines = [f"class {name}({page.imports.name('enum', 'StrEnum')}):"]
    taken: set[str] = set()
    for label in labels:
        member = member_of(label, taken)
        taken.add(member)
        lines.append(f"    {member} = {quoted(label)}")
    return "\n".join(lines)


def member_of(label: str, taken: set[str]) -> str:
    """Return the name of a label's member, that none of those taken has."""
    name = snake(label).upper() if label.strip() else "EMPTY"
    name = "".join(sign for sign in name if f"a{sign}".isidentifier()) or "LABEL"
    name = name if name.isidentifier() else f"N{name}"
    name = f"{name}_" if name in _TAKEN or name.startswith("_") else name
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
