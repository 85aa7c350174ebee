"""Contestants: every ORM and raw driver that can take part, and what it takes to have it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contestant:
    """An ORM, or a raw driver that others are measured against.

    `table` is where it stands: Python's synchronous ones, its asynchronous ones, or Node's, each with one `baseline`.
    """

    name: str
    title: str
    table: str
    adapter: str
    packages: tuple[str, ...]
    """What is installed for it, the one that it is named after first."""
    export: str | None = None
    """The target of `export()` whose files are its models; None for a raw driver."""
    dialects: tuple[str, ...] = ("postgresql",)

    @property
    def is_driver(self) -> bool:
        """Whether it is a raw driver."""
        return self.export is None

    @property
    def is_node(self) -> bool:
        """Whether it runs on Node."""
        return self.table == NODE

    @property
    def baseline(self) -> str:
        """The raw driver that its times are divided by."""
        return BASELINES[self.table]


SYNC, ASYNC, NODE = "Python", "Python, asynchronous", "Node"
BASELINES = {SYNC: "psycopg", ASYNC: "asyncpg", NODE: "pg"}

_ALL = (
    Contestant("psycopg", "psycopg", SYNC, "psycopg", ("psycopg", "psycopg-pool")),
    Contestant("sqlalchemy-core", "SQLAlchemy Core", SYNC, "sqlalchemy_core", ("sqlalchemy",), "models"),
    Contestant("sqlalchemy", "SQLAlchemy ORM", SYNC, "sqlalchemy_orm", ("sqlalchemy",), "models"),
    Contestant("sqlmodel", "SQLModel", SYNC, "sqlmodel", ("sqlmodel",), "sqlmodel"),
    Contestant("django", "Django", SYNC, "django", ("django",), "django"),
    Contestant("peewee", "Peewee", SYNC, "peewee", ("peewee",), "peewee"),
    Contestant("pony", "Pony", SYNC, "pony", ("pony", "psycopg2-binary"), "pony"),
    Contestant("asyncpg", "asyncpg", ASYNC, "asyncpg", ("asyncpg",)),
    Contestant(
        "sqlalchemy-async",
        "SQLAlchemy ORM, async",
        ASYNC,
        "sqlalchemy_async",
        ("sqlalchemy", "asyncpg", "greenlet"),
        "models",
    ),
    Contestant("tortoise", "Tortoise", ASYNC, "tortoise", ("tortoise-orm", "asyncpg"), "tortoise"),
    Contestant("piccolo", "Piccolo", ASYNC, "piccolo", ("piccolo", "asyncpg"), "piccolo"),
    Contestant("pg", "pg", NODE, "pg", ("pg",)),
    Contestant("postgres", "Postgres.js", NODE, "postgres", ("postgres",)),
    Contestant("prisma", "Prisma", NODE, "prisma", ("@prisma/client", "@prisma/adapter-pg", "prisma"), "prisma"),
    Contestant("typeorm", "TypeORM", NODE, "typeorm", ("typeorm", "pg", "reflect-metadata"), "typeorm"),
    Contestant("drizzle", "Drizzle", NODE, "drizzle", ("drizzle-orm", "pg"), "drizzle"),
)

CONTESTANTS = {one.name: one for one in _ALL}
"""By name."""
