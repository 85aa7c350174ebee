"""A column as its server writes it: type, default, who fills it in; what every exporter asks first."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Column, Enum, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import Table
from sqlalchemy.types import TypeDecorator, TypeEngine

from dbplan.columns import new_id
from dbplan.ddl.compilers import compiler_dialect

_ARGUMENTS = re.compile(r"\(([^()]*)\)")
_ARRAY = re.compile(r"(\[\d*\])+$")
_COLLATION = re.compile(r" COLLATE (\"(?:[^\"]|\"\")+\"|\S+)")
_CHARSET = re.compile(r" CHARACTER SET \S+")
_CAST = r"(?:::[\w\s.\"]+(?:\([\d, ]*\))?(?:\[\])*)?"
_TEXT = re.compile(rf"'((?:[^']|'')*)'{_CAST}")
_WHOLE = r"[+-]?\d+(?:\.\d+)?"
_NUMBERS = "integer|bigint|smallint|numeric|double precision|real"
_NUMBER = re.compile(rf"{_WHOLE}{_CAST}|'({_WHOLE})'::(?:{_NUMBERS}).*")
_NOW = re.compile(r"now\(\)|transaction_timestamp\(\)|(?:current_timestamp|localtimestamp)(?:\(\d?\))?", re.IGNORECASE)
_WORDS = {"true": True, "false": False, "null": None}
_NEXTVAL = re.compile(r"nextval\('((?:[^']|'')+)'(?:::regclass)?\)", re.IGNORECASE)
_COUNTING = re.compile(r"SERIAL|AUTOINCREMENT")
_UUIDS: dict[Any, str] = {uuid.uuid4: "uuid(4)", uuid.uuid1: "uuid(1)", new_id: "uuid(7)"}


@dataclass(frozen=True)
class SqlType:
    """A type in a server's words, in lower case: `numeric` with ("10", "2"), one of `dimensions` for each `[]`.

    `name` keeps what stands behind the arguments: `timestamp with time zone`. A named enum is its name, with its
    `schema`; `labels` are an enum's values, kept as text or not, and `native` says that the server knows them.
    `words` is all of it as the server writes it; `base` what lies below a domain.
    """

    name: str
    arguments: tuple[str, ...] = ()
    dimensions: int = 0
    labels: tuple[str, ...] = ()
    native: bool = False
    schema: str = ""
    words: str = ""
    collation: str = ""
    base: SqlType | None = None

    @property
    def length(self) -> int | None:
        """The first argument as a number, if there is one."""
        return int(self.arguments[0]) if self.arguments and self.arguments[0].isdigit() else None


@dataclass(frozen=True)
class Default:
    """What the server fills in: `kind` is "literal" (`value` as Python has it), "now", or "sql" (`value` is text)."""

    kind: str
    value: Any
    sql: str


@dataclass(frozen=True)
class Facts:
    """One column: `client` is what the client fills in, as Prisma writes it; `counts`: the server numbers the rows."""

    column: Column[Any]
    type: SqlType
    default: Default | None = None
    client: str = ""
    updated: bool = False
    counts: bool = False

    @property
    def comment(self) -> str:
        """What the column means, in one line."""
        return " ".join((self.column.comment or self.column.info.get("comment") or "").split())


def server(dialect: str) -> Dialect:
    """Return SQLAlchemy's dialect of that name, which escapes nothing for a driver; CockroachDB's is PostgreSQL's."""
    return compiler_dialect(dialect)


def facts(column: Column[Any], dialect: Dialect) -> Facts:
    """Return a column as `dialect` writes it; CompileError for a type that it does not have."""
    return Facts(
        column,
        sql_type(column.type, dialect),
        default(column, dialect),
        _client(column),
        bool(column.info.get("updated_at")) or column.onupdate is not None,
        counts(column),
    )


def sql_type(kind: TypeEngine[Any], dialect: Dialect) -> SqlType:
    """Return a type as the server writes it."""
    inner = _unwrapped(kind, dialect)
    words = kind.compile(dialect=dialect)
    dimensions = 0
    while isinstance(inner, ARRAY):
        dimensions += inner.dimensions or 1
        inner = _unwrapped(inner.item_type, dialect)
    collated = _COLLATION.search(words)
    collation, said = (collated[1], words.replace(collated[0], "")) if collated else ("", words)
    said = _CHARSET.sub("", said)
    brackets = _ARRAY.search(said)
    dimensions = dimensions or (brackets[0].count("[") if brackets else 0)
    plain = _ARRAY.sub("", said)
    own = bool(getattr(inner, "native_enum", False)) and dialect.name == "postgresql"
    labels = tuple(map(str, getattr(inner, "enums", ())))
    if own or getattr(inner, "__visit_name__", "") == "DOMAIN":
        base = None if own else sql_type(inner.data_type, dialect)
        return SqlType(str(inner.name), (), dimensions, labels, own, str(inner.schema or ""), words, collation, base)
    native = isinstance(inner, Enum) and inner.native_enum and dialect.name in ("mysql", "mariadb")
    found = _ARGUMENTS.search(plain)
    arguments = tuple(part.strip() for part in found[1].split(",")) if found and not native else ()
    name = " ".join(_ARGUMENTS.sub(" ", plain).lower().split()) if not native else "enum"
    return SqlType(name, arguments, dimensions, labels, native, "", words, collation)


