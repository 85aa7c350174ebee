"""A plan as Django models: what Django has words for, and by name what it has not."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from keyword import iskeyword
from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint

from dbplan.ddl import Statement, statements
from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.alchemy.module import attribute
from dbplan.exports.alchemy.page import unescaped
from dbplan.exports.django import fields, meta
from dbplan.exports.django.losses import lose_of_table
from dbplan.exports.django.page import Page
from dbplan.exports.python import Imports, Node, Text, assigned, call, docstring, listed, shown
from dbplan.exports.relations import Naming, Relation, naming
from dbplan.exports.written import Written
from dbplan.plan import Plan

_OWN = """
pk objects self save delete clean check full_clean clean_fields validate_unique validate_constraints refresh_from_db
serializable_value unique_error_message prepare_database_save get_constraints date_error_message get_deferred_fields
from_db adelete asave arefresh_from_db save_base Meta DoesNotExist MultipleObjectsReturned models metadata
"""
_RESERVED = frozenset(_OWN.split())
_ACTIONS = {"CASCADE": "CASCADE", "RESTRICT": "PROTECT", "SET NULL": "SET_NULL"}
_OBJECTS = {
    "schema": "the schema {place} is to be there before Django's migration runs",
    "sequence": "Django makes no sequences of their own",
    "view": "Django makes no views: its model is unmanaged, and its first column stands for a key",
    "extension": "the extension is to be there before Django's migration runs",
    "type": "Django makes no types",
    "routine": "Django makes no routines",
    "trigger": "Django makes no triggers",
    "policy": "Django makes no policies",
    "rule": "Django makes no rules",
    "alteration": "Django does not say what the table is beyond its columns",
    "statistics": "Django makes no statistics",
    "attachment": "it is a partition; here a table of its own",
}

_FIRST = frozenset({"schema", "extension", "type", "sequence", "routine"})


def write(plan: Plan, dialect: str) -> Written:
    """Return `models.py`: a model for each table, unmanaged ones for views and for tables that have no key.

    `lost` names what Django's migration of it makes otherwise; most of these carry the SQL that mends it.
    """
    page = _page(plan, dialect)
    _lose_objects(page, dialect, _FIRST)
    models = [_model(page, table) for table in plan.metadata.tables.values()]
    _lose_tables(page, dialect)
    _lose_objects(page, dialect, frozenset(_OBJECTS) - _FIRST)
    blocks = [page.blocks[name] for name in sorted(page.blocks, key=_rank)]
    body = "\n\n\n".join([*blocks, *models])
    head = [docstring(plan.summary or f"The models of {plan.name}", 0), page.imports.text(body)]
    text = "\n\n".join(head) + f"\n\n\n{body}\n"
    return Written({"models.py": text}, tuple(dict.fromkeys(page.lost)))


def _rank(name: str) -> tuple[bool, str]:
    return not (name in ("ServerField", "in_sql") or name.startswith("Long")), name


def _page(plan: Plan, dialect: str) -> Page:
    style = attribute(_RESERVED, "_field")
    reserved = _RESERVED | {"ServerField", "in_sql"}
    first = naming(plan, style, reserved)
    names = naming(plan, attribute(_RESERVED | frozenset(first.classes.values()), "_field"), reserved)
    names = replace(names, classes=_classes(names.classes))
    words = {*reserved, *names.classes.values(), *names.fields.values(), *dir(builtins)}
    words |= {name for relation in names.relations for name in (relation.name, relation.back)}
    page = Page(plan, unescaped(dialect), Imports(words - {"models"}), names, {}, {}, entangled=_is_entangled(names))
    for table in plan.tables:
        _name_fields(page, table)
    return page


def _classes(classes: Mapping[str, str]) -> dict[str, str]:
    """Return the names of models as Django takes them: no underscore first or last, and no two together."""
    taken = set(classes.values())
    found = {}
    for key, name in classes.items():
        wanted = re.sub("__+", "_", name).strip("_") or "Model"
        while wanted != name and wanted in taken:
            wanted = f"{wanted}Model"
        taken.add(wanted)
        found[key] = wanted
    return found


def _is_entangled(names: Naming) -> bool:
    """Say whether a model with indexes or constraints is led to by one that comes before it by name.

    A migration then adds indexes between tables and their keys, over which Django's optimizer does not move keys.
    """
    for relation in names.relations:
        earlier = names.class_of(relation.child).lower() < names.class_of(relation.parent).lower()
        if earlier and (relation.parent.indexes or len(relation.parent.constraints) > 1):
            return True
    return False


def _name_fields(page: Page, table: Table) -> None:
    """Name the fields of a table: a key's column after what it leads to, every other after itself."""
    ways = {column.name: way for way in page.naming.out_of(table) if (column := _single(page, way)) is not None}
    taken: set[str] = {name for way in page.naming.into(table) for name in (way.back,) if name}
    for column in table.columns:
        way = ways.get(column.name)
        wanted = page.naming.field_of(column)
        if way is not None and column.name.lower().endswith("_id"):
            wanted = way.name
        name = _accepted(wanted, column)
        while name in taken:
            name = f"{name}_field"
        taken |= {name, f"{name}_id"} if way is not None else {name}
        page.attributes[table.key, column.name] = name
        if way is not None:
            page.keys[table.key, column.name] = way


