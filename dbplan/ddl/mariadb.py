"""The DDL of MariaDB and MySQL in their own words, where a plan was read from such a server.

Columns, keys, CHECKs and the options of a table keep in `.info["mariadb"]` (or `"mysql"`) how the server wrote them.
Keys stand inside their table, as the server has it: a column that counts by itself needs its key at once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, Constraint, Index, Table
from sqlalchemy.schema import CreateIndex, CreateTable

from dbplan.ddl.mariadb_text import quoted

KINDS = frozenset({"mariadb", "mysql"})


def teach(dialect: Any) -> None:
    """Give a SQLAlchemy dialect that meets no server what it would learn from one, and the compiler for own words."""
    dialect.ddl_compiler = type("NativeMySQL", (OwnWords, dialect.ddl_compiler), {})
    if dialect.name == "mariadb":
        dialect.supports_sequences = dialect.sequences_optional = True  # since 10.3
        dialect.supports_native_uuid = True  # since 10.7


class OwnWords:
    """What a DDL compiler does otherwise for tables that hold their server's words; stands before one as a base."""

    dialect: Any
    preparer: Any

    def get_column_specification(self, column: Column[Any], **options: Any) -> str:
        """Return the name of a column and all that follows."""
        words = own_words(column, column.table, self.dialect.name)
        if words is None:
            return str(self._usual("get_column_specification", column, **options))
        return f"{self.preparer.format_column(column)} {words}"

    def post_create_table(self, table: Table) -> str:
        """Return the options of a table, partitions included."""
        words = own_words(table, table, self.dialect.name)
        return f" {words}" if words else str(self._usual("post_create_table", table))

    def visit_create_index(self, create: CreateIndex, **options: Any) -> str:
        """Return the statement, "" for an index that stands inside its table."""
        if own_words(create.element, create.element.table, self.dialect.name):
            return ""
        return str(self._usual("visit_create_index", create, **options))

    def _usual(self, method: str, *arguments: Any, **options: Any) -> Any:
        return getattr(super(), method)(*arguments, **options)

    def _constraint_lines(self, table: Table, create: CreateTable) -> list[str]:
        keys = sorted(table.indexes, key=lambda index: str(index.name))
        said = ((key, own_words(key, table, self.dialect.name)) for key in keys)
        inside = (_named_key(key, words) for key, words in said if words)
        return [*self._usual("_constraint_lines", table, create), *inside, *table.info.get("periods", ())]

    def _constraint_line(self, constraint: Constraint) -> str | None:
        words = own_words(constraint, constraint.table, self.dialect.name)
        if isinstance(constraint, CheckConstraint) and self._said_by_column(constraint):
            return None
        if words is None:
            line: str | None = self._usual("_constraint_line", constraint)
            return line
        if isinstance(constraint, CheckConstraint):
            return f"CONSTRAINT {quoted(str(constraint.name))} {words}" if constraint.name else words
        return words if words.startswith("PRIMARY") else _named_key(constraint, words)

    def _said_by_column(self, check: CheckConstraint) -> bool:
        column = check.table.columns.get(check.info.get("column", ""))
        return column is not None and own_words(column, check.table, self.dialect.name) is not None


def own_words(item: Any, table: Table | None, dialect: str) -> str | None:
    """Return how a server of that dialect wrote an item, where the plan holds that."""
    if table is None or not {dialect, table.metadata.info.get("dialect")} <= KINDS:
        return None
    words = item.info.get(dialect)
    return str(words) if words else None


def _named_key(key: Constraint | Index, words: str) -> str:
    """Return a key's line: its kind, its name, its columns."""
    kind, _, rest = words.partition("(")
    return f"{kind.strip()} {quoted(str(key.name))} ({rest}"
