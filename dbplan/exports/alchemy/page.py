"""The module that is being written: its dialect, its imports, its names, and what it could not say."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum as PythonEnum
from functools import cache
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Table
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.python import Imports, Node, literal
from dbplan.exports.relations import Naming
from dbplan.plan import Plan

_SILENT = re.compile(r"\bNULLS DISTINCT\b|\bUSING btree\b|[\s\"]")


@dataclass
class Page:
    """One module in the making.

    `enums` are the Python enums that it writes, by class; `variables` the names of its Core tables, by table key;
    `shared` the types that several columns have, by their text; `metadata` is how it calls its MetaData.
    """

    plan: Plan
    rule: str
    dialect: Dialect
    imports: Imports
    naming: Naming
    enums: dict[type[PythonEnum], str]
    variables: dict[str, str]
    metadata: str
    conventions: dict[str, str]
    unsaid: frozenset[str] = frozenset()
    """Words of `.info` that are not written: the module says them in another way."""
    native: list[Any] | None = None
    """Constraints and indexes that only their server has words for, where the module is to say them by events."""
    shared: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=dict)
    lost: list[Finding] = field(default_factory=list)

    def sa(self, name: str) -> str:
        """Return what a name of SQLAlchemy is called in the module."""
        return self.imports.name("sqlalchemy", name)

    def sa_name(self, name: str) -> str:
        """Return what a name of sqlalchemy.schema is called in the module."""
        return self.imports.name("sqlalchemy.schema", name)

    def free(self, name: str) -> str:
        """Return the name, or the first with a number, that nothing in the module has; it is taken then."""
        return self.imports.reserve(name)

    def lose(self, place: Place, message: str) -> None:
        """Note what the module does not say."""
        self.lost.append(Finding(self.rule, Severity.NOTE, place, message))

    def is_native(self, thing: Any) -> bool:
        """Say whether a constraint or index has a definition that says more than SQLAlchemy's own DDL."""
        definition = thing.info.get("definition")
        if definition is None:
            return False
        said, written = _bare(str(definition)), _bare(self._written(thing))
        if isinstance(thing, ForeignKeyConstraint):  # whose actions come in any order
            return sorted(said) != sorted(written)
        return said != written

    def _written(self, thing: Any) -> str:
        try:
            if isinstance(thing, Index):
                return str(CreateIndex(thing).compile(dialect=self.dialect))
            compiler: Any = self.dialect.ddl_compiler(self.dialect, None)  # type: ignore[arg-type]
            return re.sub(r"^CONSTRAINT (?:\"(?:[^\"]|\"\")*\"|\S+) ", "", str(compiler.process(thing)))
        except SQLAlchemyError:
            return ""

    def takes(self, thing: Any) -> bool:
        """Take a constraint or index that only its server has words for, where the module says such by events."""
        options = getattr(thing, "dialect_options", {})
        late = not isinstance(thing, Index) and "postgresql" in options and options["postgresql"].get("not_valid")
        if self.native is None or not (self.is_native(thing) or late):
            return False
        self.native.append(thing)
        return True

    def quote(self, name: Any) -> Node | None:
        """Return whether a name is to be quoted, where somebody has said so."""
        said = getattr(name, "quote", None)
        return None if said is None else repr(said)

    def information(self, place: Place, info: Mapping[Any, Any], said: frozenset[str] = frozenset()) -> Node | None:
        """Return `.info` without what is `said` already; what is no plain value in it is not written, and noted."""
        kept: dict[Any, Any] = {}
        for key, value in info.items():
            if key in said or key in self.unsaid:
                continue
            if literal(key) is None or literal(value) is None:
                self.lose(place, f"its info {key!r} is a {type(value).__name__} and no plain value: it is not written")
            elif key != "not_covered" or value:
                kept[key] = value
        return literal(kept) if kept else None

    def is_class(self, table: Table) -> bool:
        """Say whether a table is a class: a mapper wants a primary key."""
        return table.key not in self.variables


def _bare(sql: str) -> str:
    """Return a definition without what says nothing."""
    return _SILENT.sub("", sql)


def unescaped(name: str) -> Dialect:
    """Return SQLAlchemy's own dialect of that name, with percent signs as they are."""
    url = URL.create("postgresql+psycopg" if name in ("postgresql", "cockroachdb") else name)
    known: Any = url.get_dialect()
    made: Dialect = known(paramstyle="named")
    return made


def home(thing: Any) -> tuple[str, str] | None:
    """Return the public module from which a class or function can be imported, and its name there."""
    name, module = getattr(thing, "__name__", ""), getattr(thing, "__module__", None) or ""
    for place in (*_parents(module), module) if module.startswith("sqlalchemy") else (module,):
        if _is_public(place) and getattr(sys.modules.get(place), name, None) is thing:
            return place, name
    return None


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts)))


@cache
def _is_public(module: str) -> bool:
    if module == "__main__" or any(part.startswith("_") for part in module.split(".")):
        return False
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def imported(page: Page, thing: Any) -> Node | None:
    """Return the name of a class or function in the module; None where it cannot be imported."""
    if getattr(thing, "__module__", "") == "builtins":
        return str(thing.__name__)
    found = home(thing)
    return page.imports.name(*found) if found else None
