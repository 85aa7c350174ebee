"""A plan as Pony entities: what Pony has words for, and by name what it has not."""

from __future__ import annotations

from sqlalchemy import Column, Table

from dbplan.evidence import Place
from dbplan.exports import facts
from dbplan.exports.orm.mends import lose_objects, lose_tables
from dbplan.exports.pony.fields import is_quoted, made, plain
from dbplan.exports.pony.keys import keys_of
from dbplan.exports.pony.losses import lose_of_table
from dbplan.exports.pony.page import PonyPage, pony_page
from dbplan.exports.pony.ways import Way, find_ways, is_identity
from dbplan.exports.python import Node, Text, assigned, call, docstring, flat, listed, quoted, shown
from dbplan.exports.written import Written
from dbplan.plan import Plan


def write(plan: Plan, dialect: str) -> Written:
    """Return `models.py`: `db`, and an entity for each table that has a primary key.

    `lost` names what `db.generate_mapping(create_tables=True)` makes otherwise, most of it with the SQL that mends it.
    """
    page = pony_page(plan, dialect)
    _name_classes(page)
    page.left_out = _left_out(page)
    find_ways(page)
    database = page.imports.name("pony.orm", "Database")
    entities = [_entity(page, table) for table in plan.tables if page.is_entity(table)]
    lose_objects(page, dialect, "Pony")
    lose_tables(page, dialect, {key: said for key, said in page.left_out.items() if said})
    text = page.text([f"db = {database}()", *entities])
    return Written({"models.py": text}, tuple(dict.fromkeys((*page.findings(), *page.notes))))


def _name_classes(page: PonyPage) -> None:
    """Have the name of each class start with a capital letter, as Pony wants it."""
    classes = dict(page.naming.classes)
    for key, name in page.naming.classes.items():
        wanted = name if name[:1].isupper() else f"T{name}"
        while wanted != name and wanted in classes.values():
            wanted += "_"
        classes[key] = wanted
    object.__setattr__(page.naming, "classes", classes)


def _left_out(page: PonyPage) -> dict[str, str]:
    """Return the tables that cannot be entities, and why; "" for a view, which is noted as what it is."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for table in page.plan.tables:
        name = (table.schema or "", str(table.name).lower())
        if table.info.get("is_view"):
            found[table.key] = ""
        elif not len(table.primary_key.columns):
            found[table.key] = "it has no primary key, which Pony wants: it has no entity"
        elif name in seen:
            found[table.key] = "another table has its name but for capitals, which Pony takes for one: it has no entity"
        elif any(_is_odd_key(page, column) for column in table.primary_key.columns):
            found[table.key] = "its key is a number that may be off, a document or an array: it has no entity"
        seen.add(name)
    return found


def _is_odd_key(page: PonyPage, column: Column[object]) -> bool:
    count, noted = len(page.lost), len(page.notes)
    kind = made(page, column).kind
    del page.lost[count:], page.notes[noted:]
    return kind in ("float", "Json", "IntArray", "StrArray", "FloatArray")


def _entity(page: PonyPage, table: Table) -> str:
    keys = keys_of(page, table)
    lines = [f"class {page.naming.class_of(table)}(db.Entity):"]
    if table.comment:
        lines += [docstring(table.comment), ""]
    name = f"({quoted(str(table.schema))}, {quoted(str(table.name))})" if table.schema else quoted(str(table.name))
    lines += [f"    _table_ = {name}", ""]
    written: set[str] = set()
    for column in table.columns:
        way = page.way_of(column)
        attribute = page.attribute(column) if way is None else way.name
        if attribute not in written:
            extra = keys.words.get(attribute, {})
            node = plain(page, column, extra) if way is None else _way(page, way, extra)
            lines.append(assigned(attribute, node))
        written.add(attribute)
    lines += [assigned(way.back, _back(page, way)) for way in page.ways.values() if way.relation.parent is table]
    lines += ["", *("    " + shown(one, 4) for one in keys.calls)] if keys.calls else []
    lose_of_table(page, table)
    _lose_filling(page, table)
    return "\n".join(lines)


def _way(page: PonyPage, way: Way, extra: dict[str, Node]) -> Node:
    """Return a foreign key as an attribute."""
    names: list[Node] = [Text(str(column.name)) for column in way.columns]
    words: dict[str, Node] = {"column": names[0]} if len(names) == 1 else {"columns": listed(names)}
    words |= _typed(page, way)
    if len(names) == 1:
        words |= _default_of(page, way)
    words["reverse"] = Text(way.back)
    key = {*way.columns} == {*way.relation.child.primary_key.columns}
    extra = {name: value for name, value in extra.items() if not (key and name == "unique")}
    head = page.imports.name("pony.orm", "PrimaryKey" if key else "Optional" if way.optional else "Required")
    return call(head, Text(page.naming.class_of(way.relation.parent)), **words, **extra)


def _typed(page: PonyPage, way: Way) -> dict[str, Node]:
    """Return the words of a column's type where it is not that of the key that it leads to."""
    if len(way.columns) > 1:
        return {}
    column, target = way.columns[0], next(iter(way.relation.parent.primary_key.columns))
    own, other = made(page, column), made(page, target)
    words, others = (facts.sql_type(one.type, page.dialect).words for one in (column, target))
    numbered = is_identity(target) or facts.counts(target)
    if flat(call("", *own.items, **own.words)) == flat(call("", *other.items, **other.words)) and not numbered:
        return {}
    usual = words == others == "INTEGER" and not is_identity(target)
    return {} if usual or is_quoted(words) else {"sql_type": Text(words)}


def _default_of(page: PonyPage, way: Way) -> dict[str, Node]:
    default = facts.default(way.columns[0], page.dialect)
    return {"sql_default": Text(default.sql)} if default is not None else {}


def _back(page: PonyPage, way: Way) -> Node:
    """Return the way back; whether children go with their parent is said where Pony would do otherwise."""
    cascades = str(way.relation.constraint.ondelete or "").upper() == "CASCADE"
    usual = not way.single and not way.optional
    words: dict[str, Node] = {"reverse": Text(way.relation.name)}
    if cascades != usual:
        words["cascade_delete"] = repr(cascades)
    head = page.imports.name("pony.orm", "Optional" if way.single else "Set")
    return call(head, Text(page.naming.class_of(way.relation.child)), **words)


def _lose_filling(page: PonyPage, table: Table) -> None:
    """Note what Prisma's client fills in and nothing does here."""
    for column in table.columns:
        told = str(column.info.get("default") or "")
        if told not in ("", "dbgenerated()") and column.default is None and column.server_default is None:
            said = f"Prisma's client fills it in by {told}; nothing does here: the application has to give the value"
            page.note(Place(table.key, column.name), said)
        if column.info.get("updated_at") and column.onupdate is None:
            page.note(Place(table.key, column.name), "nothing sets it when the row changes: the application has to")
