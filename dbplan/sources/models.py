"""Plans from SQLAlchemy models: a module, one of its attributes, or the object itself."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import MetaData

from dbplan.errors import DbplanError, SourceError, UnknownName
from dbplan.plan import Plan

_USUAL_NAMES = ("PLAN", "plan", "metadata", "Base", "db")


def load(target: str) -> Plan:
    """Return the plan of `module:attr`, `module`, `file.py:attr` or `file.py`."""
    module_name, _, attribute = target.rpartition(":") if ":" in target else (target, "", "")
    module = _import(module_name)
    found = _attribute(module, attribute) if attribute else _usual(module)
    return from_object(found, name=_plan_name(module_name), source=target)


def attribute_of(module_name: str, attribute: str) -> Any:
    """Return an attribute of a module that is imported for it."""
    return _attribute(_import(module_name), attribute)


def importable(name: str) -> bool:
    """Say whether `name` is a module that could be imported from here, without importing it."""
    if not all(part.isidentifier() for part in name.split(".")):
        return False
    _current_folder_counts()
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


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
    return Plan(name, metadata, source=source)


def name_of(value: Any) -> str:
    """Return a name for a plan made of `value`."""
    return str(getattr(value, "__name__", None) or type(value).__name__).rpartition(".")[2].lower()


def _plan_name(module_name: str) -> str:
    parts = Path(module_name).stem.split(".") if module_name.endswith(".py") else module_name.split(".")
    meaningful = [part for part in parts if part not in ("models", "db", "database", "schema")]
    return (meaningful or parts)[-1]


def _import(name: str) -> ModuleType:
    _current_folder_counts()
    try:
        return _import_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except DbplanError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise SourceError(f'no module "{name}" can be imported from here; is its folder on PYTHONPATH?') from None
        raise SourceError(_told(name, error)) from None
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        raise SourceError(_told(name, error)) from None


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise SourceError(f'no file "{path}"; give the path of a Python module with SQLAlchemy models')
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SourceError(f'"{path}" cannot be loaded as a Python module')
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def _told(name: str, error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    own = [f for f in frames if f.filename != __file__]
    where = f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    if isinstance(error, SyntaxError):
        where = f" at {Path(error.filename or name).name}:{error.lineno}"
    said = f"{type(error).__name__}: {error}".rstrip(": ").splitlines()[0]
    return f'"{name}" does not import: {said}{where}; mend that, then try again'


def _attribute(module: ModuleType, path: str) -> Any:
    value: Any = module
    for part in path.split("."):
        if not hasattr(value, part):
            there = [n for n, v in vars(value).items() if isinstance(v, Plan | MetaData) or _has_metadata(v)]
            raise UnknownName("attribute", part, there, where=f'"{module.__name__}"', kinds="what holds tables there")
        value = getattr(value, part)
    return value


def _usual(module: ModuleType) -> Any:
    for name in _USUAL_NAMES:
        value = getattr(module, name, None)
        if isinstance(value, Plan | MetaData) or _has_metadata(value):
            return value
    held = {id(_metadata(v)): v for v in vars(module).values() if _has_metadata(v) and _metadata(v).tables}
    if len(held) == 1:
        return next(iter(held.values()))
    raise SourceError(
        f'"{module.__name__}" has no {", ".join(_USUAL_NAMES)}; name the object that holds the tables: MODULE:ATTRIBUTE'
    )


def _metadata(value: Any) -> MetaData:
    return value if isinstance(value, MetaData) else value.metadata


def _has_metadata(value: Any) -> bool:
    return isinstance(value, MetaData) or isinstance(getattr(value, "metadata", None), MetaData)


def _current_folder_counts() -> None:
    """Let modules of the current folder be imported, as `python -m` does."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
