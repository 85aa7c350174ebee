"""SQLite keeps the text of every CREATE statement; this reads from it what no PRAGMA tells.

It works on tokens and not on a grammar, so that any statement SQLite has accepted can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<text>[xX]?'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<word>[\w$]+(?:\.\d+)?)
    |(?P<sign><=|>=|<>|!=|==|\|\||<<|>>|->>|->|.)""",
    re.VERBOSE | re.DOTALL,
)
_SAME = {"<>": "!=", "==": "="}
_TIGHT_AFTER, _TIGHT_BEFORE = frozenset("(."), frozenset("),.;")
_BEFORE_BRACKET = frozenset(
    ("in", "and", "or", "not", "values", "as", "check", "when", "then", "else", "on", "key", "unique", "where", "over")
)
_TABLE_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "check", "foreign"})
_REFERENCE_OR_VALUE = ("default", "collate", "references", "generated", "as")
_CLAUSES = frozenset(("constraint", "primary", "not", "null", "unique", "check", *_REFERENCE_OR_VALUE))
_WITHOUT_EFFECT = re.compile(r" on (?:delete|update) no action| not deferrable| initially immediate| asc(?=[,)])")


@dataclass(frozen=True)
class Token:
    """One token: `text` as it compares (names without quotes, words in lower case), `kind` tells "names" from words."""

    text: str
    kind: str


@dataclass
class Written:
    """What the text of a CREATE TABLE says: constraints as (name or "", definition), and properties of columns."""

    constraints: list[tuple[str, str]] = field(default_factory=list)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)


def written(sql: str) -> Written:
    """Read a CREATE TABLE statement; a constraint inside a column definition is told as the table's."""
    found = Written()
    for part in _parts(tokens(sql)):
        if part[0].kind == "word" and part[0].text in _TABLE_CONSTRAINTS:
            name, rest = _named(part)
            found.constraints.append((name, definition(rest)))
        else:
            _read_column(part[0].text, part[1:], found)
    return found


def definition(found: Sequence[Token]) -> str:
    """Return a constraint or index definition in normal form, without words that state a default."""
    if found[0].text == "check":
        end = closing(found, 1)
        found = [found[0], _OPEN, *unwrapped(found[1 : end + 1]), _CLOSE, *found[end + 1 :]]
    return _WITHOUT_EFFECT.sub("", _spelled(found))


