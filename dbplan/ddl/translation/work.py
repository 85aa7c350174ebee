"""What every step of one translation shares: the two servers, the names, and the list of what is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, MetaData, Table

from dbplan.ddl.translation.expressions import Expressions
from dbplan.ddl.translation.kinds import Kind
from dbplan.ddl.translation.names import Names
from dbplan.ddl.translation.targets import Target, family
from dbplan.evidence import Finding, Place, Severity

_OWN_WORDS = frozenset(
    (
        *("mariadb", "mysql", "definition", "on_update", "column", "periods", "row_security", "populated", "late"),
        *("beyond", "triggers", "policies", "rules", "alterations", "sequence", "default_name", "partition_of"),
        *("extensions", "extension_schemas", "schemas", "default_schema", "collation", "order", "statistics"),
        *("routines", "types", "events", "virtual_tables", "comments", "uncommented"),
    )
)


def kept(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return an `.info` without what only the server of the original understands."""
    return {word: value for word, value in info.items() if word not in _OWN_WORDS}


@dataclass
class Work:
    """One translation under way; `source` is "" for models that are meant for any server.

    `columns` leads from a column of the original to its twin, and `kinds` from a twin to what it holds.
    """

    source: str
    target: Target
    names: Names
    metadata: MetaData
    lost: list[Finding] = field(default_factory=list)
    columns: dict[Column[Any], Column[Any]] = field(default_factory=dict)
    kinds: dict[Column[Any], Kind] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    _originals: dict[Column[Any], Column[Any]] = field(default_factory=dict, repr=False)

    @property
    def portable(self) -> bool:
        """Whether the schema is meant for any server."""
        return not self.source

    @property
    def as_is(self) -> bool:
        """Whether the words of the original are taken as they are: SQLAlchemy writes them for PostgreSQL itself."""
        return self.portable and self.target.name == "postgresql"

    def unchanged(self, table: Table) -> bool:
        """Whether SQL over a table is taken as it is: it may be, and the columns keep their names."""
        return self.as_is and all(old == new for old, new in self.names.columns[str(table.key)].items())

    @property
    def kindred(self) -> bool:
        """Whether both servers speak one language: MariaDB and MySQL, PostgreSQL and CockroachDB."""
        return family(self.source) == self.target.family

    @property
    def expressions(self) -> Expressions:
        """Return the translator of conditions and expressions."""
        return Expressions("postgresql" if self.as_is else self.source, self.target)

    @property
    def expressions_of_types(self) -> Expressions:
        """Return the translator of the conditions that come with a type; they are in PostgreSQL's words."""
        return Expressions("postgresql", self.target)

    def note(self, place: Place, message: str) -> None:
        """Say what is other there, where every row that the original takes or refuses is still so."""
        self._say(Severity.NOTE, place, message)

    def warn(self, place: Place, message: str) -> None:
        """Say what is lost, where rows that the original refuses are taken there."""
        self._say(Severity.WARNING, place, message)

    def _say(self, severity: Severity, place: Place, message: str) -> None:
        self.lost.append(Finding("export-ddl", severity, place, message))

    def booleans(self, table: Table) -> frozenset[str]:
        """Return the names of the columns of an original table that hold true and false on the target."""
        known = {column: self.kinds.get(self.columns[column]) for column in table.columns if column in self.columns}
        return frozenset(column.name for column, kind in known.items() if kind is not None and kind.family == "boolean")

    def place_of(self, column: Column[Any]) -> Place:
        """Return the place of a twin's original."""
        if column not in self._originals:
            self._originals = {twin: original for original, twin in self.columns.items()}
        original = self._originals[column]
        return Place(str(original.table.key), original.name)
