"""Sending: plans on their way to another process, with the lambdas and modules that only this one has."""

from __future__ import annotations

import io
import os
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

import cloudpickle
from sqlalchemy import ColumnDefault
from sqlalchemy.sql import schema

from dbplan.errors import NotCovered


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """A pickler that also knows read-only mappings, defaults that SQLAlchemy has wrapped in a function, and mappers."""

    def reducer_override(self, thing: Any) -> Any:
        """Return how a thing is pickled, as `pickle` asks."""
        if isinstance(thing, MappingProxyType):
            return MappingProxyType, (dict(thing),)
        if type(thing).__module__ == "sqlalchemy.orm.mapper":
            return str, (f"the mapper of {thing.class_.__name__}",)  # an annotation that no table needs
        if isinstance(thing, FunctionType) and thing.__code__.co_filename == schema.__file__:
            wrapped = getattr(thing, "__wrapped__", None)
            if wrapped is not None:
                return _default, (wrapped,)
        return super().reducer_override(thing)


def _default(wrapped: Callable[..., Any]) -> Any:
    made: Any = ColumnDefault(wrapped)
    return made.arg


def pickled(thing: Any, what: str) -> bytes:
    """Return anything as bytes that `pickle.loads` reads in another process, where cloudpickle is installed.

    Modules of the user travel with it, for a worker elsewhere could not import them. Raises NotCovered, which names
    `what` it was.
    """
    try:
        with _travelling(_own_modules()):
            return _dumped(thing)
    except Exception:  # a module of the user may hold what nobody can send
        try:
            return _dumped(thing)
        except Exception as error:
            said = " ".join(str(error).split())
            raise NotCovered(f"{what} cannot be sent to workers: {said}; run it without them") from None


def _dumped(thing: Any) -> bytes:
    out = io.BytesIO()
    _Pickler(out).dump(thing)
    return out.getvalue()


def _own_modules() -> list[ModuleType]:
    """Return the modules that are neither Python's, nor installed, nor dbplan's."""
    installed = (site.getusersitepackages(), *site.getsitepackages(), *sysconfig.get_paths().values())
    known = tuple(f"{Path(folder).resolve()}{os.sep}" for folder in (*installed, str(Path(__file__).parents[2])))
    placed = [(module, str(getattr(module, "__file__", None) or "")) for module in sys.modules.copy().values()]
    return [module for module, file in placed if file and not str(Path(file).resolve()).startswith(known)]


@contextmanager
def _travelling(modules: list[ModuleType]) -> Iterator[None]:
    before = cloudpickle.list_registry_pickle_by_value()
    added = [m for m in modules if m.__name__ not in before and sys.modules.get(m.__name__) is m]
    for module in added:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)
