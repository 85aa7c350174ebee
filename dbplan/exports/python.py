"""Python text: literals, calls and imports, laid out as Black and `ruff format` leave them at 88 columns."""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

WIDTH = 88
"""Black's and ruff's own line length: what both leave alone in a project that sets none."""

_STEP = 4
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Text:
    """A string literal; it is cut at spaces where it does not fit into a line."""

    value: str


@dataclass(frozen=True)
class Group:
    """What stands in brackets: `head(items)tail`, one item a line where they do not fit."""

    head: str
    items: tuple[Node, ...]
    brackets: str = "()"
    tail: str = ""


@dataclass(frozen=True)
class Named:
    """`name=value` in a call, `"key": value` in a dict; `name` has its sign."""

    name: str
    value: Node


@dataclass(frozen=True)
class Joined:
    """Operands with one operator between them, each of which is no such thing itself or stands in brackets."""

    operator: str
    items: tuple[Node, ...]


Node = str | Text | Group | Named | Joined


def call(name: str, /, *items: Node, **named: Node | None) -> Group:
    """Return a call; keywords of None are left out."""
    given = (Named(f"{key}=", value) for key, value in named.items() if value is not None)
    return Group(name, (*items, *given))


def listed(items: Iterable[Node]) -> Group:
    """Return a list."""
    return Group("", tuple(items), "[]")


def mapped(items: Mapping[str, Node]) -> Group:
    """Return a dict with texts as keys."""
    return Group("", tuple(Named(f"{quoted(key)}: ", value) for key, value in items.items()), "{}")


def literal(value: Any) -> Node | None:
    """Return a plain value as Python writes it; None for what is no plain value."""
    if isinstance(value, bool | int | type(None)) and type(value) in (bool, int, type(None)):
        return repr(value)
    if type(value) is float:
        return repr(value) if value == value and abs(value) != float("inf") else f'float("{value}")'
    if type(value) is bytes:
        return repr(value) if "'" in repr(value)[2:-1] else f'b"{repr(value)[2:-1]}"'
    if isinstance(value, str):
        return Text(str(value))
    if isinstance(value, tuple | list | dict):
        return _container(value)
    return None


def _container(value: Any) -> Group | None:
    inner = list(value.values()) if isinstance(value, dict) else list(value)
    items = [literal(item) for item in inner]
    keys = [literal(key) for key in value] if isinstance(value, dict) else []
    if None in items or None in keys:
        return None
    if isinstance(value, dict):
        return Group("", tuple(Named(f"{flat(k)}: ", v) for k, v in zip(keys, items, strict=True)), "{}")  # type: ignore[arg-type]
    return Group("", tuple(items), "()" if isinstance(value, tuple) else "[]")  # type: ignore[arg-type]


