"""Constraints and indexes: SQLAlchemy's own, with the server's definition where they do not say all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Index, Table, desc, literal_column, nulls_first, nulls_last
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import Constraint, CreateIndex, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint

from dbplan.ddl.compilers import compiler_dialect
from dbplan.evidence import Place
from dbplan.sources.postgresql.columns import alterations
from dbplan.sources.postgresql.facts import Book, Facts, literal, quoted, table_sql
from dbplan.sources.reflected import bound

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\w+|[^\s\w]""")
_SIMPLE = re.compile(r'"([a-z_][a-z0-9_$]*)"')
_EXCLUDE = re.compile(r"EXCLUDE USING (\S+) (\(.*)", re.DOTALL)
_CHECK = re.compile(r"CHECK \((.*)\)(?: NO INHERIT)?(?: NOT VALID)?(?: NOT ENFORCED)?$", re.DOTALL)


def mend(table: Table, book: Book) -> Iterator[str]:
    """Make a reflected table's constraints and indexes whole; yield in words what cannot be."""
    known = {place.constraint for place, _ in book.parts["constraint", str(table.fullname)]}
    for copied in [key for key in table.foreign_key_constraints if key.name not in known]:
        _take_out(table, copied)  # the server makes one for each partition of what the key refers to
    for place, facts in book.parts["constraint", str(table.fullname)]:
        yield from _constraint(table, place, facts.get("definition", ""))
    for place, _ in book.parts["foreign key", str(table.fullname)]:
        yield f"foreign key {place}: not enforced, its triggers are disabled"
    for place, facts in book.parts["index", str(table.fullname)]:
        yield from _index(table, place, facts, book)


def _constraint(table: Table, place: Place, definition: str) -> Iterator[str]:
    found: Any = next((c for c in table.constraints if c.name == place.constraint), None)
    if definition.startswith("CHECK"):
        found = _check(table, found, place.constraint, definition)
    elif definition.startswith("EXCLUDE"):
        found = _exclusion(table, place.constraint, definition)
    if found is None:
        yield f"constraint {place}: {definition}"
        return
    if isinstance(found, UniqueConstraint):
        _drop_usual_nulls(found)
    if isinstance(found, PrimaryKeyConstraint | UniqueConstraint):
        found.deferrable = True if re.search(r"(?<!NOT )DEFERRABLE", definition) else None
        found.initially = "DEFERRED" if definition.endswith("INITIALLY DEFERRED") else None
    if isinstance(found, ForeignKeyConstraint) and definition.endswith(" NOT VALID"):
        found.dialect_options["postgresql"]["not_valid"] = True
    if not _says(found, f"CONSTRAINT {quoted(place.constraint)} {definition}"):
        found.info["definition"] = definition


def _drop_usual_nulls(found: UniqueConstraint | Index) -> None:
    """Leave unsaid that nulls differ from each other, which SQLAlchemy reflects and would write as NULLS DISTINCT."""
    options = found.dialect_options["postgresql"]
    options["nulls_not_distinct"] = options["nulls_not_distinct"] or None


def _take_out(table: Table, key: ForeignKeyConstraint) -> None:
    table.constraints.discard(key)
    table.foreign_key_constraints.discard(key)
    for element in key.elements:
        table.foreign_keys.discard(element)
        element.parent.foreign_keys.discard(element)


def _check(table: Table, found: Any, name: str, definition: str) -> CheckConstraint:
    """Return the CHECK made anew: SQLAlchemy 2.1 hands over the options of one as those of a dialect "dialect"."""
    matched = _CHECK.fullmatch(definition)
    made = CheckConstraint(
        bound(matched[1] if matched else definition), name=name, comment=getattr(found, "comment", None)
    )
    made.dialect_options["postgresql"]["not_valid"] = definition.endswith(" NOT VALID")
    if found is not None:
        made._creation_order = found._creation_order
        table.constraints.discard(found)
    table.append_constraint(made)
    return made


def _exclusion(table: Table, name: str, definition: str) -> ExcludeConstraint | None:
    """Return the exclusion constraint of a definition, which SQLAlchemy does not reflect."""
    matched = _EXCLUDE.fullmatch(definition)
    if matched is None:
        return None
    inside, rest = _bracketed(matched[2])
    parts = [part.rpartition(" WITH ") for part in _split(inside)]
    elements: list[Any] = [(_element(table, expression), operator) for expression, _, operator in parts]
    where = re.match(r" WHERE (\(.*)", rest, re.DOTALL)
    made = ExcludeConstraint(
        *elements,
        name=name,
        using=matched[1],
        where=bound(_bracketed(where[1])[0]) if where else None,
        deferrable=True if " DEFERRABLE" in rest else None,
        initially="DEFERRED" if "INITIALLY DEFERRED" in rest else None,
    )
    table.append_constraint(made)
    return made


def _element(table: Table, expression: str) -> Any:
    column = table.columns.get(expression.strip().strip('"'))
    return column if column is not None else literal_column(expression.strip())


