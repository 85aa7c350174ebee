"""Columns as fields: the class that writes a column's type, and the words that it takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Enum, String, Uuid
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ClauseElement

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.alchemy.page import imported
from dbplan.exports.clauses import shortened
from dbplan.exports.django.page import Page
from dbplan.exports.facts import Default, SqlType
from dbplan.exports.python import Group, Named, Node, Text, call, flat, literal, quoted, shown
from dbplan.exports.relations import pascal, snake

_PLAIN = {
    "bigint": "BigIntegerField",
    "integer": "IntegerField",
    "int": "IntegerField",
    "smallint": "SmallIntegerField",
    "boolean": "BooleanField",
    "bool": "BooleanField",
    "double precision": "FloatField",
    "float": "FloatField",
    "double": "FloatField",
    "text": "TextField",
    "longtext": "TextField",
    "date": "DateField",
    "time": "TimeField",
    "time without time zone": "TimeField",
    "timestamp with time zone": "DateTimeField",
    "datetime": "DateTimeField",
    "interval": "DurationField",
    "uuid": "UUIDField",
    "jsonb": "JSONField",
    "bytea": "BinaryField",
    "blob": "BinaryField",
    "longblob": "BinaryField",
    "inet": "GenericIPAddressField",
}
_RANGES = {
    "int4range": "IntegerRangeField",
    "int8range": "BigIntegerRangeField",
    "numrange": "DecimalRangeField",
    "tstzrange": "DateTimeRangeField",
    "daterange": "DateRangeField",
    "hstore": "HStoreField",
}
_COUNTING = {"bigint": "BigAutoField", "integer": "AutoField", "int": "AutoField", "smallint": "SmallAutoField"}
_OF_EXTENSIONS = {"citext", "hstore", "ltree", "vector", "cube"}
_SERVER_FIELD = '''class ServerField({field}):
    """A column of a type that Django has no field for, in the words of the server."""

    def __init__(self, *args, words="", **kwargs):
        self.words = words
        super().__init__(*args, **kwargs)

    def db_type(self, connection):
        return self.words

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {{"words": self.words}}'''

_SERVER_JSON = '''class ServerJSON({field}):
    """A document in a column of SQLite's that is called JSON, as the plan has it."""

    def db_type(self, connection):
        return "json"

    def db_check(self, connection):
        return None'''


@dataclass(frozen=True)
class Made:
    """A field's class and words, and the Python type that its values compare as: "int", "str", "bool" or ""."""

    head: str
    words: dict[str, Node] = field(default_factory=dict)
    values: str = ""


def made(page: Page, column: Column[Any]) -> Made:
    """Return the field that writes a column's type."""
    type_ = facts.sql_type(column.type, page.dialect)
    kind = _server_type(column.type)
    if type_.dimensions:
        return _array(page, column, type_)
    if isinstance(kind, DOMAIN):
        type_ = facts.sql_type(kind.data_type, page.dialect)
        said = f"its domain {kind.name} is {type_.words} here"
        page.lose(Place(column.table.key, column.name), said, _retyped(page, column))
    if type_.labels and (type_.native or _is_text(type_)):
        return _chosen(page, column, type_)
    if page.dialect.name == "sqlite" and (own := _of_sqlite(page, kind, type_)):
        return own
    return _scalar(page, type_, getattr(kind, "collation", None))


def _of_sqlite(page: Page, kind: Any, type_: SqlType) -> Made | None:
    """Return the field of what SQLite has no type for and Django stores as the plan does: UUIDs as texts, documents."""
    if isinstance(kind, Uuid) and type_.words.lower() == "char(32)":
        return Made(page.models("UUIDField"))
    if type_.name != "json":
        return None
    page.blocks["ServerJSON"] = _SERVER_JSON.format(field=page.models("JSONField"))
    return Made("ServerJSON")


def _server_type(type_: Any) -> Any:
    while hasattr(type_, "impl_instance"):
        type_ = type_.impl_instance
    return type_


def _is_text(type_: SqlType) -> bool:
    return type_.name in ("varchar", "text", "character varying")


def _scalar(page: Page, type_: SqlType, collation: str | None = None) -> Made:
    name = re.sub(r" collate .*", "", type_.name)
    words: dict[str, Node] = {"db_collation": Text(collation)} if collation else {}
    if name in ("varchar", "character varying"):
        length = {"max_length": str(type_.length)} if type_.length else {}
        return Made(page.models("CharField"), {**length, **words}, "str")
    if name in ("numeric", "decimal") and type_.arguments:
        digits, places = (*type_.arguments, "0")[:2]
        if not places.startswith("-"):
            return Made(page.models("DecimalField"), {"max_digits": digits, "decimal_places": places})
    if name in _RANGES:
        return Made(page.postgres("fields", _RANGES[name]))
    if name == "tsvector":
        return Made(page.postgres("search", "SearchVectorField"))
    if name in _PLAIN and (not type_.arguments or name == "float"):
        return Made(page.models(_PLAIN[name]), words, _values(name))
    page.blocks["ServerField"] = _SERVER_FIELD.format(field=page.models("Field"))
    return Made("ServerField", {"words": Text(type_.words.lower())})


def _values(name: str) -> str:
    if name in ("bigint", "integer", "int", "smallint"):
        return "int"
    return {"text": "str", "boolean": "bool", "bool": "bool"}.get(name, "")


def _array(page: Page, column: Column[Any], type_: SqlType) -> Made:
    item: Any = _server_type(column.type)
    while hasattr(item, "item_type"):
        item = _server_type(item.item_type)
    if type_.native or isinstance(item, DOMAIN):
        said = f"its items are of type {type_.name}; here they are text"
        page.lose(Place(column.table.key, column.name), said, _retyped(page, column))
        inner = Made(page.models("TextField"))
    else:
        inner = _scalar(page, facts.sql_type(item, page.dialect))
    node: Node = call(inner.head, **inner.words)
    for _ in range(type_.dimensions - 1):
        node = call(page.postgres("fields", "ArrayField"), node)
    return Made(page.postgres("fields", "ArrayField"), {"base_field": node})


def _chosen(page: Page, column: Column[Any], type_: SqlType) -> Made:
    """Return the field of an enum: a text with choices."""
    name = f"{_class(page, column, type_)}.choices"
    if type_.native:
        named = "" if type_.name == "enum" else f" {type_.name}"
        said = f"its enum{named} is text with choices here: Django has no enums of the server"
        page.lose(Place(column.table.key, column.name), said, _retyped(page, column))
        return Made(page.models("TextField"), {"choices": name}, "str")
    if type_.length:
        return Made(page.models("CharField"), {"max_length": str(type_.length), "choices": name}, "str")
    return Made(page.models("TextField"), {"choices": name}, "str")


def _retyped(page: Page, column: Column[Any]) -> str:
    """Return the SQL that gives a column its own type."""
    if page.dialect.name != "postgresql":
        return ""
    words, name = column.type.compile(dialect=page.dialect), page.quote(column.name)
    default = facts.default(column, page.dialect)
    parts = [f"ALTER {name} DROP DEFAULT"] if default is not None else []
    parts.append(f"ALTER {name} TYPE {words} USING {name}::{words}")
    parts += [f"ALTER {name} SET DEFAULT {default.sql}"] if default is not None else []
    return f"ALTER TABLE {page.whole(column.table)} {', '.join(parts)};"


def _renumbered(page: Page, column: Column[Any], type_: SqlType) -> str:
    """Return the SQL that numbers the rows of a column as the plan does."""
    if page.dialect.name != "postgresql":
        return ""
    table, name = page.whole(column.table), page.quote(column.name)
    head = f"ALTER TABLE {table} ALTER {name}"
    if column.identity is not None:
        compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
        return f"{head} DROP IDENTITY;\n{head} ADD {compiler.process(column.identity)};"
    sequence = page.quote(shortened(str(column.table.name), column.name, "seq"))
    sequence = f"{page.quote(column.table.schema)}.{sequence}" if column.table.schema else sequence
    made_ = f"CREATE SEQUENCE {sequence} AS {type_.name} OWNED BY {table}.{name};"
    return f"{head} DROP IDENTITY;\n{made_}\n{head} SET DEFAULT nextval('{sequence}');"


def _numbered(page: Page, column: Column[Any]) -> str:
    """Return the SQL that has the server number the rows of a column that is no key."""
    head = f"ALTER TABLE {page.whole(column.table)} ALTER {page.quote(column.name)}"
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    if column.identity is not None:
        return f"{head} ADD {compiler.process(column.identity)};"
    default = compiler.get_column_default_string(column)
    return f"{head} SET DEFAULT {default};" if default else ""


def _class(page: Page, column: Column[Any], type_: SqlType) -> str:
    """Return the class of an enum's choices, which is written once."""
    kind: Any = _server_type(column.type)
    enum = kind.enum_class if isinstance(kind, Enum) else None
    wanted = enum.__name__ if enum is not None else pascal(str(getattr(kind, "name", None) or column.name))
    if type_.labels not in page.choices:
        name = page.imports.reserve(wanted)
        page.choices[type_.labels] = name
        lines = [f"class {name}({page.models('TextChoices')}):"]
        taken: dict[str, str] = {}
        for label in type_.labels:
            member = _member(label, taken)
            taken[member] = label
            title = label.replace("_", " ").strip().capitalize() or label or "none"
            usual = member.replace("_", " ").title()
            value = quoted(label) if title == usual or title.title() == usual else f"{quoted(label)}, {quoted(title)}"
            lines.append(f"    {member} = {value}")
        page.blocks[name] = "\n".join(lines)
    return page.choices[type_.labels]


def _member(label: str, taken: dict[str, str]) -> str:
    name = snake(label).upper() if label.strip() else "EMPTY"
    name = "".join(sign for sign in name if f"a{sign}".isidentifier()) or "VALUE"
    name = f"{name}_" if name in ("MRO", "NAME", "VALUE", "NAMES", "LABELS", "VALUES", "CHOICES") else name
    while name in taken:
        name += "_2"
    return name


def plain(page: Page, column: Column[Any]) -> Node:
    """Return a column as a field that is no way to another table."""
    known = facts.facts(column, page.dialect)
    place = Place(column.table.key, column.name)
    if known.counts and column.primary_key and len(column.table.primary_key.columns) == 1:
        return _counting(page, column, known.type)
    if column.identity is not None or known.counts:
        page.lose(place, "the server numbers its rows; Django does so for a primary key alone", _numbered(page, column))
    _lose_filling(page, column)
    field_ = made(page, column)
    if column.computed is not None:
        return _generated(page, column, field_)
    words = {**field_.words, **common(page, column)}
    return call(field_.head, **words)


def _lose_filling(page: Page, column: Column[Any]) -> None:
    """Note what Prisma's client fills in and nothing does here."""
    told, place = str(column.info.get("default") or ""), Place(column.table.key, column.name)
    if told not in ("", "dbgenerated()") and column.default is None and column.server_default is None:
        said = f"Prisma's client fills it in by {told}; nothing does here: the application has to give the value"
        page.lose(place, said)
    if column.info.get("updated_at") and column.onupdate is None:
        page.lose(place, "nothing sets it when the row changes: the application has to")


def _counting(page: Page, column: Column[Any], type_: SqlType) -> Node:
    identity = column.identity
    if page.dialect.name != "postgresql":
        _lose_counting(page, column, type_)
    elif identity is None or identity.always or identity.start not in (None, 1) or identity.increment not in (None, 1):
        said = "GENERATED ALWAYS or with numbers of its own" if identity is not None else "a serial"
        told = f"it is {said}; here GENERATED BY DEFAULT AS IDENTITY"
        told += f", with {shortened(str(column.table.name), column.name, 'seq')}" if identity is not None else ""
        page.lose(Place(column.table.key, column.name), told, _renumbered(page, column, type_))
    words = common(page, column)
    words.pop("db_default", None)
    return call(page.models(_COUNTING.get(type_.name, "BigAutoField")), **words)


def _lose_counting(page: Page, column: Column[Any], type_: SqlType) -> None:
    """Note how Django numbers rows on MySQL and SQLite, where that is another type or another way."""
    place = Place(column.table.key, column.name)
    if type_.name not in _COUNTING:
        page.lose(place, f"its type {type_.words} is that of a BigAutoField here, bigint")
    if page.dialect.name == "sqlite" and not column.table.dialect_options["sqlite"]["autoincrement"]:
        page.lose(place, "Django makes it AUTOINCREMENT: the number of a deleted row is never given again")


def _generated(page: Page, column: Column[Any], field_: Made) -> Node:
    computed: Any = column.computed
    sql = sql_of(page, computed.sqltext)
    if not column.nullable:
        page.lose(Place(column.table.key, column.name), "a generated column may be NULL here")
    shared = common(page, column)
    expression = page.in_sql(sql.replace("%", "%%"), call(field_.head, **_sized(field_.words)))
    output = call(field_.head, **field_.words)
    named: dict[str, Node] = {"expression": expression, "output_field": output}
    stored = computed.persisted is not False and page.dialect.name == "postgresql"
    named["db_persist"] = repr(bool(stored or computed.persisted))
    if computed.persisted is not True and page.dialect.name == "postgresql":
        page.lose(Place(column.table.key, column.name), "Django stores what it generates on PostgreSQL")
    kept = {key: shared[key] for key in ("db_column", "db_comment") if key in shared}
    return call(page.models("GeneratedField"), **named, **kept)


def sql_of(page: Page, element: Any) -> str:
    """Return an expression as the server reads it."""
    if isinstance(element, str):
        return element
    options = {"literal_binds": True, "include_table": False}
    assert isinstance(element, ClauseElement)
    return str(element.compile(dialect=page.dialect, compile_kwargs=options))


def common(page: Page, column: Column[Any]) -> dict[str, Node]:
    """Return the words that every field takes: its column, its key, NULL, defaults, comment."""
    attribute = page.attribute(column)
    words: dict[str, Node] = {}
    if attribute != column.name:
        words["db_column"] = Text(str(column.name))
    if column.primary_key and len(column.table.primary_key.columns) == 1:
        words["primary_key"] = "True"
    elif column.nullable:
        words |= {"null": "True", "blank": "True"}
    words |= _defaults(page, column)
    if column.comment:
        words["db_comment"] = Text(column.comment)
    return words


def _defaults(page: Page, column: Column[Any]) -> dict[str, Node]:
    words: dict[str, Node] = {}
    filled: Any = column.default
    if filled is not None and getattr(filled, "is_callable", False):
        function = imported(_Importing(page), getattr(filled.arg, "__wrapped__", filled.arg))  # type: ignore[arg-type]
        if function is not None:
            words["default"] = function
    elif filled is not None and getattr(filled, "is_scalar", False):
        value = getattr(filled.arg, "value", filled.arg)
        written = literal(value)
        if written is not None:
            words["default"] = _made_anew(page, column, written) if isinstance(value, dict | list | set) else written
    try:
        default = facts.default(column, page.dialect)
    except SQLAlchemyError:
        default = None
    if default is not None and column.computed is None:
        words["db_default"] = _server_default(page, column, default)
    return words


def _made_anew(page: Page, column: Column[Any], written: Node) -> str:
    """Return what makes a default of its own for each row, which Django wants of what can be changed."""
    if flat(written) in ("{}", "[]"):
        return "dict" if flat(written) == "{}" else "list"
    name = snake(f"default_{page.naming.class_of(column.table)}_{page.attribute(column)}")
    page.blocks[name] = f"def {name}():\n    {shown(written, 4, 'return ')}"
    return name


def _sized(words: dict[str, Node]) -> dict[str, Node]:
    """Return the words that make a type, without the choices of its values."""
    return {key: value for key, value in words.items() if key != "choices"}


class _Importing:
    """What `imported` wants of a page: its imports."""

    def __init__(self, page: Page) -> None:
        self.imports = page.imports


def _server_default(page: Page, column: Column[Any], default: Default) -> Node:
    type_ = facts.sql_type(column.type, page.dialect)
    kind = _server_type(column.type)
    if default.kind == "literal" and not type_.dimensions and not isinstance(kind, DOMAIN):
        if isinstance(default.value, bool) and type_.name in ("boolean", "bool"):
            return repr(default.value)
        if isinstance(default.value, int) and _values(type_.name) == "int":
            return repr(default.value)
        if isinstance(default.value, str) and (isinstance(kind, String) or type_.labels):
            return Text(default.value)
    sql = re.sub(r"^\((.*)\)$", r"\1", default.sql) if default.kind == "now" else default.sql
    if type_.native:
        sql = re.sub(r"::.*", "", sql)
    if default.kind == "now" and sql.upper() == "CURRENT_TIMESTAMP":
        return f"{page.postgres('functions', 'TransactionNow')}()"
    field_ = made_quietly(page, column)
    return page.in_sql(sql.replace("%", "%%"), call(field_.head, **_sized(field_.words)))


def made_quietly(page: Page, column: Column[Any]) -> Made:
    """Return a column's field and note nothing again."""
    count = len(page.lost)
    found = made(page, column)
    del page.lost[count:]
    return found


def bare(node: Node) -> Node:
    """Return a call without what only a column has."""
    if not isinstance(node, Group):
        return node
    kept = tuple(item for item in node.items if not isinstance(item, Named) or item.name in ("max_length=",))
    return Group(node.head, kept)


__all__ = ["bare", "common", "flat", "made", "made_quietly", "plain", "sql_of"]
