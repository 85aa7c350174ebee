"""The type of a column: scalars, native types, enums, lists and Unsupported, in SQLAlchemy's terms."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Enum
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import JSON, NullType, TypeEngine

from dbplan.sources.prisma.native import BSON, NATIVE, SCALARS
from dbplan.sources.prisma.scope import Scope, mapped, text
from dbplan.sources.prisma.syntax import Attribute, Enumeration, Field, Literal
from dbplan.sources.reflected import ServerType


class SERIAL(postgresql.INTEGER):
    """An integer that PostgreSQL numbers from a sequence of its own, outside of a primary key."""

    words = "SERIAL"


class BIGSERIAL(postgresql.BIGINT):
    """A big integer that PostgreSQL numbers from a sequence of its own."""

    words = "BIGSERIAL"


class SMALLSERIAL(postgresql.SMALLINT):
    """A small integer that PostgreSQL numbers from a sequence of its own."""

    words = "SMALLSERIAL"


class COUNTED(sqlite.INTEGER):
    """A key that SQLite counts although it refers to another table, which SQLAlchemy never writes so."""

    words = "INTEGER PRIMARY KEY AUTOINCREMENT"


@compiles(SERIAL, "postgresql")
@compiles(BIGSERIAL, "postgresql")
@compiles(SMALLSERIAL, "postgresql")
@compiles(COUNTED, "sqlite")
def _counted(kind: Any, compiler: Any, **options: Any) -> str:
    """Write the numbering where the column is created; anywhere else the type is the number's."""
    if options.get("type_expression") is not None:
        return str(kind.words)
    return str(getattr(compiler, f"visit_{kind.__visit_name__}")(kind, **options))


class TextEnum(Enum):
    """An enum that the client guards: the server, which has none, keeps text."""

    def __init__(self, *values: Any, **options: Any) -> None:
        super().__init__(*values, **options | {"native_enum": False, "create_constraint": False})


@compiles(TextEnum)
def _text(_kind: TextEnum, compiler: Any, **_: Any) -> str:
    return str(compiler.process(SCALARS["sqlite"]["String"]()))


def column_type(field: Field, scope: Scope) -> TypeEngine[Any]:
    """Return the type of a field's column."""
    if scope.dialect == "mongodb" and field.arity == "[]":
        return JSON()
    kind = _item(field, scope)
    if field.arity != "[]":
        return kind
    if isinstance(kind, ServerType):
        return ServerType(f"{kind.words}[]", kind.dialect)
    return postgresql.ARRAY(kind) if scope.dialect in ("postgresql", "cockroachdb") else JSON()


def _item(field: Field, scope: Scope) -> TypeEngine[Any]:
    if field.unsupported:
        return ServerType(field.unsupported, {"cockroachdb": "postgresql"}.get(scope.dialect, scope.dialect))
    if field.type in scope.enums:
        return enum_type(scope.enums[field.type], scope)
    if field.type in scope.models:  # a composite type
        return JSON()
    native = native_type(field, scope)
    if native is not None:
        return _native(native, field, scope)
    return SCALARS[scope.dialect].get(field.type, NullType)()


def native_type(field: Field, scope: Scope) -> Attribute | None:
    """Return the attribute that names a native type."""
    return next((found for found in field.attributes if found.name.startswith(scope.native)), None)


def _native(native: Attribute, field: Field, scope: Scope) -> TypeEngine[Any]:
    name = native.name.removeprefix(scope.native)
    if scope.dialect == "mysql" and (field.type, name) == ("Boolean", "TinyInt"):
        return mysql.BOOLEAN()
    arguments = [_number(found.value) for found in native.arguments]
    return NATIVE[scope.dialect].get(name, SCALARS[scope.dialect].get(field.type, NullType))(*arguments)


def _number(value: Any) -> int | str:
    said = text(value)
    return int(said) if isinstance(value, Literal) and said.isdigit() else said


def enum_type(found: Enumeration, scope: Scope) -> TypeEngine[Any]:
    """Return an enum with the labels that the database has for its values."""
    labels = [mapped(value) for value in found.values]
    if scope.dialect == "mysql":
        return mysql.ENUM(*labels, name=found.name)
    if scope.dialect in ("postgresql", "cockroachdb"):
        return postgresql.ENUM(*labels, name=mapped(found), schema=scope.namespace(found))
    return TextEnum(*labels, name=mapped(found))


def bson_type(field: Field, scope: Scope) -> str:
    """Return MongoDB's name of a field's type, of its items where it is a list; "" on other servers."""
    if scope.dialect != "mongodb":
        return ""
    native = native_type(field, scope)
    if native is not None:
        name = native.name.removeprefix(scope.native)
        return {"Array": "array", "Json": "object"}.get(name, name[:1].lower() + name[1:])
    return BSON.get(field.type, "object" if field.type in scope.models else "string")