def _accepted(name: str, column: Column[Any]) -> str:
    """Return a name that Django takes: no double or last underscore, and `id` for a key alone."""
    while "__" in name:
        name = name.replace("__", "_")
    name = name.rstrip("_") or "field"
    alone = column.primary_key and len(column.table.primary_key.columns) == 1
    odd = iskeyword(name) or name in _RESERVED or (name == "id" and not alone)
    return f"{name}_field" if odd else name


def _single(page: Page, way: Relation) -> Column[Any] | None:
    """Return the column of a key that a ForeignKey can say: one column, to one that identifies its row."""
    if len(way.columns) != 1 or not _is_managed(way.parent) or not _is_managed(way.child):
        return None
    column, target = way.columns[0], way.targets[0]
    others = [other for other in page.naming.out_of(way.child) if other.columns == (column,)]
    if others[0] is not way or column.computed is not None:
        return None
    if page.entangled and column.primary_key and len(column.table.primary_key.columns) > 1:
        return None  # where keys come after their tables, Django's migrations lose them out of a CompositePrimaryKey
    alone = target.primary_key and len(target.table.primary_key.columns) == 1
    return column if (alone or _is_unique(target)) and _same_type(page, column, target) else None


def _same_type(page: Page, column: Column[Any], target: Column[Any]) -> bool:
    one, other = (facts.sql_type(one.type, page.dialect) for one in (column, target))
    return (one.name, one.arguments) == (other.name, other.arguments)


def _is_unique(column: Column[Any]) -> bool:
    return any(isinstance(c, UniqueConstraint) and [*c.columns] == [column] for c in column.table.constraints)


def _has_key(table: Table) -> bool:
    return bool(len(table.primary_key.columns)) and not table.info.get("is_view")


def _is_managed(table: Table) -> bool:
    """Say whether Django can make the table: it has a key, and names that Django writes as they are."""
    names = (str(table.name), str(table.schema or ""), *(column.name for column in table.columns))
    return _has_key(table) and not any(meta.is_odd(name) for name in names)


def _model(page: Page, table: Table) -> str:
    managed = _is_managed(table)
    lines = [f"class {page.naming.class_of(table)}({page.models('Model')}):"]
    if table.comment:
        lines += [docstring(table.comment), ""]
    composite = len(table.primary_key.columns) > 1 and managed
    if composite:
        names = [Text(page.attribute(column)) for column in table.primary_key.columns]
        lines.append("    " + shown(call(page.models("CompositePrimaryKey"), *names), 4, "pk = "))
    stand_in = None if managed else next(iter(table.columns), None)
    for column in table.columns:
        field = _field(page, column) if managed else _unmanaged(page, column, column is stand_in)
        lines.append(assigned(f"{page.attribute(column)}", field))
    lines += ["", "    class Meta:"]
    lines += [f"        {line}" for line in _options(page, table, managed)]
    if managed:
        lose_of_table(page, table)
    return "\n".join(lines)


