"""`write`: the whole module, and what stands beside the tables of a plan."""

from __future__ import annotations

from sqlalchemy import Table

from dbplan.ddl import Statement, statements
from dbplan.evidence import Place
from dbplan.exports.peewee.keys import name_fields
from dbplan.exports.peewee.page import Page, hides, is_made, new_page
from dbplan.exports.peewee.tables import model
from dbplan.exports.python import docstring, listed, shown
from dbplan.exports.written import Written
from dbplan.plan import Plan

_BASE = """class BaseModel({model}):
    class Meta:
        database = database"""
_ELSEWHERE = '''class MadeElsewhere(BaseModel):
    """What create_tables leaves alone, such as views."""

    class Meta:
        primary_key = False

    @classmethod
    def create_table(cls, safe=True, **options):
        """Leave it as it is."""'''
_FIRST = {
    "schema": "the schema {place} is to be there before create_tables",
    "extension": "the extension is to be there before create_tables",
    "type": "the type is to be there before create_tables",
    "sequence": "Peewee makes no sequences of their own",
    "routine": "Peewee makes no routines",
}
_THEN = {
    "view": "Peewee makes no views: its model is there to be read",
    "trigger": "Peewee makes no triggers",
    "policy": "Peewee makes no policies",
    "rule": "Peewee makes no rules",
    "alteration": "Peewee does not say what the table is beyond its columns",
    "statistics": "Peewee makes no statistics",
    "attachment": "it is a partition; here a table of its own",
    "comment": "its comment stands in the file alone",
}


def write(plan: Plan, dialect: str) -> Written:
    """Return `models.py`: a model for each table, and for each view one that create_tables leaves alone.

    `database.initialize(...)` says which database it is; `database.create_tables(MODELS)` makes the tables. `lost`
    names what that makes otherwise; most of these carry the SQL that mends it.
    """
    page = new_page(plan, dialect)
    for table in plan.tables:
        name_fields(page, table)
    everything = list(statements(plan, dialect))
    _lose_objects(page, everything, _FIRST)
    _lose_unmade(page, everything, frozenset({"table", "index", "unique index"}))
    models = [model(page, table) for table in page.order]
    for table in plan.tables:
        _lose_of_table(page, table, everything)
    _lose_unmade(page, everything, frozenset({"key"}))
    _lose_objects(page, everything, _THEN)
    _lose_unmade(page, everything, frozenset(_THEN))
    text = _text(page, models)
    return Written({"models.py": text}, tuple(dict.fromkeys(page.lost)))


def _text(page: Page, models: list[str]) -> str:
    proxy = page.peewee("DatabaseProxy")
    constants = "\n".join(block for name, block in page.blocks.items() if name.isupper())
    functions = [block for name, block in page.blocks.items() if not name.isupper()]
    bases = [_BASE.format(model=page.peewee("Model"))]
    made = [page.naming.class_of(table) for table in page.order if is_made(table)]
    bases += [_ELSEWHERE] if len(made) < len(page.order) else []
    head = "\n\n".join(filter(None, [f"database = {proxy}()", constants]))
    last = shown(listed(made), before="MODELS = ")
    body = "\n\n\n".join([head, *functions, *bases, *models, last])
    title = docstring(page.plan.summary or f"The models of {page.plan.name}", 0)
    return "\n\n".join([title, page.imports.text(body)]) + f"\n\n{body}\n"


def _lose_objects(page: Page, everything: list[Statement], said: dict[str, str]) -> None:
    """Note what of some kinds stands beside the tables, with the SQL that makes it."""
    settings = [f"{found.sql};" for found in everything if found.kind == "setting"]
    for statement in everything:
        if statement.kind not in said or _is_unmade(page, statement):
            continue
        message = said[statement.kind].format(place=statement.place)
        named = "" if str(statement.place) else f": {statement.sql.splitlines()[0]}"
        before = settings if statement.kind == "routine" else []
        page.lose(statement.place, message + named, "\n".join([*before, f"{statement.sql};"]))


def _is_unmade(page: Page, statement: Statement) -> bool:
    table = page.plan.metadata.tables.get(statement.place.table)
    return table is not None and not table.info.get("is_view") and not is_made(table)


def _lose_of_table(page: Page, table: Table, everything: list[Statement]) -> None:
    if table.info.get("is_view"):
        _lose_indexes_of_view(page, table, everything)
        return
    if not is_made(table):
        return
    if table._prefixes:
        page.lose(Place(table.key), f"{' '.join(map(str, table._prefixes))} is left out")
    if table.schema and page.server == "sqlite":
        page.lose(Place(table.key), f"it is in no schema, instead of {table.schema}")
    if _order(page, table) != [column.name for column in table.columns]:
        page.lose(Place(table.key), "columns: Peewee puts the key first, and keys that close a circle last")


def _lose_unmade(page: Page, everything: list[Statement], kinds: frozenset[str]) -> None:
    """Note each table that Peewee cannot make, with some of the SQL that makes it; tables come before their keys."""
    made: dict[str, list[str]] = {}
    for statement in everything:
        if statement.kind in kinds and _is_unmade(page, statement):
            made.setdefault(statement.place.table, []).append(f"{statement.sql};")
    for key, sql in made.items():
        page.lose(Place(key), _why_unmade(page.plan.metadata.tables[key]), "\n".join(sql))


def _why_unmade(table: Table) -> str:
    if hidden := hides(table):
        return f"Peewee's own object of the table has what the column {hidden[0]} is called: its model is of no use"
    return "Peewee takes no percent sign and no quotes in names: its model is there to be read"


def _lose_indexes_of_view(page: Page, table: Table, everything: list[Statement]) -> None:
    for statement in everything:
        if statement.place.table == table.key and statement.kind in ("index", "unique index"):
            page.lose(statement.place, "an index of a view is left out", f"{statement.sql};")


def _order(page: Page, table: Table) -> list[str]:
    """Return the columns in the order in which Peewee makes them."""
    alone = len(table.primary_key.columns) == 1
    late = {column.name for column in table.columns if _is_late(page, table, column.name)}
    first = [column.name for column in table.primary_key.columns] if alone else []
    rest = [column.name for column in table.columns if column.name not in (*first, *late)]
    return [*first, *rest, *(column.name for column in table.columns if column.name in late)]


def _is_late(page: Page, table: Table, name: str) -> bool:
    way = page.keys.get((table.key, name))
    return way is not None and way.parent is not table and not page.comes_before(way.parent, table)
