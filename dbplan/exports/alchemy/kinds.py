"""Column types, written as the calls that make them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ARRAY, JSON, Column, Enum
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

from dbplan.ddl.documents import JsonText
from dbplan.exports.alchemy.clauses import clause
from dbplan.exports.alchemy.page import Page, home
from dbplan.exports.python import Group, Named, Node, Text, call, flat, literal
from dbplan.exports.relations import snake

_MISSING = object()
_LONG = 40
_UNSAID = frozenset({"metadata", "quote", "_disable_warnings", "inherit_schema", "name_func", "mutable"})
_SERVER_TYPE = '''class ServerType(UserDefinedType[Any]):
    """A type in the words of the server that has it."""

    cache_ok = True

    def __init__(self, words: str) -> None:
        self.words = words

    def get_col_spec(self, **_: Any) -> str:
        return self.words'''
_JSON_TEXT = '''class JsonText({json}):
    """A document that SQLite keeps as text in a column declared JSONB."""

    __visit_name__ = "JSONB"'''
_VALUES = '''def values(kind: Any) -> list[str]:
    """Return what the database keeps of an enum: the values of its members."""
    return [str(member.value) for member in kind]'''


def kind(page: Page, column: Column[Any]) -> Node | None:
    """Return the type of a column as a call, or its name where several columns share it; None for no type at all."""
    if isinstance(column.type, NullType):
        return None
    written = of(page, column.type)
    return page.shared.get(flat(written), bare(written))


def bare(written: Node) -> Node:
    """Return the class alone of a type that wants no arguments."""
    empty = isinstance(written, Group) and not written.items and not written.tail
    return written.head if isinstance(written, Group) and empty else written


def of(page: Page, type_: TypeEngine[Any]) -> Node:
    """Return a type as a call; as the server's own words where nobody could import its class."""
    if is_serial(type_):
        return _words(page, type_)
    variants = getattr(type_, "_variant_mapping", None) or {}
    written: Node | None = _plain(page, type_)
    if written is None:
        return _words(page, type_)
    for dialect, variant in variants.items():
        written = Group(f"{flat(written)}.with_variant", (of(page, variant), Text(dialect)))
    return written


def _plain(page: Page, type_: Any) -> Node | None:
    if isinstance(type_, Enum):
        return _enum(page, type_)
    if isinstance(type_, DOMAIN):
        return _domain(page, type_)
    if isinstance(type_, JsonText):
        return _json_text(page, type_)
    if isinstance(type_, TypeDecorator):
        return _decorated(page, type_)
    type_ = _generic(page, type_)
    found = home(type(type_))
    if found is None or not found[0].startswith("sqlalchemy"):
        return _foreign(page, type_, found)
    items = _arguments(page, type_)
    return None if items is None else call(page.imports.name(*found), *items)


def is_serial(type_: TypeEngine[Any]) -> bool:
    """Say whether a type is one by which PostgreSQL numbers rows outside of a key."""
    return str(getattr(type_, "words", "")).upper() in ("SERIAL", "BIGSERIAL", "SMALLSERIAL")


def _generic(page: Page, type_: Any) -> Any:
    """Return a type without its server's name, Integer for INTEGER, where the server writes both alike."""
    if (
        not type(type_).__name__.isupper()
        or isinstance(type_, ARRAY | JSON)
        or getattr(type_, "_variant_mapping", None)
    ):
        return type_
    try:
        generic = type_.as_generic()
        return generic if generic.compile(page.dialect) == type_.compile(page.dialect) else type_
    except (NotImplementedError, SQLAlchemyError):
        return type_


def _json_text(page: Page, type_: JsonText) -> Node | None:
    items = _arguments(page, type_)
    if items is None:
        return None
    page.helpers["JsonText"] = _JSON_TEXT.format(json=page.imports.name("sqlalchemy.dialects.sqlite", "JSON"))
    return call("JsonText", *items)


def _foreign(page: Page, type_: Any, found: tuple[str, str] | None) -> Node | None:
    """Return a type of someone else's module, unless that module is dbplan's own for types without a class."""
    if found is None or found[0] == "dbplan.sources.reflected":
        return None
    items = _arguments(page, type_)
    return None if items is None else call(page.imports.name(*found), *items)


