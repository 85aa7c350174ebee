"""Contestants: every ORM and raw driver that can take part, and what it takes to have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

POSTGRESQL, SQLITE = "postgresql", "sqlite"
BOTH = (POSTGRESQL, SQLITE)


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
    dialects: tuple[str, ...] = (POSTGRESQL,)
    """The databases that it speaks to."""
    on_sqlite: tuple[str, ...] | None = None
    """What is installed for it there, where that is something else."""
    forms: Mapping[str, str] = field(default_factory=dict, hash=False)
    """How it stores values in SQLite, which has no types for them: by kind a form of `forms.py`, else SQLAlchemy's."""
    dialect: str = POSTGRESQL
    """The database that it takes part on."""
    remark: str = ""
    """What its figures hold that those of others do not, as a sentence after its title."""
    remark_on: tuple[str, ...] = (POSTGRESQL, SQLITE)
    """The databases that this is so on."""

    def on(self, dialect: str) -> Contestant:
        """Return it as it takes part on a database."""
        packages = self.on_sqlite if dialect == SQLITE and self.on_sqlite is not None else self.packages
        return replace(self, dialect=dialect, packages=packages)

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
        return BASELINES[self.dialect][self.table]


SYNC, ASYNC, NODE = "Python", "Python, asynchronous", "Node"
BASELINES = {
    POSTGRESQL: {SYNC: "psycopg", ASYNC: "asyncpg", NODE: "pg"},
    SQLITE: {SYNC: "sqlite3", ASYNC: "aiosqlite", NODE: "node-sqlite"},
}
"""By database and table."""


def _moments(form: str) -> dict[str, str]:
    """Return the form of moments, with a zone or without."""
    return {"timestamp": form, "timestamptz": form}


_PLAIN = {"timestamp": "text", "timestamptz": "text"}
"""Moments as str() writes them: without fractions of a second where there are none."""

_DRIVER = ("psycopg", "psycopg-binary")
"""What stands beneath an ORM of Python that waits for its answers."""


def _sync(name: str, title: str, adapter: str, package: str, export: str, *more: str) -> Contestant:
    """Return an ORM on psycopg or sqlite3."""
    return Contestant(name, title, SYNC, adapter, (package, *_DRIVER, *more), export, BOTH, (package,))


