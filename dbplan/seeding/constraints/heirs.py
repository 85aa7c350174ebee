"""Inheritance of PostgreSQL: a table shows the rows of those that inherit from it, which are not its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, select


def own_rows(table: Table, *columns: Any) -> Select[Any]:
    """Return the query of columns over a table's own rows."""
    asked = select(*columns).select_from(table)
    return asked.with_hint(table, "ONLY", "postgresql") if _has_heirs(table) else asked


def _has_heirs(table: Table) -> bool:
    others = (other.dialect_options["postgresql"].get("inherits") for other in table.metadata.tables.values())
    names = (each for said in others for each in ((said,) if isinstance(said, str) else said or ()))
    return any(str(name).rpartition(".")[2].strip('"') == table.name for name in names)
