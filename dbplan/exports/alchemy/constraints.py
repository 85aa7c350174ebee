"""Constraints and indexes, written as the calls that make them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Table
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import Constraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.sql.elements import ClauseElement, TextClause

from dbplan.evidence import Place
from dbplan.exports.alchemy.clauses import Refer, clause, condition
from dbplan.exports.alchemy.conventions import is_automatic, name
from dbplan.exports.alchemy.page import Page
from dbplan.exports.python import Group, Named, Node, Text, call, flat, listed, literal


def constraint(page: Page, found: Constraint, table: Table) -> Node | None:
    """Return a constraint that stands with its table."""
    if isinstance(found, PrimaryKeyConstraint):
        return _keyed(page, "PrimaryKeyConstraint", found, table)
    if isinstance(found, UniqueConstraint):
        return _keyed(page, "UniqueConstraint", found, table)
    if isinstance(found, ForeignKeyConstraint):
        return _foreign(page, found, table)
    if isinstance(found, CheckConstraint):
        return check(page, found, table)
    if isinstance(found, ExcludeConstraint):
        return _exclusion(page, found, table)
    page.lose(Place(table.key, constraint=str(found.name or "")), f"a {type(found).__name__} is not written")
    return None


def _keyed(page: Page, class_: str, found: Any, table: Table) -> Node:
    columns = [Text(column.key) for column in found.columns]
    return _with_options(page, found, table, page.sa(class_), columns)


def check(page: Page, found: CheckConstraint, table: Table) -> Node:
    """Return a CHECK."""
    return _with_options(page, found, table, page.sa("CheckConstraint"), [condition(page, found.sqltext)])


def foreign_key(page: Page, found: ForeignKeyConstraint) -> Node:
    """Return a foreign key that stands in its column."""
    made = [target(found.elements[0])]
    return _with_options(page, found, found.table, page.sa("ForeignKey"), made, _actions(page, found))


def target(key: ForeignKey) -> Node:
    """Return the column that a foreign key leads to: a dotted text, or a tuple where a name has a dot of its own."""
    schema, table, column = key.target_tokens
    names = [name for name in (schema, table, column or str(key.parent.key)) if name]
    if any("." in name for name in names[-2:]):
        return Group("", tuple(Text(str(name)) for name in names))
    return Text(".".join(names))


def _foreign(page: Page, found: ForeignKeyConstraint, table: Table) -> Node:
    columns = listed(Text(key) for key in found.column_keys)
    targets = listed(target(element) for element in found.elements)
    return _with_options(page, found, table, page.sa("ForeignKeyConstraint"), [columns, targets], _actions(page, found))


def _actions(page: Page, found: ForeignKeyConstraint) -> dict[str, Node | None]:
    named: dict[str, Node | None] = {
        key: Text(str(value)) if (value := getattr(found, key)) else None for key in ("onupdate", "ondelete", "match")
    }
    named["use_alter"] = "True" if found.use_alter else None
    named["link_to_name"] = "True" if found.link_to_name and not _keys_are_names(page, found) else None
    return named


def _keys_are_names(page: Page, found: ForeignKeyConstraint) -> bool:
    """Say whether the parent's columns are known by their names."""
    parents = {str(element.target_table_key) for element in found.elements}
    tables = [page.plan.metadata.tables[parent] for parent in parents if parent in page.plan.metadata.tables]
    return len(tables) == len(parents) and all(c.key == c.name for table in tables for c in table.columns)


def _exclusion(page: Page, found: ExcludeConstraint, table: Table) -> Node:
    elements: list[Node] = []
    for expression, key, operator in found._render_exprs:
        part: Any = expression
        plain = isinstance(part, Column | str)
        what = Text(str(getattr(part, "key", key))) if plain else clause(page, part)
        elements.append(Group("", (what, Text(str(operator)))))
    named: dict[str, Node | None] = {
        "using": Text(found.using) if found.using != "gist" else None,
        "where": None if getattr(found, "where", None) is None else clause(page, found.where),
        "ops": literal(dict(found.ops)) if found.ops else None,
    }
    head = page.imports.name("sqlalchemy.dialects.postgresql", "ExcludeConstraint")
    return _with_options(page, found, table, head, elements, named)


