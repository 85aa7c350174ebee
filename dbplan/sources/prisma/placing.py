"""Where a table goes: its name as the server keeps it, and what Prisma says of every table there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

from dbplan.errors import SourceError
from dbplan.sources.prisma import names
from dbplan.sources.prisma.mysql import KINDS
from dbplan.sources.prisma.scope import Scope


def free_name(name: str, schema: str | None, scope: Scope, metadata: MetaData) -> str:
    """Return a table's name as the server cuts it; SourceError where another table has it already."""
    short = names.cut(name, names.LONGEST[scope.dialect])
    if (f"{schema}.{short}" if schema else short) in metadata.tables:
        cut = f', which is all that {scope.dialect} keeps of "{name}"' if short != name else ""
        raise SourceError(f'two tables have the name "{short}"{cut}; give one of them another by @@map')
    return short


def options(scope: Scope) -> dict[str, Any]:
    """Return what Prisma says of every table on that server."""
    if scope.dialect != "mysql":
        return {}
    said = {"default_charset": "utf8mb4", "collate": "utf8mb4_unicode_ci"}
    return {f"{kind}_{key}": value for kind in KINDS for key, value in said.items()}
