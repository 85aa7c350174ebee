"""A schema by its names, and the errors that speak of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeVar

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
    Schema,
    Settings,
    Spot,
    Value,
)

Item = TypeVar("Item", bound=Field | Model | Enumeration)
Owned = TypeVar("Owned", bound=Field | EnumValue | Model | Enumeration | Settings)

SCALARS = ("Int", "BigInt", "Float", "Decimal", "Boolean", "String", "DateTime", "Json", "Bytes")


@dataclass(frozen=True)
class Facts:
    """A schema whose blocks are found by name; `provider` and `source` are what the datasource says and is called."""

    schema: Schema
    provider: str
    source: str
    schemas: tuple[str, ...]
    relation_mode: str
    models: dict[str, Model] = field(init=False)
    enums: dict[str, Enumeration] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", {model.name: model for model in self.schema.models})
        object.__setattr__(self, "enums", {enum.name: enum for enum in self.schema.enums})

    def related(self, item: Field) -> Model | None:
        """Return the model or view that a field leads to; None for scalars, enums and composite types."""
        model = self.models.get(item.type)
        return model if model is not None and model.kind != "type" else None

    def relation_fields(self, model: Model) -> Iterator[tuple[Field, Model]]:
        """Return a model's relation fields with the models that they lead to."""
        for item in model.fields:
            if (target := self.related(item)) is not None:
                yield item, target


def fault(spot: Spot, message: str) -> SourceError:
    """Return the error of a place."""
    return SourceError(f"{spot}: {message}")


def unknown(spot: Spot, what: str, name: str, known: Iterable[str], of: str = "") -> SourceError:
    """Return the error of a name that is not there, in or of something, with the nearest one that is."""
    names = sorted(known)
    near = [n for n in names if n.lower() == name.lower()] or get_close_matches(name, names, n=1, cutoff=0.6)
    shown = ", ".join(names[:20]) + (f", … ({len(names)} in all)" if len(names) > 20 else "")
    mend = f'did you mean "{near[0]}"?' if near else f"there are: {shown}" if names else "there are none"
    return fault(spot, f'no {what} "{name}"{of and " " + of}; {mend}')


def once(items: Iterable[Owned], what: str, name: Callable[[Owned], str]) -> None:
    """Refuse the second item of a name."""
    seen: dict[str, Spot] = {}
    for item in items:
        if (first := seen.setdefault(name(item), item.spot)) != item.spot:
            raise fault(item.spot, f'{what} "{name(item)}" is there already, in {first}; rename or remove one')


def once_in_database(items: Iterable[Item], what: str, name: Callable[[Item], str]) -> None:
    """Refuse the second item of a name in the database; the place is that of the `@map` that led to it."""
    seen: dict[str, Item] = {}
    for item in items:
        first = seen.setdefault(name(item), item)
        if first is not item:
            maps = [found for each in (item, first) if (found := attribute(each, "map")) is not None]
            spot = maps[0].spot if maps and not isinstance(item, Enumeration) else item.spot
            listing = f'"{first.name}" and "{item.name}"'
            raise fault(spot, f'{what} "{name(item)}" is there twice, for {listing}; map one to another name')


def attribute(owner: Field | Model | EnumValue | Enumeration, name: str) -> Attribute | None:
    """Return the attribute of a name, if it is there."""
    return next((item for item in owner.attributes if item.name == name), None)


def argument(item: Attribute | Call | None, name: str, *, first: bool = False) -> Value | None:
    """Return an argument's value, by name or, if it is the one that may, by place."""
    found: Argument | None = None
    if item is not None:
        found = next((given for given in item.arguments if given.name == name or (first and not given.name)), None)
    return found.value if found else None


def string(value: Value | None) -> str:
    """Return a text's value, "" for anything else."""
    return value.text if isinstance(value, Literal) and value.kind == "string" else ""


def listed(value: Value | None) -> tuple[Value, ...]:
    """Return the items of a list; one item may stand without brackets."""
    if value is None:
        return ()
    return value.items if isinstance(value, Many) else (value,)


def named(value: Value | None) -> tuple[str, ...]:
    """Return the fields that a list names."""
    items = listed(value)
    return tuple(i.text if isinstance(i, Name) else i.name for i in items if isinstance(i, (Name, Call)))


def spots(value: Value | None) -> tuple[Spot, ...]:
    """Return where the fields stand that a list names."""
    return tuple(item.spot for item in listed(value) if isinstance(item, (Name, Call)))


def database_name(owner: Field | Model | Enumeration) -> str:
    """Return the name in the database: that of `@map`, else the schema's own."""
    return string(argument(attribute(owner, "map"), "name", first=True)) or owner.name


def shown(value: Value) -> str:
    """Return a value as a schema writes it, in short."""
    if isinstance(value, Literal):
        return f'"{value.text}"' if value.kind == "string" else value.text
    if isinstance(value, Name):
        return value.text
    return f"{value.name}()" if isinstance(value, Call) else "a list" if isinstance(value, Many) else "an object"
