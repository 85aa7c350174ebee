"""A plan as SQLModel classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Index, Integer, Sequence, Table
from sqlalchemy.schema import AddConstraint

from dbplan.ddl import Statement, statements
from dbplan.evidence import Place
from dbplan.exports.alchemy import columns, filling, kinds, relationships, tables
from dbplan.exports.alchemy.module import module, named_page, sequences
from dbplan.exports.alchemy.page import Page
from dbplan.exports.python import Group, Named, Node, Text, assigned, call, docstring, flat, mapped, quoted, shown
from dbplan.exports.written import Written
from dbplan.plan import Plan

_OWN = """
metadata registry construct copy dict from_orm json model_computed_fields model_config model_construct model_copy
model_dump model_dump_json model_extra model_fields model_fields_set model_json_schema model_parametrized_name
model_post_init model_rebuild model_validate model_validate_json model_validate_strings parse_file parse_obj parse_raw
schema schema_json sqlmodel_update update_forward_refs validate cls
"""
_RESERVED = frozenset(_OWN.split())
"""What SQLModel's own class has, and a column cannot be called."""

_UNDERSTOOD = {
    "int": "Integer",
    "bool": "Boolean",
    "float": "Float",
    "bytes": "LargeBinary",
    "UUID": "Uuid",
    "str": "String",
    "dt.date": "Date",
    "dt.time": "Time",
    "dt.timedelta": "Interval",
}
"""What SQLModel makes of a Python type by itself."""

_FIRST = ("schema", "extension")
_BEFORE = ("setting", "routine", "type", "reset")
_AFTER = ("attachment", "view", "rule", "trigger", "policy", "alteration", "statistics")
_EVENTS = """
dialect extensions extension_schemas routines types schemas order events alterations statistics comments view is_view
materialized populated partition_of triggers policies rules row_security definition late sequence not_covered
"""
_UNSAID = frozenset(_EVENTS.split())
"""Words of `.info` that are said by events."""

_SQLALCHEMY = ("foreign_keys", "primaryjoin", "remote_side", "overlaps")
"""Words of a relationship that SQLModel hands on to SQLAlchemy."""

_RUN = '''def run(when: str, *statements: str) -> None:
    """Have create_all run statements before or after it creates tables."""

    def listener(_: Any, connection: Any, tables: Any = (), **__: Any) -> None:
        if tables and connection.dialect.name == "{server}":
            for statement in statements:
                connection.execute({ddl}(statement.replace("%", "%%")))

    {listen}(SQLModel.metadata, when, listener)'''


def write(plan: Plan, dialect: str) -> Written:
    """Return `models.py`: a class for each table with a primary key, a Table for each other one.

    `SQLModel.metadata.create_all` makes the whole schema: what SQLAlchemy does not create follows its events.
    """
    page = named_page(
        plan, dialect, "export-sqlmodel", _RESERVED | {"fresh", "views", "ddl", "statement"}, "SQLModel.metadata"
    )
    page.unsaid, page.native = _UNSAID, []
    everything = statements(plan, dialect)
    page.imports.name("sqlmodel", "SQLModel")
    shared = kinds.share(page)
    blocks = [*_metadata(page)]
    blocks += _events(page, [found for found in everything if found.kind in _FIRST], "before_create", dialect)
    blocks += sequences(page)
    blocks += [shown(node, before=f"{name} = ") for name, node in shared.items()]
    written: set[str] = set()
    for table in plan.metadata.tables.values():
        blocks.append(_table(page, table, written))
        written.add(table.key)
    blocks += _dependencies(page)
    blocks += _events(page, [found for found in everything if _comes_before(found)], "before_create", dialect)
    after = [found for found in everything if _comes_after(page, found)]
    blocks += _events(page, [*_native(page), *after], "after_create", dialect)
    return Written({"models.py": module(page, blocks, future=False)}, tuple(dict.fromkeys(page.lost)))


def _metadata(page: Page) -> list[str]:
    """Return what SQLModel's own MetaData is told, and the one of views, which are read and never created."""
    told = []
    if page.conventions:
        convention = mapped({key: Text(value) for key, value in page.conventions.items()})
        told.append(shown(convention, before="SQLModel.metadata.naming_convention = "))
    info = page.information(Place(), page.plan.metadata.info)
    if info is not None:
        told.append(shown(call("SQLModel.metadata.info.update", info)))
    if any(table.info.get("is_view") for table in page.plan.tables):
        told.append(f"views = {page.sa('MetaData')}()")
    return ["\n".join(told)] if told else []


