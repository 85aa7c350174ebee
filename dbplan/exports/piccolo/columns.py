"""Columns: Piccolo's own where they make the same, else the server's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import DOMAIN

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.alchemy.page import imported
from dbplan.exports.clauses import shortened
from dbplan.exports.facts import SqlType
from dbplan.exports.orm.columns import called, lose_filling, server_default
from dbplan.exports.orm.enums import enum_class, server_type
from dbplan.exports.orm.mends import retyped
from dbplan.exports.orm.page import Page, Stage
from dbplan.exports.python import Named, Node, Text, call, flat, literal, shown

_POSTGRESQL = {
    "bigint": "BigInt",
    "integer": "Integer",
    "smallint": "SmallInt",
    "boolean": "Boolean",
    "float": "DoublePrecision",
    "double precision": "DoublePrecision",
    "real": "Real",
    "text": "Text",
    "date": "Date",
    "time": "Time",
    "time without time zone": "Time",
    "timestamp": "Timestamp",
    "timestamp without time zone": "Timestamp",
    "timestamp with time zone": "Timestamptz",
    "interval": "Interval",
    "uuid": "UUID",
    "json": "JSON",
    "jsonb": "JSONB",
    "bytea": "Bytea",
    "numeric": "Numeric",
    "decimal": "Numeric",
    "varchar": "Varchar",
}
_SQLITE = _POSTGRESQL | {
    "int": "Integer",
    "float": "Real",
    "datetime": "Timestamp",
    "double": "DoublePrecision",
    "blob": "Bytea",
    "char(32)": "UUID",
}
_NAMED = ("Text", "UUID", "Integer", "Boolean", "Date", "Time", "Timestamp", "Timestamptz", "Real")
"""Columns whose type Piccolo takes from the name of their class, which a class of their own would change."""

_MADE_ON_SQLITE = {
    "BigInt": "integer",
    "SmallInt": "integer",
    "DoublePrecision": "double precision",
    "Interval": "seconds",
    "Bytea": "blob",
}
_SERVER_COLUMN = '''class ServerColumn({column}):
    """A column in the words of the server: its type, and how it makes its values."""

    value_type = object

    def __init__(self, words="", made="", default=None, **kwargs):
        self.words, self.made, self.default = words, made, default
        super().__init__(words=words, made=made, default=default, **kwargs)

    @property
    def column_type(self):
        return self.words

    @property
    def ddl(self):
        name = self._meta.db_column_name
        return f'"{{name}}" {{self.made}}' if self.made else super().ddl'''
_SERVER_DEFAULT = '''class ServerDefault({default}):
    """What the server fills in, and what the application does where that is more."""

    def __init__(self, sql="null", make=None):
        self.sql, self.make = sql, make

    @property
    def postgres(self):
        return self.sql

    sqlite = cockroach = postgres

    def python(self):
        if self.make is not None:
            return self.make()
        return {querystring}(self.sql.replace("{{", "{{{{").replace("}}", "}}}}"))'''
_IN_SQL = '''class InSql:
    """A column whose default may be a ServerDefault, whatever its type is."""

    def _validate_default(self, *_, **__):
        return True'''
_PART_OF_KEY = '''class PartOfKey:
    """A column of a key of several, which Piccolo takes for the whole key."""

    @property
    def ddl(self):
        return super().ddl.replace(" PRIMARY KEY", "", 1)'''


@dataclass(frozen=True)
class Made:
    """A column's class in Piccolo, its words, and the type on the server where that is another than the plan's."""

    base: str
    words: dict[str, Node] = field(default_factory=dict)
    other: str = ""


def piccolo(page: Page, name: str) -> str:
    """Return a name of piccolo.columns."""
    return page.imports.name("piccolo.columns", name)


def made(page: Page, column: Column[Any]) -> Made:
    """Return the column that writes a column's type."""
    type_ = facts.sql_type(column.type, page.dialect)
    if type_.dimensions and page.is_postgresql:
        return _array(page, column, type_)
    if isinstance(server_type(column.type), DOMAIN):
        base = facts.sql_type(server_type(column.type).data_type, page.dialect)
        found = _scalar(page, base)
        return Made(found.base, found.words, base.words.lower())
    if type_.labels and (type_.native or type_.name in ("varchar", "character varying")):
        words: dict[str, Node] = {"length": str(type_.length), "choices": enum_class(page, column, type_)}
        return Made("Varchar", words, "varchar" if type_.native else "")
    return _scalar(page, type_)


def _scalar(page: Page, type_: SqlType) -> Made:
    known = _POSTGRESQL if page.is_postgresql else _SQLITE
    base = known.get(type_.name, "")
    if not page.is_postgresql:
        base = known.get(type_.words.lower(), base)
    if type_.name == "char" and type_.length and base != "UUID" and not type_.collation:
        return Made("Char", {"length": str(type_.length)})
    if base == "Varchar" and not type_.collation:
        return Made(base, {"length": str(type_.length) if type_.length else "None"})
    if base == "Numeric" and type_.arguments:
        digits, places = (*type_.arguments, "0")[:2]
        plain = digits.isdigit() and places.isdigit() and int(digits) >= int(places)
        return Made(base, {"digits": f"({digits}, {places})"}) if plain else server_column(page, type_.words)
    if not base or (type_.arguments and base != "UUID") or (type_.collation and page.is_postgresql):
        return server_column(page, type_.words)
    return Made(base, {}, _other(base, type_) if not page.is_postgresql else "")


