"""Names as another server takes them: short enough, in one schema where it has no more, and each only once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import MetaData, Table
from sqlalchemy.schema import Constraint, Index
from sqlalchemy.sql.base import _NONE_NAME

from dbplan.ddl.translation.targets import Target


class Names:
    """What everything is called on the target; `changed` says so where that is another name."""

    def __init__(self, metadata: MetaData, target: Target) -> None:
        self.target = target
        self._taken: dict[Any, set[str]] = {}
        self.tables = dict(self._tables(metadata))
        self.columns = {table.key: dict(self._columns(table)) for table in metadata.tables.values()}

    def _tables(self, metadata: MetaData) -> Iterator[tuple[str, tuple[str | None, str]]]:
        # Tables of the default schema come first: they keep their names where two would be one.
        ordered = sorted(metadata.tables.values(), key=lambda table: (table.schema is not None, str(table.key)))
        for table in ordered:
            schema = table.schema if self.target.schemas else None
            wanted = [str(table.name), f"{table.schema}_{table.name}" if table.schema else str(table.name)]
            yield str(table.key), (schema, self.unique(("relation", schema), wanted))

    def _columns(self, table: Table) -> Iterator[tuple[str, str]]:
        for column in table.columns:
            yield str(column.name), self.unique(("column", table.key), [str(column.name)])

    def unique(self, scope: Any, wanted: Iterable[str]) -> str:
        """Return the first of the wanted names that is free in a scope, fitted and numbered where need be."""
        taken = self._taken.setdefault(scope, set())
        choices = [self.fitted(name) for name in wanted]
        name = next((choice for choice in choices if self._folded(choice) not in taken), None)
        number = 2
        while name is None:
            numbered = self.fitted(choices[-1], f"_{number}")
            name = numbered if self._folded(numbered) not in taken else None
            number += 1
        taken.add(self._folded(name))
        return name

    def _folded(self, name: str) -> str:
        return name.casefold() if self.target.folds else name

    def fitted(self, name: str, tail: str = "") -> str:
        """Return a name cut to what the server takes, told from other cut names by a digest, as SQLAlchemy does."""
        longest = self.target.longest - len(tail) if self.target.longest else 0
        if not longest or self._size(name) <= longest:
            return name + tail
        digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[-4:]
        head = name[: max(longest - 8, 0)]
        while self._size(head) > longest - 5:
            head = head[:-1]
        return f"{head}_{digest}{tail}"

    def _size(self, name: str) -> int:
        """Return how long a name is: PostgreSQL counts bytes."""
        return len(name.encode()) if self.target.family == "postgresql" else len(name)

    def of(self, item: Constraint | Index, table: Table, kind: str) -> str | None:
        """Return what a constraint or index is called; `kind` is "keys", "checks", "references" or "indexes"."""
        name = item.name
        if name is None or name is _NONE_NAME or not str(name):
            return None
        _, table_name = self.tables[str(table.key)]
        return self.named(str(table.key), kind, [str(name), f"{table_name}_{name}"])

    def named(self, table: str, kind: str, wanted: Iterable[str]) -> str:
        """Return the first of the wanted names that no other item of that kind has where it must be unique."""
        schema, _ = self.tables[table]
        return self.unique(self._scope(kind, schema, table), wanted)

    def _scope(self, kind: str, schema: str | None, table: str) -> Any:
        where = getattr(self.target, kind)
        if where == "table":
            group = "index" if kind in ("keys", "indexes") and self.target.family != "sqlite" else kind
            return (group, table)
        # A primary key or an index of PostgreSQL, SQLite or SQL Server is a relation beside the tables.
        return ("relation" if self.target.family != "mysql" else kind, schema)
