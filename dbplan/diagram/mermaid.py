"""Mermaid: the diagram as text that GitHub, GitLab and JupyterLab draw."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Column, Table

from dbplan.diagram.boxes import key_marks
from dbplan.diagram.lettering import cut, printable
from dbplan.diagram.relations import Relation
from dbplan.diagram.wording import short_type_name

MOST_CHARACTERS = 50_000
MOST_EDGES = 500
"""What Mermaid draws by default; beyond either it shows an error instead."""

LONGEST_COMMENT = 80
_WORD = re.compile(r"[^0-9A-Za-z_\u00c0-\u1fff\u2c00-\ud7ff]+")
_TYPE = re.compile(r"[^0-9A-Za-z_()\[\]]+")
_KEYWORDS = frozenset(
    [
        *("accdescr", "acctitle", "class", "classdef", "direction", "end", "erdiagram", "fk", "many", "one", "only"),
        *("optionally", "pk", "style", "subgraph", "title", "to", "u", "uk", "zero"),
    ]
)


def mermaid(tables: Sequence[Table], relations: Sequence[Relation]) -> tuple[str, str]:
    """Return the erDiagram text, within what Mermaid draws, and a sentence on what was left out for that (or "")."""
    names = identifiers([table.key for table in tables])
    kept = relations[:MOST_EDGES]
    cuts = [f"{len(relations) - len(kept)} of {len(relations)} relations"] if len(kept) < len(relations) else []
    for keys_only, left_out in ((False, []), (True, ["columns that are no key"]), (None, ["all columns"])):
        text = _text(tables, kept, names, keys_only, [*cuts, *left_out])
        if len(text) <= MOST_CHARACTERS:
            return text, _said([*cuts, *left_out])
    fitting = MOST_CHARACTERS * len(tables) // len(text)
    chosen = tables[: fitting // 2]
    keys = {table.key for table in chosen}
    few = [relation for relation in kept if {relation.child, relation.parent} <= keys]
    rest = [f"{len(tables) - len(chosen)} of {len(tables)} tables", "all columns"]
    return _text(chosen, few, names, None, rest), _said(rest)


def _said(left_out: Sequence[str]) -> str:
    if not left_out:
        return ""
    limit = f"Mermaid draws {MOST_CHARACTERS:,} characters and {MOST_EDGES} relations at most"
    return f"{limit}; its text leaves out {' and '.join(left_out)}."


def _text(
    tables: Iterable[Table],
    relations: Iterable[Relation],
    names: Mapping[str, str],
    keys_only: bool | None,
    left_out: Sequence[str],
) -> str:
    lines = ["erDiagram"]
    lines += [f"    %% left out to stay within Mermaid's limits: {', '.join(left_out)}"] if left_out else []
    for table in tables:
        lines += _entity(table, names[table.key], keys_only)
    lines += [_edge(relation, names) for relation in relations]
    return "\n".join(lines) + "\n"


def _entity(table: Table, name: str, keys_only: bool | None) -> Iterator[str]:
    alias = f'["{_quoted(table.key)}"]' if name != table.key else ""
    marks = key_marks(table)
    columns = [column for column in table.columns if keys_only is False or (keys_only and marks[column.name])]
    if not columns:
        yield f"    {name}{alias}"
        return
    yield f"    {name}{alias} {{"
    attributes = identifiers([column.name for column in columns])
    for column in columns:
        yield f"        {_attribute(column, attributes[column.name], marks[column.name])}"
    yield "    }"


def _attribute(column: Column[object], name: str, marks: str) -> str:
    keys = ", ".join(mark.replace("U", "UK") for mark in marks.split())
    notes = [column.name] if name != column.name else []
    notes += ["or NULL"] if column.nullable and not column.primary_key else []
    notes += [column.comment] if column.comment else []
    comment = cut("; ".join(notes), LONGEST_COMMENT)
    words = [_type(short_type_name(column.type)), name, keys, f'"{_quoted(comment)}"' if comment else ""]
    return " ".join(word for word in words if word)


def _edge(relation: Relation, names: Mapping[str, str]) -> str:
    parent = "|o" if relation.optional else "||"
    child = "o|" if relation.single else "o{"
    label = _quoted(cut(", ".join(relation.columns), LONGEST_COMMENT))
    return f'    {names[relation.parent]} {parent}--{child} {names[relation.child]} : "{label}"'


def identifiers(names: Sequence[str]) -> dict[str, str]:
    """Return a word that Mermaid takes for each name: the name itself where it can be, and no word twice."""
    found: dict[str, str] = {}
    taken = {name.lower() for name in names if _plain(name) == name}
    for name in names:
        word = _plain(name)
        if word != name:
            number = 2
            base = word
            while word.lower() in taken:
                word, number = f"{base}_{number}", number + 1
            taken.add(word.lower())
        found[name] = word
    return found


def _plain(name: str) -> str:
    word = _WORD.sub("_", name).strip("_") if _WORD.search(name) else name
    if not word or word[0].isdigit() or word[0] == "_" or word.lower() in _KEYWORDS:
        word = f"t_{word.lstrip('_')}" if word[:1] != "_" or not word.strip("_") else f"t{word}"
    return word


def _type(name: str) -> str:
    word = _TYPE.sub("_", name).strip("_")
    return word if word[:1].isalpha() else f"t_{word}"


def _quoted(text: str) -> str:
    """Return text that can stand between double quotes: those, markup and Mermaid's own signs written as entities."""
    safe = printable(text).replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return safe.replace("%%", "%#37;").replace("\\", "#92;").replace("&", "#amp;")