def _options(page: Page, table: Table, managed: bool) -> Iterator[str]:
    name = f'{table.schema}"."{table.name}' if table.schema else str(table.name)
    yield shown(Text(name), 8, "db_table = ")
    if not managed:
        yield "managed = False"
        return
    if table.comment:
        yield shown(Text(table.comment), 8, "db_table_comment = ")
    if found := meta.constraints(page, table):
        yield shown(listed(found), 8, "constraints = ")
    if found := meta.indexes(page, table):
        yield shown(listed(found), 8, "indexes = ")


def _lose_tables(page: Page, dialect: str) -> None:
    """Note each table that Django reads and never makes; the SQL that makes it stands with the note."""
    made: dict[tuple[str, bool], list[str]] = {}
    for statement in statements(page.plan, dialect):
        table = page.plan.metadata.tables.get(statement.place.table)
        if table is None or table.info.get("is_view") or _is_managed(table) or statement.kind in _OBJECTS:
            continue
        made.setdefault((table.key, statement.kind == "key"), []).append(f"{statement.sql};")
    for (key, _), sql in made.items():
        said = "it has no primary key: its model is unmanaged, and its first column stands for one"
        if _has_key(page.plan.metadata.tables[key]):
            said = "Django takes no percent sign and no quotes in names: its model is unmanaged"
        page.lose(Place(key), said, "\n".join(sql))


def _unmanaged(page: Page, column: Column[Any], stand_in: bool) -> Node:
    """Return a field of a model that Django only reads."""
    found = fields.made_quietly(page, column)
    words: dict[str, Node] = dict(found.words)
    if page.attribute(column) != column.name:
        words["db_column"] = Text(str(column.name))
    words |= {"primary_key": "True"} if stand_in else {"null": "True", "blank": "True"} if column.nullable else {}
    if column.comment:
        words["db_comment"] = Text(column.comment)
    return call(found.head, **words)


def _field(page: Page, column: Column[Any]) -> Node:
    way = page.keys.get((column.table.key, column.name))
    return fields.plain(page, column) if way is None else _foreign(page, column, way)


def _foreign(page: Page, column: Column[Any], way: Relation) -> Node:
    words = fields.common(page, column)
    words.pop("db_column", None)
    name = page.attribute(column)
    single = column.primary_key and len(column.table.primary_key.columns) == 1
    action = _ACTIONS.get(str(way.constraint.ondelete or "").upper(), "DO_NOTHING")
    action = "DO_NOTHING" if action == "SET_NULL" and not column.nullable else action
    named: dict[str, Node | None] = {"on_delete": page.models(action)}
    target = way.targets[0]
    if not (target.primary_key and len(target.table.primary_key.columns) == 1):
        named["to_field"] = Text(page.attribute(target))
    named["related_name"] = Text(_related(way))
    named["db_column"] = Text(str(column.name)) if f"{name}_id" != column.name else None
    named["db_index"] = "False" if not single else None
    parent = "self" if way.parent is way.child else page.naming.class_of(way.parent)
    head = page.models("OneToOneField" if single else "ForeignKey")
    return call(head, Text(parent), **{**named, **words})


def _related(way: Relation) -> str:
    back = way.back.rstrip("_")
    return back if back and "__" not in back else "+"


def _lose_objects(page: Page, dialect: str, kinds: frozenset[str]) -> None:
    """Note what of some kinds stands beside the tables."""
    everything = statements(page.plan, dialect)
    for statement in everything:
        if statement.kind in kinds:
            said = _OBJECTS[statement.kind].format(place=statement.place)
            named = "" if str(statement.place) else f": {statement.sql.splitlines()[0]}"
            page.lose(statement.place, said + named, "\n".join(_with_comments(statement, everything)))


def _with_comments(statement: Statement, everything: Iterable[Statement]) -> Iterator[str]:
    """Yield a statement and, of a view, the comments on it."""
    yield f"{statement.sql};"
    if statement.kind == "view":
        named = statement.place.table
        yield from (f"{other.sql};" for other in everything if other.kind == "comment" and other.place.table == named)