def _unwrapped(kind: TypeEngine[Any], dialect: Dialect) -> Any:
    """Return what lies below decorators and variants, as the dialect makes it."""
    made: Any = kind.dialect_impl(dialect)
    while isinstance(made, TypeDecorator):
        made = made.load_dialect_impl(dialect).dialect_impl(dialect)
    return made


def default(column: Column[Any], dialect: Dialect) -> Default | None:
    """Return what the server fills in, parsed where it is a plain value; None for nothing and for numbering."""
    if column.server_default is None or column.computed is not None or column.identity is not None or counts(column):
        return None
    compiler: Any = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]
    return parsed(str(compiler.get_column_default_string(column)))


def parsed(sql: str) -> Default:
    """Return a default's SQL as a value, the present time, or itself."""
    text = _bare(sql)
    if _NOW.fullmatch(text):
        return Default("now", None, sql)
    if text.lower() in _WORDS:
        return Default("literal", _WORDS[text.lower()], sql)
    if match := _NUMBER.fullmatch(text):
        digits = match[1] or text.partition("::")[0]
        return Default("literal", float(digits) if "." in digits else int(digits), sql)
    if match := _TEXT.fullmatch(text):
        return Default("literal", match[1].replace("''", "'"), sql)
    return Default("sql", text, sql)


def _bare(sql: str) -> str:
    """Return SQL without the parentheses around all of it."""
    text = sql.strip()
    while text.startswith("(") and text.endswith(")") and _closes_last(text):
        text = text[1:-1].strip()
    return text


def _closes_last(text: str) -> bool:
    depth, quoted = 0, False
    for place, sign in enumerate(text):
        quoted ^= sign == "'"
        depth += 0 if quoted else (sign == "(") - (sign == ")")
        if depth == 0 and place < len(text) - 1:
            return False
    return True


def counts(column: Column[Any]) -> bool:
    """Say whether the server numbers the rows: serial, identity, AUTO_INCREMENT."""
    if column.identity is not None or _COUNTING.search(str(getattr(column.type, "words", ""))):
        return True
    if drawn_from(column):
        return True
    alone: Any = column.table._autoincrement_column if isinstance(column.table, Table) else None
    return (
        (alone is column or column.autoincrement is True)
        and isinstance(column.type, Integer)
        and column.server_default is None
    )


def drawn_from(column: Column[Any]) -> str:
    """Return the name of the sequence that a column's DEFAULT is the next number of, as it is quoted there; or ""."""
    told = getattr(column.server_default, "arg", "")
    if not isinstance(told, str):
        try:
            told = str(told.compile(dialect=server("postgresql"), compile_kwargs={"literal_binds": True}))
        except CompileError:
            return ""
    match = _NEXTVAL.fullmatch(told.strip())
    return match[1].replace("''", "'") if match else ""


def _client(column: Column[Any]) -> str:
    """Return what the client fills in, as Prisma writes it; "" for nothing that could be written down."""
    told = column.info.get("default")
    made: Any = column.default
    if told or made is None or not made.is_callable:
        return str(told or "")
    function = getattr(made.arg, "__wrapped__", made.arg)
    return next((words for known, words in _UUIDS.items() if function is known), "")


def is_unique(constraint: ForeignKeyConstraint) -> bool:
    """Say whether at most one row of the child can point to the same parent."""
    table, names = constraint.table, {column.name for column in constraint.columns}
    keys = [c for c in table.constraints if isinstance(c, PrimaryKeyConstraint | UniqueConstraint) and len(c.columns)]
    columns = [{column.name for column in key.columns} for key in keys]
    whole = (i for i in table.indexes if i.unique and not _is_partial(i) and len(i.columns) == len(i.expressions))
    return any(found <= names for found in (*columns, *({c.name for c in i.columns} for i in whole)))


def _is_partial(index: Any) -> bool:
    return any(name.endswith("_where") and value is not None for name, value in index.dialect_kwargs.items())
