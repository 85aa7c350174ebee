"""Plans from SQLAlchemy models: a module, one of its attributes, or the object itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import MetaData

from dbplan.errors import SourceError, UnknownName, UsageError
from dbplan.plan import Plan
from dbplan.sources import modules

_USUAL_NAMES = ("PLAN", "plan", "metadata", "Base", "db", "SQLModel")


def load(target: str) -> Plan:
    """Return the plan of `module:attr`, `module`, `file.py:attr`, `file.py` or a package's folder.

    Those modules of a package that define tables are imported, so that none is missing; tests and migrations are not.
    """
    module_name, _, attribute = target.rpartition(":") if ":" in target else (target, "", "")
    if not module_name:
        raise UsageError(f'"{target}" names no module; write MODULE:ATTRIBUTE')
    module = modules.load(module_name)
    name = _plan_name(module_name)
    if attribute:
        value = _attribute(module, attribute)
        if isinstance(value, Plan):  # its tables were copied when it was made: none is missing
            return value
        unread = _import_all(module) if _holds(value) else []
        if _holds(value) and unread and not _metadata(value).tables:
            raise SourceError(f"{target} holds no tables; {len(unread)} of its package's modules fail: {unread[0]}")
        return _noting(from_object(value, name=name, source=target), unread)
    found, unread = _found(module)
    return _noting(from_object(found, name=name, source=target), unread)


def _noting(plan: Plan, unread: list[str]) -> Plan:
    """Return the plan with a word on each module that could not be asked for its tables."""
    if unread:
        plan.metadata.info["not_covered"] = (*plan.metadata.info.get("not_covered", ()), *unread)
    return plan


def _import_all(module: ModuleType) -> list[str]:
    """Import what defines tables in the package that a module belongs to; return what does not import."""
    package = (module.__package__ or "").partition(".")[0]
    return _failed(dict(modules.below(modules.load(package)))) if package else []


def _failed(inner: Mapping[str, ModuleType | SourceError]) -> list[str]:
    """Return what is to be said of the modules that do not import."""
    errors = [str(found) for found in inner.values() if isinstance(found, SourceError)]
    return [f"module {error.rpartition('; ')[0]}" for error in errors]


def attribute_of(module_name: str, attribute: str) -> Any:
    """Return an attribute of a module that is imported for it."""
    return _attribute(modules.load(module_name), attribute)


def from_object(value: Any, *, name: str, source: str) -> Plan:
    """Return the plan of a Plan, a MetaData, or anything with a `metadata` (a declarative base, a Flask `db`)."""
    if isinstance(value, Plan):
        return value
    metadata = value if isinstance(value, MetaData) else getattr(value, "metadata", None)
    if not isinstance(metadata, MetaData):
        raise SourceError(
            f"{source} is a {type(value).__name__}; a source is a MetaData, a declarative base, or a dbplan Plan"
        )
    if not metadata.tables:
        raise SourceError(f"{source} holds no tables; import the modules that define its models first")
    plan = Plan(name, metadata, source=source)
    plan.metadata.info["not_covered"] = (*plan.metadata.info.get("not_covered", ()), *_other_binds(value, metadata))
    return plan


def _other_binds(value: Any, metadata: MetaData) -> list[str]:
    """Return the tables that a Flask `db` keeps for other databases."""
    binds = getattr(value, "metadatas", None)
    if not isinstance(binds, dict):
        return []
    others = ((bind, m) for bind, m in binds.items() if isinstance(m, MetaData) and m is not metadata)
    return [f"table {table} of the bind {bind}" for bind, other in others for table in sorted(other.tables)]


def name_of(value: Any) -> str:
    """Return a name for a plan made of `value`."""
    return str(getattr(value, "__name__", None) or type(value).__name__).rpartition(".")[2].lower()


def _plan_name(module_name: str) -> str:
    path = Path(module_name)
    parts = [*path.parts[-2:-1], path.stem] if "/" in module_name or path.suffix == ".py" else module_name.split(".")
    if path.suffix == ".py" and path.stem not in ("models", "db", "database", "schema", "__init__"):
        return path.stem
    meaningful = [part for part in parts if part not in ("models", "db", "database", "schema", "__init__", ".", "/")]
    return (meaningful or parts)[-1]


def _attribute(module: ModuleType, path: str) -> Any:
    value: Any = module
    for part in path.split("."):
        if not hasattr(value, part):
            there = [name for name, held in vars(value).items() if isinstance(held, Plan) or _holds(held)]
            raise UnknownName("attribute", part, there, where=f'"{module.__name__}"', kinds="holders of tables there")
        value = getattr(value, part)
    return value


def _found(module: ModuleType) -> tuple[Any, list[str]]:
    """Return what holds the tables of a module, and the modules of its package that could not be asked."""
    first = _usual(module)
    if isinstance(first, Plan):
        return first, []
    inner = dict(modules.below(module))
    unread = _failed(inner)
    if first is not None and _metadata(first).tables:
        return first, unread
    held = _held(module)
    for found in inner.values() if not held else ():
        held |= _held(found) if isinstance(found, ModuleType) else {}
    by_model = sorted(held.items(), key=lambda item: not hasattr(item[1], "__table__"))  # a base outranks its models
    distinct = {id(_metadata(value)): name for name, value in by_model}
    if len(distinct) == 1:
        return held[next(iter(distinct.values()))], unread
    if first is not None and not distinct:
        return first, unread
    raise SourceError(_none_or_several(module, sorted(distinct.values()), unread))


def _usual(module: ModuleType) -> Any:
    values = (getattr(module, name, None) for name in _USUAL_NAMES)
    return next((value for value in values if isinstance(value, Plan) or _holds(value)), None)


def _held(module: ModuleType) -> dict[str, Any]:
    """Return what holds tables in a module, as `module:attribute` → value, whatever it is called."""
    values = ((name, value) for name, value in vars(module).items() if not name.startswith("_") and _holds(value))
    return {f"{module.__name__}:{name}": value for name, value in values if _metadata(value).tables}


def _none_or_several(module: ModuleType, several: list[str], unread: list[str]) -> str:
    name = module.__name__
    if several:
        return f'"{name}" has tables in {len(several)} places; name one: {", ".join(several)}'
    if name in sys.stdlib_module_names:
        return f'"{name}" is a module of Python itself; for a file of that name write {name}.py'
    empty = [held for held, value in vars(module).items() if _holds(value)]
    if empty:
        return f'"{name}:{empty[0]}" holds no tables; name the module or package that defines the models on it'
    more = f"; {len(unread)} of its modules fail, the first: {unread[0]}" if unread else ""
    usual = ", ".join(_USUAL_NAMES)
    return f'"{name}" has no {usual}; name the object that holds the tables: MODULE:ATTRIBUTE{more}'


def _metadata(value: Any) -> MetaData:
    held: MetaData = value if isinstance(value, MetaData) else value.metadata
    return held


def _holds(value: Any) -> bool:
    try:
        return isinstance(value, MetaData) or isinstance(getattr(value, "metadata", None), MetaData)
    except Exception:  # a stranger's proxy may refuse to be asked anything outside of a request
        return False
