"""Indexes on another server: order, conditions, included columns and methods, as far as it has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Index, Table, UniqueConstraint, literal_column
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import ColumnElement, TextClause, UnaryExpression

from dbplan.ddl.translation.clauses import sql_of
from dbplan.ddl.translation.expressions import Untranslatable
from dbplan.ddl.translation.tables import in_order
from dbplan.ddl.translation.work import Work, kept
from dbplan.evidence import Place

_METHODS: Mapping[str, frozenset[str]] = {
    "postgresql": frozenset(("btree", "hash", "gin", "gist", "spgist", "brin")),
    "cockroachdb": frozenset(("btree", "hash", "gin")),
}
_WORDS = re.compile(
    r'^\s*(?:"(?P<quoted>(?:[^"]|"")+)"|`(?P<ticked>[^`]+)`|(?P<plain>\w+))'
    r"(?P<order>\s+(?:ASC|DESC))?(?P<nulls>\s+NULLS\s+(?:FIRST|LAST))?\s*$",
    re.IGNORECASE,
)
_UNINDEXED = ("json", "search", "xml", "geometry")
_SIMPLE_FILTER = re.compile(r"\b(OR|BETWEEN|LIKE|CASE|NOT)\b|\w\(", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """One part of an index: a column of the original, or an expression in its words."""

    column: Column[Any] | None
    sql: str
    descending: bool = False
    nulls: str = ""


def add(table: Table, work: Work) -> None:
    """Give the twin of a table the indexes of the original, as far as the target has them."""
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        if work.unchanged(table):
            _copy(index, table, work)
        elif _is_meant(index, work):
            _translate(index, table, work)


def _is_meant(index: Index, work: Work) -> bool:
    wanted = getattr(index._ddl_if, "dialect", None)
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted or ())
    return not names or work.target.name in names or work.target.family in names


def _copy(index: Index, table: Table, work: Work) -> None:
    """Copy an index that SQLAlchemy writes for PostgreSQL itself."""
    new = work.tables[str(table.key)]
    parts = [_in_new(each, work) for each in index.expressions]
    options = {name: value for name, value in index.dialect_kwargs.items() if name.startswith("postgresql_")}
    made = Index(work.names.of(index, table, "indexes"), *parts, unique=index.unique, info=kept(index.info), **options)
    if made.table is None:
        made._set_parent(new)
    made._ddl_if = index._ddl_if


def _in_new(expression: Any, work: Work) -> Any:
    """Return an expression over the twins of its columns."""

    def replace(element: Any, **_: Any) -> Any:
        return work.columns.get(element) if isinstance(element, Column) else None

    if isinstance(expression, Column):
        return work.columns[expression]
    return visitors.replacement_traverse(expression, {}, replace)


def _translate(index: Index, table: Table, work: Work) -> None:
    place = Place(str(table.key), index=str(index.name))
    parts = [_part(each, table, work) for each in index.expressions]
    where = _needed(_where(index, work), parts, index, work)
    refused = _refused(index, parts, work) if parts else "it names no column"
    if refused:
        _leave_out(index, refused, where, work, place)
        return
    try:
        condition = _condition(where, table, work) if where else None
        made = [_made(part, table, work) for part in parts]
    except Untranslatable as reason:
        _leave_out(index, str(reason), where, work, place)
        return
    if where and condition is None:
        if index.unique:
            _leave_out(index, f"{work.target.product} has no index of some rows", where, work, place)
            return
        work.note(place, f"it covers all rows, not only those WHERE {where}")
    _say_small(index, parts, work, place)
    _make(index, table, made, condition, work, place)


def _leave_out(index: Index, reason: str, where: str, work: Work, place: Place) -> None:
    if not index.unique:
        work.note(place, f"it is left out ({reason}): it makes reading quick, and guards nothing")
        return
    rows = f" among rows WHERE {where}" if where else ""
    columns = ", ".join(part.name for part in index.columns) or "its expression"
    work.warn(place, f"this UNIQUE index is left out ({reason}): {columns} may be there twice{rows}")


def _part(expression: Any, table: Table, work: Work) -> Part:
    """Return a part of an index, with the order that is written around it."""
    descending, nulls = False, ""
    while isinstance(expression, UnaryExpression) and expression.modifier is not None:
        descending = descending or expression.modifier is operators.desc_op
        nulls = {operators.nulls_first_op: "FIRST", operators.nulls_last_op: "LAST"}.get(expression.modifier, nulls)
        expression = expression.element
    expression = getattr(expression, "element", expression) if not isinstance(expression, Column) else expression
    if isinstance(expression, Column):
        return Part(expression, expression.name, descending, nulls)
    sql = sql_of(expression, work.source)
    match = _WORDS.match(sql) if isinstance(expression, TextClause | ColumnElement) else None
    named = match and (match["quoted"] or match["ticked"] or match["plain"]).replace('""', '"')
    column = next((column for column in table.columns if column.name == named), None)
    if match is None or column is None:
        return Part(None, sql, descending, nulls)
    last = (match["nulls"] or "").upper().split()
    down = descending or (match["order"] or "").strip().upper() == "DESC"
    return Part(column, sql, down, last[-1] if last else nulls)


def _where(index: Index, work: Work) -> str:
    """Return the condition of a partial index in the words of the source; "" for none."""
    for server in (work.target.family, "postgresql", "sqlite", "mssql"):
        where = index.dialect_kwargs.get(f"{server}_where")
        if where is not None:
            return sql_of(where, work.source)
    return ""


def _needed(where: str, parts: list[Part], index: Index, work: Work) -> str:
    """Return a condition, or "" where a UNIQUE without it is the same: NULLs are distinct anyway."""
    if not where or not index.unique or work.target.partial:
        return where
    names = {part.column.name for part in parts if part.column is not None}
    terms = [term.strip("() ") for term in re.split(r"\s+AND\s+", where, flags=re.IGNORECASE)]
    found = [re.fullmatch(r'["`]?(\w+)["`]?\s+IS\s+NOT\s+NULL', term, re.IGNORECASE) for term in terms]
    return "" if all(match is not None and match[1] in names for match in found) else where


def _option(index: Index, name: str) -> Any:
    """Return an option that MySQL or MariaDB has for an index."""
    return index.dialect_kwargs.get(f"mysql_{name}") or index.dialect_kwargs.get(f"mariadb_{name}")


def _refused(index: Index, parts: list[Part], work: Work) -> str:
    """Return why the target has no such index; "" where it may have."""
    if _option(index, "prefix") and not work.kindred:
        return f"{work.target.product} has no {str(_option(index, 'prefix')).lower()} indexes as MySQL has them"
    method = str(index.dialect_kwargs.get("postgresql_using") or "btree").lower()
    if work.target.family == "postgresql":
        known = method in _METHODS[work.target.name] or method == "hnsw"
        return "" if known else f"{work.target.product} has no {method} indexes"
    if method not in ("btree", "hash"):
        return f"{work.target.product} has no {method} indexes"
    kinds = [work.kinds[work.columns[part.column]].family for part in parts if part.column is not None]
    unindexed = next((kind for kind in kinds if kind in _UNINDEXED), "")
    if unindexed and work.target.family in ("mysql", "mssql"):
        return f"{work.target.product} indexes no {unindexed}"
    if any(part.column is None for part in parts) and work.target.family in ("mysql", "mssql"):
        return f"{work.target.product} indexes columns, not expressions, on every version"
    return ""


def _condition(where: str, table: Table, work: Work) -> str | None:
    """Return the condition of a partial index; None where the target has no such index."""
    if not work.target.partial:
        return None
    words = work.expressions.condition(where, work.names.columns[str(table.key)], work.booleans(table))
    if work.target.name == "mssql" and _SIMPLE_FILTER.search(re.sub(r"IS NOT NULL|NOT \w+ IS NULL", "", words)):
        raise Untranslatable("SQL Server takes plain comparisons there")
    return re.sub(r"NOT (\w+|\[[^\]]+\]) IS NULL", r"\1 IS NOT NULL", words)


def _made(part: Part, table: Table, work: Work) -> Any:
    """Return a part as SQLAlchemy takes it."""
    if part.column is not None:
        made: Any = work.columns[part.column]
    else:
        words = work.expressions.value(part.sql, work.names.columns[str(table.key)], work.booleans(table))
        made = literal_column(words if work.target.family == "sqlite" else f"({words.strip()})")
    made = made.desc() if part.descending else made
    if part.nulls and work.target.family == "postgresql":
        made = made.nulls_first() if part.nulls == "FIRST" else made.nulls_last()
    return made


def _say_small(index: Index, parts: list[Part], work: Work, place: Place) -> None:
    """Say what of an index the target does without."""
    if work.kindred:
        return
    if lengths := _option(index, "length"):
        read = ", ".join(lengths) if isinstance(lengths, dict) else "its text"
        (work.warn if index.unique else work.note)(place, f"it reads all of {read}, not only the beginning")
    if work.target.family == "postgresql":
        return
    options = index.dialect_kwargs
    left = [f"NULLS {part.nulls}" for part in parts if part.nulls]
    left += [str(name) for name in (options.get("postgresql_ops") or {}).values()]
    left += ["INCLUDE"] if options.get("postgresql_include") and not work.target.include else []
    left += ["hash"] if str(options.get("postgresql_using")).lower() == "hash" else []
    if left:
        work.note(place, f"it has no {', '.join(dict.fromkeys(left))} here")


def _make(index: Index, table: Table, parts: list[Any], condition: str | None, work: Work, place: Place) -> None:
    new = work.tables[str(table.key)]
    options: dict[str, Any] = {}
    if condition is not None:
        options[f"{work.target.family}_where"] = literal_column(condition)
    include = index.dialect_kwargs.get("postgresql_include") or index.dialect_kwargs.get("mssql_include")
    if include and work.target.include:
        names = work.names.columns[str(table.key)]
        options[f"{work.target.family}_include"] = [names[getattr(each, "name", each)] for each in include]
    if work.target.family == "postgresql":
        options |= _postgresql_options(index, work)
    elif work.kindred:
        told = ((name.partition("_")[2], value) for name, value in index.dialect_kwargs.items())
        options |= {f"{work.target.name}_{name}": value for name, value in told if value}
    elif work.target.name == "mssql" and index.dialect_kwargs.get("postgresql_nulls_not_distinct"):
        options["postgresql_nulls_not_distinct"] = True
    made = Index(work.names.of(index, table, "indexes"), *parts, unique=index.unique, info=kept(index.info), **options)
    if made.table is None:
        made._set_parent(new)


def _postgresql_options(index: Index, work: Work) -> dict[str, Any]:
    """Return the options of an index that CockroachDB shares with PostgreSQL."""
    options = {name: index.dialect_kwargs.get(f"postgresql_{name}") for name in ("using", "ops", "nulls_not_distinct")}
    if work.target.name == "cockroachdb":
        method = str(options["using"] or "").lower()
        options["using"] = options["using"] if method == "gin" else None
        options["nulls_not_distinct"] = None
        options["ops"] = {k: v for k, v in (options["ops"] or {}).items() if "trgm" in str(v)}
    return {f"postgresql_{name}": value for name, value in options.items() if value}


def let_nulls_be(table: Table, work: Work) -> None:
    """Make uniques with NULLs indexes of the rows that have none: SQL Server would take one NULL alone."""
    new = work.tables[str(table.key)]
    for unique in [c for c in in_order(new) if isinstance(c, UniqueConstraint)]:
        nullable = [column for column in unique.columns if column.nullable]
        if not nullable or _is_led_to(unique, work) or _is_strict(unique):
            continue
        new.constraints.discard(unique)
        Index(
            str(unique.name) if unique.name else None,
            *unique.columns,
            unique=True,
            mssql_where=_all_there(nullable, work),
        )
    for index in new.indexes:
        nullable = [column for column in index.columns if column.nullable]
        if (
            index.unique
            and nullable
            and not _is_strict(index)
            and not _is_led_to(index, work)
            and (index.dialect_kwargs.get("mssql_where") is None)
        ):
            index.dialect_kwargs["mssql_where"] = _all_there(nullable, work)


def _all_there(columns: list[Column[Any]], work: Work) -> Any:
    quote = work.target.dialect.identifier_preparer.quote
    return literal_column(" AND ".join(f"{quote(column.name)} IS NOT NULL" for column in columns))


def _is_strict(unique: UniqueConstraint | Index) -> bool:
    """Whether NULLs are meant to be equal, as SQL Server has them."""
    return bool(unique.dialect_options["postgresql"]["nulls_not_distinct"])


def _is_led_to(unique: UniqueConstraint | Index, work: Work) -> bool:
    """Whether a foreign key leads to the columns of a unique constraint."""
    wanted = set(unique.columns)
    keys = (key for table in work.tables.values() for key in table.foreign_key_constraints)
    return any({element.column for element in key.elements} == wanted for key in keys)
