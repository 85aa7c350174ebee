"""What the parts of a schema ask of the whole: its server, its models and enums by name, and how things are mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

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
    Value,
)

DIALECTS = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "prisma+postgres": "postgresql",
    "mysql": "mysql",
    "sqlite": "sqlite",
    "sqlserver": "mssql",
    "cockroachdb": "cockroachdb",
    "mongodb": "mongodb",
}
"""Prisma's providers, and SQLAlchemy's names of the same servers."""
Block = Model | Enumeration | EnumValue | Field

_HOME = {"postgresql": "public", "cockroachdb": "public", "mssql": "dbo"}


@dataclass(frozen=True)
class Scope:
    """A whole schema, ready to be asked."""

    schema: Schema

    @cached_property
    def datasource(self) -> Settings | None:
        """The datasource, if there is one."""
        return next((found for found in self.schema.settings if found.kind == "datasource"), None)

    @cached_property
    def dialect(self) -> str:
        """SQLAlchemy's name of the server; PostgreSQL where the schema names none."""
        return DIALECTS.get(text(self.setting("provider")), "postgresql")

    @cached_property
    def enforced(self) -> bool:
        """Whether the database guards relations with foreign keys."""
        said = text(self.setting("relationMode") or self.setting("referentialIntegrity"))
        return said != "prisma" and self.dialect != "mongodb"

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """Models, views and composite types by name."""
        return {model.name: model for model in self.schema.models}

    @cached_property
    def enums(self) -> Mapping[str, Enumeration]:
        """Enums by name."""
        return {found.name: found for found in self.schema.enums}

    @cached_property
    def native(self) -> str:
        """What stands before the name of a native type: `db.`, by the name of the datasource."""
        return f"{self.datasource.name if self.datasource else 'db'}."

    def setting(self, key: str) -> Value | None:
        """Return an entry of the datasource."""
        entries = self.datasource.entries if self.datasource else ()
        return next((value for name, value in entries if name == key), None)

    def is_relation(self, field: Field) -> bool:
        """Say whether a field leads to another model, and so is no column."""
        target = self.models.get(field.type)
        return target is not None and target.kind != "type" and not field.unsupported

    def columns(self, model: Model) -> Iterator[Field]:
        """Yield the fields that are columns, in order."""
        return (field for field in model.fields if not self.is_relation(field))

    def namespace(self, block: Model | Enumeration) -> str | None:
        """Return the schema that a table or type lies in, None for the server's default one."""
        said = text(first(find(block, "schema"), "map"))
        return None if said in ("", _HOME.get(self.dialect)) else said


def find(block: Block, name: str) -> Attribute | None:
    """Return an attribute by its name without at signs."""
    return next((found for found in block.attributes if found.name == name), None)


def every(block: Block, *names: str) -> Iterator[Attribute]:
    """Yield the attributes of these names, in order."""
    return (found for found in block.attributes if found.name in names)


def argument(attribute: Attribute | Call | None, name: str) -> Value | None:
    """Return the value of a named argument."""
    said = attribute.arguments if attribute else ()
    return next((found.value for found in said if found.name == name), None)


def first(attribute: Attribute | Call | None, *names: str) -> Value | None:
    """Return the argument that stands without a name, or has one of `names`."""
    said: tuple[Argument, ...] = attribute.arguments if attribute else ()
    return next((found.value for found in said if found.name in ("", "name" if not names else "", *names)), None)


def text(value: Value | None) -> str:
    """Return what a text, number or name says; "" for anything else."""
    return value.text if isinstance(value, Literal | Name) else ""


def items(value: Value | None) -> tuple[Value, ...]:
    """Return the items of a list; a single value counts as a list of one."""
    if value is None:
        return ()
    return value.items if isinstance(value, Many) else (value,)


def mapped(block: Block) -> str:
    """Return the name that the database has for it: @map, @@map, or its own."""
    return text(first(find(block, "map"))) or block.name


def written(value: Value) -> str:
    """Return a value as Prisma writes it: `nanoid(10)`."""
    if isinstance(value, Call):
        return f"{value.name}({', '.join(_argument(found) for found in value.arguments)})"
    if isinstance(value, Many):
        return f"[{', '.join(written(item) for item in value.items)}]"
    if isinstance(value, Literal) and value.kind == "string":
        return '"{}"'.format(value.text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
    return text(value)


def _argument(found: Argument) -> str:
    return f"{found.name}: {written(found.value)}" if found.name else written(found.value)
