"""Keys and indexes: @id, @unique, @@index and what else one line of Prisma can say of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.schema import Constraint, Table
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ColumnClause, Grouping, UnaryExpression

from dbplan.exports.clauses import constraints
from dbplan.exports.clauses import names as server_names
from dbplan.exports.prisma import names
from dbplan.exports.prisma.context import Context
from dbplan.exports.prisma.layout import listed, quoted
from dbplan.exports.server_words import option as of_mysql

_NULLS: dict[Any, str] = {operators.nulls_first_op: "first", operators.nulls_last_op: "last"}
_METHODS = {"hash": "Hash", "gin": "Gin", "gist": "Gist", "spgist": "SpGist", "brin": "Brin"}
_PART = re.compile(
    r'(?P<name>"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|\w+)(?:\((?P<length>\d+)\))?(?:\s+(?P<ops>(?!asc\b|desc\b|nulls\b)[a-z_][\w.]*))?'
    r"(?:\s+(?P<order>asc|desc))?(?:\s+nulls\s+(?P<nulls>first|last))?",
    re.IGNORECASE,
)
# What Prisma takes without an operator class; for other types the server's own one must be named.
_WITHOUT_CLASS = {
    "Gin": frozenset({"Json", "[]"}),
    "Gist": frozenset(),
    "SpGist": frozenset({"inet", "text", "varchar", "char"}),
}
_BORROWED = {"Gin": "btree_gin", "Gist": "btree_gist", "SpGist": ""}
"""The extensions whose operator classes let an index hold plain values."""

_CLASSES = {
    "text": "text_ops", "varchar": "text_ops", "char": "bpchar_ops", "integer": "int4_ops", "bigint": "int8_ops",
    "smallint": "int2_ops", "uuid": "uuid_ops", "date": "date_ops", "timestamp with time zone": "timestamptz_ops",
    "timestamp without time zone": "timestamp_ops", "numeric": "numeric_ops", "inet": "inet_ops", "boolean": "bool_ops",
    "bytea": "bytea_ops", "bit": "bit_ops", "varbit": "varbit_ops", "real": "float4_ops",
    "double precision": "float8_ops", "time without time zone": "time_ops", "time with time zone": "timetz_ops",
    "money": "cash_ops", "citext": "citext_ops", "oid": "oid_ops",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One column of an index: its operator class, its order, its prefix."""

    column: Column[Any]
    ops: str = ""
    descending: bool = False
    nulls: str = ""
    length: int = 0


@dataclass(frozen=True)
class Keys:
    """What a table's keys and indexes are in Prisma: `single` by column, `whole` for the block's end.

    `unique` are the column names of each criterion, in its order; `identifies`: one of them tells any two rows apart.
    """

    single: dict[str, list[str]] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    unique: list[tuple[str, ...]] = field(default_factory=list)
    identifies: bool = False
    partial: bool = False


def keys(table: Table, context: Context) -> Keys:
    """Return the keys and indexes of a table."""
    found = _Gatherer(table, context)
    found.primary_key()
    for unique in _uniques(table, context, merged=context.provider == "postgresql"):
        if context.applies(unique):
            found.unique_constraint(unique)
    for index in sorted(table.indexes, key=lambda index: (not index.unique, str(index.name))):
        found.index(index)
    order = {"@@id": 0, "@@unique": 1, "@@index": 2, "@@fulltext": 3}
    found.whole.sort(key=lambda line: order[line.partition("(")[0]])
    return Keys(found.single, found.whole, found.unique, found.identifies, found.partial)


def _uniques(table: Table, context: Context, *, merged: bool) -> list[UniqueConstraint]:
    """Return the UNIQUE constraints by their columns; `merged` leaves out those that say what another one does."""
    stated = constraints(table, context.dialect) if merged else table.constraints
    uniques = [one for one in stated if isinstance(one, UniqueConstraint) and len(one.columns)]
    place = {column.name: number for number, column in enumerate(table.columns)}
    return sorted(uniques, key=lambda one: ([place[column.name] for column in one.columns], str(one.name or "")))


def _guards(constraint: Any) -> tuple[Any, ...]:
    """Return what makes two constraints one to PostgreSQL."""
    options = (constraint.deferrable, constraint.initially, _said(constraint, "nulls_not_distinct"))
    return (*(column.name for column in constraint.columns), *map(bool, options))


_WHOLE = frozenset({"mysql", "mongodb"})
"""Providers without partial indexes."""


