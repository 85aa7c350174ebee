"""What the gather half hands to the judge half: frozen facts, nothing that needs a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dbplan.evidence import Finding, PlanNode, Server

Nodes = tuple[PlanNode, ...]
Kind = Literal["read", "locking read", "write"]

UNREADABLE = "a row cannot be read by its column's type"
"""How a query fails whose rows a project's own type refuses."""


@dataclass(frozen=True)
class TableSize:
    """The rows of a table, counted, and its pages on disk (None where the server does not tell)."""

    name: str
    rows: int
    pages: int | None = None


@dataclass(frozen=True)
class Index:
    """One index as the server's catalog has it; `columns` are the leading plain columns, in order.

    `constraint` names the key, unique or exclusion constraint that the index stands behind ("" for none).
    `size` is in bytes, None where the server does not tell.
    """

    table: str
    name: str
    columns: tuple[str, ...]
    unique: bool = False
    constraint: str = ""
    size: int | None = None
    definition: str = ""
    partial: bool = False


@dataclass(frozen=True)
class Scan:
    """One read of a whole table inside a query plan: rows looked at and rows kept, None where unknown.

    `share` is the part of the table after which a LIMIT is expected to end it, None where there is none to tell.
    """

    table: str
    read: float | None
    kept: float | None = None
    condition: str = ""
    share: float | None = None


@dataclass(frozen=True)
class Explained:
    """How the server ran a query with one set of values, or how it would run it with any (`generic`)."""

    nodes: Nodes
    scans: tuple[Scan, ...] = ()
    generic: bool = False

    @property
    def shape(self) -> tuple[tuple[int, str, str, str], ...]:
        """What stays the same when only the values differ."""
        return tuple((node.depth, node.kind, node.relation, node.index) for node in self.nodes)


@dataclass(frozen=True)
class Measured:
    """One query that ran: seconds of each measured execution, and the distinct plans seen.

    `custom` and `generic` count the plans PostgreSQL made for the prepared statement, None where not known.
    """

    query: str
    kind: Kind
    per_second: float
    samples: tuple[float, ...]
    rows: float | None = None
    plans: tuple[Explained, ...] = ()
    custom: int | None = None
    generic: int | None = None


@dataclass(frozen=True)
class NotMeasured:
    """One query that no values could be drawn for: why, and what to write."""

    query: str
    kind: Kind
    per_second: float
    reason: str
    mend: str = ""


@dataclass(frozen=True)
class Failed:
    """One query that the server refused, with the server's words; never with values."""

    query: str
    kind: Kind
    per_second: float
    message: str


@dataclass(frozen=True)
class Gathered:
    """All facts of one run."""

    dialect: str
    tables: tuple[TableSize, ...] = ()
    indexes: tuple[Index, ...] = ()
    measured: tuple[Measured, ...] = ()
    unmeasured: tuple[NotMeasured, ...] = ()
    failed: tuple[Failed, ...] = ()
    server: Server | None = None
    driver: str = ""
    plans_covered: bool = True
    random_state: int = 7
    warmups: int = 0
    refused: tuple[Finding, ...] = ()
