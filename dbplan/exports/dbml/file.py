"""`write`: the whole file, from the project to its groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Enum, Table
from sqlalchemy.engine import Dialect

from dbplan.exports.dbml import losses
from dbplan.exports.dbml.page import Page, enum_key
from dbplan.exports.dbml.references import references
from dbplan.exports.dbml.tables import table
from dbplan.exports.dbml.words import block, name, qualified, quoted
from dbplan.exports.facts import facts, server, sql_type
from dbplan.exports.relations import naming, snake
from dbplan.exports.written import Written
from dbplan.plan import Plan

_PRODUCTS = {
    "postgresql": "PostgreSQL",
    "cockroachdb": "CockroachDB",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "sqlite": "SQLite",
    "mssql": "SQL Server",
}


def write(plan: Plan, dialect: str) -> Written:
    """Return a plan as `NAME.dbml`, and by name what DBML has no words for; the types are the server's."""
    page = _page(plan, server(dialect))
    parts = [_project(plan, dialect), *_enums(page), *(table(page, found) for found in page.tables)]
    parts += ["\n".join(found)] if (found := list(references(page))) else []
    parts += _groups(page)
    losses.lose(page)
    file = re.sub(r"[^\w.-]+", "_", plan.name) or "plan"
    return Written({f"{file}.dbml": "\n\n".join(parts) + "\n"}, tuple(page.lost))


def _page(plan: Plan, dialect: Dialect) -> Page:
    columns = {(c.table.key, c.name): facts(c, dialect) for found in plan.tables for c in found.columns}
    page = Page(plan, dialect, naming(plan, snake), columns)
    for found in page.tables:
        for column in found.columns:
            kind = page.facts(column).type
            if (key := enum_key(column, kind)) is not None:
                page.enums[key] = kind.labels
    if dialect.name == "postgresql":
        page.enums |= {key: labels for key, labels in _unused(plan, dialect) if key not in page.enums}
    return page


def _unused(plan: Plan, dialect: Dialect) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Yield the named enums of the plan, also those that no column has."""
    named = (kind for kind in plan.metadata._objects if isinstance(kind, Enum) and kind.name and kind.native_enum)
    for kind in sorted(named, key=lambda kind: (str(kind.schema or ""), str(kind.name))):
        said = sql_type(kind, dialect)
        yield (said.schema, said.name), said.labels


def _project(plan: Plan, dialect: str) -> str:
    lines = [f"Project {name(plan.name)} {{", f"  database_type: {quoted(_PRODUCTS[dialect])}"]
    lines += [f"  Note: {block(plan.summary, '  ')}"] if plan.summary else []
    return "\n".join([*lines, "}"])


def _enums(page: Page) -> Iterator[str]:
    for key, labels in sorted(page.enums.items()):
        said = [label for label in labels if label]
        if len(said) < len(labels):
            page.lose(
                "its empty label is left out: a name of DBML has a sign at least", key=".".join(filter(None, key))
            )
        lines = [f"  {name(label)}" for label in said]
        yield "\n".join([f"Enum {qualified(*key)} {{", *lines, "}"])


def _groups(page: Page) -> Iterator[str]:
    """Yield a group of tables for each schema, where there are several."""
    schemas: dict[str, list[Table]] = {}
    for found in page.tables:
        schemas.setdefault(found.schema or "", []).append(found)
    if len(schemas) < 2:
        return
    for schema, tables in sorted(schemas.items()):
        lines = [f"  {qualified(one.schema, one.name)}" for one in tables]
        yield "\n".join([f"TableGroup {name(schema or _default(page))} {{", *lines, "}"])


def _default(page: Page) -> str:
    return str(page.plan.metadata.info.get("default_schema") or "public")