class _Gatherer:
    """Gathers the keys of one table."""

    def __init__(self, table: Table, context: Context) -> None:
        self.table, self.context = table, context
        self.single: dict[str, list[str]] = {}
        self.whole: list[str] = []
        self.unique: list[tuple[str, ...]] = []
        self.identifies = self.partial = False
        self.written: set[str] = set()

    def primary_key(self) -> None:
        key = self.table.primary_key
        if not len(key.columns):
            return
        columns, name = [Part(column) for column in key.columns], self._name_of_key(key)
        if any(self._is_list(part.column) for part in columns):
            self._lose("Prisma takes no list in a primary key: it is not there", key=name)
            return
        self._lose_options(key, name)
        mapped = self._mapped(name, "pkey", [])
        clustered = ["clustered: false"] if self._clustered(key) is False else []
        if self.context.provider == "mongodb" and len(columns) > 1:
            self._lose("MongoDB's key is one field, _id: this is a unique index there", key=name)
            self._write("unique", columns, [f"map: {quoted(name)}"])
            self.unique.append(tuple(part.column.name for part in columns))
            return
        self._write("id", columns, [*mapped, *clustered])
        self._count(columns)

    def _name_of_key(self, key: Constraint) -> str:
        """Return the primary key's name: PostgreSQL makes one of it and a UNIQUE that says the same."""
        if not names.actual(key, self.context.dialect) and self.context.provider == "postgresql":
            same = (
                unique for unique in _uniques(self.table, self.context, merged=False) if _guards(unique) == _guards(key)
            )
            for name in filter(None, (names.actual(unique, self.context.dialect) for unique in same)):
                return name
        return self._name(key, "pkey", [])

    def unique_constraint(self, unique: UniqueConstraint) -> None:
        columns = [column.name for column in unique.columns]
        name = self._name(unique, "key", columns)
        self.context.taken.setdefault(f"names in {self.table.schema or ''}", set()).add(name)
        parts = [Part(column) for column in unique.columns]
        if not self._can_index(parts, name):
            return
        self._lose_constraint(unique, name)
        self._lose_options(unique, name)
        clustered = ["clustered: true"] if self._clustered(unique) else []
        self._write("unique", parts, [*self._mapped(name, "key", columns), *clustered])
        self._count(parts)

    def _lose_constraint(self, unique: UniqueConstraint, name: str) -> None:
        if self.context.provider not in ("postgresql", "cockroachdb", "sqlite"):
            return
        prepare, mend = self.context.dialect.identifier_preparer, ""
        if self.context.provider == "postgresql" and not any(lost_of_constraint(unique)):
            whole, quote = prepare.format_table(self.table), prepare.quote(name)
            mend = f"ALTER TABLE {whole} ADD CONSTRAINT {quote} UNIQUE USING INDEX {quote};"
        told = "the UNIQUE constraint is a unique index of that name there: it guards the same"
        self._lose(told, key=name, mend=mend)

    def index(self, index: Index) -> None:
        name = names.actual(index, self.context.dialect)
        parts = _parts(index)
        taken = self.context.taken.setdefault(f"names in {self.table.schema or ''}", set())
        if not self.context.applies(index):
            return
        if name in taken and self.context.provider in ("postgresql", "sqlite"):
            self._lose("another index has its name already: it is not there", index=name)
            return
        if name in self._names_of_keys():
            self._lose("Prisma takes no index of the name of a foreign key: it is not there", index=name)
            return
        taken.add(name)
        if parts is None:
            self._lose("an index on an expression has no words in Prisma: it is not there", index=name)
        elif not parts:
            self._lose("the index names no column: it is not there", index=name)
        elif self._can_index(parts, name, index):
            self._index(index, name, parts)

    def _names_of_keys(self) -> set[str]:
        """Return the names of the table's foreign keys, where Prisma takes them for names of indexes, too."""
        if self.context.provider not in ("postgresql", "cockroachdb"):
            return set()
        found = server_names(self.table, self.context.dialect)
        return {name for key, name in found.items() if isinstance(key, ForeignKeyConstraint)}

    def _index(self, index: Index, name: str, parts: list[Part]) -> None:
        kind = "unique" if index.unique else "index"
        method, where = self._method(index), self._where(index)
        if method is None:
            self._lose(f"Prisma knows no index of the method {_option(index, 'using')}: it is not there", index=name)
            return
        if of_mysql(index, "prefix") == "FULLTEXT" or index.info.get("fulltext"):
            kind = "fulltext"
        classless = [part.column.name for part in parts if self._has_no_class(part, method)]
        if classless:
            self._lose(
                f"the server has no {method} operator class for {', '.join(classless)}: it is not there", index=name
            )
            return
        parts = [self._with_class(part, method) for part in parts]
        for message in _lost_options(index, parts):
            self._lose(message, index=name)
        columns = [part.column.name for part in parts]
        ending = "key" if index.unique else "idx"
        arguments = [*([f"where: raw({quoted(where)})"] if where else []), *self._mapped(name, ending, columns)]
        arguments += [f"type: {method}"] if method else []
        arguments += ["clustered: true"] if self._clustered(index) else []
        self.partial = self.partial or bool(where)
        self._write(kind, parts, arguments, whole=bool(where))
        if index.unique and not where:
            self._count(parts)

    def _can_index(self, parts: Sequence[Part], name: str, index: Index | None = None) -> bool:
        """Say whether Prisma takes such a list of columns; lose it where not."""
        kind = {"index": name} if index is not None else {"key": name}
        found = [part.column.name for part in parts]
        if len(set(found)) < len(found):
            self._lose("Prisma takes no column twice in an index: it is not there", **kind)
            return False
        if index is not None and self.context.provider in _WHOLE and _option(index, "where") is not None:
            said = "it is not there" if index.unique else "it holds every row there"
            self._lose(f"Prisma knows no partial index on that server: {said}", **kind)
            return not index.unique
        if (
            index is None
            and any(self._is_list(part.column) for part in parts)
            and self.context.provider != "postgresql"
        ):
            self._lose("Prisma takes no list in a unique index: it is not there", **kind)
            return False
        return True

    def _method(self, index: Index) -> str | None:
        """Return the method as Prisma writes it, "" for the usual one, None for one that it does not know."""
        if self.context.provider not in ("postgresql", "cockroachdb"):
            return ""
        using = str(_option(index, "using") or "btree").lower()
        return "" if using == "btree" else _METHODS.get(using)

    def _where(self, index: Index) -> str:
        where = index.dialect_options[self.context.dialect.name].get("where") if _speaks(index, self.context) else None
        if where is None or self.context.provider in _WHOLE:
            return ""
        return where if isinstance(where, str) else self.context.sql(where)

    def _has_no_class(self, part: Part, method: str) -> bool:
        """Say whether the server refuses a column for want of an operator class: GIN on a text, without btree_gin."""
        return self._with_class(part, method).ops == "" and method in _BORROWED and not self._is_free(part, method)

    def _is_free(self, part: Part, method: str) -> bool:
        """Say whether Prisma takes a column as it stands."""
        said = self.context.said(part.column)
        kinds = {said.facts.type.name, said.type, "[]" if said.facts.type.dimensions else ""}
        return bool(part.ops or not said.type or kinds & _WITHOUT_CLASS.get(method, kinds))

    def _with_class(self, part: Part, method: str) -> Part:
        """Name the server's own operator class where Prisma would refuse the type without one."""
        said = self.context.said(part.column)
        if self._is_free(part, method) or _BORROWED[method] not in self.context.plan.metadata.info.get(
            "extensions", ()
        ):
            return part
        own = "enum_ops" if said.enum else _CLASSES.get(said.facts.type.name, "")
        return replace(part, ops=f"gist_{own}" if method == "Gist" and own else own)

    def _write(self, kind: str, parts: Sequence[Part], arguments: Sequence[str], *, whole: bool = False) -> None:
        fields = [_written(part, self.context) for part in parts]
        alone = len(parts) == 1 and kind in ("id", "unique") and not whole
        if self.context.provider == "mongodb" and listed(fields) in self.written:
            self._lose("MongoDB has but one index of these fields: this one is not there", index=arguments[-1][6:-1])
            return
        self.written.add(listed(fields))
        said = self.single.setdefault(parts[0].column.name, []) if alone else []
        bare = "(" not in fields[0]
        if alone and bare and not any(word.startswith(f"@{kind}") for word in said):
            said.append(f"@{kind}({', '.join(arguments)})" if arguments else f"@{kind}")
        else:
            self.whole.append(f"@@{kind}({', '.join((listed(fields), *arguments))})")

    def _count(self, parts: Sequence[Part]) -> None:
        self.unique.append(tuple(part.column.name for part in parts))
        supported = all(self.context.said(p.column).type and not self._is_list(p.column) for p in parts)
        self.identifies = self.identifies or (supported and not any(p.column.nullable for p in parts))

    def _is_list(self, column: Column[Any]) -> bool:
        return bool(self.context.said(column).facts.type.dimensions)

    def _name(self, constraint: Constraint, ending: str, columns: Sequence[str]) -> str:
        """Return a constraint's name; for none, the one that the server gives."""
        return names.actual(constraint, self.context.dialect) or names.servers(self.table.name, columns, ending)

    def _mapped(self, name: str, ending: str, columns: Sequence[str]) -> list[str]:
        """Return `map: "…"` where Prisma would give another name."""
        silent = ("mysql", "sqlite", "mongodb") if ending == "pkey" else ()
        usual = names.usual(self.table.name, columns, ending, self.context.provider)
        if self.context.provider in silent or name in ("", usual):
            return []
        return [f"map: {quoted(name)}"]

    def _clustered(self, item: Any) -> bool | None:
        if self.context.provider != "sqlserver":
            return None
        found: bool | None = item.dialect_options["mssql"].get("clustered")
        return found

    def _lose_options(self, constraint: Any, name: str) -> None:
        for message in lost_of_constraint(constraint):
            self._lose(message, key=name)

    def _lose(self, message: str, **words: str) -> None:
        self.context.lose(message, self.table, **words)


