"""Sources: whatever describes a schema, read as a Plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbplan.connection import looks_like_url
from dbplan.domains import PLANS
from dbplan.errors import UnknownName
from dbplan.plan import Plan

__all__ = ["known", "own", "read"]


def read(source: Any) -> Plan:
    """Return the Plan that `source` describes.

    `source` is a bundled name, a name under `[tool.dbplan.plans]` of pyproject.toml, `module:attr`,
    `file.py:attr`, a Prisma schema (`schema.prisma`, or a folder of such files), a database URL, or an object
    that is or holds a SQLAlchemy MetaData. Where a name, file, module or URL says no recipe, `seeds/NAME.toml` of the
    project or current folder is it.
    Raises UnknownName for a name nobody knows, SourceError for a module that does not import or holds no
    tables and for a schema that Prisma would refuse, ConnectionFailed for a database that does not answer.
    """
    if isinstance(source, Plan):
        return source
    from dbplan.sources import models, project

    if not isinstance(source, str | Path):
        return models.from_object(source, name=models.name_of(source), source=models.name_of(source))
    found = _described(str(source))
    return found if str(source) in PLANS else project.beside(found)


def _described(text: str) -> Plan:
    """Return the plan that a name, a file, a module or a URL describes."""
    from dbplan.sources import live, models, modules, prisma, project

    if looks_like_url(text):
        return live.read(text)
    if text in PLANS:
        return models.load(f"{PLANS[text]}:PLAN")
    if text in project.plans():
        return project.load(text, _described)
    if _is_prisma(text):
        return prisma.read(text)
    if ":" in text or text.endswith(".py") or modules.is_package(text) or modules.importable(text):
        return models.load(text)
    raise UnknownName("plan", text, known(), kinds="known plans")


def known() -> dict[str, str]:
    """Return every plan that has a name here: name → where it comes from."""
    from dbplan.sources import project

    return {name: f"dbplan ({module})" for name, module in PLANS.items()} | {
        name: f"pyproject.toml ({entry.get('source', '')})" for name, entry in project.plans().items()
    }


def own() -> tuple[str, ...]:
    """Return the names of the plans that are at home here: those of pyproject.toml, else the bundled ones."""
    from dbplan.sources import project

    return tuple(project.plans()) or tuple(PLANS)


def _is_prisma(text: str) -> bool:
    path = Path(text)
    if not path.is_dir():
        return path.suffix == ".prisma"
    return any(path.glob("*.prisma")) or not any(path.rglob("*.py"))
