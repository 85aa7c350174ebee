"""Modules of strangers: imported by name or by file, without their noise, and in one line where that fails."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType

from dbplan.errors import DbplanError, SourceError
from dbplan.sources import environment

_NO_MODELS = frozenset({"tests", "test", "conftest", "migrations", "alembic", "versions", "__main__"})
_DEFINES_TABLES = re.compile(r"\b(?:mapped_column|Column|Table)\(|\b__tablename__\b|\btable=True\b")


def load(name: str) -> ModuleType:
    """Return the module of that dotted name, of that file, or the package of that folder.

    What it prints goes to stderr; its warnings are not ours to show.
    Raises SourceError in one line for whatever the module raises.
    """
    current_folder_counts()
    path = Path(name)
    try:
        with _quiet():
            if name.endswith(".py"):
                return _load_file(path)
            return importlib.import_module(_dotted(path) if is_package(name) and "/" in name else name)
    except DbplanError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise SourceError(f'no module "{name}" can be imported from here; is its folder on PYTHONPATH?') from None
        raise SourceError(_told(name, error)) from None
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        raise SourceError(_told(name, error)) from None


def below(package: ModuleType) -> Iterator[tuple[str, ModuleType | SourceError]]:
    """Yield the modules of a package that look as if they define tables, with the error of one that does not import.

    No other is imported: what a stranger's module does when it is imported may be more than defining things.
    """
    for folder in map(Path, getattr(package, "__path__", ())):
        for path in sorted(folder.rglob("*.py")):
            inner = path.relative_to(folder).with_suffix("").parts
            parts = inner[:-1] if inner[-1] == "__init__" else inner
            if not parts or not _NO_MODELS.isdisjoint(parts) or not all(part.isidentifier() for part in parts):
                continue
            if not _DEFINES_TABLES.search(path.read_text("utf-8", errors="replace")):
                continue
            name = ".".join((package.__name__, *parts))
            try:
                yield name, load(name)
            except SourceError as error:
                yield name, error


def importable(name: str) -> bool:
    """Say whether `name` is a module that could be imported from here, without importing it."""
    if not all(part.isidentifier() for part in name.split(".")):
        return False
    current_folder_counts()
    try:
        with _quiet():
            return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
    except (Exception, SystemExit):  # its package is imported for the search; importing it again will say what it says
        return True


def is_package(text: str) -> bool:
    """Say whether `text` is a folder that Python imports as a package."""
    return (Path(text) / "__init__.py").is_file()


def current_folder_counts() -> None:
    """Let modules of the current folder be imported, as `python -m` does."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)


@contextmanager
def _quiet() -> Iterator[None]:
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise SourceError(f'no file "{path}"; give the path of a Python module with SQLAlchemy models')
    if is_package(str(path.parent)):
        return importlib.import_module(_dotted(path))
    spec = importlib.util.spec_from_file_location(_free_name(path), path)
    if spec is None or spec.loader is None:
        raise SourceError(f'"{path}" cannot be loaded as a Python module')
    if str(path.parent.resolve()) not in sys.path:
        sys.path.append(str(path.parent.resolve()))  # its siblings, as when it is run
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _dotted(path: Path) -> str:
    """Return the name under which a file or folder inside packages is imported, with their root made importable."""
    full = path.resolve()
    parts = [full.stem] if full.stem != "__init__" else []
    folder = full.parent
    while is_package(str(folder)):
        parts.insert(0, folder.name)
        folder = folder.parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return ".".join(parts)


def _free_name(path: Path) -> str:
    """Return the file's own name, unless another module has it: Python's own above all."""
    taken = path.stem in sys.stdlib_module_names or path.stem in sys.modules
    return f"{path.stem}_of_{path.parent.resolve().name or 'root'}" if taken else path.stem


def _told(name: str, error: BaseException) -> str:
    own = [f for f in traceback.extract_tb(error.__traceback__) if not _is_machinery(f.filename)]
    theirs = [f for f in own if "site-packages" not in f.filename] or own
    where = f" at {Path(theirs[-1].filename).name}:{theirs[-1].lineno}" if theirs else ""
    if isinstance(error, SyntaxError):
        where = f" at {Path(error.filename or name).name}:{error.lineno}"
    if isinstance(error, KeyError) and error.args and _asked_environment(error):
        wanted = environment.missing(Path(theirs[-1].filename), str(error.args[0]))
        several = "variables" if len(wanted) > 1 else "variable"
        return (
            f'"{name}" wants the environment {several} {", ".join(wanted)}{where}; set {_them(wanted)}, then try again'
        )
    if wanted := environment.of_settings(error):
        return f'"{name}" wants settings{where}: {", ".join(wanted)}; set {_them(wanted)}, then try again'
    return f'"{name}" does not import: {_said(error)}{where}; mend that, then try again'


def _them(wanted: list[str]) -> str:
    return "them" if len(wanted) > 1 else "it"


def _asked_environment(error: KeyError) -> bool:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return last.name == "__getitem__" and last.filename in ("<frozen os>", os.__file__)


def _is_machinery(filename: str) -> bool:
    return filename == __file__ or filename.startswith("<frozen") or "importlib" in filename


def _said(error: BaseException) -> str:
    """Return an error in one line; settings that are missing or wrong by name, and never with their values."""
    details = getattr(error, "errors", None)
    if callable(details):
        try:
            named = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in details()]
        except (TypeError, KeyError):
            named = []
        if named:
            return f"{type(error).__name__}: {'; '.join(named)}"
    return f"{type(error).__name__}: {error}".rstrip(": ").splitlines()[0]