def _table(page: Page, table: Table, written: set[str]) -> str:
    if page.is_class(table):
        return _class(page, table, written)
    if table.info.get("is_view"):
        return tables.core(replace(page, metadata="views"), table)
    return tables.core(page, table)


def _class(page: Page, table: Table, written: set[str]) -> str:
    lines = [f"class {page.naming.class_of(table)}(SQLModel, table=True):"]
    if table.comment:
        lines += [docstring(table.comment), ""]
    lines += ["    " + shown(Text(str(table.name)), 4, "__tablename__ = ")]
    rules, options = tables.rules(page, table), tables.options(page, table)
    if rules or options:
        arguments = Group("", (*rules, mapped(options)) if options else tuple(rules)) if rules else mapped(options)
        lines += ["    " + shown(arguments, 4, "__table_args__ = ")]
    lines += ["", *(_field(page, column) for column in table.columns)]
    related = [_relationship(page, *found, written) for found in relationships.of(page, table)]
    lines += ["", *related] if related else []
    later = tables.later_indexes(page, table, lambda column: _reference(page, column))
    return "\n".join(lines) + ("\n\n\n" + "\n".join(later) if later else "")


def _reference(page: Page, column: Column[Any]) -> str:
    return f"{page.imports.name('sqlmodel', 'col')}({tables.reference(page, column)})"


def _field(page: Page, column: Column[Any]) -> str:
    attribute, python = page.naming.field_of(column), kinds.annotation(page, column)
    default = _default(page, column)
    optional = column.nullable or (default is not None and flat(default) == "default=None")
    vague = python.endswith("Any") and python == page.imports.name("typing", "Any")
    written = python + (" | None" if optional and not vague else "")
    field = page.imports.name("sqlmodel", "Field")
    given = () if default is None else (default,)
    made = Group(field, (*given, *_settings(page, column, python, default)))
    if not made.items:
        return f"    {attribute}: {written}"
    return assigned(f"{attribute}: {written}", made)


def _default(page: Page, column: Column[Any]) -> Named | None:
    """Return what a field is before it is set: what the client makes, or nothing where the server fills it in."""
    made: Any = column.default
    by_client = filling.by_client(page, column)
    if by_client is not None:
        return Named("default_factory=", by_client)
    filled = column.server_default is not None or column.autoincrement is True or isinstance(made, Sequence)
    filled = filled or filling.at_first(page, column) is not None
    if made is not None and not isinstance(made, Sequence):
        plain = made.is_scalar or (made.is_callable and hasattr(made.arg, "__wrapped__"))
        written = columns.client(page, made) if plain else None
        if written is not None:
            return Named("default_factory=" if made.is_callable else "default=", written)
        filled = True
    counted = column is column.table._autoincrement_column
    return Named("default=", "None") if column.nullable or filled or counted else None


def _settings(page: Page, column: Column[Any], python: str, default: Named | None) -> list[Node]:
    """Return the field's own words where they are enough, else its column."""
    type_ = kinds.kind(page, column)
    items = columns.arguments(page, column, type_=None, nullable=not column.primary_key)
    if default is not None and flat(default) != "default=None":
        items = [item for item in items if not (isinstance(item, Named) and item.name == "default=")]
    short = _short(page, column, python, type_, items)
    if short is not None:
        return short
    if type_ is not None:
        items.insert(0, type_)
    if page.naming.field_of(column) != column.name:
        items.insert(0, Text(str(column.name)))
    return [Named("sa_column=", Group(page.sa("Column"), tuple(items)))]


def _short(page: Page, column: Column[Any], python: str, type_: Node | None, items: list[Node]) -> list[Node] | None:
    """Return the field's own words for a plain column; None for one that needs more than they can say."""
    words = flat(type_) if type_ is not None else ""
    length = getattr(column.type, "length", None)
    sized = python == "str" and words == f"String({length})"
    named = [item for item in items if isinstance(item, Named) and item.name != "nullable="]
    keys: list[Node] = [item for item in items if not isinstance(item, Named)]
    plain = all(item.name in ("primary_key=", "index=", "unique=") for item in named)
    if not plain or (not sized and words != _UNDERSTOOD.get(python)) or page.naming.field_of(column) != column.name:
        return None
    if column.primary_key and (column.nullable or not isinstance(column.type, Integer)) and keys:
        return None
    key = _short_key(page, column, keys)
    if key is None:
        return None
    return [*([Named("max_length=", repr(length))] if sized else []), *named, *key]


