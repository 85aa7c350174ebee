"""SQLAlchemy's clauses as SQL text."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import TextClause

from dbplan.ddl.translation.targets import TARGETS, target


def sql_of(clause: Any, source: str) -> str:
    """Return a clause as its own server writes it; models that are meant for any are written as PostgreSQL's."""
    if isinstance(clause, str):
        return clause
    dialect = target(source if source in TARGETS else "postgresql").dialect
    try:
        compiler: Any = dialect.ddl_compiler(dialect, None).sql_compiler
        return str(compiler.process(clause, include_table=False, literal_binds=True))
    except (SQLAlchemyError, NotImplementedError):
        return clause.text if isinstance(clause, TextClause) else str(clause)
