"""Questions: what is probed, in which words, and what a probe is given."""

from __future__ import annotations

from decimal import Decimal

FEATURES = {
    "enums": "Enums",
    "decimals": "Exact decimals",
    "documents": "JSON: read, write, filter",
    "composite_keys": "Keys of several columns",
    "upsert": "Upsert in one statement",
    "bulk_insert": "Bulk insert",
    "streaming": "Streaming",
    "cascades": "Cascades",
    "transactions": "Transactions",
    "savepoints": "Savepoints",
    "soft_delete": "Soft delete",
    "migrations": "Migrations",
    "raw_sql": "Raw SQL",
    "typed_results": "Typed results",
}
"""The features by name, as people call them."""

EXACT = Decimal("123456789012345.6789")
"""More digits than a float holds."""
DOCUMENT = {"city": "Łódź", "tags": ["a", {"b": None}], "n": 1.5}
MANY = 1_000
"""Rows of a bulk insert."""
STREAMED = 20_000
"""Rows of a stream; each is about 1 kB."""


def account(number: int = 1, **other: object) -> dict[str, object]:
    """Return a row of `accounts`."""
    row = {"id": number, "email": f"{number}@example.org", "balance": Decimal(1), "profile": {}}
    return {**row, **other}


_ACCOUNTS = (
    "INSERT INTO accounts (id, email, balance, profile) "
    "SELECT g, g || '@example.org', 1, '{}' FROM generate_series(1, %d) g"
)
_ENTRIES = (
    _ACCOUNTS % 1,
    "INSERT INTO entries (account_id, number, note) VALUES (1, 1, 'first'), (1, 2, 'second')",
    "INSERT INTO parts (id, account_id, number) VALUES (7, 1, 2)",
)
_WIDE = (
    "INSERT INTO accounts (id, email, balance, profile) SELECT g, g || '@example.org', 1, "
    "jsonb_build_object('text', repeat('x', 1000)) FROM generate_series(1, %d) g"
)
THERE = {
    "composite_keys": _ENTRIES,
    "cascades": _ENTRIES,
    "upsert": (_ACCOUNTS % 1,),
    "soft_delete": (_ACCOUNTS % 2,),
    "raw_sql": (_ACCOUNTS % 2,),
    "streaming": (_WIDE % STREAMED,),
}
"""What is in the tables before a question, as SQL; they are empty for the others."""
