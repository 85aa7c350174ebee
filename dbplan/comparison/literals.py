"""Constants as PostgreSQL's catalog writes them: `'a'::text` and ARRAY[1, 2], with the casts that they pass."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_NAME = r'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)'
_MORE = r"(?:\s+(?:varying|precision|year|month|day|hour|minute|second|to)\b)*"
_TYPE = re.compile(rf"({_NAME}(?:\.{_NAME})*{_MORE})(\([\d,\s]+\))?(\s+with(?:out)? time zone)?((?:\[\])*)")
_CONSTANT = re.compile(r"'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false)(?![\w.])")
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",{}\\ \t\n\r\v\f](?:[^",{}\\]*[^",{}\\ \t\n\r\v\f])?)', re.DOTALL)
_DEEP = re.compile(r"(?:\(|ARRAY\[){20}")  # that no default is, and no text may exhaust the stack with

_ALIASES = {"bpchar": "character", '"bit"': "bit"}
_TEXTS = frozenset({"text", "character varying"})
_LIMITED = frozenset({"character", "character varying", "bit", "bit varying"})
_WHOLE = frozenset({"smallint", "integer", "bigint", "numeric"})
NUMBERS = _WHOLE | {"real", "double precision"}
"""Types whose values are numbers."""


@dataclass(frozen=True)
class Type:
    """A type taken apart: `character varying(5)[]` is a list of character varying, 5 long."""

    name: str
    measure: str = ""
    is_list: bool = False


@dataclass(frozen=True)
class _Constant:
    """A constant as it is written; `members` of ARRAY[…], else its `text`; `casts` from the innermost on."""

    text: str = ""
    members: tuple[_Constant, ...] | None = None
    is_quoted: bool = False
    casts: tuple[Type, ...] = ()


def type_of(words: str) -> Type | None:
    """Return a type taken apart; None for words that name none."""
    match = _TYPE.fullmatch(words)
    return _type(match) if match else None


def _type(match: re.Match[str]) -> Type:
    name, measure = f"{match[1]}{match[3] or ''}", match[2] or ""
    if name.startswith("interval "):  # of some fields alone
        name, measure = "interval", f"{name.removeprefix('interval ')}{measure}"
    return Type(_ALIASES.get(name, name), measure.strip("()"), bool(match[4]))


def value_of(words: str, kind: Type) -> str | tuple[str, ...] | None:
    """Return what a constant is in a column of that type: text, or the texts of a list.

    None for an expression that is no constant, for NULLs, lists of lists, and where a cast on the way changes the value
    or an assignment refuses what the cast cuts off.
    """
    found = _constant(words)
    if found is None:
        return None
    return _members(found, kind) if kind.is_list else _text(found, kind)


def _constant(words: str) -> _Constant | None:
    found = _expression(words, 0) if _DEEP.search(words) is None else None
    return found[0] if found is not None and found[1] == len(words) else None


def _expression(words: str, place: int) -> tuple[_Constant, int] | None:
    """Return the constant with its casts that starts at a place, and where it ends."""
    found = _bare(words, place)
    while found is not None and words.startswith("::", found[1]):
        match = _TYPE.match(words, found[1] + 2)
        if match is None:
            return None
        found = replace(found[0], casts=(*found[0].casts, _type(match))), match.end()
    return found


def _bare(words: str, place: int) -> tuple[_Constant, int] | None:
    if words.startswith("(", place):
        found = _expression(words, place + 1)
        return (found[0], found[1] + 1) if found is not None and words.startswith(")", found[1]) else None
    if words.startswith("ARRAY[", place):
        return _array(words, place + len("ARRAY["))
    match = _CONSTANT.match(words, place)
    if match is None:
        return None
    quoted = match[1] is not None
    return _Constant(match[1].replace("''", "'") if quoted else match[2], is_quoted=quoted), match.end()


def _array(words: str, place: int) -> tuple[_Constant, int] | None:
    members: list[_Constant] = []
    while not words.startswith("]", place):
        if members and not words.startswith(", ", place):
            return None
        found = _expression(words, place + 2 * bool(members))
        if found is None:
            return None
        members.append(found[0])
        place = found[1]
    return _Constant(members=tuple(members)), place + 1


def _members(found: _Constant, kind: Type) -> tuple[str, ...] | None:
    members = found.members if found.members is not None else _of_braces(found)
    if members is None or not all(cast.is_list for cast in found.casts):
        return None
    own, casts = replace(kind, is_list=False), tuple(replace(cast, is_list=False) for cast in found.casts)
    texts = [_text(replace(member, casts=member.casts + casts), own) for member in members]
    return tuple(text for text in texts if text is not None) if None not in texts else None


def _text(found: _Constant, kind: Type) -> str | None:
    if found.members is not None or not all(_keeps(found.text, cast, kind) for cast in found.casts):
        return None
    if any(cast == kind and _is_own(kind) for cast in found.casts[found.is_quoted :]):
        return None
    if kind.name == "boolean":
        return {"t": "true", "f": "false"}.get(found.text, found.text)
    return found.text if found.is_quoted or kind.name in NUMBERS else None


def _is_own(kind: Type) -> bool:
    """Say whether a type may be a domain, of a length that a cast of what has a type already cuts off."""
    return not kind.measure and kind.name not in NUMBERS | _TEXTS | _LIMITED


def _keeps(text: str, cast: Type, kind: Type) -> bool:
    """Say whether a column of a type is filled with the same after a cast as without it."""
    if cast.is_list:
        return False
    if cast.measure:
        return cast == kind and (cast.name not in _LIMITED or _fits(text, cast))
    if cast.name == kind.name or cast.name in _TEXTS or (cast.name, kind.name) == ("bit", "bit varying"):
        return True
    return kind.name in NUMBERS and cast.name in _WHOLE and (cast.name == "numeric" or "." not in text)


def _fits(text: str, kind: Type) -> bool:
    """Say whether text is no longer than its type: a cast cuts off what is more, and an assignment refuses it."""
    longest = int(kind.measure)
    return len(text) == longest if kind.name == "bit" else len(text) <= longest


def _of_braces(array: _Constant) -> tuple[_Constant, ...] | None:
    """Return the members of an array's own notation; None for one with NULLs or lists in it."""
    if not array.is_quoted or not re.fullmatch(r"\{.*\}", array.text, re.DOTALL):
        return None
    text, place, found = array.text[1:-1], 0, []
    while place < len(text):
        match = _MEMBER.match(text, place)
        if match is None or (match[2] or "").upper() == "NULL":
            return None
        member = re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL) if match[1] is not None else match[2]
        found.append(_Constant(member, is_quoted=True))
        place = match.end() + 1
        if text[match.end() : place] not in (",", ""):
            return None
    return tuple(found)
