"""Columns as the catalog has them: what SQLAlchemy's reflection reads wrongly or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    Column,
    Computed,
    Connection,
    DefaultClause,
    Identity,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
)
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import CompileError
from sqlalchemy.types import NullType

from dbplan.ddl.compilers import compiler_dialect
from dbplan.sources.postgresql.facts import Book, Facts, identifiers, quoted, table_sql
from dbplan.sources.reflected import ServerType, bound

_NEXTVAL = re.compile(r"nextval\('(?P<name>(?:[^']|'')+)'(?:::regclass)?\)")
_STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN"}
_COMPRESSION = {"p": "pglz", "l": "lz4"}
_WHOLE = {"smallint": SmallInteger, "integer": Integer}
_MOST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_NUMBERS = {"start": "start", "increment": "increment", "minimum": "minvalue", "maximum": "maxvalue", "cache": "cache"}
_SPELLED = {
    "varchar": "character varying",
    "char": "character",
    "float": "double precision",
    "decimal": "numeric",
    "timestamp": "timestamp without time zone",
    "time": "time without time zone",
}
_LONGEST_NAME = 63
_ARGUMENTS = re.compile(r"\(([\d, ]+)\)")


# Names that the server did not choose by itself. They differ once a table is renamed, and no two schemas are told apart
# by them, so a catalog does not have them.
_NAMED_NOT_NULLS = """
SELECT CASE WHEN n.nspname IS DISTINCT FROM current_schema THEN n.nspname || '.' ELSE '' END || c.relname, a.attname,
    k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
WHERE k.contype = 'n' AND k.conname <> c.relname || '_' || a.attname || '_not_null'
"""


def name_not_nulls(metadata: MetaData, connection: Connection) -> None:
    """Keep the names of NOT NULL constraints, which they have since PostgreSQL 18."""
    for table, column, name in connection.exec_driver_sql(_NAMED_NOT_NULLS):
        if table in metadata.tables and not metadata.tables[table].columns[column].nullable:
            metadata.tables[table].columns[column].info["not_null"] = name


def mend(table: Table, book: Book) -> None:
    """Give the columns of a reflected table their types, defaults and the statements that follow them."""
    for column in table.columns:
        facts = book.of("column", table.fullname, column.name)
        _give_type(column, facts, book)
        _give_nullability(column, facts, table)
        _give_default(column, facts, book)
        if column.identity is not None:
            _give_identity(column, book)
        alterations(table).extend(_of_storage(column, facts))


def alterations(table: Table) -> list[str]:
    """Return the list of statements that follow a table, which may be added to."""
    return table.info.setdefault("alterations", [])  # type: ignore[no-any-return]


def _give_type(column: Column[Any], facts: Facts, book: Book) -> None:
    kind = getattr(column.type, "item_type", column.type)
    if isinstance(kind, DOMAIN):
        kind.create_type = False  # its statement is one of the plan's types
        kind.collation = None
        name = f"{kind.schema}.{kind.name}" if kind.schema else str(kind.name)
        _measure(kind, book.of("domain", name).get("type", ""))
        _give_checks(kind, [told["definition"] for _, told in book.parts["constraint", name]])
    words = facts.get("type", "")
    collated = f"{words} COLLATE {facts['collation']}" if "collation" in facts else words
    if words and (isinstance(kind, NullType) or _spelled(column.type) != _normal(collated)):
        column.type = ServerType(collated, "postgresql")


def _give_checks(domain: DOMAIN, definitions: list[str]) -> None:
    """Give a domain all of its CHECKs, of which SQLAlchemy's reflection keeps one."""
    found = [told.removesuffix(" NOT VALID")[len("CHECK ") :] for told in definitions if told.startswith("CHECK (")]
    if len(found) > 1:
        domain.check = bound(" AND ".join(found))  # type: ignore[assignment]


def _measure(domain: DOMAIN, words: str) -> None:
    """Give a domain's base type its length or precision, which SQLAlchemy's reflection leaves out."""
    base: Any = domain.data_type
    if not words or _spelled(base) == _normal(words):
        return
    found = _ARGUMENTS.search(words)
    sizes = [int(size) for size in found[1].split(",")] if found else []
    try:
        made = (
            type(base)(timezone=base.timezone, precision=sizes[0]) if hasattr(base, "timezone") else type(base)(*sizes)
        )
    except (TypeError, IndexError):
        made = base
    domain.data_type = made if _spelled(made) == _normal(words) else ServerType(words, "postgresql")


def _spelled(kind: Any) -> str:
    try:
        return _normal(kind.compile(compiler_dialect("postgresql")))
    except CompileError:
        return ""


def _normal(words: str) -> str:
    """Return a type's words as the server spells them, without the spaces that make no difference."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^"]+', words)
    folded = "".join(part if part.startswith('"') else re.sub(r"\s*([(),.])\s*", r"\1", part.lower()) for part in parts)
    folded = re.sub(r'"([a-z_][a-z0-9_]*)"', r"\1", folded)
    name, rest = re.match(r"(\w*)(.*)", folded, re.DOTALL).groups()  # type: ignore[union-attr]
    if name in ("timestamp", "time") and " time zone" not in rest:
        rest = re.sub(r"^(\(\d\))?", r"\1 without time zone", rest)
    elif name in _SPELLED and name not in ("timestamp", "time"):
        name = _SPELLED[name]
    if name == "character" and not rest.startswith(("(", " varying")):
        rest = f"(1){rest}"
    return re.sub(r"\)(?=\w)", ") ", name + rest).strip()


def _give_nullability(column: Column[Any], facts: Facts, table: Table) -> None:
    said, _, how = facts.get("not null", "no").partition(", ")
    column.nullable = said == "no" or bool(how)
    if how:
        words = {"not valid": "NOT VALID", "no inherit": "NO INHERIT"}
        options = " ".join(words[word] for word in how.split(", "))
        alterations(table).append(f"ALTER TABLE {table_sql(table)} ADD NOT NULL {quoted(column.name)} {options}")


def _give_default(column: Column[Any], facts: Facts, book: Book) -> None:
    """Let the plan have the default in the server's words; that of a plain serial key comes with the column."""
    made: Any = column.server_default
    if isinstance(made, Computed):
        said, _, how = facts.get("generated", "").rpartition(" ")
        column.computed = column.server_default = None
        Computed(bound(said), persisted=how == "stored")._set_parent(column)
        return
    if isinstance(made, Identity):
        return
    default = facts.get("default")
    column.server_default = None if default is None else DefaultClause(bound(default))
    if is_serial_key(column, facts, book):
        column.server_default, column.autoincrement = None, True
    else:
        column.autoincrement = False


