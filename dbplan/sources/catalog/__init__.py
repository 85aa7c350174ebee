"""Catalogs: a schema as its server writes it back, normalised and comparable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from dbplan.errors import NotCovered
from dbplan.evidence import Catalog, SchemaObject

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["LEDGER", "snapshot"]

LEDGER = "dbplan_seed"
"""The table in which a long seeding keeps what it has done: there for a while, and no part of anybody's schema."""

_GATHERERS = {"postgresql": "postgresql", "sqlite": "sqlite", "mariadb": "mariadb", "mysql": "mariadb"}


def snapshot(connection: Connection, *, ignore_tables: Collection[str] = ()) -> Catalog:
    """Return the catalog of the database that `connection` is on.

    `ignore_tables` are names as a Place writes them: schema-qualified where the schema is not the default one.
    The ledger of a seeding under way is never in a catalog.
    What hangs on an ignored table (its columns, indexes, constraints, triggers, owned sequences) is left out too.
    Roles, privileges, owners and tablespaces are the server's, not the schema's, and are never in a catalog.
    A MariaDB that was reached as mysql:// gives the catalog of a MariaDB.
    Raises NotCovered for servers other than PostgreSQL, SQLite, MariaDB and MySQL.
    """
    dialect = connection.dialect.name
    if getattr(connection.dialect, "is_mariadb", False):
        dialect = "mariadb"
    if dialect not in _GATHERERS:
        known = " and ".join(sorted(_GATHERERS))
        raise NotCovered(f"catalogs are read on {known}, not on {dialect}; compare there with the server's own dump")
    gather: Callable[[Connection], Iterable[SchemaObject]]
    gather = import_module(f"dbplan.sources.catalog.{_GATHERERS[dialect]}").objects
    ignored = frozenset((LEDGER, *ignore_tables))
    kept = (o for o in gather(connection) if not ignored.intersection((o.place.table, _owner(o))))
    return Catalog(dialect, tuple(sorted(kept, key=lambda o: (o.place, o.kind, o.properties))))


def _owner(found: SchemaObject) -> str:
    """Return the table that a sequence belongs to, or ""."""
    return dict(found.properties).get("owned by", "").rpartition(".")[0] if found.kind == "sequence" else ""
