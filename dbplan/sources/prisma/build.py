"""The parsed tree of one file, made into blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from lark import Token, v_args
from lark.visitors import Transformer_NonRecursive

from dbplan.errors import SourceError
from dbplan.sources.prisma.syntax import (
    Argument,
    Attribute,
    Call,
    Enumeration,
    EnumValue,
    Field,
    Literal,
    Many,
    Model,
    Name,
    Pairs,
    Settings,
    Spot,
    Value,
)

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.)|)", re.DOTALL)
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")

Documented = TypeVar("Documented", Field, EnumValue, Model, Enumeration, Settings)


class Builder(Transformer_NonRecursive[Token, list[Any]]):
    """Make blocks of a tree; SourceError for names and escapes that Prisma's parser refuses.

    It walks without recursion, for a malformed schema may nest as deep as it likes.
    """

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file

    def schema(self, children: Sequence[Any]) -> list[Any]:
        """Return the blocks in order, each with the comment right above it."""
        return list(_documented(children, adjacent=True))

    @v_args(inline=True)
    def model(self, kind: Token, name: Token, _: Token, *lines: Any) -> Model:
        """Return a model, view or composite type."""
        fields, attributes = _parted(lines, Field)
        return Model(str(kind), self._named(name, f"a {kind}"), fields, attributes, "", self._spot(name))

    @v_args(inline=True)
    def enumeration(self, _kind: Token, name: Token, _: Token, *lines: Any) -> Enumeration:
        """Return an enum."""
        values, attributes = _parted(lines, EnumValue)
        return Enumeration(self._named(name, "an enum"), values, attributes, "", self._spot(name))

    @v_args(inline=True)
    def settings(self, kind: Token, name: Token, _: Token, *lines: Any) -> Settings:
        """Return a datasource or generator."""
        entries = tuple(line for line in lines if isinstance(line, tuple))
        return Settings(str(kind), str(name), entries, "", self._spot(name))

    @v_args(inline=True)
    def field(self, name: Token, type: Token | Literal, *rest: Any) -> Field:
        """Return a field with the comment behind it."""
        unsupported = type.text if isinstance(type, Literal) else ""
        tokens = {item.type: str(item) for item in rest if isinstance(item, Token)}
        return Field(
            name=self._named(name, "a field"),
            type="Unsupported" if isinstance(type, Literal) else str(type),
            arity=tokens.get("ARITY", ""),
            attributes=tuple(item for item in rest if isinstance(item, Attribute)),
            comment=_said([tokens.get("COMMENT", "")]),
            spot=self._spot(name),
            unsupported=unsupported,
            type_spot=type.spot if isinstance(type, Literal) else self._spot(type),
        )

    @v_args(inline=True)
    def unsupported(self, _: Token, words: Literal) -> Literal:
        """Return the server's own words."""
        return words

    @v_args(inline=True)
    def enum_value(self, name: Token, *rest: Any) -> EnumValue:
        """Return a value of an enum with the comment behind it."""
        attributes = tuple(item for item in rest if isinstance(item, Attribute))
        comment = _said([item for item in rest if isinstance(item, Token)])
        return EnumValue(self._named(name, "an enum value"), attributes, comment, self._spot(name))

    @v_args(inline=True)
    def setting(self, key: Token, _: Token, value: Value, *_comment: Token) -> tuple[str, Value]:
        """Return a setting's name and value."""
        return str(key), value

    @v_args(inline=True)
    def attribute(self, sign: Token, name: Name | Literal, *rest: Any) -> Attribute:
        """Return an attribute of a field, value or block."""
        self._plain(name.text, name.spot, "an attribute")
        return Attribute(name.text, tuple(item for item in rest if isinstance(item, Argument)), self._spot(sign))

    block_attribute = attribute

    @v_args(inline=True)
    def named(self, name: Token, value: Value) -> Argument:
        """Return an argument that goes by its name."""
        return Argument(str(name), value, self._spot(name))

    @v_args(inline=True)
    def positional(self, value: Value) -> Argument:
        """Return an argument that goes by its place."""
        return Argument("", value, value.spot)

    @v_args(inline=True)
    def call(self, name: Name | Literal, *arguments: Argument) -> Call:
        """Return a function with its arguments."""
        return Call(name.text, arguments, name.spot)

    @v_args(inline=True)
    def many(self, bracket: Token, *items: Value) -> Many:
        """Return a list."""
        return Many(items, self._spot(bracket))

    @v_args(inline=True)
    def pairs(self, brace: Token, *items: tuple[str, Value]) -> Pairs:
        """Return an object."""
        return Pairs(items, self._spot(brace))

    @v_args(inline=True)
    def pair(self, name: Token, value: Value) -> tuple[str, Value]:
        """Return one entry of an object."""
        return str(name), value

    def STRING(self, token: Token) -> Literal:  # noqa: N802
        """Return a text without quotes and escapes."""
        return Literal("string", self._unescaped(token), self._spot(token))

    def NUMBER(self, token: Token) -> Literal:  # noqa: N802
        """Return a number as it is written."""
        return Literal("number", str(token), self._spot(token))

    def PATH(self, token: Token) -> Name | Literal:  # noqa: N802
        """Return a constant; `true` and `false` are truth values."""
        if token in ("true", "false"):
            return Literal("boolean", str(token), self._spot(token))
        return Name(self._letters(token), self._spot(token))

    def _spot(self, token: Token) -> Spot:
        return Spot(self.file, token.line or 0, token.column or 0)

    def _named(self, token: Token, what: str) -> str:
        return self._plain(self._letters(token), self._spot(token), what)

    def _letters(self, token: Token) -> str:
        """Return a name; SourceError for the numerals that Python takes for letters and Prisma does not."""
        odd = "" if token.isascii() else next((c for c in token if not (c.isascii() or c.isalpha())), "")
        if odd:
            place = Spot(self.file, token.line or 0, (token.column or 0) + token.index(odd))
            raise SourceError(f'{place}: "{odd}" is not allowed in a name; letters, digits and "_" are')
        return str(token)

    def _plain(self, name: str, spot: Spot, what: str) -> str:
        """Return a name that may become one of the client's; SourceError for a dash or a leading digit."""
        if name[0].isdigit():
            raise SourceError(f'{spot}: the name of {what} cannot start with a digit: "{name}"')
        if "-" in name:
            raise SourceError(f'{spot}: the name of {what} cannot hold "-": "{name}"; letters, digits and "_" can')
        return name

    def _unescaped(self, token: Token) -> str:
        text = _ESCAPE.sub(lambda found: self._escape(found, token), token[1:-1]) if "\\" in token else token[1:-1]
        joined = _SURROGATES.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
        if not joined.isascii() and any("\ud800" <= character <= "\udfff" for character in joined):
            raise SourceError(f"{self._spot(token)}: half a surrogate pair in the string {token}; write both halves")
        return joined

    def _escape(self, found: re.Match[str], token: Token) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if (character := found[2] or "") in _ESCAPED:
            return _ESCAPED[character]
        place = Spot(self.file, token.line or 0, (token.column or 0) + 1 + found.start())
        if character == "u":
            raise SourceError(f"{place}: expected four hexadecimal digits after \\u in {token}")
        known = '\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\uXXXX'
        raise SourceError(f'{place}: expected {known}, found "{found[0]}"; a backslash itself is written \\\\')


