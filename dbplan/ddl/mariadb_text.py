"""What MariaDB and MySQL write back: SHOW CREATE TABLE taken apart, and names freed of their database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'|/\*.*?\*/|\s+|[(),]|[^\s`'(),/]+|.", re.DOTALL)
_DEFINER = re.compile(r"\s+DEFINER\s*=\s*(?:`(?:[^`]|``)*`|\w+)(?:@`(?:[^`]|``)*`)?", re.IGNORECASE)
_VERSIONED_COMMENT = re.compile(r"/\*M?!\d*\s?(.*?)\s*\*/", re.DOTALL)
_OPTION = re.compile(
    r"(?P<name>(?:DEFAULT |DATA |INDEX )?(?:`(?:[^`]|``)+`|\w+))\s?=\s?"
    r"(?P<value>'(?:[^'\\]|\\.|'')*'|\([^)]*\)|[^\s',]+)"
    r"|(?P<words>WITH SYSTEM VERSIONING)"
)
_KEYWORDS = {
    "NOT": "not null",
    "NULL": "null",
    "DEFAULT": "default",
    "ON": "on update",
    "AUTO_INCREMENT": "auto increment",
    "GENERATED": "generated",
    "COMMENT": "comment",
    "CHECK": "check",
    "INVISIBLE": "invisible",
    "CHARACTER": "charset",
    "COLLATE": "collation",
    "WITHOUT": "without system versioning",
    "SRID": "srid",
}
_LEAD = {"ON": 2, "CHARACTER": 2, "GENERATED": 3, "NOT": 2, "WITHOUT": 3}
"""How many words a clause begins with, where that is more than one."""
_UNREADABLE = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of a byte that is no text
_ELEMENTS = re.compile(
    r"(?P<primary>PRIMARY KEY)\b|(?P<period>PERIOD FOR)\b|(?:CONSTRAINT (?P<name>`(?:[^`]|``)+`) )?"
    r"(?P<constraint>FOREIGN KEY|CHECK)\b"
    r"|(?P<key>(?:UNIQUE |FULLTEXT |SPATIAL )?(?:KEY|INDEX)) (?P<index>`(?:[^`]|``)+`)"
)


@dataclass(frozen=True)
class Shown:
    """A table as its server writes it back: names → the words that follow them.

    `constraints` are foreign keys and CHECKs, `keys` all indexes ("PRIMARY" is the primary key), `periods` whole lines.
    `options` are those of the table but AUTO_INCREMENT; `partitions` begins with PARTITION BY,
    `tail` is both as they stood.
    """

    columns: Mapping[str, str]
    keys: Mapping[str, str]
    constraints: Mapping[str, str]
    periods: tuple[str, ...]
    options: Mapping[str, str]
    partitions: str = ""
    tail: str = ""


def tokens(sql: str) -> list[str]:
    """Return the pieces of a statement: quoted names, strings, comments, blanks, brackets, commas, words."""
    return _TOKEN.findall(sql)


def quoted(name: str) -> str:
    """Return a name as an identifier."""
    return "`" + name.replace("`", "``") + "`"


def named(identifier: str) -> str:
    """Return the name that an identifier stands for."""
    return identifier[1:-1].replace("``", "`") if identifier.startswith("`") else identifier


def text_of(literal: str) -> str:
    """Return what a string literal stands for."""
    escapes = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b", "Z": "\x1a"}
    inner = literal[1:-1].replace("''", "'")
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), inner, flags=re.DOTALL)


def decoded(raw: bytes | str) -> str:
    """Return a statement as text; a string in it that is none, such as the default of a BINARY, as hexadecimal digits.

    The server sends such bytes as they are: ask it with character_set_results = binary, or the driver reads nothing.
    """
    if isinstance(raw, str):
        return raw
    text = raw.decode("utf-8", "surrogateescape")
    return "".join(map(_hexadecimal, tokens(text))) if _UNREADABLE.search(text) else text


def _hexadecimal(token: str) -> str:
    if not token.startswith("'") or not _UNREADABLE.search(token):
        return token
    return f"x'{text_of(token).encode('utf-8', 'surrogateescape').hex()}'"


def unqualified(sql: str, database: str) -> str:
    """Return a statement whose names no longer carry the database that they lie in; strings stay as they are."""
    found, own = tokens(sql), quoted(database)
    dropped = {i for i in range(len(found) - 1) if found[i] == own and found[i + 1].startswith(".")}
    return "".join(token[1:] if i - 1 in dropped else token for i, token in enumerate(found) if i not in dropped)


def without_definer(sql: str) -> str:
    """Return a CREATE statement without the account that it was made by."""
    return _DEFINER.sub("", sql, count=1)


def shown(sql: str) -> Shown:
    """Take a CREATE TABLE apart, as SHOW CREATE TABLE writes it with an empty sql_mode."""
    found = tokens(sql)
    start = found.index("(")
    end = _closing(found, start)
    columns: dict[str, str] = {}
    keys: dict[str, str] = {}
    constraints: dict[str, str] = {}
    periods: list[str] = []
    for line in _lines(found[start + 1 : end]):
        if line.startswith("`"):
            name = tokens(line)[0]
            columns[named(name)] = line[len(name) :].strip()
        elif element := _ELEMENTS.match(line):
            _file(line, element, keys, constraints, periods)
    tail = "".join(found[end + 1 :])
    options, partitions = _tail(tail)
    tail = re.sub(r" AUTO_INCREMENT=\d+\b", "", tail, count=1).strip()
    return Shown(columns, keys, constraints, tuple(periods), options, partitions, tail)


def _file(
    line: str, element: re.Match[str], keys: dict[str, str], constraints: dict[str, str], periods: list[str]
) -> None:
    if element["primary"]:
        keys["PRIMARY"] = line
    elif element["period"]:
        periods.append(line)
    elif element["constraint"]:
        name = element["name"] or ""
        constraints[named(name)] = line[element.start("constraint") :]
    else:
        keys[named(element["index"])] = f"{element['key']}{line[element.end('index') :]}"


def _closing(found: list[str], start: int) -> int:
    depth = 0
    for i in range(start, len(found)):
        depth += {"(": 1, ")": -1}.get(found[i], 0)
        if not depth:
            return i
    return len(found)


def _lines(found: Iterable[str]) -> Iterator[str]:
    """Yield what stands between the outermost commas."""
    line, depth = "", 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and not depth:  # noqa: S105
            yield line.strip()
            line = ""
        else:
            line += token
    if line.strip():
        yield line.strip()


def _tail(tail: str) -> tuple[dict[str, str], str]:
    """Return the options of a table, and how it is partitioned."""
    found = tokens(tail)
    cut = next((i for i, token in enumerate(found) if re.match(r"(/\*M?!\d*\s*)?PARTITION", token)), len(found))
    options = {}
    for option in _OPTION.finditer("".join(found[:cut])):
        name = option["words"] or named(option["name"])
        if name != "AUTO_INCREMENT":
            options[name] = option["value"] or ""
    partitions = _VERSIONED_COMMENT.sub(r"\1", "".join(found[cut:])).strip()
    return options, partitions


def clauses(words: str) -> dict[str, str]:
    """Return the clauses of a column: "type" first, then those that it has, each without the words it begins with.

    Keys are type, charset, collation, generated, not null, null, default, on update, auto increment, invisible,
    without system versioning, srid, comment, check; versioned comments are opened.
    """
    found = tokens(_opened(words))
    parts, name, depth, skip = {"type": ""}, "type", 0, 0
    for i, token in enumerate(found):
        keyword = token.upper()
        if not depth and not skip and keyword in _KEYWORDS and _begins(found, i, name, parts):
            name, skip = _KEYWORDS[keyword], _LEAD.get(keyword, 1)
            parts[name] = ""
        depth += {"(": 1, ")": -1}.get(token, 0)
        if skip and not token.isspace():
            skip -= 1
            continue
        parts[name] += token
    return {key: value.strip() for key, value in parts.items()}


def _begins(found: list[str], i: int, name: str, parts: Mapping[str, str]) -> bool:
    """Whether a keyword begins a clause: NULL may be a default, and ON must be ON UPDATE."""
    if name in ("default", "on update", "comment", "check") and not parts[name].strip():
        return False
    following = next((token.upper() for token in found[i + 1 :] if not token.isspace()), "")
    wanted = {"ON": "UPDATE", "CHARACTER": "SET", "NOT": "NULL", "WITHOUT": "SYSTEM"}.get(found[i].upper())
    return wanted is None or following == wanted


def _opened(words: str) -> str:
    """Return words with what stands in versioned comments, COMPRESSED aside, which belongs to the type."""
    return "".join(
        _VERSIONED_COMMENT.sub(r"\1", token) if token.startswith("/*") and "COMPRESSED" not in token else token
        for token in tokens(words)
    )


def index_parts(definition: str) -> tuple[str, list[str], str]:
    """Return the kind of an index ("", UNIQUE, FULLTEXT, SPATIAL, PRIMARY), its items, and the options that follow."""
    found = tokens(definition)
    start = found.index("(")
    end = _closing(found, start)
    kind = "".join(found[:start]).partition("KEY")[0].strip()
    return kind, list(_lines(found[start + 1 : end])), "".join(found[end + 1 :]).strip()


def foreign_key_parts(definition: str) -> tuple[list[str], list[str], list[str], str]:
    """Return the columns of a foreign key, the parts of the parent's name, the parent's columns, and the actions."""
    found = tokens(definition)
    first, reference = found.index("("), found.index("REFERENCES")
    second = found.index("(", reference)
    end = _closing(found, second)
    own = [named(item) for item in _lines(found[first + 1 : _closing(found, first)])]
    parent = [named(token.removeprefix(".")) for token in found[reference + 1 : second] if "`" in token]
    return own, parent, [named(item) for item in _lines(found[second + 1 : end])], "".join(found[end + 1 :]).strip()