def _bracketed(text: str) -> tuple[str, str]:
    """Return what stands in the brackets that a text begins with, and what follows them."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0:
            return text[1 : token.start()], text[token.end() :]
    return text[1:], ""


def _split(text: str) -> list[str]:
    """Return what stands between the commas that no bracket encloses."""
    parts, depth, start = [], 0, 0
    for token in _TOKEN.finditer(text):
        depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(token[0], 0)
        if token[0] == "," and depth == 0:
            parts.append(text[start : token.start()])
            start = token.end()
    return [*parts, text[start:]]


def _says(made: Any, definition: str) -> bool:
    """Whether SQLAlchemy writes a constraint or index just as the server does, but for spaces and quotes."""
    dialect: Any = compiler_dialect("postgresql")
    try:
        if isinstance(made, Constraint):
            written = dialect.ddl_compiler(dialect, None).process(made)
        else:
            written = str(made.compile(dialect=dialect))
    except SQLAlchemyError:
        return False
    # The expressions of an index are the server's own words, so brackets cannot group them otherwise.
    brackets = "" if isinstance(made, Constraint) else "()"
    return written is not None and _tokens(written, brackets) == _tokens(definition, brackets)


def _tokens(sql: str, dropped: str) -> list[str]:
    """Return the tokens of a definition, without the method that an index has by itself."""
    found = [_SIMPLE.sub(r"\1", token) for token in _TOKEN.findall(sql) if token not in dropped]
    place = found.index("btree") if "btree" in found else 0
    return found[: place - 1] + found[place + 1 :] if place and found[place - 1] == "USING" else found


def _index(table: Table, place: Place, facts: Facts, book: Book) -> Iterator[str]:
    schema, _ = book.split(str(table.fullname))
    name = quoted(place.index) if schema is None else f"{quoted(schema)}.{quoted(place.index)}"
    if definition := facts.get("definition"):
        yield from _defined(table, place, definition, facts)
    if storage := facts.get("storage parameters"):
        alterations(table).append(f"ALTER INDEX {name} SET ({storage})")
    if "clustered on" in facts:
        alterations(table).append(f"ALTER TABLE {table_sql(table)} CLUSTER ON {quoted(place.index)}")
    if "replica identity" in facts:
        words = f"REPLICA IDENTITY USING INDEX {quoted(place.index)}"
        alterations(table).append(f"ALTER TABLE {table_sql(table)} {words}")
    if comment := facts.get("comment"):
        alterations(table).append(f"COMMENT ON INDEX {name} IS {literal(comment)}")


def _defined(table: Table, place: Place, definition: str, facts: Facts) -> Iterator[str]:
    found = next((index for index in table.indexes if index.name == place.index), None)
    partitioned = " ON ONLY " in definition
    if "valid" in facts and not partitioned:
        yield f"index {place} is not valid there; made anew it is"
    if "valid" not in facts:  # or it waits for the indexes of partitions, and ONLY keeps it from making them
        definition = definition.replace(" ON ONLY ", " ON ", 1)
    if found is None:
        unique = definition.startswith("CREATE UNIQUE")
        found = Index(place.index, literal_column(definition), unique=unique, _table=table)
    for item in [found]:
        parts = _parts(definition) if len(_parts(definition)) == len(item.expressions) else ()
        made = [_bound(expression) for expression in item.expressions]
        made = [_ordered(*pair) for pair in zip(made, parts, strict=True)] if parts else made
        item.expressions = item._table_bound_expressions = made
        options = item.dialect_options["postgresql"]
        options["tablespace"] = None
        _drop_usual_nulls(item)
        options["where"] = None if options["where"] is None else bound(_condition(definition))
    if not _says(CreateIndex(found), definition):
        found.info["definition"] = definition


def _parts(definition: str) -> list[str]:
    """Return the parts of an index as its definition has them."""
    listed = re.search(r" USING \w+ (\(.*)", definition, re.DOTALL)
    return _split(_bracketed(listed[1])[0]) if listed else []


def _ordered(expression: Any, part: str) -> Any:
    """Return an expression in its order, which SQLAlchemy reflects of columns alone."""
    if not hasattr(expression, "_bindparams"):
        return expression
    told = re.search(r"(?: (DESC))?(?: NULLS (FIRST|LAST))?$", part)
    descending, nulls = told.groups() if told else (None, None)
    expression = desc(expression) if descending else expression
    return {"FIRST": nulls_first, "LAST": nulls_last}[nulls](expression) if nulls else expression


def _condition(definition: str) -> str:
    """Return the predicate of an index as its definition has it."""
    depth = 0
    for token in _TOKEN.finditer(definition):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0 and token[0] == "WHERE":
            return definition[token.end() :].strip()
    return ""


def _bound(expression: Any) -> Any:
    return bound(expression.text) if hasattr(expression, "_bindparams") else expression
