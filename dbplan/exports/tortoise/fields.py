"""Columns as fields: Tortoise's own where they make the same, else the server's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import DOMAIN

from dbplan.ddl.documents import JsonText
from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.alchemy.page import imported
from dbplan.exports.clauses import shortened
from dbplan.exports.facts import SqlType
from dbplan.exports.orm.columns import called, lose_filling, server_default
from dbplan.exports.orm.enums import enum_class, server_type
from dbplan.exports.orm.mends import lose_key_name, retyped
from dbplan.exports.orm.page import Page, Stage
from dbplan.exports.python import Node, Text, call, flat, literal, shown
from dbplan.exports.relations import snake

_POSTGRESQL = {
    "bigint": "BigIntField",
    "integer": "IntField",
    "smallint": "SmallIntField",
    "boolean": "BooleanField",
    "float": "FloatField",
    "double precision": "FloatField",
    "text": "TextField",
    "date": "DateField",
    "timestamp with time zone": "DatetimeField",
    "time with time zone": "TimeField",
    "uuid": "UUIDField",
    "jsonb": "JSONField",
    "bytea": "BinaryField",
}
_OTHERS = {
    "bigint": "BigIntField",
    "integer": "IntField",
    "int": "IntField",
    "smallint": "SmallIntField",
    "boolean": "BooleanField",
    "bool": "BooleanField",
    "float": "FloatField",
    "double": "FloatField",
    "real": "FloatField",
    "double precision": "FloatField",
    "text": "TextField",
    "longtext": "TextField",
    "date": "DateField",
    "datetime": "DatetimeField",
    "timestamp": "DatetimeField",
    "time": "TimeField",
    "json": "JSONField",
    "blob": "BinaryField",
    "longblob": "BinaryField",
    "char(32)": "UUIDField",
}
_MADE = {
    "sqlite": {
        "IntField": "int", "BigIntField": "bigint", "SmallIntField": "smallint", "BooleanField": "int",
        "FloatField": "real", "TextField": "text", "DateField": "date", "DatetimeField": "timestamp",
        "TimeField": "time", "JSONField": "json", "BinaryField": "blob", "UUIDField": "char(36)",
    },
    "mysql": {
        "IntField": "int", "BigIntField": "bigint", "SmallIntField": "smallint", "BooleanField": "bool",
        "FloatField": "double", "TextField": "longtext", "DateField": "date", "DatetimeField": "datetime(6)",
        "TimeField": "time(6)", "JSONField": "json", "BinaryField": "longblob", "UUIDField": "char(36)",
    },
}  # fmt: skip
"""What a field's column is on the server."""

_NOT_INDEXED = ("TextField", "JSONField", "BinaryField", "JsonField")
_SERVER_FIELD = '''class ServerField({field}):
    """A column in the words of the server: its type, and how it makes its values."""

    field_type = object
    allows_generated = True

    def __init__(self, words, made="", **kwargs):
        kwargs.setdefault("generated", bool(made))
        super().__init__(**kwargs)
        self.words = self.SQL_TYPE = words
        self.made = self.GENERATED_SQL = made

    def to_python_value(self, value):
        return value

    def to_db_value(self, value, instance):
        return value'''
_JSON_FIELD = '''class JsonField({field}):
    """A JSON document that is kept as the text that it was."""

    class _db_postgres:
        SQL_TYPE = "JSON"'''


@dataclass(frozen=True)
class Made:
    """A field's class, its words, and the column's type on the server where that is another than the plan's."""

    head: str
    words: dict[str, Node] = field(default_factory=dict)
    other: str = ""

    @property
    def is_indexed(self) -> bool:
        """Whether Tortoise lets it be unique by itself."""
        return self.head.rpartition(".")[2] not in _NOT_INDEXED


def made(page: Page, column: Column[Any]) -> Made:
    """Return the field that writes a column's type."""
    type_ = facts.sql_type(column.type, page.dialect)
    if type_.dimensions and page.is_postgresql:
        return _array(page, column, type_)
    if isinstance(server_type(column.type), DOMAIN):
        base = facts.sql_type(server_type(column.type).data_type, page.dialect)
        found = _scalar(page, column, base)
        return Made(found.head, found.words, base.words)
    if type_.labels and (type_.native or type_.name in ("varchar", "character varying")):
        return _chosen(page, column, type_)
    return _scalar(page, column, type_)


