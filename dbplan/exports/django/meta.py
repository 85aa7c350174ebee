"""Constraints and indexes, as `Meta` lists them."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
    desc,
    nulls_first,
    nulls_last,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import Constraint, CreateIndex, PrimaryKeyConstraint
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import TextClause, UnaryExpression

from dbplan.evidence import Place
from dbplan.exports import clauses
from dbplan.exports.django import fields
from dbplan.exports.django.conditions import Kinds, condition
from dbplan.exports.django.fields import sql_of
from dbplan.exports.django.page import LONGEST, Page
from dbplan.exports.python import Group, Node, Text, call, listed

_METHODS = {
    "gin": "GinIndex",
    "gist": "GistIndex",
    "spgist": "SpGistIndex",
    "brin": "BrinIndex",
    "hash": "HashIndex",
    "bloom": "BloomIndex",
}
_ORDERED = re.compile(
    r"(?P<sql>.+?)(?:\s+(?P<order>ASC|DESC))?(?:\s+NULLS\s+(?P<nulls>FIRST|LAST))?", re.IGNORECASE | re.DOTALL
)
_SHORT = 30
_LONG_INDEX = '''class {name}({base}):
    """An index whose name may be as long as the server's are."""

    max_name_length = {longest}'''


def index_name(page: Page, found: Index) -> str:
    """Return the name that an index has on the server, which takes no longer ones."""
    return page.bare(page.dialect.identifier_preparer.format_index(found) or str(found.name))


def is_odd(name: str) -> bool:
    """Say whether Django writes a name wrongly: it formats names, and does not double quotes in them."""
    return "%" in name or '"' in name


def kinds(page: Page, table: Table) -> Kinds:
    """Return the fields of a table's columns, and what their values compare as."""
    return {column.name: (page.attribute(column), fields.made_quietly(page, column).values) for column in table.columns}


def constraints(page: Page, table: Table) -> list[Node]:
    """Return the constraints that a table has beside its keys, and its unique indexes."""
    known = kinds(page, table)
    stated = clauses.constraints(table, page.dialect)
    found = [_constraint(page, one, table, known) for one in stated if not getattr(one, "_type_bound", False)]
    unique = sorted((index for index in table.indexes if index.unique), key=lambda one: str(one.name))
    found += [_unique_index(page, index, table, known) for index in unique]
    return [node for node in found if node is not None]


def _constraint(page: Page, found: Constraint, table: Table, known: Kinds) -> Node | None:
    place = Place(table.key, constraint=str(found.name or ""))
    if is_odd(str(found.name or "")) and not isinstance(found, PrimaryKeyConstraint | ForeignKeyConstraint):
        page.lose(place, "it is left out: Django takes no name with a percent sign or quotes")
        return None
    if isinstance(found, UniqueConstraint):
        return _unique(page, found, table)
    if isinstance(found, CheckConstraint):
        if found.dialect_options["postgresql"]["not_valid"]:
            page.lose(place, "it is NOT VALID; Django checks the rows that are there")
        if "NO INHERIT" in str(found.info.get("definition", "")):
            page.lose(place, "Django has no NO INHERIT")
        sql = sql_of(page, found.sqltext)
        named = {"condition": condition(page, sql, known), "name": Text(_name(page, found, table))}
        return call(page.models("CheckConstraint"), **named)
    if isinstance(found, ExcludeConstraint):
        return _exclusion(page, found, table, known)
    return None


def _name(page: Page, found: Constraint, table: Table) -> str:
    """Return a constraint's name; one that the server would give, where the plan leaves it to the server."""
    return clauses.names(table, page.dialect)[found]


def _deferred(page: Page, found: Any) -> Node | None:
    if not found.deferrable:
        return None
    word = "DEFERRED" if str(found.initially or "").upper() == "DEFERRED" else "IMMEDIATE"
    return f"{page.models('Deferrable')}.{word}"


def _unique(page: Page, found: UniqueConstraint, table: Table) -> Node:
    distinct = "False" if found.dialect_options["postgresql"].get("nulls_not_distinct") else None
    name, included, deferred = _name(page, found, table), _included(page, found, table), _deferred(page, found)
    if included and page.dialect.name == "postgresql":
        page.lose(Place(table.key, constraint=name), f"Django makes a unique index of it, {name}, which guards at once")
    elif deferred and distinct:
        page.lose(Place(table.key, constraint=name), "Django makes it without DEFERRABLE: it guards at once")
    deferred = None if distinct or included else deferred
    return call(
        page.models("UniqueConstraint"),
        fields=listed(Text(page.attribute(column)) for column in found.columns),
        name=Text(name),
        deferrable=deferred,
        nulls_distinct=distinct,
        include=included,
    )


def _included(page: Page, found: Any, table: Table) -> Node | None:
    names = found.dialect_kwargs.get("postgresql_include") or ()
    columns = [name if isinstance(name, Column) else table.columns[str(name)] for name in names]
    return listed(Text(page.attribute(column)) for column in columns) if columns else None


def _unique_index(page: Page, found: Index, table: Table, known: Kinds) -> Node | None:
    """Return a unique index: one of expressions, since a UniqueConstraint of fields is a constraint in the server."""
    if _lost_options(page, found, table):
        return None
    named: dict[str, Node | None] = {
        "name": Text(index_name(page, found)),
        "condition": _condition(page, found, known),
        "include": _included(page, found, table),
    }
    options = found.dialect_options["postgresql"]
    if options.get("nulls_not_distinct"):
        named["nulls_distinct"] = "False"
    if named["condition"] is not None and all(isinstance(one, Column) for one in found.expressions):
        columns = listed(Text(page.attribute(column)) for column in found.columns)
        return call(page.models("UniqueConstraint"), fields=columns, **named)
    items = [_expression(page, one, found) for one in found.expressions]
    return call(page.models("UniqueConstraint"), *items, **named)


def indexes(page: Page, table: Table) -> list[Node]:
    """Return the indexes that are not unique."""
    known = kinds(page, table)
    plain = sorted((index for index in table.indexes if not index.unique), key=lambda one: str(one.name))
    found = [_index(page, index, table, known) for index in plain]
    return [node for node in found if node is not None]


def _index(page: Page, found: Index, table: Table, known: Kinds) -> Node | None:
    if _lost_options(page, found, table):
        return None
    ops = dict(found.dialect_kwargs.get("postgresql_ops") or {})
    given: list[Node] = []
    named: dict[str, Node | None] = {"name": Text(index_name(page, found))}
    names = [_sorted_name(page, one) for one in found.expressions]
    plain = all(isinstance(one, Column) for one in found.expressions)
    if None not in names and (not ops or (plain and len(ops) == len(names))):
        named["fields"] = listed(Text(str(name)) for name in names)
        columns = [_column(one) for one in found.expressions]
        if ops:
            named["opclasses"] = listed(Text(str(ops[column.key])) for column in columns if column is not None)
    else:
        given = [_expression(page, one, found) for one in found.expressions]
    named |= {"condition": _condition(page, found, known), "include": _included(page, found, table)}
    named |= _parameters(found)
    return call(_class(page, found), *given, **named)


def _parameters(found: Index) -> dict[str, Node | None]:
    said = found.dialect_kwargs.get("postgresql_with") or {}
    known = {"fillfactor", "pages_per_range", "autosummarize", "fastupdate", "gin_pending_list_limit", "buffering"}
    given = {key: str(value) for key, value in said.items() if key in known}
    return {key: value if value.isdigit() else repr(value == "on") for key, value in given.items()}


def _class(page: Page, found: Index) -> str:
    method = str(found.dialect_kwargs.get("postgresql_using") or "btree").lower()
    with_ = found.dialect_kwargs.get("postgresql_with")
    base = page.postgres("indexes", _METHODS[method]) if method in _METHODS else page.models("Index")
    if with_ and method == "btree":
        base = page.postgres("indexes", "BTreeIndex")
    if len(str(found.name)) <= _SHORT:
        return base
    name = f"Long{base.rpartition('.')[2]}"
    page.blocks[name] = _LONG_INDEX.format(name=name, base=base, longest=LONGEST)
    return name


def _lost_options(page: Page, found: Index, table: Table) -> bool:
    """Note an index that Django cannot make; the SQL that makes it stands with the note."""
    name = str(found.name or "")
    reason = ""
    if not found.expressions or not name:
        reason = "an index without a name or columns"
    elif is_odd(name):
        reason = "Django takes no name with a percent sign or quotes"
    elif name[0] == "_" or name[0].isdigit():
        reason = "Django takes no name that starts with an underscore or a digit"
    elif "definition" in found.info and "COLLATE" in str(found.info["definition"]):
        reason = "Django writes no collation in an index of columns"
    elif _casts_to_own_type(page, found):
        reason = "its condition speaks of a type that Django does not make"
    elif str(found.dialect_kwargs.get("postgresql_using") or "btree").lower() not in (*_METHODS, "btree"):
        reason = "Django has no index of that method"
    if reason:
        try:
            mend = str(found.info.get("definition") or CreateIndex(found).compile(dialect=page.dialect)) + ";"
        except SQLAlchemyError:
            mend = ""
        page.lose(Place(table.key, index=name), f"it is left out: {reason}", mend)
    return bool(reason)


def _casts_to_own_type(page: Page, found: Index) -> bool:
    """Say whether a predicate has a cast to one of the plan's enums, which are text in Django's columns."""
    where = found.dialect_kwargs.get(f"{page.dialect.name}_where")
    if where is None or found.table is None:
        return False
    told = sql_of(page, where)
    named = (str(column.type.name) for column in found.table.columns if isinstance(column.type, Enum))
    return any(re.search(rf'::\s*(?:\w+\.)?"?{re.escape(name)}"?(?!\w)', told) for name in named)


def _condition(page: Page, found: Index, known: Kinds) -> Node | None:
    where = found.dialect_kwargs.get(f"{page.dialect.name}_where")
    return None if where is None else condition(page, sql_of(page, where), known)


def _column(expression: Any) -> Column[Any] | None:
    while isinstance(expression, UnaryExpression):
        expression = expression.element
    return expression if isinstance(expression, Column) else None


def _sorted_name(page: Page, expression: Any) -> str | None:
    """Return a column's field with a minus for descending; None for what a name cannot say."""
    if isinstance(expression, Column):
        return page.attribute(expression)
    column: Any = expression.element if isinstance(expression, UnaryExpression) else None
    descends = isinstance(column, Column) and expression.modifier is operators.desc_op
    return f"-{page.attribute(column)}" if descends and column is not None else None


def _expression(page: Page, expression: Any, found: Index) -> Node:
    ops = dict(found.dialect_kwargs.get("postgresql_ops") or {})
    modifiers = []
    key = str(getattr(expression, "key", "") or getattr(expression, "name", ""))
    expression = _told_apart(expression)
    while isinstance(expression, UnaryExpression):
        modifiers.append(expression.modifier)
        expression = expression.element
    expression = getattr(expression, "element", expression) if type(expression).__name__ == "Label" else expression
    node = _operand(page, expression)
    if key in ops:
        node = call(page.postgres("indexes", "OpClass"), node, name=Text(str(ops[key])))
    return _ordered(node, modifiers)


def _told_apart(expression: Any) -> Any:
    """Return SQL that ends with its order as an expression in that order."""
    told = _ORDERED.fullmatch(expression.text) if isinstance(expression, TextClause) else None
    if told is None or not (told["order"] or told["nulls"]):
        return expression
    made: Any = text(told["sql"])
    made = desc(made) if (told["order"] or "").upper() == "DESC" else made
    return {"FIRST": nulls_first, "LAST": nulls_last}[told["nulls"].upper()](made) if told["nulls"] else made


def _operand(page: Page, expression: Any) -> Node:
    if isinstance(expression, Column):
        return call(page.models("F"), Text(page.attribute(expression)))
    name, inner = getattr(expression, "name", ""), list(getattr(expression, "clauses", ()))
    if name in ("lower", "upper") and len(inner) == 1 and isinstance(inner[0], Column):
        function = page.imports.name("django.db.models.functions", str(name).title())
        return call(function, Text(page.attribute(inner[0])))
    return page.raw(f"({sql_of(page, expression)})", "TextField")


def _ordered(node: Node, modifiers: list[Any]) -> Node:
    if not modifiers:
        return node
    descending = operators.desc_op in modifiers
    options = {
        operators.nulls_first_op: "nulls_first=True",
        operators.nulls_last_op: "nulls_last=True",
    }
    said = next((words for modifier, words in options.items() if modifier in modifiers), "")
    assert isinstance(node, Group)
    return Group(node.head, node.items, node.brackets, f".{'desc' if descending else 'asc'}({said})")


def _exclusion(page: Page, found: ExcludeConstraint, table: Table, known: Kinds) -> Node:
    items: list[Node] = []
    for expression, key, operator in found._render_exprs:
        column = table.columns.get(str(key)) if key else None
        what = Text(page.attribute(column)) if column is not None else _operand(page, expression)
        items.append(Group("", (what, Text(str(operator)))))
    where = getattr(found, "where", None)
    return call(
        page.postgres("constraints", "ExclusionConstraint"),
        name=Text(_name(page, found, table)),
        expressions=listed(items),
        index_type=Text(str(found.using).upper()) if str(found.using).lower() != "gist" else None,
        condition=None if where is None else condition(page, sql_of(page, where), known),
        deferrable=_deferred(page, found),
    )
