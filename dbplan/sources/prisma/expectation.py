"""Syntax errors in words: what was expected, after what, and what stood there."""

from __future__ import annotations

import re
from difflib import get_close_matches

from lark import Token, UnexpectedInput, UnexpectedToken

from dbplan.errors import SourceError, mask
from dbplan.sources.prisma.syntax import Spot

_BLOCKS = ("datasource", "enum", "generator", "model", "type", "view")
_WORDS = {
    "MODEL": f"a block ({', '.join(_BLOCKS[:-1])} or {_BLOCKS[-1]})",
    "NAME": "the block's name",
    "OPEN": '"{" and the end of the line',
    "FIELD": "a field",
    "VALUE": "an enum value",
    "KEY": "a setting",
    "BLOCK_AT": 'an attribute of the block ("@@")',
    "TYPE": "a field type",
    "ARITY": '"?" or "[]"',
    "NUMBER": "a value",
    "AT": 'an attribute ("@")',
    "LPAR": '"("',
    "EQUALS": '"="',
    "COLON": '":"',
    "COMMA": '","',
    "RSQB": '"]"',
    "RPAR": '")"',
    "CLOSE": '"}"',
}
# What is a value among other values, and what is something else where it stands alone.
_ALONE = {"PATH": "the attribute's name", "STRING": "a string", "ARGUMENT": "a field's name with a colon"}
_LINES = {"MODEL", "FIELD", "VALUE", "KEY"}
_SAMPLE = re.compile(r'"(?:\\.|[^"\\\n])*"?|//[^\n]*|/\*|\w[\w\-]*|[^\n]', re.DOTALL)
_LAST = re.compile(r'("(?:\\.|[^"\\\n])*"|\w[\w.\-]*|[^\s])[^\S\n]*\Z')


def syntax_error(file: str, text: str, error: UnexpectedInput) -> SourceError:
    """Return the error of a file: its place, what was expected there, what was found, and a mend where one is known."""
    opening = _opening(error)
    position = _position(text, error)
    if opening and "}" in opening and not opening[1:].lstrip().startswith("/"):
        return _one_line(file, opening)
    if opening and position == len(text):
        return _unclosed(file, opening)
    before, found = text[:position], _found(text, position)
    spot = Spot(file, before.count("\n") + 1, position - before.rfind("\n"))
    expected = _expected(error)
    last = _LAST.search(before)
    after = f" after {_quoted(last[1])}" if last else ""
    mend = _mend(found, last[1] if last else "", expected, opening, "*/" in text[position:])
    return SourceError(
        f"{spot}: expected {_listed(expected)}{after}, found {_shown(found)}{'; ' if mend else ''}{mend}"
    )


def _opening(error: UnexpectedInput) -> Token | None:
    """Return the brace and the rest of the line that open the block where the parser stood."""
    stack = error.interactive_parser.parser_state.value_stack
    return next((item for item in reversed(stack) if isinstance(item, Token) and item.type == "OPEN"), None)


def _one_line(file: str, opening: Token) -> SourceError:
    spot = Spot(file, opening.line or 0, opening.column or 0)
    return SourceError(f'{spot}: expected the end of the line after "{{", found {_shown(opening[1:].strip())}; '
                       "give each line of the block, and its brace, a line of its own")  # fmt: skip


def _unclosed(file: str, opening: Token) -> SourceError:
    spot = Spot(file, opening.line or 0, opening.column or 0)
    return SourceError(f'{spot}: expected "}}" for the block that begins here, found the end of the file')


def _position(text: str, error: UnexpectedInput) -> int:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(text)
    return error.pos_in_stream or 0


def _found(text: str, position: int) -> str:
    sample = _SAMPLE.match(text, position)
    return sample[0] if sample else text[position : position + 1]


def _expected(error: UnexpectedInput) -> list[str]:
    """Return in words what the parser would take, the likeliest first."""
    names = set(error.interactive_parser.accepts())  # type: ignore[no-untyped-call]
    words = [word for name, word in _WORDS.items() if name in names]
    if "NEWLINE" in names and not names & _LINES:
        words.append("the end of the line")
    if "NUMBER" in names:
        return words
    alone = (word for name, word in _ALONE.items() if name in names)
    return [*alone, *words]


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)


def _shown(found: str) -> str:
    if not found:
        return "the end of the file"
    return "the end of the line" if found == "\n" else _quoted(found)


def _quoted(text: str) -> str:
    # A password is masked before it is cut, when it still looks like one.
    shown = mask(text if text.isprintable() else repr(text)[1:-1])
    short = shown if len(shown) <= 40 else f"{shown[:39]}…"
    return short if short.startswith('"') and len(short) > 1 else f'"{short}"'


def _mend(found: str, last: str, expected: list[str], opening: Token | None, closed: bool) -> str:
    """Return how the commonest slips are mended, or ""."""
    slips = (
        (found == "\ufeff", "save the file as UTF-8 without a byte order mark"),
        (found == "\n" and '","' in expected, "Prisma wants all arguments on one line"),
        (found == "\n" and last in ("(", "[", "{", ","), "Prisma wants all arguments on one line"),
        (last == "," and found in (")", "]", "}"), "remove the comma"),
        (found[:1] == '"' and "\t" in found, "a tab in a string is written \\t"),
        (found[:1] == '"' and "a value" in expected, "the string has no closing quote on its line"),
        (found == "'", "strings stand in double quotes"),
        (found == "/*" and not closed, "the comment is never closed"),
        (found.startswith(("//", "/*")), "a comment stands before a line's words or behind them, once"),
        (found == ":" and "a field type" in expected, "a field's type follows its name without a colon"),
        (found == "[" and "a field type" in expected, 'write "Type[]" for a list'),
        (found == "!", "a field is required unless its type is followed by ?"),
        (found == "?" and last == "]", "a list cannot be optional"),
        (found == "{" and opening is not None, f"the block of line {opening.line if opening else 0} is not closed"),
        (found == ";", "a line ends without a mark"),
    )
    near = get_close_matches(found.lower(), _BLOCKS, n=1) if expected[:1] == [_WORDS["MODEL"]] else []
    return next((mend for slip, mend in slips if slip), f'did you mean "{near[0]}"?' if near else "")