_ALL = (
    Contestant("psycopg", "psycopg", SYNC, "psycopg", (*_DRIVER, "psycopg-pool")),
    Contestant("sqlite3", "sqlite3", SYNC, "sqlite3_driver", (), dialects=(SQLITE,)),
    _sync("sqlalchemy-core", "SQLAlchemy Core", "sqlalchemy_core", "sqlalchemy", "models"),
    _sync("sqlalchemy", "SQLAlchemy ORM", "sqlalchemy_orm", "sqlalchemy", "models"),
    _sync("sqlmodel", "SQLModel", "sqlmodel", "sqlmodel", "sqlmodel"),
    replace(_sync("django", "Django", "django", "django", "django", "psycopg-pool"), forms=_PLAIN),
    replace(
        _sync("peewee", "Peewee", "peewee", "peewee", "peewee"),
        forms=_PLAIN,
        remark="its pool asks PostgreSQL `SELECT 1` each time that it hands out a connection, and statements and times "
        "hold that.",
        remark_on=(POSTGRESQL,),
    ),
    Contestant("pony", "Pony", SYNC, "pony", ("pony", "psycopg2-binary"), "pony", BOTH, ("pony",)),
    Contestant("asyncpg", "asyncpg", ASYNC, "asyncpg", ("asyncpg",)),
    Contestant("aiosqlite", "aiosqlite", ASYNC, "aiosqlite_driver", ("aiosqlite",), dialects=(SQLITE,)),
    Contestant(
        "sqlalchemy-async",
        "SQLAlchemy ORM async",
        ASYNC,
        "sqlalchemy_async",
        ("sqlalchemy", "asyncpg", "greenlet"),
        "models",
        BOTH,
        ("sqlalchemy", "aiosqlite", "greenlet"),
    ),
    Contestant(
        "sqlmodel-async",
        "SQLModel async",
        ASYNC,
        "sqlmodel_async",
        ("sqlmodel", "asyncpg", "greenlet"),
        "sqlmodel",
        BOTH,
        ("sqlmodel", "aiosqlite", "greenlet"),
    ),
    Contestant(
        "peewee-async",
        "Peewee async",
        ASYNC,
        "peewee_async",
        ("peewee", "asyncpg", "greenlet"),
        "peewee",
        BOTH,
        ("peewee", "aiosqlite", "greenlet"),
        _PLAIN,
    ),
    Contestant(
        "tortoise",
        "Tortoise",
        ASYNC,
        "tortoise",
        ("tortoise-orm", "asyncpg"),
        "tortoise",
        BOTH,
        ("tortoise-orm", "aiosqlite"),
        {"uuid": "36 characters", "timestamp": "text, +00:00", "timestamptz": "text, +00:00"},
    ),
    Contestant(
        "piccolo",
        "Piccolo",
        ASYNC,
        "piccolo",
        ("piccolo", "asyncpg"),
        "piccolo",
        BOTH,
        ("piccolo", "aiosqlite"),
        {"uuid": "36 characters", **_PLAIN},
    ),
    Contestant(
        "django-async",
        "Django async",
        ASYNC,
        "django_async",
        ("django", *_DRIVER, "psycopg-pool"),
        "django",
        BOTH,
        ("django",),
        _PLAIN,
        remark="each call starts a thread of its own, as Django does for each request under ASGI, and its times hold "
        "that; outside of requests all calls of a process share one thread and wait for each other.",
    ),
    Contestant("pg", "pg", NODE, "pg", ("pg",)),
    Contestant("postgres", "Postgres.js", NODE, "postgres", ("postgres",)),
    Contestant("node-sqlite", "node:sqlite", NODE, "node_sqlite", (), dialects=(SQLITE,)),
    Contestant("libsql", "libsql", NODE, "libsql", ("libsql",), dialects=(SQLITE,)),
    Contestant(
        "prisma",
        "Prisma",
        NODE,
        "prisma",
        ("@prisma/client", "@prisma/adapter-pg", "prisma"),
        "prisma",
        BOTH,
        ("@prisma/client", "@prisma/adapter-libsql", "prisma"),
        _moments("text, T, milliseconds, +00:00"),
        remark="it joins reads by key that are asked for at the same moment into one statement, and under load can "
        "answer more of them than its driver alone.",
    ),
    Contestant(
        "typeorm",
        "TypeORM",
        NODE,
        "typeorm",
        ("typeorm", "pg", "reflect-metadata"),
        "typeorm",
        BOTH,
        ("typeorm", "libsql", "reflect-metadata"),
        _moments("text, milliseconds"),
        remark="its save reads a row that brings its key before it writes it, and INSERTs one that does not in a "
        "transaction of its own; its upsert sets every column that is given. So rows with keys are written by insert, "
        "and an upsert of one column is QueryBuilder's orUpdate.",
    ),
    Contestant(
        "drizzle",
        "Drizzle",
        NODE,
        "drizzle",
        ("drizzle-orm", "pg", "drizzle-kit"),
        "drizzle",
        BOTH,
        ("drizzle-orm", "@libsql/client", "drizzle-kit"),
        remark="its modules import each other in circles, which Node 24 pays for as it loads them by `import`: by "
        "`require`, or on Node 20, they take about a third of the memory and of the time.",
    ),
)

CONTESTANTS = {one.name: one.on(one.dialects[0]) for one in _ALL}
"""By name, as each takes part on PostgreSQL, or on SQLite if that is all it speaks to."""


def contestants_on(dialect: str) -> dict[str, Contestant]:
    """Return all by name, as they take part on a database; those that do not speak to it stand there, too."""
    return {name: one.on(dialect) for name, one in CONTESTANTS.items()}


def drivers() -> tuple[str, ...]:
    """Return the raw drivers that others are divided by, the first of each database first in telling what is right."""
    return tuple(name for tables in BASELINES.values() for name in tables.values())