def of_fields(page: Page, name: str) -> str:
    """Return a name of tortoise.fields."""
    return f"{page.imports.name('tortoise', 'fields')}.{name}"


def server_field(page: Page, words: str, **more: Node) -> Made:
    """Return a field in the words of the server."""
    page.blocks["ServerField"] = _SERVER_FIELD.format(field=of_fields(page, "Field"))
    return Made("ServerField", {"words": Text(words), **more})


def _scalar(page: Page, column: Column[Any], type_: SqlType) -> Made:
    if type_.collation and page.is_postgresql:
        return server_field(page, type_.words)
    if type_.name in ("varchar", "character varying", "nvarchar") and type_.length:
        return Made(of_fields(page, "CharField"), {"max_length": str(type_.length)})
    if type_.name in ("numeric", "decimal") and (found := _decimal(page, type_)):
        return found
    return _exact(page, column, type_) if page.is_postgresql else _nearest(page, column, type_)


def _decimal(page: Page, type_: SqlType) -> Made | None:
    if not type_.arguments:
        return None
    digits, places = (*type_.arguments, "0")[:2]
    if not (digits.isdigit() and places.isdigit()):
        return None
    other = f"varchar(40) for {type_.words}" if page.dialect.name == "sqlite" else ""
    return Made(of_fields(page, "DecimalField"), {"max_digits": digits, "decimal_places": places}, other)


def _exact(page: Page, column: Column[Any], type_: SqlType) -> Made:
    name = _POSTGRESQL.get(type_.name) if not type_.arguments else None
    if type_.name == "json":
        page.blocks["JsonField"] = _JSON_FIELD.format(field=of_fields(page, "JSONField"))
        return Made("JsonField")
    if name is None or (name == "TextField" and column.primary_key):
        return server_field(page, type_.words.lower() if type_.words.isupper() else type_.words)
    return Made(of_fields(page, name))


def _nearest(page: Page, column: Column[Any], type_: SqlType) -> Made:
    """Return Tortoise's own field, which reads what these servers keep as text or numbers."""
    dialect = "sqlite" if page.dialect.name == "sqlite" else "mysql"
    words = type_.words.lower()
    name = _OTHERS.get(words) or _OTHERS.get(type_.name)
    name = "JSONField" if isinstance(server_type(column.type), JsonText) else name
    if name is None or (name == "TextField" and column.primary_key):
        return server_field(page, type_.words)
    kind = _MADE[dialect][name]
    same = {"integer": "int", "double precision": "double"} if dialect == "mysql" else {}
    return Made(of_fields(page, name), {}, "" if same.get(words, words) == same.get(kind, kind) else kind)


def _array(page: Page, column: Column[Any], type_: SqlType) -> Made:
    item: Any = server_type(column.type)
    while hasattr(item, "item_type"):
        item = server_type(item.item_type)
    own = type_.native or isinstance(item, DOMAIN)
    words = "text" if own else facts.sql_type(item, page.dialect).words.lower()
    if "collate" in words:
        return server_field(page, type_.words)
    nested = words + "[]" * (type_.dimensions - 1)
    head = page.imports.name("tortoise.contrib.postgres.fields", "ArrayField")
    return Made(head, {"element_type": Text(nested)}, "text[]" if own else "")


def _chosen(page: Page, column: Column[Any], type_: SqlType) -> Made:
    name = enum_class(page, column, type_)
    length = type_.length or max((len(label) for label in type_.labels), default=1) or 1
    words: dict[str, Node] = {"enum_type": name, "max_length": str(length)}
    words["description"] = Text("")
    return Made(of_fields(page, "CharEnumField"), words, f"varchar({length})" if type_.native else "")


