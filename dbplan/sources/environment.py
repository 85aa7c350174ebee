"""Environment variables that a stranger's module asks for and does not find, by name."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path


def missing(path: Path, first: str) -> list[str]:
    """Return the variables that a module cannot do without and that are not set: the one that failed, then the others.

    They are read from its source: `os.environ["NAME"]`, whatever `os` and `environ` are called there.
    """
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return [first]
    return list(dict.fromkeys((first, *(name for name in _asked(tree) if name not in os.environ))))


def _asked(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(
                value=ast.Attribute(attr="environ") | ast.Name(id="environ"), slice=ast.Constant(str(name))
            ):
                yield name


def of_settings(error: BaseException) -> list[str]:
    """Return the variables that a pydantic settings class misses, with its prefix; [] for every other error."""
    told = getattr(error, "errors", None)
    kind = getattr(error, "title", None)
    if not callable(told) or not isinstance(kind, str):
        return []
    try:
        absent = [str(one["loc"][0]) for one in told() if one["type"] == "missing" and len(one["loc"]) == 1]
    except (TypeError, KeyError, IndexError):
        return []
    prefix = next((p for c in _settings_classes() if c.__name__ == kind and (p := _prefix(c)) is not None), None)
    return [] if prefix is None else [f"{prefix}{name}".upper() for name in absent]


def _settings_classes() -> Iterator[type]:
    from pydantic_settings import BaseSettings

    waiting: list[type] = [BaseSettings]
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        yield found


def _prefix(settings: type) -> str | None:
    config = getattr(settings, "model_config", None)
    return str(config.get("env_prefix", "")) if isinstance(config, dict) else None
