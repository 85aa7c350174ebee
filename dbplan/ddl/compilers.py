"""SQLAlchemy's DDL compilers with a layout for people, and with the server's own words where a plan holds them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import Constraint, CreateIndex, CreateTable, ForeignKeyConstraint, Index, Table

from dbplan.ddl import mariadb, postgresql
from dbplan.ddl.postgresql import own_words

__all__ = ["compiler_dialect", "is_drawn_only", "own_words"]

_SPOKEN_AS = {"cockroachdb": "postgresql"}
_DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}


@cache
def compiler_dialect(name: str) -> Dialect:
    """Return the SQLAlchemy dialect that writes a server's DDL as text: nothing in it is escaped for a driver."""
    spoken = _SPOKEN_AS.get(name, name)
    known: Any = PGDialect_psycopg if spoken == "postgresql" else URL.create(_DRIVERS.get(spoken, spoken)).get_dialect()
    dialect: Any = known(paramstyle="named")
    dialect.ddl_compiler = _native(dialect.ddl_compiler)
    if spoken == "postgresql":
        dialect.ddl_compiler = postgresql.compiler(dialect.ddl_compiler)
    if spoken in mariadb.KINDS:
        mariadb.teach(dialect)
    if spoken == "mssql":
        dialect.default_schema_name = "dbo"  # comments are told by schema, also those of the default one
    return dialect  # type: ignore[no-any-return]


def _definition(thing: Table | Index, table: Table | None, dialect: Dialect) -> str:
    """Return the statement as its server wrote it, where the plan holds that and the dialect is that server's."""
    spoken = table is not None and table.metadata.info.get("dialect") == dialect.name
    return str(thing.info.get("definition", "")) if spoken else ""


def _column_lines(compiler: Any, create: CreateTable) -> list[str]:
    """Return the columns of a table as the compiler writes them."""
    lines, first_key = [], False
    for made in create.columns:
        column = made.element
        try:
            line = compiler.process(made, first_pk=column.primary_key and not first_key)
        except CompileError as error:
            raise CompileError(f"{create.element.key}.{column.name}: {error.args[0]}") from error
        first_key = first_key or column.primary_key
        lines += [line] if line is not None else []
    return lines


def _native(base: Any) -> Any:
    """Return a DDL compiler like `base` that writes a CREATE TABLE with one column or constraint a line."""

    class Native(base):  # type: ignore[misc]
        def visit_create_table(self, create: CreateTable, **_: Any) -> str:
            table = create.element
            if definition := _definition(table, table, self.dialect):
                return definition
            words = ["CREATE", *table._prefixes, "TABLE", self.preparer.format_table(table)]
            head = " ".join((*words, *filter(None, [self.create_table_suffix(table)])))
            lines = [*_column_lines(self, create), *self._constraint_lines(table, create)]
            body = "\n    " + ",\n    ".join(lines) + "\n" if lines else ""
            tail = str(self.post_create_table(table))
            return f"{head} ({body}){tail if tail[:1] in ('', ' ', chr(10)) else f' {tail}'}"

        def visit_create_index(self, create: CreateIndex, **options: Any) -> str:
            index = create.element
            return _definition(index, index.table, self.dialect) or str(super().visit_create_index(create, **options))

        def _constraint_lines(self, table: Table, create: CreateTable) -> list[str]:
            keys = create.include_foreign_key_constraints
            omitted = set() if keys is None else table.foreign_key_constraints.difference(keys)
            rest = [c for c in table._sorted_constraints if c is not table.primary_key and c not in omitted]
            key = [table.primary_key] if table.primary_key.columns else []
            lines = (self._constraint_line(constraint) for constraint in (*key, *rest))
            return [line for line in lines if line]

        def _constraint_line(self, constraint: Constraint) -> str | None:
            late = self.dialect.supports_alter and getattr(constraint, "use_alter", False)
            if late or not constraint._should_create_for_compiler(self) or is_drawn_only(constraint):
                return None
            return self.process(constraint)  # type: ignore[no-any-return]

    return Native


def is_drawn_only(constraint: Constraint) -> bool:
    """Whether a constraint is a relation that the database does not guard."""
    return isinstance(constraint, ForeignKeyConstraint) and constraint.info.get("enforced") is False