def lost_of_constraint(constraint: Any) -> Iterator[str]:
    """Yield what Prisma leaves out of a constraint that it makes."""
    definition = str(constraint.info.get("definition", ""))
    if constraint.deferrable:
        late = " INITIALLY DEFERRED" if str(constraint.initially or "").upper() == "DEFERRED" else ""
        yield f"it is DEFERRABLE{late}; there it is checked at once"
    if _said(constraint, "include") or " INCLUDE " in definition:
        yield "the columns that it INCLUDEs are not in the index there"
    if _said(constraint, "nulls_not_distinct") or "NULLS NOT DISTINCT" in definition:
        yield "NULLs are distinct there: it guards rows without NULL alone"
    if _said(constraint, "not_valid") or definition.endswith("NOT VALID"):
        yield "it is NOT VALID; there it holds for every row"
    if "WITHOUT OVERLAPS" in definition:
        yield "it is WITHOUT OVERLAPS; there values must be equal to collide"


def _lost_options(index: Index, parts: Sequence[Part]) -> Iterator[str]:
    if _said(index, "include"):
        yield f"the columns that it INCLUDEs ({', '.join(map(str, _option(index, 'include')))}) are not in it there"
    if _said(index, "nulls_not_distinct"):
        yield "NULLs are distinct there: it guards rows without NULL alone"
    if _said(index, "with"):
        yield "its storage parameters are the server's own there"
    for part in parts:
        if part.nulls and (part.nulls == "first") != part.descending:
            yield f"{part.column.name} has NULLS {part.nulls.upper()}; there it has the other order"


