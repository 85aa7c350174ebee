"""SQL of a recipe, computed: what goes wrong is told with the line of the rule, and what its column does not take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import Column
from sqlalchemy import types as sa

from dbplan.errors import NotCovered
from dbplan.seeding.constraints.predicate import Expression, Read
from dbplan.seeding.recipe.reach import parents
from dbplan.seeding.rows import makers
from dbplan.seeding.rows.cells import Cells
from dbplan.seeding.values.infer import generic

if TYPE_CHECKING:
    from dbplan.seeding.rows.builder import Builder
    from dbplan.seeding.rows.frames import Frame, Maker

Fail = Callable[[str], NoReturn]
NUMBERS, TIMES, LENGTHS = (sa.Integer, sa.Numeric), (sa.DateTime, sa.Date), (sa.Time, sa.Interval)
KINDS = {
    "M": "a time",
    "m": "a length of time",
    "i": "a number",
    "u": "a number",
    "f": "a number",
    "b": "true or false",
}


@dataclass(frozen=True)
class Told(Expression):
    """An expression of a recipe: an error in it is one of the recipe, with its line."""

    fail: Fail
    types: tuple[tuple[str, str], ...]
    """The columns that it reads, with their types as they are called."""

    def cells(self, read: Read, rows: int) -> Cells:
        """Return the expression's value for `rows` rows; RecipeError where it has none."""
        # read first: what is wrong with another column is not wrong here
        held = {name: read(name) for name in sorted(self.columns)}
        try:
            return super().cells(held.__getitem__, rows)
        except NotCovered as error:
            self.fail(f"cannot be computed: {error}")
        except (TypeError, ValueError, ArithmeticError):
            read_of = ", ".join(f"{name} {kind}" for name, kind in self.types) or "no column"
            self.fail(f"cannot be computed by {self.text!r}: it reads {read_of}, which do not go together that way")


def told(builder: Builder, found: Expression, fail: Fail) -> Told:
    """Return an expression over a table's rows that tells its errors."""
    columns = builder.table.columns
    types = tuple((name, repr(columns[name].type)) for name in sorted(found.columns) if name in columns)
    return Told(found.text, found.node, found.columns, fail, types)


def computed(builder: Builder, column: Column[Any], found: Told) -> Maker:
    """Return the maker of a column that an expression computes; what the column does not take is refused."""
    kind, days = generic(column.type), not any(isinstance(k, sa.DateTime) for k in _kinds(builder, found))

    def make(frame: Frame) -> Cells:
        cells = found.cells(lambda name: frame[name], len(frame))
        if isinstance(kind, NUMBERS) and cells.values.dtype.kind == "m" and not days:
            found.fail(
                f"is {kind!r}, and {found.text!r} is a length of time; write EXTRACT(EPOCH FROM …) for its seconds, or "
                "take dates, of which the difference is days"
            )
        cells = makers.fitted(cells, kind)
        if said := _misfit(cells, kind):
            found.fail(f"is {kind!r}, and {found.text!r} is {said}")
        return cells

    return make


def _kinds(builder: Builder, found: Expression) -> Iterator[Any]:
    """Yield the types of the columns that an expression reads, those of parents included."""
    for name in sorted(found.columns):
        reference = parents(builder.table, name)
        table = builder.table if reference is None else builder.world.sources[reference.parent].table
        column = table.columns.get(name if reference is None else name.rpartition(".")[2])
        if column is not None:
            yield generic(column.type)


def _misfit(cells: Cells, kind: Any) -> str:
    """Say what values are that a column of a type does not take, "" where it takes them."""
    got = cells.values.dtype.kind
    if cells.null.all():
        return ""
    if isinstance(kind, NUMBERS) and got == "O":
        first = next(v for v, null in zip(cells.values.tolist(), cells.null.tolist(), strict=True) if not null)
        return f"the text {first!r}" if isinstance(first, str) and not _is_number(first) else ""
    families = ((NUMBERS, "iufb"), (TIMES, "M"), (LENGTHS, "m"))
    wrong = any(isinstance(kind, family) and got != "O" and got not in fits for family, fits in families)
    return KINDS.get(got, "something else") if wrong else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
