"""Rules that read others, checked against the columns that they read and are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.intervals import interval
from dbplan.seeding.constraints.references import uniques
from dbplan.seeding.recipe.keys import read_parent
from dbplan.seeding.recipe.written import written
from dbplan.seeding.rows.histories import Machine, machine
from dbplan.seeding.rows.templates import DATES, NUMBERS, Field, differs, pieces
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.recipe.fitting import Fitting
    from dbplan.seeding.recipe.places import KeyPath

FAMILIES = (sa.Boolean, sa.Integer, sa.Numeric, sa.DateTime, sa.Date, sa.Time, sa.Interval, sa.Uuid, sa.String)
CHAINED = ("level", "previous", "history")


@dataclass(frozen=True)
class Meaning:
    """One column's rule, held against the columns that it reads."""

    fitting: Fitting
    column: Column[Any]
    rule: Mapping[str, Any]
    path: KeyPath

    def check(self) -> None:
        """Refuse what cannot be read, or would be ignored."""
        for key in ("same_as", "parent", "pick", "cases", "template", "distribution", "states", "history", "within"):
            if key in self.rule:
                getattr(self, key)()
        chained = next((key for key in CHAINED if key in self.rule), None)
        if chained is not None and self.rule.get("null"):
            self.fail("null", f"null would tear the chain of {chained}; leave it out")

    def fail(self, key: str, said: str) -> None:
        """Refuse a key."""
        self.fitting.reader.fail((*self.path, key), said)

    def same_as(self) -> None:
        """Refuse another column whose values this one does not take."""
        other = self.fitting.table.columns.get(self.rule["same_as"])
        if other is not None:
            self.alike("same_as", other)

    def parent(self) -> None:
        """Refuse a parent's column that is not there, or whose values this one does not take."""
        table, reader = self.fitting.table, self.fitting.reader
        _, parent, name = read_parent(reader, table, self.rule["parent"], (*self.path, "parent"))
        self.alike("parent", reader.plan.table(parent).columns[name])

    def pick(self) -> None:
        """Refuse to pick what this column does not take."""
        self.picked("pick", self.rule["pick"])

    def cases(self) -> None:
        """Refuse a case that picks what this column does not take."""
        for case in self.rule["cases"]:
            if "pick" in case:
                self.picked("cases", case["pick"])

    def picked(self, key: str, said: str) -> None:
        """Refuse a column whose values this one does not take."""
        table, _, name = said.rpartition(".")
        self.alike(key, self.fitting.reader.plan.table(table).columns[name], said)

    def alike(self, key: str, other: Column[Any], named: str = "") -> None:
        """Refuse a column of another family of types, or with longer texts."""
        mine, its = generic(self.column.type), generic(other.type)
        families = [[kind for kind in FAMILIES if isinstance(one, kind)][:1] for one in (mine, its)]
        said = f"{key} = {(named or self.rule[key])!r}"
        if families[0] != families[1]:
            self.fail(key, f"{said} is {its!r}, and {self.column.name} is {mine!r}")
        room, length = getattr(mine, "length", None), getattr(its, "length", None)
        if room is not None and (length is None or length > room) and not isinstance(its, sa.Enum):
            has = f"up to {length}" if length is not None else "any number of"
            self.fail(key, f"{said} has {has} characters, and {self.column.name} has room for {room}")

    def template(self) -> None:
        """Refuse a template that cannot be read, or that gives two rows the same text where they must differ."""
        if not isinstance(generic(self.column.type), sa.String) or isinstance(generic(self.column.type), sa.Enum):
            self.fail("template", f"template makes texts, and {self.column.name} is {generic(self.column.type)!r}")
        try:
            found = pieces(self.rule["template"])
        except ValueError as error:
            self.fail("template", f"template = {written(self.rule['template'])} {error}")
        for piece in found:
            if isinstance(piece, Field):
                self.field(piece)
        alone = frozenset({self.column.name}) in uniques(self.fitting.table)
        if alone and not differs(self.rule["template"], self.fitting.table):
            mend = "put {row} first or last among its fields, with no digit beside it"
            self.fail("template", f"{self.column.name} is unique, and the template may give two rows the same; {mend}")

    def field(self, field: Field) -> None:
        """Refuse a field that is no column."""
        table, here = self.fitting.table, (*self.path, "template")
        if "." in field.name:
            read_parent(self.fitting.reader, table, field.name, here)
        elif field.name not in (*NUMBERS, *DATES) or field.name in table.columns:
            self.fitting.reader.known("field", field.name, [*table.columns.keys(), *NUMBERS, *DATES], here)

    def distribution(self) -> None:
        """Refuse a law without its numbers, or of what is no number."""
        law, kind = self.rule["distribution"], generic(self.column.type)
        if not isinstance(kind, sa.Integer | sa.Numeric):
            self.fail("distribution", f"distribution is of numbers, and {self.column.name} is {kind!r}")
        needed = {"mean", "sd"} if law != "uniform" else set()
        given = {"mean", "sd"} & set(self.rule)
        if given != needed:
            wanted = "mean = … and sd = …" if needed else "neither mean nor sd"
            self.fail("distribution", f'"{law}" wants {wanted}')
        if law == "lognormal" and self.rule["mean"] <= 0:
            self.fail("mean", f"mean = {self.rule['mean']}: a lognormal number is above 0, and so is its mean")
        if needed and not self.rule.get("min", self.rule["mean"]) <= self.rule["mean"] <= self.rule.get("max", 1e300):
            self.fail("mean", f"mean = {self.rule['mean']} does not lie between min and max")
        if frozenset({self.column.name}) in uniques(self.fitting.table):
            self.fail("distribution", f"{self.column.name} is unique: each value is taken once, none is drawn by a law")

    def within(self) -> None:
        """Refuse a length of time that cannot be read."""
        self.length(self.rule["within"], "within")

    def length(self, text: str, key: str) -> None:
        """Refuse what is no length of time."""
        try:
            interval(text)
        except NotCovered:
            self.fail(key, f'within = {written(text)} is no length of time such as "24 hours"')

    def states(self) -> None:
        """Refuse moves that never end, and states that the column does not hold."""
        said = self.rule["states"]
        made = self.machine("states", ("start",))
        if trapped := made.trapped():
            rest = f"{trapped[0]} = {{ {trapped[0]} = 1, … }}"
            self.fail("states", f"moves from {', '.join(trapped)} go round for ever; let one of them rest: {rest}")
        if "within" in said:
            self.length(said["within"], "states")

    def history(self) -> None:
        """Refuse a history that cannot begin, and states that the column does not hold."""
        made = self.machine("history", ("start", "from"))
        if "from" in self.rule["history"] and made.longest(made.number(self.rule["history"]["from"])) == 0:
            self.fail("history", f"no move leads from {self.rule['history']['from']}, so that there is no first row")

    def machine(self, key: str, begins: tuple[str, ...]) -> Machine:
        """Return the machine of a rule; refuse one without moves or without a beginning."""
        said = self.rule[key]
        given = [name for name in begins if name in said]
        if "moves" not in said or len(given) != 1:
            self.fail(key, f"{key} wants moves = {{ … }} and one of {' or '.join(begins)}")
        made = machine(said["moves"])
        self.fitting.reader.known("state", said[given[0]], made.states, (*self.path, key, given[0]))
        for state in made.states:
            self.fitting.value(self.column, key, state, (*self.path, key))
        return made
