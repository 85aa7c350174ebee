"""What Prisma's client fills in, written as Python that does the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Column

from dbplan.evidence import Place
from dbplan.exports.alchemy.page import Page
from dbplan.exports.python import Node, call

NAMES = frozenset({"uuid7", "uuid4_text", "uuid7_text"})
"""What the module's own functions are called."""

_UUID7 = '''def uuid7() -> {uuid}:
    """Return a UUIDv7: unique everywhere, and sorted by the time of its creation."""
    time, chance = {time_ns}() // 10**6, {randbits}(74)
    high, low = chance >> 62, chance & ((1 << 62) - 1)
    return {uuid}(int=time << 80 | 7 << 76 | high << 64 | 2 << 62 | low)'''
_AS_TEXT = '''def {name}_text() -> str:
    """Return {article} as a text."""
    return str({made}())'''


def by_client(page: Page, column: Column[Any]) -> Node | None:
    """Return what makes a column's value where Prisma's client does; None for nothing, and for what has no function."""
    told = str(column.info.get("default") or "")
    if column.default is not None and not column.default.is_callable:
        return None
    if told in ("uuid()", "uuid(4)"):
        return _uuid4(page, column)
    return _uuid7(page, column) if told == "uuid(7)" else None


def at_first(page: Page, column: Column[Any]) -> Node | None:
    """Return the time of an INSERT for a column that is to tell the last change, and has nothing else."""
    filled = column.default is not None or column.server_default is not None
    return None if filled else at_change(page, column)


def at_change(page: Page, column: Column[Any]) -> Node | None:
    """Return the time of an UPDATE for a column that is to tell it."""
    told = bool(column.info.get("updated_at")) and column.onupdate is None and column.computed is None
    return call(f"{page.sa('func')}.now") if told else None


def lose(page: Page, column: Column[Any]) -> None:
    """Note what Prisma's client fills in and nothing does here."""
    told = str(column.info.get("default") or "")
    known = told in ("", "uuid()", "uuid(4)", "uuid(7)", "dbgenerated()")
    if not known and column.default is None and column.server_default is None:
        said = f"Prisma's client fills it in by {told}; nothing does here: the application has to give the value"
        page.lose(Place(column.table.key, column.name), said)


def _uuid4(page: Page, column: Column[Any]) -> Node:
    made = page.imports.name("uuid", "uuid4")
    return made if _holds_uuid(column) else _text(page, "uuid4", made, "a random UUID")


def _uuid7(page: Page, column: Column[Any]) -> Node:
    names = {"uuid": ("uuid", "UUID"), "time_ns": ("time", "time_ns"), "randbits": ("secrets", "randbits")}
    page.helpers["uuid7"] = _UUID7.format(**{key: page.imports.name(*found) for key, found in names.items()})
    return "uuid7" if _holds_uuid(column) else _text(page, "uuid7", "uuid7", "a UUIDv7")


def _text(page: Page, name: str, made: str, article: str) -> Node:
    page.helpers[f"{name}_text"] = _AS_TEXT.format(name=name, made=made, article=article)
    return f"{name}_text"


def _holds_uuid(column: Column[Any]) -> bool:
    try:
        return column.type.python_type is UUID
    except NotImplementedError:
        return False
