"""Names and texts as TypeScript writes them: identifiers, string literals, templates, comments."""

from __future__ import annotations

import re

_WORDS = (
    "any arguments as async await bigint boolean break case catch class const constructor continue debugger declare "
    "default delete do else enum eval export extends false finally for from function get if implements import in "
    "instanceof interface let module namespace never new null number object of package private protected public "
    "require return set static string super switch symbol this throw true try type typeof undefined unknown var void "
    "while with yield"
)
WORDS = frozenset(_WORDS.split())
"""What no constant and no class may be called: TypeScript's own words and names."""
_GLOBALS = (
    "Array ArrayBuffer BigInt Boolean Buffer DataView Date Error Function Infinity Intl JSON Map Math NaN Number "
    "Object Promise Proxy Record Reflect RegExp Set String Symbol Uint8Array WeakMap WeakRef WeakSet crypto "
    "exports globalThis process"
)
GLOBALS = frozenset(_GLOBALS.split())
"""What a class or constant of that name would hide."""
_OF_OBJECTS = (
    "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf __proto__ "
    "__defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__"
)
OF_OBJECTS = frozenset(_OF_OBJECTS.split())
"""What every object has: a property called so would seem to be there where it is not."""
_IDENTIFIER = re.compile(r"[^\W\d][\w]*|[$_][\w$]*")
_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def identifier(name: str) -> bool:
    """Say whether a name can stand without quotes."""
    return name.isidentifier() and _IDENTIFIER.fullmatch(name) is not None


def is_key(name: str) -> bool:
    """Say whether a name can stand without quotes before a colon, where `$` is a letter."""
    return identifier(name) or _KEY.fullmatch(name) is not None


def text(value: str) -> str:
    """Return a string literal: in double quotes, or in single ones where that saves escapes."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    escaped = _escaped(value.replace("\\", "\\\\").replace(quote, f"\\{quote}"))
    return f"{quote}{escaped}{quote}"


def template(value: str) -> str:
    """Return the inside of a template literal that means `value`, on as many lines as it has."""
    escaped = value.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    return "\n".join(_escaped(line) for line in escaped.split("\n"))


def _escaped(value: str) -> str:
    return "".join(_ESCAPES.get(sign) or (f"\\x{ord(sign):02x}" if sign < " " else sign) for sign in value)


def jsdoc(lines: list[str]) -> list[str]:
    """Return a JSDoc comment: one line where there is one, nothing for none."""
    told = [" ".join(line.replace("*/", "*\\/").split()) for line in lines]
    if len(told) < 2:
        return [f"/** {line} */" for line in told]
    return ["/**", *(f" * {line}".rstrip() for line in told), " */"]