def quoted(text: str) -> str:
    """Return a string literal as `ruff format` quotes it: double quotes, unless single ones save escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    escapes = _ESCAPES | {quote: f"\\{quote}"}
    return quote + "".join(escapes.get(sign) or _printed(sign) for sign in text) + quote


def _printed(sign: str) -> str:
    return sign if sign.isprintable() else repr(sign)[1:-1]


def flat(node: Node) -> str:
    """Return a node in one line."""
    if isinstance(node, str):
        return node
    if isinstance(node, Text):
        return quoted(node.value)
    if isinstance(node, Named):
        return node.name + flat(node.value)
    if isinstance(node, Joined):
        operands = (f"({flat(one)})" if isinstance(one, Joined) else flat(one) for one in node.items)
        return f" {node.operator} ".join(operands)
    inner = ", ".join(map(flat, node.items)) + ("," if _is_single(node) else "")
    return f"{node.head}{node.brackets[0]}{inner}{node.brackets[1]}{node.tail}"


def _is_single(node: Group) -> bool:
    return node.brackets == "()" and not node.head and len(node.items) == 1


def shown(node: Node, indent: int = 0, before: str = "", after: str = "") -> str:
    """Return a node that starts at `indent` behind `before`, over as many lines as it wants."""
    text = f"{before}{flat(node)}{after}"
    if indent + wide(text) <= WIDTH or isinstance(node, str):
        return text
    if isinstance(node, Named):
        return shown(node.value, indent, before + node.name, after)
    if isinstance(node, Text):
        return _cut(node, indent, before, after)
    if isinstance(node, Joined):
        return _joined(node, indent, before, after)
    inner = " " * (indent + _STEP)
    if len(node.items) == 1 and isinstance(node.items[0], Text) and node.head:
        lines = [f"{inner}{line}" for line in _pieces(node.items[0].value, indent + _STEP)]
        lines[-1] += "," if len(lines) == 1 and wide(lines[0]) != WIDTH else ""
    else:
        lines = [inner + shown(item, indent + _STEP, "", ",") for item in node.items]
    body = "\n".join(lines)
    return f"{before}{node.head}{node.brackets[0]}\n{body}\n{' ' * indent}{node.brackets[1]}{node.tail}{after}"


def assigned(target: str, node: Node, indent: int = _STEP) -> str:
    """Return `target = node` at an indent; in parentheses where the target leaves no room for the call."""
    lead = " " * indent
    head = node.head if isinstance(node, Group) else ""
    if not isinstance(node, Group) or indent + wide(f"{target} = {head}(") <= WIDTH:
        return lead + shown(node, indent, f"{target} = ")
    inner = shown(node, indent + _STEP)
    return f"{lead}{target} = (\n{lead}{' ' * _STEP}{inner}\n{lead})"


def _joined(node: Joined, indent: int, before: str, after: str) -> str:
    """Return operands in parentheses, one a line behind its operator."""
    inner = " " * (indent + _STEP)
    if indent + _STEP + wide(flat(node)) <= WIDTH:
        return f"{before}(\n{inner}{flat(node)}\n{' ' * indent}){after}"
    lines = []
    for place, item in enumerate(node.items):
        lead = f"{node.operator} " if place else ""
        nested = isinstance(item, Joined) and indent + _STEP + wide(f"{lead}({flat(item)})") <= WIDTH
        lines.append(inner + (f"{lead}({flat(item)})" if nested else shown(item, indent + _STEP, lead)))
    body = "\n".join(lines)
    return f"{before}(\n{body}\n{' ' * indent}){after}"


def _cut(node: Text, indent: int, before: str, after: str) -> str:
    """Return a long text in parentheses, a line for each part of it."""
    pieces = _pieces(node.value, indent + _STEP)
    if len(pieces) == 1 and indent + _STEP + wide(pieces[0]) > WIDTH:
        return f"{before}{pieces[0]}{after}"
    if not before and len(pieces) == 1:
        return f"{pieces[0]}{after}"
    inner = "".join(f"{' ' * (indent + _STEP)}{piece}\n" for piece in pieces)
    return f"{before}(\n{inner}{' ' * indent}){after}"


def _pieces(text: str, indent: int) -> list[str]:
    """Return the literals that a text is cut into: after each of its lines, and at spaces within."""
    room, found, piece = WIDTH - indent, [], ""
    for word in re.findall(r"[^ \n]*[ \n]|[^ \n]+", text):
        if piece and (piece.endswith("\n") or wide(quoted(piece + word)) > room):
            found.append(piece)
            piece = ""
        piece += word
    return [quoted(part) for part in (*found, piece)]


def wide(text: str) -> int:
    """Return the columns that the longest line of a text takes; East Asian letters take two."""
    return max(
        (sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line) for line in text.split("\n")),
        default=0,
    )


def docstring(text: str, indent: int = _STEP) -> str:
    """Return a docstring of a text, as sentences in lines that fit."""
    words = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    words = "".join(_printed(sign) for sign in words)
    words += "" if not words or words[-1] in ".!?" else " ." if words.endswith('"') else "."
    lead = " " * indent
    if indent + wide(words) + 6 <= WIDTH:
        return f'{lead}"""{words}"""'
    lines = textwrap.wrap(words, WIDTH - indent - 3, break_long_words=False, break_on_hyphens=False)
    if len(lines) == 1:
        return f'{lead}"""{lines[0]}"""'
    return f'{lead}"""' + f"\n{lead}".join(lines) + f'\n{lead}"""'


class Imports:
    """What a module imports; a name that the module needs for itself is imported under another one."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._owner: dict[str, tuple[str, str]] = dict.fromkeys(taken, ("", ""))
        self._local: dict[tuple[str, str], str] = {}

    def name(self, module: str, name: str) -> str:
        """Return what `name` of `module` is called here."""
        return self._called(module, name, name)

    def module(self, module: str, alias: str = "") -> str:
        """Return what a module is called here."""
        return self._called(module, "", alias or module)

    def avoid(self, names: Iterable[str]) -> None:
        """Import nothing under these names from now on."""
        for name in names:
            self._owner.setdefault(name, ("", ""))

    def reserve(self, name: str) -> str:
        """Return the name, or the first with a number, that nothing has; nothing is imported under it."""
        found = next(
            free for free in chain((name,), (f"{name}_{number}" for number in count(2))) if free not in self._owner
        )
        self._owner[found] = ("", "")
        return found

    def _called(self, module: str, name: str, wanted: str) -> str:
        key = (module, name)
        if key not in self._local:
            part = module.rpartition(".")[2]
            other = f"{part.title()}{wanted}" if wanted[:1].isupper() else f"{part}_{wanted}"
            while wanted in self._owner:
                wanted, other = other, f"{other}_"
            self._local[key] = wanted
            self._owner[wanted] = key
        return self._local[key]

    def text(self, body: str) -> str:
        """Return the import statements that `body` needs, sorted as `ruff check --select I` wants them."""
        used = names_in(body)
        self._local = {key: local for key, local in self._local.items() if local in used}
        sections: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for module in sorted({module for module, _ in self._local}, key=str.lower):
            sections[_section(module.partition(".")[0])].extend(self._lines(module))
        blocks = ["\n".join(line for _, line in sorted(lines)) for _, lines in sorted(sections.items())]
        return "\n\n".join(blocks)

    def _lines(self, module: str) -> list[tuple[str, str]]:
        """Return the statements for one module, each with what it is sorted by."""
        given = {name: local for (owner, name), local in self._local.items() if owner == module}
        alias = given.pop("", None)
        plain = sorted((name for name, local in given.items() if name == local), key=_rank)
        others = [(name, local) for name, local in given.items() if name != local]
        named = [(_rank(plain[0]), _from(module, plain))] if plain else []
        named += [(_rank(name), f"from {module} import {name} as {local}") for name, local in others]
        found = [(f"1{module.lower()} {place:03}", line) for place, (_, line) in enumerate(sorted(named))]
        if alias is not None:
            found.append((f"0{module.lower()}", f"import {module}" + (f" as {alias}" if alias != module else "")))
        return found


def _section(package: str) -> int:
    """Return where a package is imported: after Python's own come others' packages, then those of the project."""
    if package in sys.stdlib_module_names:
        return 0
    origin = str(getattr(getattr(sys.modules.get(package), "__spec__", None), "origin", None) or "site-packages")
    return 1 if "site-packages" in origin or package == __name__.partition(".")[0] else 2


def names_in(body: str) -> set[str]:
    """Return the names that Python text speaks of."""
    return {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}


def _rank(name: str) -> tuple[int, str]:
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


def _from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if wide(line) <= WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