def is_serial_key(column: Column[Any], facts: Facts, book: Book) -> bool:
    """Whether SERIAL says all there is to say of a column: it is the key, and its sequence is as SERIAL makes it."""
    match = _NEXTVAL.fullmatch(facts.get("default", ""))
    if match is None or not column.primary_key or len(column.table.primary_key) > 1 or column.table.info.get("is_view"):
        return False
    name = ".".join(identifiers(match["name"].replace("''", "'")))
    sequence, whole = book.of("sequence", name), facts.get("type", "")
    alone = sequence.get("owned by") == f"{column.table.fullname}.{column.name}" and "comment" not in sequence
    usual = not sequence_options(sequence) and sequence.get("type") == whole and whole in _MOST
    return alone and usual and name == _made_name(column, book) and isinstance(column.type, Integer)


def _made_name(column: Column[Any], book: Book) -> str:
    """Return the name that the server gives the sequence of a column: of a long one, the longer part is cut first."""
    schema, named = book.split(str(column.table.fullname))
    table, own = named.encode(), str(column.name).encode()
    while len(table) + len(own) + len("__seq") > _LONGEST_NAME:
        table, own = (table[:-1], own) if len(table) > len(own) else (table, own[:-1])
    name = f"{table.decode(errors='ignore')}_{own.decode(errors='ignore')}_seq"
    return name if schema is None else f"{schema}.{name}"


def _give_identity(column: Column[Any], book: Book) -> None:
    """Keep the name of an identity's sequence where it is not the one that the server would give it."""
    owned = f"{column.table.fullname}.{column.name}"
    name = next((name for name, facts in book.all("sequence") if facts.get("owned by") == owned), "")
    if name and name != _made_name(column, book):
        column.info["sequence"] = book.sql(name)
    facts, made = book.of("sequence", name), column.identity
    assert made is not None
    options = sequence_options(facts)
    for key in _NUMBERS.values():
        setattr(made, key, options.get(key))
    made.cycle = True if "cycle" in facts else None


def sequence_options(facts: Facts) -> dict[str, Any]:
    """Return the options of a sequence that are not what the server would take by itself."""
    most, up = _MOST.get(facts.get("type", "bigint"), _MOST["bigint"]), int(facts.get("increment", "1")) > 0
    least, usual = (1, most) if up else (-most - 1, -1)
    usually = {"increment": 1, "minimum": least, "maximum": usual, "cache": 1}
    usually["start"] = int(facts.get("minimum" if up else "maximum", "1"))
    told = {key: int(facts[key]) for key in _NUMBERS if key in facts}
    return {_NUMBERS[key]: value for key, value in told.items() if value != usually[key]}


def _of_storage(column: Column[Any], facts: Facts) -> Iterator[str]:
    head = f"ALTER TABLE ONLY {table_sql(column.table)} ALTER COLUMN {quoted(column.name)}"
    if storage := facts.get("storage"):
        yield f"{head} SET STORAGE {_STORAGE[storage]}"
    if compression := facts.get("compression"):
        yield f"{head} SET COMPRESSION {_COMPRESSION[compression]}"
    if target := facts.get("statistics target"):
        yield f"{head} SET STATISTICS {target}"
    if options := facts.get("options"):
        yield f"{head} SET ({options})"


def add_sequences(metadata: MetaData, book: Book) -> None:
    """Give the plan the sequences that come with no column by themselves, and say which column owns them."""
    owners = {f"{table.fullname}.{c.name}": c for table in metadata.tables.values() for c in table.columns}
    for name, facts in book.all("sequence"):
        column = owners.get(facts.get("owned by", ""))
        if column is not None and _comes_with(column, name, book):
            continue
        _add_sequence(metadata, name, facts, book)
        following = metadata.info.setdefault("alterations", []) if column is None else alterations(column.table)
        if facts.get("persistence") == "unlogged":
            following.append(f"ALTER SEQUENCE {book.sql(name)} SET UNLOGGED")
        if column is not None:
            owner = f"{table_sql(column.table)}.{quoted(column.name)}"
            following.append(f"ALTER SEQUENCE {book.sql(name)} OWNED BY {owner}")


def _comes_with(column: Column[Any], name: str, book: Book) -> bool:
    facts = book.of("column", column.table.fullname, column.name)
    return "identity" in facts or (is_serial_key(column, facts, book) and name == _made_name(column, book))


def _add_sequence(metadata: MetaData, name: str, facts: Facts, book: Book) -> None:
    schema, own = book.split(name)
    options = sequence_options(facts) | {"cycle": "cycle" in facts or None}
    Sequence(own, schema=schema, metadata=metadata, data_type=_WHOLE.get(facts.get("type", "")), **options)
