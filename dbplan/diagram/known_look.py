"""The known look: the same tables and relations as eralchemy2 draws them, for those who know its pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from importlib import import_module
from types import ModuleType
from typing import Any

from sqlalchemy import Column, Table

from dbplan.diagram.lettering import printable
from dbplan.diagram.relations import Relation
from dbplan.diagram.wording import short_type_name
from dbplan.errors import NotCovered

DEBIAN = "libglib2.0-0 libx11-6 libxrender1 libxext6"
LIMITS = (
    "Drawn by eralchemy2: enum members, unique keys, indexes, comments and planned rows are not in its pictures, "
    "letters of a column's name other than A to Z may show as _, and its boxes are as wide as this host's fonts."
)


def draw(tables: Sequence[Table], relations: Sequence[Relation]) -> tuple[str, dict[str, str]]:
    """Return the picture as SVG text and its sources by suffix (`er` markup, `dot`).

    Cardinalities are dbplan's own; eralchemy2 would draw a nullable unique foreign key as exactly one.
    Raises NotCovered when eralchemy2 or what it stands on is not installed.
    """
    main, models = _eralchemy2()
    dot = main._intermediary_to_dot(*_model(models, tables, relations, _in_html), "")
    markup = main._intermediary_to_markdown(*_model(models, tables, relations, printable))
    return _svg(dot), {"er": f"{markup}\n", "dot": f"{dot}\n"}


def _model(
    models: ModuleType, tables: Sequence[Table], relations: Sequence[Relation], spell: Callable[[str], str]
) -> tuple[list[Any], list[Any]]:
    """Return the tables and relations as eralchemy2's own objects, sorted: it would draw them in any order."""
    boxes = [models.Table(spell(table.key), [_column(models, c, spell) for c in table.columns]) for table in tables]
    ends = [("?" if r.single else "*", "?" if r.optional else "1") for r in relations]
    pairs = zip(relations, ends, strict=True)
    return boxes, [models.Relation(spell(r.child), spell(r.parent), child, parent) for r, (child, parent) in pairs]


def _column(models: ModuleType, column: Column[Any], spell: Callable[[str], str]) -> Any:
    kind = spell(short_type_name(column.type))
    return models.Column(spell(column.name), kind, bool(column.primary_key), bool(column.nullable))


def _eralchemy2() -> tuple[ModuleType, ModuleType]:
    try:
        from eralchemy2 import main, models
    except ModuleNotFoundError as error:
        raise NotCovered(
            f"the eralchemy2 look needs {error.name}, which is not installed; pip install 'dbplan[workbook]', "
            "or leave out look= for dbplan's own drawing"
        ) from error
    except ImportError as error:
        raise NotCovered(
            f"eralchemy2 cannot load Graphviz ({error}); on Debian: apt-get install {DEBIAN}, "
            "or leave out look= for dbplan's own drawing"
        ) from error
    return main, models


def _svg(dot: str) -> str:
    pygraphviz = import_module("pygraphviz")
    with _quiet():
        drawn = pygraphviz.AGraph(string=dot).draw(format="svg", prog="dot")
    text = str(drawn.decode() if isinstance(drawn, bytes) else drawn)
    return text[text.index("<svg") :].rstrip() + "\n"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep fontconfig's complaints, which it writes past Python, off the screen and out of notebooks."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 — a device, not a path to build on
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _in_html(text: str) -> str:
    """Escape what eralchemy2 pastes into HTML labels and quoted names as it is."""
    return escape(printable(text), quote=True).replace("\\", "&#92;")
