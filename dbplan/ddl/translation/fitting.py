"""Sizes that MySQL, MariaDB and SQL Server set: the bytes of an index's key and of a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table, literal_column
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import UnaryExpression

from dbplan.ddl.translation.expressions import Untranslatable
from dbplan.ddl.translation.kinds import Kind
from dbplan.ddl.translation.spellings import spelled
from dbplan.ddl.translation.work import Work
from dbplan.evidence import Place

_ROW = 65535
_ENDLESS = 10**9
_CLUSTERED = 900
_USUAL = 255
_SIZES = {
    "integer": 8,
    "boolean": 1,
    "float": 8,
    "date": 3,
    "time": 6,
    "datetime": 10,
    "uuid": 16,
    "enum": 2,
    "year": 1,
}


def fit(work: Work) -> None:
    """Make every key as short as the target's indexes, and every row as short as its pages."""
    if not work.target.key_bytes or work.kindred:
        return
    for table in work.tables.values():
        for key in _keys(table):
            _fit_key(list(key.columns), _limit(key, work), work)
    for table in work.tables.values():
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            _fit_index(index, table, work)
        if work.target.family == "mysql":
            _fit_row(table, work)


def _keys(table: Table) -> Iterator[Any]:
    """Yield what must hold whole values: the primary key, uniques, and foreign keys, which have an index there."""
    if len(table.primary_key.columns):
        yield table.primary_key
    found = (c for c in table.constraints if hasattr(c, "columns") and not isinstance(c, CheckConstraint))
    wanted = (c for c in found if not isinstance(c, PrimaryKeyConstraint))
    yield from sorted(wanted, key=lambda constraint: constraint._creation_order)


def _limit(key: Any, work: Work) -> int:
    return (
        _CLUSTERED if work.target.name == "mssql" and isinstance(key, PrimaryKeyConstraint) else work.target.key_bytes
    )


def size(kind: Kind, work: Work) -> int | None:
    """Return the bytes that a value may take in an index; None for no limit."""
    if kind.family == "string":
        return None if kind.length is None else kind.length * work.target.character
    if kind.family in ("binary", "json"):
        return kind.length if kind.family == "binary" else None
    return (kind.precision or 38) // 2 + 2 if kind.family == "decimal" else _SIZES.get(kind.family, 8)


def _fit_key(columns: list[Column[Any]], limit: int, work: Work) -> None:
    """Shorten the texts of a key until all of it fits."""
    sizes = {column: size(work.kinds[column], work) for column in columns}
    if sum(_USUAL * work.target.character if s is None else s for s in sizes.values()) <= limit and None not in (
        sizes.values()
    ):
        return
    elastic = [column for column in columns if work.kinds[column].family in ("string", "binary")]
    rest = limit - sum(sizes[column] or 0 for column in columns if column not in elastic)
    for column, length in _shares(elastic, sizes, rest, work):
        _shorten(column, length, work)


def _shares(
    elastic: list[Column[Any]], sizes: dict[Column[Any], int | None], rest: int, work: Work
) -> Iterator[tuple[Column[Any], int]]:
    """Yield the new length of each text of a key: short ones keep theirs, and the others share what is left."""
    ordered = sorted(elastic, key=lambda column: _ENDLESS if sizes[column] is None else sizes[column] or 0)
    for place, column in enumerate(ordered):
        unit = work.target.character if work.kinds[column].family == "string" else 1
        share = rest // (len(ordered) - place) // unit
        own = sizes[column]
        wanted = _USUAL if own is None else own // unit
        length = max(min(wanted, share), 1)
        rest -= length * unit
        if own is None or length < wanted:
            yield column, length


def _shorten(column: Column[Any], length: int, work: Work) -> None:
    kind = work.kinds[column]
    if kind.length is not None and kind.length <= length:
        return
    kind = replace(kind, length=length, fixed=False)
    was = work.target.compiled(column.type)
    column.type, work.kinds[column] = spelled(kind, work.target, portable=False).type, kind
    now = work.target.compiled(column.type)
    work.note(work.place_of(column), f"it is {now} where it would be {was}: a key of {work.target.product} has no room")
    _mend_default(column)


def _mend_default(column: Column[Any]) -> None:
    """Take the parentheses off a default that only a text without limit needs."""
    arg = str(
        getattr(getattr(column.server_default, "arg", None), "text", "") or getattr(column.server_default, "arg", "")
    )
    if arg.startswith("('") and arg.endswith("')"):
        column.server_default.arg = literal_column(arg[1:-1])  # type: ignore[union-attr]