def plain(page: Page, column: Column[Any], is_key: bool, *, unique: bool) -> Node:
    """Return a column as a field that is no way to another table; `is_key` where it is the model's only key."""
    known = facts.facts(column, page.dialect)
    alone = len(column.table.primary_key.columns) == 1
    if is_key and not alone:
        return _part_of_key(page, column)
    if column.computed is not None or known.counts or column.identity is not None:
        return _generated(page, column, known.type, is_key)
    found = made(page, column)
    lose_type(page, column, found)
    words = {**found.words, **common(page, column)}
    if found.other and page.is_postgresql:
        words |= _uncast(page, column, words.pop("db_default", None))
    if is_key:
        words = {"primary_key": "True", **words}
        words |= {"generated": "False"} if found.head.rpartition(".")[2].endswith("IntField") else {}
        words |= {"default": "None"} if found.head.endswith("UUIDField") and "default" not in words else {}
        lose_key_name(page, column.table, "Tortoise")
    elif unique:
        words["unique"] = "True"
    return call(found.head, **words)


def lose_type(page: Page, column: Column[Any], found: Made) -> None:
    """Note the type that a column has on the server in place of the plan's."""
    if found.other:
        said = f"its type {called(facts.sql_type(column.type, page.dialect))} is {found.other} here"
        mend = retyped(page, column) if page.is_postgresql else ""
        page.lose(Stage.COLUMNS, Place(column.table.key, column.name), said, mend)


def _uncast(page: Page, column: Column[Any], given: Node | None) -> dict[str, Node]:
    """Return a default that is a text without its cast to the plan's own type; any other comes with that type."""
    known = facts.default(column, page.dialect) if given is not None else None
    if known is None or known.kind != "literal" or not isinstance(known.value, str):
        return {}
    sql = "'" + known.value.replace("'", "''") + "'"
    return {"db_default": call(of_fields(page, "SqlDefault"), Text(sql))}


def _part_of_key(page: Page, column: Column[Any]) -> Node:
    """Return the column that Tortoise takes for the key of a model whose key has several; none is made of it."""
    type_ = facts.sql_type(column.type, page.dialect)
    default = server_default(page, column)
    told = f" DEFAULT {default}" if default else ""
    other = bool(type_.native or isinstance(server_type(column.type), DOMAIN)) and page.is_postgresql
    words = "text" if other else type_.words
    if other:
        said = f"its type {called(type_)} is text here"
        page.lose(Stage.COLUMNS, Place(column.table.key, column.name), said, retyped(page, column))
    found = server_field(page, words, made=Text(f"{words} NOT NULL{told}"))
    named = common(page, column)
    named.pop("db_default", None)
    return call(found.head, primary_key="True", **{**found.words, **named})


def _generated(page: Page, column: Column[Any], type_: SqlType, is_key: bool) -> Node:
    """Return a column whose values the server makes."""
    words = common(page, column)
    words.pop("db_default", None)
    if is_key:
        lose_key_name(page, column.table, "Tortoise")
    serial = column.identity is None and column.computed is None
    if not page.is_postgresql and (is_key or column.computed is None):
        return _counted(page, column, type_, words)
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    if serial:
        return _serial(page, column, type_, words, is_key)
    told = str(compiler.process(column.computed if column.identity is None else column.identity))
    if is_key:
        found = server_field(page, type_.words, made=Text(f"{type_.words} {told} NOT NULL PRIMARY KEY"))
        return call(found.head, primary_key="True", **{**found.words, **words})
    found = server_field(page, type_.words, made=Text(told))
    return call(found.head, **{**found.words, **words})


def _serial(page: Page, column: Column[Any], type_: SqlType, words: dict[str, Node], is_key: bool) -> Node:
    heads = {"bigint": "BigIntField", "integer": "IntField", "smallint": "SmallIntField"}
    drawn = facts.drawn_from(column)
    usual = shortened(str(column.table.name), str(column.name), "seq")
    if drawn and drawn.rpartition(".")[2].strip('"') != usual:
        words["db_default"] = call(of_fields(page, "SqlDefault"), Text(server_default(page, column)))
        found = server_field(page, type_.words)
        named: dict[str, Node] = {"primary_key": "True"} if is_key else {}
        return call(found.head, **{**found.words, **named, **words})
    if is_key:
        return call(of_fields(page, heads.get(type_.name, "BigIntField")), primary_key="True", **words)
    serial = {"bigint": "bigserial", "smallint": "smallserial"}.get(type_.name, "serial")
    found = server_field(page, serial)
    return call(found.head, **{**found.words, "generated": "True", **words})


