"""The schema that features are probed on: an enum, a wide decimal, a document, keys of several columns, cascades."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from dbplan.orms.kinds import kind
from dbplan.orms.scenarios import TableFacts
from dbplan.plan import Plan


class MemberStatus(StrEnum):
    """The labels of the enum."""

    ACTIVE = "active"
    PAUSED = "paused"


def _labels(kind: type[MemberStatus]) -> list[str]:
    return [one.value for one in kind]


def probe_plan() -> Plan:
    """Return the plan."""
    metadata = MetaData(info={"dialect": "postgresql"})
    Table(
        "accounts",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("email", String(100), nullable=False, unique=True),
        Column("balance", Numeric(19, 4), nullable=False),
        Column("profile", JSONB, nullable=False),
        Column("gone_at", DateTime(timezone=True)),
    )
    Table(
        "members",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("status", Enum(MemberStatus, name="member_status", values_callable=_labels), nullable=False),
    )
    Table(
        "entries",
        metadata,
        Column("account_id", BigInteger, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("note", Text, nullable=False),
    )
    Table(
        "parts",
        metadata,
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("account_id", BigInteger, nullable=False),
        Column("number", Integer, nullable=False),
        Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        ForeignKeyConstraint(
            ["account_id", "number"],
            ["entries.account_id", "entries.number"],
            ondelete="CASCADE",
            name="parts_entry_fkey",
        ),
    )
    return Plan("features", metadata)


def tables(plan: Plan) -> dict[str, TableFacts]:
    """Return the tables as adapters get them."""
    return {
        table.name: TableFacts(
            table.name,
            None,
            tuple(column.name for column in table.primary_key.columns),
            {c.name: {"kind": kind(c.type), "nullable": c.nullable, "made": False} for c in table.columns},
        )
        for table in plan.tables
    }