def _other(base: str, type_: SqlType) -> str:
    """Return the type that SQLite is told, where it is another than the plan's."""
    kind = _MADE_ON_SQLITE.get(base, base.lower())
    return kind if kind != type_.words.lower() else ""


def server_column(page: Page, words: str, **more: Node) -> Made:
    """Return a column in the words of the server."""
    page.blocks["ServerColumn"] = _SERVER_COLUMN.format(column=piccolo(page, "Column"))
    return Made("ServerColumn", {"words": Text(words), **more})


def _array(page: Page, column: Column[Any], type_: SqlType) -> Made:
    item: Any = server_type(column.type)
    while hasattr(item, "item_type"):
        item = server_type(item.item_type)
    own = type_.native or isinstance(item, DOMAIN)
    inner = Made("Text") if own else _scalar(page, facts.sql_type(item, page.dialect))
    default: dict[str, Node] = {} if inner.base == "ServerColumn" else {"default": "None"}
    node: Node = call(_head(page, inner.base), **inner.words, **default)
    for _ in range(type_.dimensions - 1):
        node = call(piccolo(page, "Array"), node)
    return Made("Array", {"base_column": node}, "text[]" if own else "")


def _head(page: Page, base: str) -> str:
    return base if base == "ServerColumn" else piccolo(page, base)


def plain(page: Page, column: Column[Any], words: dict[str, Node], *, part: bool) -> Node:
    """Return a column that is no way to another table."""
    known = facts.facts(column, page.dialect)
    if column.computed is not None or known.counts or column.identity is not None:
        return _generated(page, column, known.type, words, part=part)
    found = made(page, column)
    default = server_default(page, column)
    if found.other and page.is_postgresql:
        default = _uncast(page, column, default)
    if not default:
        lose_null(page, column, found.other or known.type.words)
    lose_type(page, column, found.other)
    filled, in_sql = _filled(page, column, found, default)
    head = head_of(page, found.base, in_sql=in_sql, part=part)
    return call(head, **{**found.words, **words, "default": filled, **common(page, column)})


def lose_null(page: Page, column: Column[Any], words: str) -> None:
    """Note the DEFAULT NULL that Piccolo writes, which PostgreSQL keeps where the type has a measure, SQLite always."""
    measured = "(" in words and not words.lower().startswith("interval")
    if measured or not page.is_postgresql:
        mend = f"ALTER TABLE {page.whole(column.table)} ALTER {page.quote(column.name)} DROP DEFAULT;"
        place = Place(column.table.key, column.name)
        page.lose(Stage.COLUMNS, place, "Piccolo writes DEFAULT NULL, which the server keeps", mend)


def lose_type(page: Page, column: Column[Any], other: str) -> None:
    """Note the type that a column has on the server in place of the plan's."""
    if other:
        said = f"its type {called(facts.sql_type(column.type, page.dialect))} is {other} here"
        mend = retyped(page, column) if page.is_postgresql else ""
        page.lose(Stage.COLUMNS, Place(column.table.key, column.name), said, mend)


def _uncast(page: Page, column: Column[Any], default: str) -> str:
    """Return a default that is a text without its cast to the plan's own type; any other comes with that type."""
    known = facts.default(column, page.dialect) if default else None
    if known is None or known.kind != "literal" or not isinstance(known.value, str):
        return ""
    return "'" + known.value.replace("'", "''") + "'"


def head_of(page: Page, base: str, *, in_sql: bool, part: bool) -> str:
    """Return the class of a column, one of the module's own where Piccolo's says too little."""
    if not part and (not in_sql or base == "ServerColumn"):
        return _head(page, base)
    parents = ["PartOfKey"] * part + ["InSql"] * (in_sql and base != "ServerColumn")
    name = f"{'Part' if part else 'Sql'}{base}" if not (part and in_sql) else f"PartSql{base}"
    if part:
        page.blocks["PartOfKey"] = _PART_OF_KEY
    if in_sql:
        page.blocks["InSql"] = _IN_SQL
    lines = [f"class {name}({', '.join([*parents, _head(page, base)])}):"]
    lines.append(f'    """{_article(base)} {"that is a part of a key" if part else "with a default of the server"}."""')
    if base in _NAMED:
        lines += ["", f'    column_type = "{base.upper()}"']
    page.blocks[f"_{'b' if base == 'ServerColumn' else 'a'}{name}"] = "\n".join(lines)
    return name


def _article(base: str) -> str:
    return f"{'An' if base[0] in 'AI' else 'A'} {base}"


