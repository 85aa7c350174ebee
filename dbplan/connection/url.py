"""Database URLs, as SQLAlchemy and as Prisma write them."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from dbplan.errors import NotCovered, UsageError

_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_POOL_PARAMETERS = ("connection_limit", "pool_timeout")
_PRISMA_PARAMETERS = (*_POOL_PARAMETERS, "schema", "pgbouncer", "statement_cache_size", "socket_timeout")
_NOT_CONNECTED = {
    "sqlserver": "SQL Server",
    "mssql": "SQL Server",
    "mongodb": "MongoDB",
}


def looks_like_url(text: str) -> bool:
    """Say whether `text` is meant as a database URL."""
    return bool(re.match(r"^(?:jdbc:)?[a-z][a-z0-9+]*://", text, re.IGNORECASE)) or text.startswith("file:")


def normalise(text: str | URL) -> URL:
    """Return the SQLAlchemy URL of `text`, which may be written the way Prisma does.

    `file:./dev.db` becomes SQLite; `postgres://` and `mysql://` get their driver; `?schema=` becomes the
    search path; pool parameters are taken out (`pool_options` reads them).
    Raises UsageError for what is no URL, NotCovered for servers that dbplan does not connect to.
    """
    if isinstance(text, str):
        text = text.removeprefix("jdbc:")
        text = "sqlite:///" + text.removeprefix("file:").split("?")[0] if text.startswith("file:") else text
    scheme = str(text).split(":", 1)[0].split("+")[0].lower()
    if scheme in _NOT_CONNECTED:
        raise NotCovered(
            f"{_NOT_CONNECTED[scheme]}: dbplan does not connect to it; "
            "hand over the models and work on PostgreSQL, MariaDB or SQLite"
        )
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise UsageError(
            f'"{text}" is no database URL ({error}); write for instance postgresql://USER@HOST/NAME'
        ) from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() == "postgresql":
        url = _libpq(url)
    return url.difference_update_query(_PRISMA_PARAMETERS)


def _libpq(url: URL) -> URL:
    schema = url.query.get("schema")
    if isinstance(schema, str) and schema != "public":
        quoted = '"' + schema.replace('"', '""') + '"'
        url = url.update_query_dict({"options": f"-csearch_path={quoted}".replace(" ", "\\ ")})
    return url


def pool_options(text: str | URL) -> dict[str, Any]:
    """Return the pool arguments of `create_engine` that a Prisma-style URL names."""
    url = make_url(text) if isinstance(text, URL) or not text.startswith("file:") else None
    if url is None:
        return {}
    options: dict[str, Any] = {}
    for name, argument in (("connection_limit", "pool_size"), ("pool_timeout", "pool_timeout")):
        value = url.query.get(name)
        if value is not None:
            options[argument] = _whole(name, str(value))
    if "pool_size" in options:
        options["max_overflow"] = 0
    return options


def _whole(name: str, value: str) -> int:
    if not value.isdigit():
        raise UsageError(f"{name}={value} in the database URL; it takes a whole number")
    return int(value)