def _named(part: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    return (part[1].text, part[2:]) if part[0] == Token("constraint", "word") else ("", part)


def _read_column(column: str, rest: Sequence[Token], found: Written) -> None:
    properties = found.columns.setdefault(column, {})
    own = Token(column, "quoted")
    name = ""
    for clause in _clauses(rest):
        first = clause[0].text
        if first == "constraint":
            name = clause[1].text
            continue
        if first in ("unique", "primary"):
            head = 1 if first == "unique" else 2
            order = [token for token in clause[head : head + 1] if token.text == "desc"]
            tail = [t for t in clause[head:] if t.text not in ("asc", "desc", "autoincrement")]
            found.constraints.append((name, definition([*clause[:head], _OPEN, own, *order, _CLOSE, *tail])))
            if clause[-1].text == "autoincrement":
                properties["autoincrement"] = "yes"
        elif first == "references":
            key = [Token("foreign", "word"), Token("key", "word"), _OPEN, own, _CLOSE]
            found.constraints.append((name, definition([*key, *clause])))
        elif first == "check":
            found.constraints.append((name, definition(clause)))
        elif first in ("generated", "as"):
            start = next(i for i, token in enumerate(clause) if token.text == "as") + 1
            properties["generated"] = normal(clause[start : closing(clause, start) + 1])
        elif first == "collate":
            properties["collation"] = clause[1].text
        name = ""


def _clauses(rest: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Split what follows a column's name at the words that begin a clause; the type is left out."""
    starts, depth = [], 0
    for place, token in enumerate(rest):
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.kind == "word" and token.text in _CLAUSES and not _continues(rest, place):
            starts.append(place)
    for start, end in pairwise([*starts, len(rest)]):
        yield rest[start:end]


def _continues(rest: Sequence[Token], place: int) -> bool:
    """Say whether a word that could begin a clause belongs to the one before it: SET NULL, NOT DEFERRABLE."""
    word, before = rest[place].text, rest[place - 1].text if place else ""
    after = rest[place + 1].text if place + 1 < len(rest) else ""
    return (
        (word in ("null", "default") and before == "set")
        or (word == "null" and before in ("not", "default"))
        or (word == "not" and after == "deferrable")
        or (word == "as" and before == "always")
        or before == "constraint"
    )


def tokens(sql: str) -> list[Token]:
    """Return the tokens of a statement, without white space and comments."""
    return [_token(m) for m in _TOKEN.finditer(sql) if m.lastgroup != "space"]


def _token(match: re.Match[str]) -> Token:
    kind, text = str(match.lastgroup), match.group()
    if kind == "quoted":
        return Token(text[1:-1].replace(text[0] * 2, text[0]).lower(), kind)
    return Token(text if kind == "text" else _SAME.get(text, text.lower()), kind)


def after_as(sql: str) -> tuple[bool, str]:
    """Return whether a CREATE VIEW names no columns of its own, and its SELECT as written."""
    plain = True
    for match in _TOKEN.finditer(sql):
        plain = plain and match.group() != "("
        if match.lastgroup == "word" and match.group().lower() == "as":
            return plain, sql[match.end() :].strip()
    return False, ""


def index_parts(sql: str) -> tuple[list[str], str]:
    """Return the parts of a CREATE INDEX as they were written, and what stands behind its WHERE, or ""."""
    found = [match for match in _TOKEN.finditer(sql) if match.lastgroup != "space"]
    on = next(i for i, match in enumerate(found) if match.lastgroup == "word" and match.group().lower() == "on")
    first = next(i for i in range(on, len(found)) if found[i].group() == "(")
    last = closing([_token(match) for match in found], first)
    parts, start, depth = [], found[first].end(), 0
    for match in found[first + 1 : last + 1]:
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if depth < 0 or (depth == 0 and match.group() == ","):
            parts.append(sql[start : match.start()].strip())
            start = match.end()
    where = found[last + 1].end() if last + 1 < len(found) else len(sql)
    return parts, sql[where:].strip().removesuffix(";")


def is_constant(sql: str) -> bool:
    """Say whether a default may stand without brackets: one value, with a sign or not, or brackets around it all."""
    found = tokens(sql)
    signed = found[1:] if found and found[0].text in ("+", "-") else found
    return len(signed) <= 1 or len(unwrapped(found)) < len(found)


def normal(sql: str | Sequence[Token]) -> str:
    """Return a statement or expression so that case, quotes, spaces and outer brackets make no difference."""
    return _spelled(unwrapped(tokens(sql) if isinstance(sql, str) else sql))


def _spelled(found: Sequence[Token]) -> str:
    text, before = "", _OPEN
    for token in found:
        call = token == _OPEN and before.kind in ("word", "quoted") and before.text not in _BEFORE_BRACKET
        tight = before.text in _TIGHT_AFTER or token.text in _TIGHT_BEFORE or call
        text += token.text if tight else f" {token.text}"
        before = token
    return text


def unwrapped(found: Sequence[Token]) -> Sequence[Token]:
    """Return tokens without brackets that enclose all of them."""
    while found and found[0].text == "(" and closing(found, 0) == len(found) - 1:
        found = found[1:-1]
    return found


def closing(found: Sequence[Token], start: int) -> int:
    """Return where the bracket that opens at `start` closes."""
    depth = 0
    for place in range(start, len(found)):
        if found[place].kind == "sign":
            depth += {"(": 1, ")": -1}.get(found[place].text, 0)
            if depth == 0:
                return place
    return len(found) - 1


def _parts(found: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield what stands between the commas of the first brackets."""
    start = next((i for i, token in enumerate(found) if token == _OPEN), len(found))
    part: list[Token] = []
    depth = 0
    for token in found[start + 1 : closing(found, start)]:
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token == _COMMA and depth == 0:
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


_OPEN, _CLOSE, _COMMA = Token("(", "sign"), Token(")", "sign"), Token(",", "sign")