def _with_options(
    page: Page, found: Any, table: Table, head: str, items: list[Any], more: dict[str, Node | None] | None = None
) -> Group:
    named: dict[str, Node | None] = {"name": name(page, found, table), **(more or {})}
    named["deferrable"] = None if found.deferrable is None else repr(found.deferrable)
    named["initially"] = Text(found.initially) if found.initially else None
    if getattr(found, "comment", None):
        named["comment"] = Text(found.comment)
    named |= of_dialects(page, found)
    named["info"] = page.information(Place(table.key, constraint=str(found.name or "")), found.info, _said(page, found))
    written = call(head, *items, **named)
    return Group(written.head, written.items, tail=_condition(page, found, table))


def words(page: Page, found: Any) -> dict[Any, Any]:
    """Return the info of a constraint or index that something else does not say."""
    return {key: value for key, value in found.info.items() if key not in _said(page, found)}


def _said(page: Page, found: Any) -> frozenset[str]:
    """Return the words of info that are said: names by relationships, a definition where SQLAlchemy writes the same."""
    same = frozenset() if page.is_native(found) else frozenset({"definition"})
    return same | _said_by_relationships(page, found)


def _said_by_relationships(page: Page, found: Any) -> frozenset[str]:
    written = isinstance(found, ForeignKeyConstraint) and any(
        relation.constraint is found and page.is_class(relation.parent) for relation in page.naming.out_of(found.table)
    )
    return frozenset({"field", "back"}) if written and page.is_class(found.table) else frozenset()


def of_dialects(page: Page, found: Any, refer: Refer | None = None) -> dict[str, Node | None]:
    """Return the options of dialects, such as an index's method and predicate."""
    return {key: _option(page, value, refer) for key, value in found.dialect_kwargs.items() if _is_said(value)}


def _is_said(value: Any) -> bool:
    """Say whether an option is more than a reflected "no"."""
    return isinstance(value, ClauseElement) or bool(value)


def _option(page: Page, value: Any, refer: Refer | None) -> Node | None:
    if isinstance(value, Column):
        return Text(value.key)
    if isinstance(value, TextClause | ClauseElement):
        return clause(page, value)
    if isinstance(value, list | tuple) and any(isinstance(one, ClauseElement) for one in value):
        return listed(_option(page, one, refer) or "None" for one in value)
    return literal(dict(value) if hasattr(value, "items") else value)


def _condition(page: Page, found: Any, table: Table) -> str:
    """Return `.ddl_if(…)` where a thing is for some dialects alone."""
    made = found._ddl_if
    if made is None:
        return ""
    if made.callable_ is not None or made.dialect is None:
        place = Place(table.key, constraint=str(found.name or ""))
        page.lose(place, "when it is created hangs on a function, which is not written: it is always created")
        return ""
    return f".ddl_if({flat(Named('dialect=', literal(made.dialect) or ''))})"


def index(page: Page, found: Index, refer: Refer) -> Group:
    """Return an index; columns within expressions are written as `refer` has them."""
    table = found.table
    assert table is not None
    items = [_expression(page, one, None if is_plain(page, found) else refer) for one in found.expressions]
    named: dict[str, Node | None] = {"unique": "True" if found.unique else None}
    named |= of_dialects(page, found, refer)
    named["info"] = page.information(Place(table.key, constraint=str(found.name or "")), found.info, _said(page, found))
    written = call(page.sa("Index"), _index_name(found), *items, **named)
    return Group(written.head, written.items, tail=_condition(page, found, table))


def _index_name(found: Index) -> Node:
    """Return the name of an index, which is written even where a convention would give it."""
    return "None" if found.name is None else Text(str(found.name))


def is_plain(page: Page, found: Index) -> bool:
    """Say whether an index can be written by names of columns and SQL alone, within its table."""
    referred: list[str] = []

    def refer(column: Column[Any]) -> str:
        referred.append(column.key)
        return column.key

    for one in found.expressions:
        if not isinstance(one, Column):
            clause(page, one, refer)
    return not referred


def _expression(page: Page, expression: Any, refer: Refer | None) -> Node:
    if isinstance(expression, Column) and refer is None:
        return Text(expression.key)
    return clause(page, expression, refer)


def primary(page: Page, table: Table) -> bool:
    """Say whether a table's primary key needs a call of its own, beside the flags of its columns."""
    key = table.primary_key
    if not len(key.columns):
        return False
    in_order = [column for column in table.columns if column.primary_key] == list(key.columns)
    options = (key.deferrable, key.initially, key._ddl_if, getattr(key, "comment", None))
    plain = not of_dialects(page, key) and not words(page, key) and all(option is None for option in options)
    return not (in_order and plain and is_automatic(page, key, table))
