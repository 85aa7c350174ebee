"""Connections: settings per environment, engines and their pools, transactions."""

from dbplan.connection.engines import connect, dispose, engine, is_missing, log_statements, new_engine, transaction
from dbplan.connection.settings import Environment, Settings, settings
from dbplan.connection.url import looks_like_url, normalise

__all__ = [
    "Environment",
    "Settings",
    "connect",
    "dispose",
    "engine",
    "is_missing",
    "log_statements",
    "looks_like_url",
    "new_engine",
    "normalise",
    "settings",
    "transaction",
]
