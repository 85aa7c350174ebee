"""The module that is being written: its imports, its names, its helpers, and what Django could not say."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import md5

from sqlalchemy import Column, Table
from sqlalchemy.engine import Dialect

from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.python import Imports, Node, Text, call
from dbplan.exports.relations import Naming, Relation
from dbplan.plan import Plan

LONGEST = 63
"""PostgreSQL's longest name, which Django shortens to as well."""


_IN_SQL = '''def in_sql(template, field=None):
    """Return an expression in the words of the server."""
    return {func}(template=template, output_field=field or {boolean}())'''


@dataclass
class Page:
    """One `models.py` in the making.

    `attributes` are the fields' names by table key and column name; `keys` the relation that a column is the way of;
    `entangled` says that Django makes some keys later than their tables.
    """

    plan: Plan
    dialect: Dialect
    imports: Imports
    naming: Naming
    attributes: dict[tuple[str, str], str]
    keys: dict[tuple[str, str], Relation]
    choices: dict[tuple[str, ...], str] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    lost: list[Finding] = field(default_factory=list)
    entangled: bool = False

    def models(self, name: str) -> str:
        """Return a name of django.db.models."""
        return f"{self.imports.name('django.db', 'models')}.{name}"

    def postgres(self, module: str, name: str) -> str:
        """Return a name of django.contrib.postgres."""
        return self.imports.name(f"django.contrib.postgres.{module}", name)

    def lose(self, place: Place, message: str, mend: str = "") -> None:
        """Note what Django does not say, and the SQL that makes up for it."""
        self.lost.append(Finding("export-django", Severity.NOTE, place, message, mend))

    def attribute(self, column: Column[object]) -> str:
        """Return the field of a column."""
        return self.attributes[column.table.key, column.name]

    def quote(self, name: str) -> str:
        """Return a name as the server wants it quoted."""
        return self.dialect.identifier_preparer.quote(name)

    def bare(self, name: str) -> str:
        """Return a name without the quotes that the server would put around it."""
        first, last = self.dialect.identifier_preparer.initial_quote, self.dialect.identifier_preparer.final_quote
        quoted = len(name) > 1 and name.startswith(first) and name.endswith(last)
        return name[1:-1].replace(last * 2, last) if quoted else name

    def whole(self, table: Table) -> str:
        """Return a table's name with its schema, quoted."""
        return str(self.dialect.identifier_preparer.format_table(table))

    def raw(self, sql: str, output: str = "BooleanField") -> Node:
        """Return a condition in the server's own words; Django takes out percent signs twice."""
        return self.in_sql(sql.replace("%", "%%%%"), "" if output == "BooleanField" else f"{self.models(output)}()")

    def in_sql(self, template: str, output: Node = "") -> Node:
        """Return an expression of SQL, of the type of a field; a condition for none."""
        func, boolean = self.models("Func"), self.models("BooleanField")
        self.blocks["in_sql"] = _IN_SQL.format(func=func, boolean=boolean)
        return call("in_sql", Text(template), *((output,) if output else ()))


def own_name(table: str, columns: list[str], suffix: str) -> str:
    """Return the name that Django gives to an index or a foreign key by itself."""
    digest = md5("".join((table, *columns)).encode(), usedforsecurity=False)
    ending = f"{digest.hexdigest()[:8]}{suffix}"
    name = f"{table}_{'_'.join(columns)}_{ending}"
    if len(name) <= LONGEST:
        return name
    ending = ending[: LONGEST // 3] if len(ending) > LONGEST / 3 else ending
    room = (LONGEST - len(ending)) // 2 - 1
    name = f"{table[:room]}_{'_'.join(columns)[:room]}_{ending}"
    return f"D{name[:-1]}" if name[0] == "_" or name[0].isdigit() else name
