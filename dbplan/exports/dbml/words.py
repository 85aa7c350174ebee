"""DBML's words: names, texts, expressions, types and defaults as its parser reads them back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dbplan.exports.facts import Default, SqlType

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\(\d+(?:, ?\d+)*\))?(?:\[\d*\])*")
_WORDS = """
project table tablegroup tablepartial enum ref note indexes checks records diagramview dep as null true false
"""
_KEYWORDS = frozenset(_WORDS.split())
_SHORT = {
    "character varying": "varchar",
    "character": "char",
    "bit varying": "varbit",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
}
_EXACT = 2**53


def name(text: str) -> str:
    """Return a name, in quotes where it is not a plain word."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _KEYWORDS else f'"{_escaped(text, chr(34))}"'


def qualified(schema: str | None, text: str) -> str:
    """Return a name with its schema, if it has one."""
    return f"{name(schema)}.{name(text)}" if schema else name(text)


def quoted(text: str) -> str:
    """Return a text in single quotes, on one line."""
    return f"'{_escaped(text, chr(39))}'"


def block(text: str, indent: str) -> str:
    """Return a text in single quotes, or in three over several lines where it has some."""
    lines = text.split("\n")
    if len(lines) == 1 or any(not line.strip() or line != line.strip() for line in lines):
        return quoted(text)
    inner = "\n".join(f"{indent}  {_escaped(line, chr(39))}" for line in lines)
    return f"'''\n{inner}'''"


def _escaped(text: str, sign: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(sign, f"\\{sign}")
    return escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def is_sayable(sql: str) -> bool:
    """Say whether SQL can stand between backticks, which nothing escapes."""
    return "`" not in sql and bool(sql)


def expression(sql: str) -> str:
    """Return SQL between backticks."""
    return f"`{sql}`"


def settings(parts: Iterable[str]) -> str:
    """Return ` [a, b]`, or nothing."""
    told = list(parts)
    return f" [{', '.join(told)}]" if told else ""


def type_words(kind: SqlType, enum: str = "") -> str:
    """Return a type as one word, quoted where DBML needs it; `enum` is the name of an enum that DBML declares."""
    brackets = "[]" * kind.dimensions
    if enum:
        return f"{enum}{brackets}"
    if kind.native or kind.base is not None:
        return qualified(kind.schema, kind.name) + brackets
    whole = _whole(kind) + brackets
    return whole if _TYPE.fullmatch(whole) else f'"{_escaped(whole, chr(34))}"'


def _whole(kind: SqlType) -> str:
    """Return name and arguments; what stands behind the arguments has a name without spaces on PostgreSQL."""
    if kind.name == "double precision" and kind.dimensions:
        return "float8"
    short = _SHORT.get(kind.name)
    arguments = f"({','.join(kind.arguments)})" if kind.arguments else ""
    if short or not arguments or " " not in kind.name:
        return f"{short or kind.name}{arguments}"
    first, _, rest = kind.name.partition(" ")
    return kind.words.lower().removesuffix("[]" * kind.dimensions) or f"{first}{arguments} {rest}"


def default(found: Default) -> str:
    """Return a default as DBML's literal, or as SQL between backticks where that alone is exact; "" for neither."""
    value, sql = found.value, found.sql.strip()
    if found.kind == "literal":
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float) and _is_exact(value, sql):
            return str(value)
        if isinstance(value, str) and not set(value) & set("'\\\n\r"):
            return quoted(value)
    words = found.value if found.kind == "sql" else sql
    return expression(words) if is_sayable(words) else ""


def _is_exact(value: float, sql: str) -> bool:
    """Say whether a number comes back as it stands: JavaScript has no 1.50 and nothing beyond 2 ** 53."""
    return str(value) == sql.strip("()") and abs(value) < _EXACT