def _fit_index(index: Index, table: Table, work: Work) -> None:
    """Fit an index: a unique one shortens its texts; another reads prefixes on MySQL, or is left out."""
    columns = [column for column in index.columns if column in work.kinds]
    sizes = [size(work.kinds[column], work) for column in columns]
    if None not in sizes and sum(s or 0 for s in sizes) <= work.target.key_bytes:
        return
    if index.unique:
        _fit_key(columns, work.target.key_bytes, work)
    elif work.target.family == "mysql":
        _read_prefixes(index, columns, work)
    elif None in sizes:
        original = work.place_of(columns[0]).table
        table.indexes.discard(index)
        work.note(Place(original, index=str(index.name)), "it is left out: SQL Server indexes no text without a limit")


def _read_prefixes(index: Index, columns: list[Column[Any]], work: Work) -> None:
    share = work.target.key_bytes // len(columns)
    lengths = {}
    for column in columns:
        kind = work.kinds[column]
        own = size(kind, work)
        unit = work.target.character if kind.family == "string" else 1
        if kind.family in ("string", "binary") and (own is None or own > share):
            lengths[column.name] = min(_USUAL, share // unit)
    if all(isinstance(part, Column) for part in index.expressions):
        index.dialect_options[work.target.name]["length"] = lengths
    else:  # SQLAlchemy writes a length behind a plain column alone
        parts: Any = [_prefixed(part, lengths, work) for part in index.expressions]
        index.expressions = index._table_bound_expressions = parts
    said = ", ".join(f"{name} ({length} characters)" for name, length in lengths.items())
    work.note(Place(work.place_of(columns[0]).table, index=str(index.name)), f"it reads the beginning alone of {said}")


def _prefixed(part: Any, lengths: dict[str, int], work: Work) -> Any:
    """Return a part of an index that reads the beginning of a text alone."""
    column = part.element if isinstance(part, UnaryExpression) else part
    if not isinstance(column, Column) or column.name not in lengths:
        return part
    name = work.target.dialect.identifier_preparer.quote(column.name)
    order = " DESC" if column is not part and part.modifier is operators.desc_op else ""
    return literal_column(f"{name}({lengths[column.name]}){order}")


def _fit_row(table: Table, work: Work) -> None:
    """Move the longest texts that no key holds out of a row that would be too long."""
    keys: tuple[Any, ...] = (*_keys(table), *table.indexes)
    keyed = {column for key in keys for column in key.columns}
    free = [column for column in table.columns if column not in keyed and isinstance(column.type, mysql.VARCHAR)]
    for column in sorted(free, key=lambda column: -(column.type.length or 0)):  # type: ignore[attr-defined]
        if _row(table.columns, work) <= _ROW:
            return
        _move_out(column, table, work)


def _row(columns: Iterable[Column[Any]], work: Work) -> int:
    return sum(_width(column, work) for column in columns)


def _width(column: Column[Any], work: Work) -> int:
    kind = work.kinds[column]
    bounded = kind.family in ("string", "binary") and kind.length is not None and kind.length <= _ROW
    out = isinstance(column.type, mysql.LONGTEXT | mysql.LONGBLOB | mysql.JSON)
    return 12 if out else (size(kind, work) or 0) + 3 if bounded else size(kind, work) or 12


def _move_out(column: Column[Any], table: Table, work: Work) -> None:
    length = work.kinds[column].length
    was = work.target.compiled(column.type)
    column.type = mysql.LONGTEXT(collation=column.type.collation)  # type: ignore[attr-defined]
    work.kinds[column] = replace(work.kinds[column], length=None)
    default = str(getattr(getattr(column.server_default, "arg", None), "text", ""))
    if default.startswith("'"):
        column.server_default.arg = literal_column(f"({default})")  # type: ignore[union-attr]
    work.note(work.place_of(column), f"it is LONGTEXT where it would be {was}: the row would be over {_ROW} bytes")
    try:
        words = work.expressions_of_types.condition(f"length(VALUE) <= {length}", {"VALUE": column.name})
    except Untranslatable:
        return
    name = work.names.named(work.place_of(column).table, "checks", [f"ck_{table.name}_{column.name}"])
    table.append_constraint(CheckConstraint(literal_column(words), name=name))


def uniques(table: Table) -> list[UniqueConstraint]:
    """Return the unique constraints of a table, in the order of their making."""
    found = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    return sorted(found, key=lambda constraint: constraint._creation_order)