def _parted(lines: Iterable[Any], kind: type[Documented]) -> tuple[tuple[Documented, ...], tuple[Attribute, ...]]:
    """Return what a block declares, with comments, and the block's attributes."""
    items = list(_documented(lines, adjacent=False))
    return tuple(i for i in items if isinstance(i, kind)), tuple(i for i in items if isinstance(i, Attribute))


def _documented(lines: Iterable[Any], *, adjacent: bool) -> Iterator[Any]:
    """Return the items among lines and comments, each with the comment before it, attached as Prisma does.

    Comments with an empty line or an attribute between them are two groups, of which the last counts. A block takes
    the group right above it (`adjacent`); a field or value takes the last one since the field before, however far off.
    """
    group: list[str] = []
    gap = 0
    for item in lines:
        if isinstance(item, Token):
            gap += item.type == "NEWLINE"
            if item.type == "COMMENT":
                group, gap = [*(group if gap < 2 else ()), item], 0
        elif isinstance(item, Attribute):
            gap = 2
            yield item
        else:
            yield _above(item, [] if adjacent and gap > 1 else group)
            group, gap = [], 0


def _above(item: Documented, comments: list[str]) -> Documented:
    said = _said([*comments])
    return replace(item, comment="\n".join(filter(None, (said, item.comment)))) if said else item


def _said(comments: Sequence[str]) -> str:
    """Return what comments say of the thing they stand at: those of `///` and `/* */` do, those of `//` do not."""
    said = [text[3:] if text.startswith("///") else text[2:-2] for text in comments if text.startswith(("///", "/*"))]
    return "\n".join(text.strip() for text in said).strip("\n")