def _decorated(page: Page, type_: TypeDecorator[Any]) -> Node:
    """Return a decorator where its class can be imported, else what the server sees of it."""
    found = home(type(type_))
    own = any("__init__" in vars(base) for base in type(type_).__mro__[: type(type_).__mro__.index(TypeDecorator)])
    if found is not None:
        items = _arguments(page, type_) if own else _below(page, type_)
        if items is not None:
            return call(page.imports.name(*found), *items)
    return of(page, type_.load_dialect_impl(page.dialect))


def _below(page: Page, type_: TypeDecorator[Any]) -> list[Node] | None:
    """Return the arguments that a decorator hands on to the type that it decorates."""
    declared: Any = type(type_).impl
    return _arguments(page, type_.impl_instance) if isinstance(declared, type) else []


def _arguments(page: Page, type_: Any) -> list[Node] | None:
    """Return the arguments that make a type, found as attributes of the same names; None where one is out of reach."""
    blank = _blank(type(type_))
    items: list[Node] = []
    in_order = True
    for name, parameter in _parameters(type(type_)):
        value = getattr(type_, name, _MISSING)
        if parameter.kind is parameter.VAR_POSITIONAL:
            items += [literal(one) or "None" for one in getattr(type_, "enums", getattr(type_, "values", ()))]
            continue
        usual = getattr(blank, name, parameter.default)
        needed = parameter.default is parameter.empty
        if value is _MISSING or (not needed and (value is parameter.default or repr(value) == repr(usual))):
            if needed:
                return None
            in_order = False
            continue
        written = _value(page, value)
        if written is None:
            return None
        positional = parameter.kind is parameter.POSITIONAL_OR_KEYWORD and not isinstance(value, bool)
        items.append(written if in_order and positional else Named(f"{name}=", written))
        in_order = in_order and positional
    return items


def _parameters(class_: type[Any]) -> Iterator[tuple[str, inspect.Parameter]]:
    """Yield the parameters of a type's constructors, its own first, then those that it hands on to."""
    seen: set[str] = set()
    own = True
    for base in class_.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        given = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        for parameter in given:
            if parameter.kind is not parameter.VAR_KEYWORD and parameter.name not in seen | _UNSAID:
                seen.add(parameter.name)
                # what is handed on is taken by its name alone
                yield parameter.name, parameter if own else _named_only(parameter)
        own = False
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in given):
            return


def _named_only(parameter: inspect.Parameter) -> inspect.Parameter:
    positional = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    return parameter.replace(kind=parameter.KEYWORD_ONLY) if positional else parameter


def _blank(class_: type[Any]) -> Any:
    try:
        return class_()
    except Exception:  # a type that wants arguments has no blank
        return None


def _value(page: Page, value: Any) -> Node | None:
    if isinstance(value, TypeEngine):
        written = of(page, value)
        return page.shared.get(flat(written), bare(written))
    if isinstance(value, type) and issubclass(value, TypeEngine):
        return bare(of(page, value()))
    if isinstance(value, ClauseElement):
        return clause(page, value)
    return literal(value)


def _domain(page: Page, type_: DOMAIN) -> Node:
    named: dict[str, Node | None] = {}
    for name in ("schema", "collation", "default", "constraint_name", "check"):
        value = getattr(type_, name, None)
        named[name] = None if value is None else _value(page, value)
    named["not_null"] = "True" if type_.not_null else None
    named["create_type"] = None if type_.create_type else "False"
    name = page.imports.name("sqlalchemy.dialects.postgresql", "DOMAIN")
    return call(name, Text(str(type_.name)), bare(of(page, type_.data_type)), **named)


def _enum(page: Page, type_: Any) -> Node:
    """Return an enum of its Python class where the module has it, else of its labels."""
    found = home(type(type_)) or ("sqlalchemy", "Enum")
    own = page.enums.get(type_.enum_class) if type_.enum_class is not None else None
    labels: list[Node] = [own] if own else [Text(str(label)) for label in type_.enums]
    usual = type_.enum_class.__name__.lower() if own else None
    named: dict[str, Node | None] = {
        "name": Text(str(type_.name)) if type_.name is not None and type_.name != usual else None,
        "schema": Text(str(type_.schema)) if type_.schema else None,
        "native_enum": None if type_.native_enum else "False",
        "length": _length(type_),
        "create_constraint": "True" if type_.create_constraint else None,
        "validate_strings": "True" if type_.validate_strings else None,
        "values_callable": _callable(page, type_) if own else None,
        "charset": literal(type_.charset) if getattr(type_, "charset", None) else None,
        "collation": literal(type_.collation) if getattr(type_, "collation", None) else None,
    }
    return call(page.imports.name(*found), *labels, **named)