def common(page: Page, column: Column[Any]) -> dict[str, Node]:
    """Return the words that every column takes: NULL, its name, what it means."""
    words: dict[str, Node] = {}
    if column.nullable and not column.primary_key:
        words["null"] = "True"
    if page.attribute(column) != column.name:
        words["db_column_name"] = Text(str(column.name))
    if column.comment:
        words["help_text"] = Text(column.comment)
        if page.is_postgresql:
            said = "Piccolo keeps its comment in help_text alone"
            page.lose(Stage.REST, Place(column.table.key, column.name), said)
    lose_filling(page, column)
    return words


def _filled(page: Page, column: Column[Any], found: Made, sql: str) -> tuple[Node, bool]:
    """Return a column's default, and whether Piccolo would refuse it for one of that type."""
    make = _made_by_client(page, column)
    if make is None and not sql:
        return "None", False
    known = facts.parsed(sql) if sql else None
    if make is None and known is not None:
        if known.kind == "now" and found.base == "Timestamptz":
            return f"{page.imports.name('piccolo.columns.defaults', 'TimestamptzNow')}()", False
        if sql == "gen_random_uuid()" and found.base == "UUID":
            return f"{page.imports.name('piccolo.columns.defaults.uuid', 'UUID4')}()", False
        if (value := _plain_value(found, known.value, sql)) is not None:
            return value, False
    return server_filled(page, sql, make), True


def _plain_value(found: Made, value: Any, sql: str) -> Node | None:
    """Return a default that Piccolo writes as the server has it: a number, a truth value, a text without quotes."""
    if isinstance(value, bool) and found.base == "Boolean":
        return repr(value)
    if type(value) is int and found.base in ("Integer", "BigInt", "SmallInt") and sql == str(value):
        return repr(value)
    texts = ("Varchar", "Text", "Char", "JSON", "JSONB")
    plain_text = isinstance(value, str) and found.base in texts and sql == f"'{value}'" and "'" not in value
    return Text(value) if plain_text else None


def server_filled(page: Page, sql: str, make: Node | None = None) -> Node:
    """Return a ServerDefault."""
    default = page.imports.name("piccolo.columns.defaults.base", "Default")
    querystring = page.imports.name("piccolo.querystring", "QueryString")
    page.blocks["ServerDefault"] = _SERVER_DEFAULT.format(default=default, querystring=querystring)
    given: list[Node] = [Text(sql)] if sql else []
    return call("ServerDefault", *given, *([Named("make=", make)] if make is not None else []))


def _made_by_client(page: Page, column: Column[Any]) -> Node | None:
    filled: Any = column.default
    if filled is not None and getattr(filled, "is_callable", False):
        return imported(page, getattr(filled.arg, "__wrapped__", filled.arg))  # type: ignore[arg-type]
    if filled is None or not getattr(filled, "is_scalar", False):
        return None
    written = literal(getattr(filled.arg, "value", filled.arg))
    if written is None:
        return None
    return {"{}": "dict", "[]": "list"}.get(flat(written)) or shown(written, 0, "lambda: ")


def _generated(page: Page, column: Column[Any], type_: SqlType, words: dict[str, Node], *, part: bool) -> Node:
    """Return a column whose values the server makes."""
    is_key = "primary_key" in words and not part
    usual = shortened(str(column.table.name), str(column.name), "seq")
    drawn = facts.drawn_from(column).rpartition(".")[2].strip('"')
    heads = {"bigint": "BigSerial", "integer": "Serial"}
    serial = column.identity is None and column.computed is None and drawn in ("", usual)
    if is_key and ((serial and type_.name in heads) or not page.is_postgresql):
        return _serial(page, column, type_, words)
    told = _told(page, column, type_, serial=serial, drawn=bool(drawn))
    told += " PRIMARY KEY" if is_key else " UNIQUE" if "unique" in words else ""
    told += "" if column.nullable and not column.primary_key else " NOT NULL"
    found = server_column(page, type_.words, made=Text(told))
    filled: dict[str, Node] = {"default": server_filled(page, "DEFAULT")}
    return call(found.base, **{**found.words, **words, **filled, **common(page, column)})


def _told(page: Page, column: Column[Any], type_: SqlType, *, serial: bool, drawn: bool) -> str:
    compiler: Any = page.dialect.ddl_compiler(page.dialect, None)  # type: ignore[arg-type]
    if column.computed is not None:
        return f"{type_.words} {compiler.process(column.computed)}"
    if column.identity is not None:
        return f"{type_.words} {compiler.process(column.identity)}"
    if serial and page.is_postgresql:
        return {"bigint": "BIGSERIAL", "smallint": "SMALLSERIAL"}.get(type_.name, "SERIAL")
    return f"{type_.words} DEFAULT {server_default(page, column)}" if drawn else type_.words


def _serial(page: Page, column: Column[Any], type_: SqlType, words: dict[str, Node]) -> Node:
    head = "BigSerial" if type_.name == "bigint" else "Serial"
    if not page.is_postgresql and type_.name != "integer":
        place = Place(column.table.key, column.name)
        page.lose(Stage.COLUMNS, place, f"its type {type_.words.lower()} is integer here")
    return call(piccolo(page, head), **words, **common(page, column))
