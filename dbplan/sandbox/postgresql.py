"""The embedded PostgreSQL 18: started on demand, shared by all processes of a user, ended when idle."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from dbplan.errors import SandboxError, UsageError
from dbplan.sandbox import locks, sharing
from dbplan.sandbox.cluster import MAINTENANCE, ROLE, Cluster, here
from dbplan.sandbox.directory import KEEPER

_Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Status:
    """What is to be known of the embedded server; `databases` are those of sandboxes now alive."""

    running: bool
    home: Path
    url: str = ""
    version: str = ""
    databases: tuple[str, ...] = ()


def start(port: int | None = None) -> str:
    """Start the embedded server unless it runs; return its URL, which holds no secret.

    With `port` it also listens on 127.0.0.1, for those who know the password in the passfile of the URL;
    without, there is no TCP. Raises SandboxError.
    """
    if port is not None and not 1024 <= port <= 65535:
        raise UsageError(f"port is {port}; give one from 1024 to 65535")
    connect(port).close()
    return url()


def stop() -> bool:
    """Stop the embedded server, ending whatever sessions it has; say whether it ran."""
    cluster = here()
    with locks.held(cluster.start_lock):
        return sharing.stop(cluster)


def url(database: str = MAINTENANCE) -> str:
    """Return the URL of a database of the running embedded server, without a secret: by TCP where that is open."""
    cluster = here()
    if cluster.postmaster() is None:
        raise SandboxError("the embedded PostgreSQL is not running; start it with: dbplan db start")
    return _url(cluster, database)


def _url(cluster: Cluster, database: str) -> str:
    if cluster.tcp_port:
        return _render(database, "127.0.0.1", cluster.tcp_port, {"passfile": str(cluster.passfile)})
    return socket_url(cluster, database)


def status() -> Status:
    """Return whether the embedded server runs, and what it holds; start nothing."""
    cluster = here()
    try:
        with cluster.connect() as connection:
            row = connection.execute("SHOW server_version").fetchone()
            names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'dbplan\\_%' ORDER BY 1")
            databases = tuple(str(name) for (name,) in names)
    except psycopg.OperationalError:  # not there, or just going
        return Status(running=False, home=cluster.root)
    return Status(True, cluster.root, _url(cluster, MAINTENANCE), str(row[0]) if row else "", databases)


def socket_url(cluster: Cluster, database: str) -> str:
    """Return the URL of a database by way of the server's socket."""
    return _render(database, "", None, {"host": str(cluster.sockets), "port": str(cluster.port)})


def _render(database: str, host: str, port: int | None, query: dict[str, str]) -> str:
    from sqlalchemy import URL

    made = URL.create("postgresql+psycopg", ROLE, host=host, port=port, database=database, query=query)
    return made.render_as_string(hide_password=False)


def connect(port: int | None = None) -> _Connection:
    """Connect to the maintenance database, after starting the server where it does not run.

    The lock is held until the session stands, so that an idle server cannot end in between.
    """
    cluster = here()
    with locks.held(cluster.start_lock):
        if port is not None and port != cluster.tcp_port:
            _refuse_if_used(cluster, port)
            sharing.stop(cluster)
            connection = _connect(cluster, port)
            _set_password(cluster, connection, port)
            return connection
        return _connect(cluster, None)


def _connect(cluster: Cluster, port: int | None) -> _Connection:
    connection: _Connection = sharing.connect(cluster, lambda: _open_port(cluster, port))
    return connection


def _refuse_if_used(cluster: Cluster, port: int) -> None:
    try:
        connection = cluster.connect()
    except psycopg.OperationalError:
        return
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND pid <> pg_backend_pid() AND application_name <> %s"
    )
    with connection:
        row = connection.execute(query, [KEEPER]).fetchone()
    if row and row[0]:
        raise SandboxError(
            f"the embedded PostgreSQL runs without port {port} and has {row[0]} open sessions; "
            "close them, or stop it first with: dbplan db stop"
        )


def _open_port(cluster: Cluster, port: int | None) -> None:
    """Note for the keeper which TCP port to open, or that none is wanted."""
    if port is None:
        cluster.port_file.unlink(missing_ok=True)
        cluster.passfile.unlink(missing_ok=True)
    else:
        cluster.port_file.write_text(str(port))


def _set_password(cluster: Cluster, connection: _Connection, port: int) -> None:
    """Give the role a fresh password, hashed before it is sent, and write it where only we can read it."""
    password = secrets.token_urlsafe(24)
    hashed = connection.pgconn.encrypt_password(password.encode(), ROLE.encode(), b"scram-sha-256").decode()
    connection.execute(f"ALTER ROLE {ROLE} PASSWORD '{hashed}'")
    descriptor = os.open(cluster.passfile, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"127.0.0.1:{port}:*:{ROLE}:{password}\n")
