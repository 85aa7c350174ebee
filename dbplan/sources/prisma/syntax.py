"""What a Prisma schema says, as it stands there: blocks, fields, attributes and their arguments."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Spot:
    """Where something stands: the file, its line and column, both from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return `schema.prisma:12:5`."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Literal:
    """A text, number or truth value; `kind` is "string", "number" or "boolean", `text` the value without quotes."""

    kind: str
    text: str
    spot: Spot


@dataclass(frozen=True)
class Name:
    """A constant: an enum value, a field, an action; dotted where it was written so."""

    text: str
    spot: Spot


@dataclass(frozen=True)
class Call:
    """A function with its arguments: `autoincrement()`, `dbgenerated("…")`, `title(sort: Desc)`."""

    name: str
    arguments: tuple[Argument, ...]
    spot: Spot


@dataclass(frozen=True)
class Many:
    """A list between brackets."""

    items: tuple[Value, ...]
    spot: Spot


@dataclass(frozen=True)
class Pairs:
    """An object between braces, as a partial index's `where: { deleted: false }`."""

    items: tuple[tuple[str, Value], ...]
    spot: Spot


Value = Literal | Name | Call | Many | Pairs


@dataclass(frozen=True)
class Argument:
    """One argument; `name` is "" where it goes by its place."""

    name: str
    value: Value
    spot: Spot


@dataclass(frozen=True)
class Attribute:
    """`@id`, `@db.VarChar(20)`, `@@index([a, b])`: the name without its at signs, dots kept."""

    name: str
    arguments: tuple[Argument, ...]
    spot: Spot


@dataclass(frozen=True)
class Field:
    """A field: its type's name, "" or "?" or "[]" behind it, and what `///` says of it.

    `unsupported` holds the server's own words of `Unsupported("…")`; `type` is then "Unsupported". `type_spot` is
    where the type stands.
    """

    name: str
    type: str
    arity: str
    attributes: tuple[Attribute, ...]
    comment: str
    spot: Spot
    unsupported: str = ""
    type_spot: Spot | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Model:
    """A model, view or composite type: `kind` is "model", "view" or "type"."""

    kind: str
    name: str
    fields: tuple[Field, ...]
    attributes: tuple[Attribute, ...]
    comment: str
    spot: Spot


@dataclass(frozen=True)
class EnumValue:
    """One value of an enum."""

    name: str
    attributes: tuple[Attribute, ...]
    comment: str
    spot: Spot


@dataclass(frozen=True)
class Enumeration:
    """An enum."""

    name: str
    values: tuple[EnumValue, ...]
    attributes: tuple[Attribute, ...]
    comment: str
    spot: Spot


@dataclass(frozen=True)
class Settings:
    """A datasource or generator: `kind` says which."""

    kind: str
    name: str
    entries: tuple[tuple[str, Value], ...]
    comment: str
    spot: Spot


@dataclass(frozen=True)
class Schema:
    """All blocks of a schema, of every file, in order of appearance; `files` are those that it was read from."""

    models: tuple[Model, ...]
    enums: tuple[Enumeration, ...]
    settings: tuple[Settings, ...]
    files: tuple[str, ...] = field(default=(), compare=False)