def _counted(page: Page, column: Column[Any], type_: SqlType, words: dict[str, Node]) -> Node:
    """Return a number that MySQL or SQLite counts."""
    place = Place(column.table.key, column.name)
    heads = {"bigint": "BigIntField", "smallint": "SmallIntField"}
    head = heads.get(type_.name, "IntField")
    if not column.primary_key or len(column.table.primary_key.columns) != 1:
        page.lose(Stage.COLUMNS, place, "the server numbers its rows; Tortoise does so for a primary key alone")
        return call(of_fields(page, head), **words)
    if page.dialect.name == "sqlite":
        if not column.table.dialect_options["sqlite"]["autoincrement"]:
            said = "Tortoise makes it AUTOINCREMENT: the number of a deleted row is never given again"
            page.lose(Stage.COLUMNS, place, said)
        if type_.name != "integer":
            page.lose(Stage.COLUMNS, place, f"its type {type_.words.lower()} is integer here")
    return call(of_fields(page, head), primary_key="True", **words)


def common(page: Page, column: Column[Any]) -> dict[str, Node]:
    """Return the words that every field takes: its column, NULL, defaults, comment."""
    words: dict[str, Node] = {}
    if page.attribute(column) != column.name and (column.table.key, column.name) not in page.keys:
        words["source_field"] = Text(str(column.name))
    if column.nullable and not column.primary_key:
        words["null"] = "True"
    words |= _defaults(page, column)
    if column.comment:
        words["description"] = Text(column.comment)
        lose_comment(page, Place(column.table.key, column.name), column.comment)
    return words


def lose_comment(page: Page, place: Place, comment: str) -> None:
    """Note a comment that Tortoise escapes as no string of the server wants it; SQLite and MySQL keep none there."""
    if page.is_postgresql and any(sign in comment for sign in '\\\n\r"\x1a'):
        page.lose(Stage.REST, place, "Tortoise puts backslashes into its comment")


def _defaults(page: Page, column: Column[Any]) -> dict[str, Node]:
    words: dict[str, Node] = {}
    filled: Any = column.default
    if filled is not None and getattr(filled, "is_callable", False):
        function = imported(page, getattr(filled.arg, "__wrapped__", filled.arg))  # type: ignore[arg-type]
        if function is not None:
            words["default"] = function
    elif filled is not None and getattr(filled, "is_scalar", False):
        value = getattr(filled.arg, "value", filled.arg)
        written = literal(value)
        if written is not None:
            words["default"] = _made_anew(page, column, written) if isinstance(value, dict | list | set) else written
    if sql := server_default(page, column):
        words["db_default"] = _in_database(page, column, sql)
    lose_filling(page, column)
    return words


def _in_database(page: Page, column: Column[Any], sql: str) -> Node:
    """Return a default of the server: a plain number or truth value, else SQL."""
    known = facts.parsed(sql)
    kind = facts.sql_type(column.type, page.dialect).name
    plain = known.kind == "literal" and known.value is not None and sql.lower() == str(known.value).lower()
    if plain and kind in ("bigint", "integer", "smallint", "boolean"):
        return repr(known.value)
    if sql == "CURRENT_TIMESTAMP" and page.dialect.name != "mysql":
        return call(of_fields(page, "Now"))
    return call(of_fields(page, "SqlDefault"), Text(sql))


def _made_anew(page: Page, column: Column[Any], written: Node) -> str:
    """Return what makes a default of its own for each row, for what can be changed."""
    if flat(written) in ("{}", "[]"):
        return "dict" if flat(written) == "{}" else "list"
    name = snake(f"default_{page.naming.class_of(column.table)}_{page.attribute(column)}")
    page.blocks[name] = f"def {name}():\n    {shown(written, 4, 'return ')}"
    return name
