"""MariaDB and MySQL: plain INSERTs."""

from __future__ import annotations

from dbplan.seeding.loading.anywhere import encode, finish, prepare, send, write

__all__ = ["encode", "finish", "prepare", "send", "write"]
