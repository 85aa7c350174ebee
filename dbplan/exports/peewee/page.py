"""The module that is being written: its imports, its names, its order of models, and what Peewee could not say."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Column, Table
from sqlalchemy.engine import Dialect

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.alchemy.module import attribute
from dbplan.exports.clauses import parent_of
from dbplan.exports.facts import server
from dbplan.exports.python import Imports
from dbplan.exports.relations import Naming, Relation, naming
from dbplan.plan import Plan

_OWN = """
add_index alias bind bind_ctx bulk_create bulk_update clone coerce copy create create_table delete delete_by_id
delete_instance dependencies dirty_field_names dirty_fields drop_table filter get get_by_id get_id get_or_create
get_or_none index insert insert_from insert_many is_alias is_dirty noop raw replace replace_many save select self
set_by_id table_exists truncate_table unwrap update validate_model Meta DoesNotExist cls
"""
_RESERVED = frozenset(_OWN.split()) | {"dict", "list"}
"""What Peewee's own class has, or fields are made of, and a field cannot be called."""

_TABLE = "__class__ __dict__ __name__ __sql__ __star__ __weakref__ _alias _hash _path _schema apply_alias apply_column"
_OF_TABLES = frozenset(_TABLE.split())
"""What Peewee's own object of a table cannot do without: its columns are put there under their names."""

_MODULE = frozenset({"database", "BaseModel", "MadeElsewhere", "MODELS", "typed"})
"""Names that the module has for itself."""


@dataclass
class Page:
    """One `models.py` in the making.

    `order` holds the tables, parents before children as far as there are no circles. By table key and column name,
    `attributes` are the fields' names, `raw` those of their plain values, `keys` the relations that they lead along.
    """

    plan: Plan
    server: str
    dialect: Dialect
    imports: Imports
    naming: Naming
    order: tuple[Table, ...]
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    raw: dict[tuple[str, str], str] = field(default_factory=dict)
    keys: dict[tuple[str, str], Relation] = field(default_factory=dict)
    choices: dict[tuple[str, ...], str] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    lost: list[Finding] = field(default_factory=list)

    def peewee(self, name: str) -> str:
        """Return what a name of Peewee is called in the module."""
        return self.imports.name("peewee", name)

    def playhouse(self, module: str, name: str) -> str:
        """Return what a name of one of Peewee's extensions is called in the module."""
        return self.imports.name(f"playhouse.{module}", name)

    def lose(self, place: Place, message: str, mend: str = "") -> None:
        """Note what Peewee does not say, and the SQL that makes up for it."""
        self.lost.append(Finding("export-peewee", Severity.NOTE, place, message, mend))

    def attribute(self, column: Column[object]) -> str:
        """Return the field of a column."""
        return self.attributes[column.table.key, column.name]

    def sql(self, words: str) -> str:
        """Return SQL as Peewee hands it on to the driver, which takes percent signs for parameters on some servers."""
        return words if self.server == "sqlite" else words.replace("%", "%%")

    def comes_before(self, parent: Table, child: Table) -> bool:
        """Say whether a table's model stands before another's."""
        return self.order.index(parent) < self.order.index(child)


def is_odd(name: str) -> bool:
    """Say whether Peewee writes a name wrongly: it doubles neither quotes nor percent signs in names."""
    return any(sign in name for sign in '"`%')


def is_made(table: Table) -> bool:
    """Say whether Peewee can make the table: it is no view, and has names that Peewee writes as they are."""
    names = (str(table.name), str(table.schema or ""), *(column.name for column in table.columns))
    return not table.info.get("is_view") and not any(map(is_odd, names)) and not hides(table)


def hides(table: Table) -> list[str]:
    """Return the columns that hide what Peewee needs of the table, so that no query finds it."""
    return [column.name for column in table.columns if column.name in _OF_TABLES]


def new_page(plan: Plan, dialect: str) -> Page:
    """Return the page on which a plan is written, with the names of its models and fields."""
    reserved = _RESERVED | _MODULE
    names = naming(plan, attribute(reserved), reserved)
    names = replace(names, classes=_distinct(names.classes))
    words = {*reserved, *names.classes.values(), *names.fields.values(), *dir(builtins)}
    words |= {name for relation in names.relations for name in (relation.name, relation.back)}
    return Page(plan, dialect, server(dialect), Imports(words), names, tuple(_parents_first(plan)))


def _distinct(classes: Mapping[str, str]) -> dict[str, str]:
    """Return names of classes that differ in more than capitals: a deferred key finds its model without these."""
    given = dict(classes)
    shared = {name for name, times in Counter(name.lower() for name in given.values()).items() if times > 1}
    taken = {name.lower() for name in given.values()}
    for key, name in given.items():
        if name.lower() in shared:
            wanted, number = name, 2
            while wanted.lower() in taken:
                wanted, number = f"{name}_{number}", number + 1
            taken.add(wanted.lower())
            given[key] = wanted
    return given


def _parents_first(plan: Plan) -> Iterator[Table]:
    """Yield tables after those that they refer to, as far as there are no circles."""
    tables = list(plan.metadata.tables.values())
    waiting: list[tuple[Table, Iterator[Table]]] = []
    seen: set[str] = set()
    for table in tables:
        if table.key in seen:
            continue
        seen.add(table.key)
        waiting.append((table, _parents(table)))
        while waiting:
            parent = next((one for one in waiting[-1][1] if one.key not in seen), None)
            if parent is None:
                yield waiting.pop()[0]
            else:
                seen.add(parent.key)
                waiting.append((parent, _parents(parent)))


def _parents(table: Table) -> Iterator[Table]:
    found = {parent.key: parent for key in table.foreign_key_constraints if (parent := parent_of(key)) is not None}
    return iter([found[key] for key in sorted(found)])