def _length(type_: Any) -> Node | None:
    longest = max((len(str(label)) for label in type_.enums), default=0)
    return None if type_.native_enum or type_.length in (longest, None) else repr(type_.length)


def _callable(page: Page, type_: Any) -> Node | None:
    names = [name for name, member in type_.enum_class.__members__.items() if member.name == name]
    if list(type_.enums) == names:
        return None
    page.imports.name("typing", "Any")
    page.helpers["values"] = _VALUES
    return "values"


def _words(page: Page, type_: TypeEngine[Any]) -> Node:
    """Return the server's own words for a type."""
    page.imports.name("sqlalchemy.types", "UserDefinedType")
    page.imports.name("typing", "Any")
    page.helpers["ServerType"] = _SERVER_TYPE
    words = type_.words if is_serial(type_) else type_.compile(dialect=page.dialect)  # type: ignore[attr-defined]
    return call("ServerType", Text(words))


def share(page: Page) -> dict[str, Node]:
    """Return the types that several columns have and that have a name or many words, by their names in the module."""
    counted: dict[str, tuple[int, Node, str]] = {}
    for type_ in _used(page):
        written, name = of(page, type_), _name(type_)
        if name or len(flat(written)) > _LONG:
            count = counted.get(flat(written), (0, written, ""))[0]
            counted[flat(written)] = (count + 1, written, name or f"{type(type_).__name__}_type")
    found: dict[str, Node] = {}
    for text, (count, written, name) in counted.items():
        if count > 1:
            constant = _constant(page, name)
            page.shared[text] = constant
            found[constant] = written
    return found | _unused(page, set(counted))


def _unused(page: Page, used: set[str]) -> dict[str, Node]:
    """Return the types that belong to the MetaData and to no column."""
    found: dict[str, Node] = {}
    for type_ in page.plan.metadata._objects:  # SQLAlchemy has no public list of them
        written = of(page, type_) if isinstance(type_, Enum | DOMAIN) else None
        if isinstance(written, Group) and flat(written) not in used:
            owned = (*written.items, Named("metadata=", page.metadata))
            found[_constant(page, _name(type_))] = Group(written.head, owned)
    return dict(sorted(found.items()))


def _name(type_: Any) -> str:
    return str(type_.name) if isinstance(type_, Enum | DOMAIN) and type_.name else ""


def _used(page: Page) -> Iterator[Any]:
    """Yield the type of each column, and that of its items."""
    for table in page.plan.tables:
        for column in table.columns:
            inner: Any = column.type
            while inner is not None and not isinstance(inner, NullType):
                yield inner
                inner = getattr(inner, "item_type", None)


def _constant(page: Page, name: str) -> str:
    """Return a free name in capitals."""
    return page.free(snake(name).upper())


def annotation(page: Page, column: Column[Any]) -> str:
    """Return the Python type of a column's values, without `| None`."""
    return _annotation(page, column.type)


def _annotation(page: Page, type_: Any) -> str:
    if isinstance(type_, ARRAY):
        inner = _annotation(page, type_.item_type)
        for _ in range(type_.dimensions or 1):
            inner = f"list[{inner}]"
        return inner
    if isinstance(type_, Enum) and type_.enum_class in page.enums:
        return page.enums[type_.enum_class]
    if isinstance(type_, TypeDecorator):
        return _annotation(page, type_.impl_instance)
    try:
        python: Any = str if isinstance(type_, Enum) else type_.python_type
    except (NotImplementedError, SQLAlchemyError):
        python = None
    known = python is not None and python.__module__ in ("builtins", "datetime", "decimal", "uuid")
    if not known or isinstance(type_, JSON) or python in (dict, object, list):
        return page.imports.name("typing", "Any")
    if python.__module__ == "builtins":
        return str(python.__name__)
    if python.__module__ == "datetime":
        return f"{page.imports.module('datetime', 'dt')}.{python.__name__}"
    return page.imports.name(python.__module__, python.__name__)