def _said(item: Any, option: str) -> bool:
    return bool(_option(item, option))


def _option(item: Any, option: str, dialect: str = "postgresql") -> Any:
    return item.dialect_kwargs.get(f"{dialect}_{option}")


def _speaks(index: Index, context: Context) -> bool:
    return "where" in index.dialect_options[context.dialect.name]


def _written(part: Part, context: Context) -> str:
    """Return a column of an index: `title(ops: raw("…"), sort: Desc)`."""
    arguments = [f"length: {part.length}"] if part.length and context.provider == "mysql" else []
    arguments += (
        [f"ops: raw({quoted(part.ops)})"] if part.ops and context.provider in ("postgresql", "cockroachdb") else []
    )
    arguments += ["sort: Desc"] if part.descending else []
    name = context.field(part.column)
    return f"{name}({', '.join(arguments)})" if arguments else name


def _parts(index: Index) -> list[Part] | None:
    """Return the columns of an index; None for one that has an expression."""
    classes = _option(index, "ops") or {}
    lengths = of_mysql(index, "length") or {}
    lengths = lengths if isinstance(lengths, dict) else {column.key: lengths for column in index.columns}
    found = [_part(expression, index, classes, lengths) for expression in index.expressions]
    return [part for part in found if part is not None] if None not in found else None


def _part(expression: Any, index: Index, classes: Any, lengths: Any) -> Part | None:
    descending, nulls, ops, length, element = False, "", "", 0, expression
    while isinstance(element, UnaryExpression | Grouping):
        modifier: Any = getattr(element, "modifier", None)
        descending = descending or modifier is operators.desc_op
        nulls = _NULLS.get(modifier, nulls)
        element = element.element
    if not isinstance(element, Column):
        words = element.name if isinstance(element, ColumnClause) else getattr(element, "text", "")
        match = _PART.fullmatch(str(words).strip()) if index.table is not None else None
        column = _column(match["name"], index.table) if match and index.table is not None else None
        if match is None or column is None:
            return None
        ops, nulls, length = match["ops"] or "", (match["nulls"] or nulls).lower(), int(match["length"] or 0)
        element, descending = column, descending or (match["order"] or "").lower() == "desc"
    told = classes.get(element.key) or classes.get(element.name) if element is expression else None
    ops = str(ops or told or "")  # SQLAlchemy writes none beside an order
    length = length or int(lengths.get(element.key) or lengths.get(element.name) or 0)
    return Part(element, ops, descending, nulls, length)


def _column(words: str, table: Table) -> Column[Any] | None:
    name = words[1:-1].replace('""', '"') if words[0] in '"`[' else words
    return next((column for column in table.columns if column.name == name), None)