def _short_key(page: Page, column: Column[Any], items: list[Node]) -> list[Node] | None:
    """Return `foreign_key=` and `ondelete=` where a key is no more than these."""
    if not items:
        return []
    found = columns.own_key(page, column)
    item = items[0]
    if found is None or len(items) > 1 or not isinstance(item, Group) or item.tail:
        return None
    target, *options = item.items
    if not isinstance(target, Text):
        return None  # it takes the place of a key only as a text
    known = all(isinstance(option, Named) and option.name == "ondelete=" for option in options)
    actions = ("CASCADE", "SET NULL", "RESTRICT")
    if not known or str(found.ondelete or "CASCADE") not in actions:
        return None
    return None if found.ondelete == "SET NULL" and not column.nullable else [Named("foreign_key=", target), *options]


def _relationship(page: Page, attribute: str, python: str, named: dict[str, Node], written: set[str]) -> str:
    own: dict[str, Node] = {
        key: named.pop(key) for key in ("foreign_keys", "primaryjoin", "remote_side", "overlaps") if key in named
    }
    if own:
        named["sa_relationship_kwargs"] = mapped(own)
    target = python.removeprefix("list[").removesuffix("]").removesuffix(" | None")
    known = {page.naming.classes[key] for key in written}
    if target not in known:
        python = python.replace(target, quoted(target))
        if python.endswith(" | None"):
            optional = page.imports.name("typing", "Optional")
            python = f"{optional}[{quoted(target)}]"
    made = call(page.imports.name("sqlmodel", "Relationship"), **named)
    return assigned(f"{attribute}: {python}", made)


def _comes_before(statement: Statement) -> bool:
    """Say whether a statement makes what tables may speak of; named types of columns come with their columns."""
    return statement.kind in _BEFORE and not (statement.kind == "type" and statement.place.table)


def _comes_after(page: Page, statement: Statement) -> bool:
    table = page.plan.metadata.tables.get(statement.place.table)
    of_view = table is not None and bool(table.info.get("is_view")) and statement.kind in ("comment", "index")
    return statement.kind in _AFTER or of_view or (statement.kind == "comment" and table is None)


def _native(page: Page) -> Iterator[Statement]:
    """Yield what makes the constraints and indexes that only their server has words for."""
    prepare = page.dialect.identifier_preparer
    for thing in page.native or ():
        place, words = Place(table=str(thing.table.key)), thing.info.get("definition")
        if words is None:
            words = str(AddConstraint(thing, isolate_from_table=False).compile(dialect=page.dialect))
        elif not isinstance(thing, Index):
            name = f"CONSTRAINT {prepare.quote(str(thing.name))} " if thing.name else ""
            words = f"ALTER TABLE {prepare.format_table(thing.table)} ADD {name}{words}"
        yield Statement(place, "constraint", words)


def _dependencies(page: Page) -> list[str]:
    """Return what has tables come after those that they inherit from, which no foreign key tells."""
    lines = []
    for table in page.plan.metadata.tables.values():
        parents = table.dialect_options["postgresql"]["inherits"] or ()
        for parent in [parents] if isinstance(parents, str) else parents:
            found = page.plan.metadata.tables.get(str(parent))
            if found is not None:
                lines.append(f"{_called(page, table)}.add_is_dependent_on({_called(page, found)})")
    return ["\n".join(lines)] if lines else []


def _called(page: Page, table: Table) -> str:
    return f"{page.naming.class_of(table)}.__table__" if page.is_class(table) else page.variables[table.key]


def _events(page: Page, found: list[Statement], when: str, dialect: str) -> list[str]:
    """Return what has `create_all` run statements."""
    if not found:
        return []
    server = "postgresql" if dialect == "cockroachdb" else dialect
    listen, ddl = f"{page.sa('event')}.listen", page.sa("DDL")
    page.imports.name("typing", "Any")
    page.helpers["run"] = _RUN.format(listen=listen, ddl=ddl, server=server)
    return [shown(call("run", Text(when), *(Text(statement.sql) for statement in found)))]
