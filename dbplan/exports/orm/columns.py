"""What every ORM's export asks of a column: what the server fills in, and what nothing does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column
from sqlalchemy.exc import SQLAlchemyError

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.facts import SqlType
from dbplan.exports.orm.page import Page, Stage


def server_default(page: Page, column: Column[Any]) -> str:
    """Return what the server fills in, as SQL; "" for nothing, for what it counts and what it computes."""
    if facts.drawn_from(column) and column.server_default is not None:
        compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
        return str(compiler.get_column_default_string(column) or "")
    try:
        found = facts.default(column, page.dialect)
    except SQLAlchemyError:
        return ""
    return found.sql if found is not None and column.computed is None else ""


def lose_filling(page: Page, column: Column[Any]) -> None:
    """Note what Prisma's client fills in and nothing does here."""
    told, place = str(column.info.get("default") or ""), Place(column.table.key, column.name)
    if told not in ("", "dbgenerated()") and column.default is None and column.server_default is None:
        said = f"Prisma's client fills it in by {told}; nothing does here: the application has to give the value"
        page.lose(Stage.COLUMNS, place, said)
    if column.info.get("updated_at") and column.onupdate is None:
        page.lose(Stage.COLUMNS, place, "nothing sets it when the row changes: the application has to")


def called(type_: SqlType) -> str:
    """Return what people call a type: an enum by its name."""
    return type_.words.lower() if not type_.labels or not type_.native else type_.name
