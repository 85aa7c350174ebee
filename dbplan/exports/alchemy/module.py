"""A module as a whole: its names before anything is written, its parts put together after."""

from __future__ import annotations

import builtins
import unicodedata
from collections.abc import Callable
from keyword import iskeyword
from typing import Any

from sqlalchemy import Sequence, Table

from dbplan.exports.alchemy import columns, enums, filling
from dbplan.exports.alchemy.conventions import conventions
from dbplan.exports.alchemy.page import Page, unescaped
from dbplan.exports.python import Imports, docstring, names_in, shown
from dbplan.exports.relations import Naming, naming, snake
from dbplan.plan import Plan

_OWN = filling.NAMES | {"Base", "values", "ServerType", "JsonText", "annotations"}
_KINDS = frozenset({"int", "str", "bool", "float", "bytes", "list", "dict", "type", "object"})


def named_page(plan: Plan, dialect: str, rule: str, reserved: frozenset[str], metadata: str) -> Page:
    """Return the page of a plan, with every name that classes, attributes and tables have."""
    written = enums.classes(plan)
    taken = reserved | _OWN | _KINDS | frozenset(written.values())
    names = _naming(plan, taken)
    words = {*taken, *names.classes.values(), *names.fields.values()}
    words |= {name for relation in names.relations for name in (relation.name, relation.back)}
    imports = Imports(words | set(dir(builtins)))
    variables = {
        table.key: imports.reserve(attribute(frozenset())(table.name)) for table in plan.tables if not _is_class(table)
    }
    known = conventions(plan.metadata)
    return Page(plan, rule, unescaped(dialect), imports, names, written, variables, metadata, known)


def _naming(plan: Plan, reserved: frozenset[str]) -> Naming:
    """Name twice: no attribute is called as a class is, or annotations would take one for the other."""
    first = naming(plan, attribute(reserved), reserved)
    return naming(plan, attribute(reserved | frozenset(first.classes.values())), reserved)


def attribute(reserved: frozenset[str], ending: str = "_") -> Callable[[str], str]:
    """Return how names become attributes: as Python reads them, and with `ending` where a word has a meaning."""

    def style(text: str) -> str:
        name = unicodedata.normalize("NFKC", snake(text))
        name = "".join(sign for sign in name if f"a{sign}".isidentifier()) or "field"
        name = name if name.isidentifier() else f"n{name}"
        return name + ending if name in reserved or iskeyword(name) else name

    return style


def _is_class(table: Table) -> bool:
    """Say whether a mapper can have the table: it has a primary key, and is no view."""
    return bool(len(table.primary_key.columns)) and not table.info.get("is_view")


def sequences(page: Page) -> list[str]:
    """Return the sequences that hang on no column, as statements."""
    of_columns = {
        (made.schema, made.name)
        for table in page.plan.tables
        for column in table.columns
        if isinstance(made := column.default, Sequence)
    }
    everything: dict[str, Any] = page.plan.metadata._sequences  # SQLAlchemy has no public list of them
    alone = [found for found in everything.values() if (found.schema, found.name) not in of_columns]
    lines = [shown(columns.sequence(page, found, metadata=page.metadata)) for found in alone]
    return ["\n".join(lines)] if lines else []


def module(page: Page, blocks: list[str], *, future: bool) -> str:
    """Return the text of a module: what it is, its imports, its helpers and enums, then its tables."""
    own = [enums.written(page.imports, enum, name) for enum, name in page.enums.items()]
    used = names_in("\n".join(blocks))
    used |= names_in("\n".join(text for name, text in page.helpers.items() if name in used))  # which use each other
    helpers = [page.helpers[name] for name in sorted(page.helpers) if name in used]
    body = "\n\n\n".join([*helpers, *own, *blocks])
    told = docstring(page.plan.summary or f"The tables of {page.plan.name}", 0)
    head = [told, *(["from __future__ import annotations"] if future else []), page.imports.text(body)]
    gap = "\n\n\n" if body.startswith(("class ", "def ")) else "\n\n"  # as isort has it
    return "\n\n".join(head) + f"{gap}{body}\n"
