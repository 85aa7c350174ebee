"""Gather: the two sides of a comparison, each written down by a server of one kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbplan.connection import connect, looks_like_url, new_engine, normalise
from dbplan.errors import UnknownName, UsageError, mask
from dbplan.evidence import Catalog, Server
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read
from dbplan.sources.catalog import snapshot

BOOKKEEPING = (
    "alembic_version",
    "_prisma_migrations",
    "drizzle.__drizzle_migrations",
    "__drizzle_migrations",
    "django_migrations",
)
"""Tables in which migration tools keep what they have done: no part of anybody's schema."""

JUDGES = {"postgresql": "postgresql", "sqlite": "sqlite", "mariadb": "mariadb", "mysql": "mariadb"}
"""The server that writes a schema down, by the dialect that it was written for."""


@dataclass(frozen=True)
class Side:
    """One schema: what it is called, its catalog, how many tables it has, and what its catalog does not hold.

    `server` is the sandbox's that wrote the catalog down; None for a database that was asked itself.
    """

    name: str
    catalog: Catalog
    tables: int
    unseen: tuple[str, ...] = ()
    server: Server | None = None


@dataclass(frozen=True)
class _Source:
    name: str
    plan: Plan
    url: str = ""

    @property
    def dialect(self) -> str:
        """The dialect that the source is written for; "" for models that are meant for any."""
        return str(self.plan.metadata.info.get("dialect") or (_dialect(self.url) if self.url else ""))


def gather(a: Any, b: Any, on: str | None = None) -> tuple[Side, Side]:
    """Return both sides, written down by servers of one kind: `on`, else the kind that the sources were written for.

    A database is asked itself where it is of that kind; everything else is created in a sandbox and asked there.
    Raises UsageError for two sources of the same name, and what `read` and `sandbox` raise.
    """
    left, right = _source(a), _source(b)
    judge = _judge(left, right, on)
    return _side(left, judge), _side(right, judge)


def _source(value: Any) -> _Source:
    plan = read(value)
    text = str(value) if isinstance(value, str | Path) else plan.name
    if looks_like_url(text):
        return _Source(_plain(text), plan, text)
    return _Source(mask(text), plan)


def _plain(url: str) -> str:
    """Return a URL as people speak of it: without driver, password and options."""
    parts = normalise(url).set(query={})
    return parts.set(drivername=parts.get_backend_name()).render_as_string(hide_password=True)


def _dialect(url: str) -> str:
    return normalise(url).get_backend_name()


def _judge(left: _Source, right: _Source, on: str | None) -> str:
    """Return the server that judges: the asked one, a database's own kind, else what a schema was written for."""
    if on is not None:
        if on not in JUDGES:
            raise UnknownName("server", on, ("postgresql", "sqlite", "mariadb"), kinds="servers")
        return JUDGES[on]
    wanted = [source.dialect for source in sorted((left, right), key=lambda source: not source.url) if source.dialect]
    return next((JUDGES[dialect] for dialect in wanted if dialect in JUDGES), "postgresql")


def _side(source: _Source, judge: str) -> Side:
    if source.url and JUDGES.get(_dialect(source.url)) == judge:
        return _asked(source)
    unread = tuple(str(line) for line in source.plan.metadata.info.get("not_covered", ()))
    with sandbox(source.plan, on=judge) as stage, stage.engine.connect() as connection:
        catalog = snapshot(connection, ignore_tables=_bookkeeping(source.plan))
    refused = tuple(": ".join(filter(None, (str(finding.place), finding.message))) for finding in stage.refused)
    return Side(source.name, catalog, _tables(catalog), (*unread, *refused), stage.server)


def _asked(source: _Source) -> Side:
    engine = new_engine(source.url)
    try:
        with connect(engine) as connection:
            catalog = snapshot(connection, ignore_tables=_bookkeeping(source.plan))
    finally:
        engine.dispose()
    return Side(source.name, catalog, _tables(catalog))


def _bookkeeping(plan: Plan) -> set[str]:
    """Return the tables of migration tools: those of their usual names, and those of Alembic that carry a plan's."""
    named = (t for t in plan.tables if t.name.startswith("alembic_version_") and t.columns.keys() == ["version_num"])
    return {*BOOKKEEPING, *(str(table.key) for table in named)}


def _tables(catalog: Catalog) -> int:
    return sum(found.kind == "table" for found in catalog.objects)


def refuse_same(a: Any, b: Any) -> None:
    """Raise UsageError for one source compared with itself."""
    if isinstance(a, str | Path) and str(a) == str(b):
        raise UsageError(f'both sides are "{mask(str(a))}"; name two sources')
