"""Expressions of TypeScript, as far as a schema needs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A name, a number, true or false."""

    words: str


@dataclass(frozen=True)
class Text:
    """A string."""

    value: str


@dataclass(frozen=True)
class Sql:
    """SQL in a template: tagged `sql`, or bare where `tag` is ""."""

    value: str
    tag: str = "sql"
    lines: bool = False


@dataclass(frozen=True)
class Member:
    """`of.name`."""

    of: Node
    name: str


@dataclass(frozen=True)
class Call:
    """`of(arguments)`, with `types` between angle brackets."""

    of: Node
    arguments: tuple[Node, ...] = ()
    types: str = ""

    def then(self, name: str, *arguments: Node) -> Call:
        """Return the call of a method on what this call gives."""
        return Call(Member(self, name), arguments)


@dataclass(frozen=True)
class Record:
    """`{ key: value }`; `open` for one entry a line, `notes` are comments above the entries."""

    entries: tuple[tuple[str, Node], ...] = ()
    open: bool = False
    notes: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class List:
    """`[a, b]`."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Arrow:
    """`(parameters) => body`, with the type that it returns where one must be told."""

    parameters: str
    body: Node
    returns: str = ""


Node = Word | Text | Sql | Member | Call | Record | List | Arrow


def call(name: str, *arguments: Node, types: str = "") -> Call:
    """Return the call of a function by its name."""
    return Call(Word(name), arguments, types)


def record(open: bool = False, **entries: Node) -> Record:
    """Return a record of these entries."""
    return Record(tuple(entries.items()), open)
