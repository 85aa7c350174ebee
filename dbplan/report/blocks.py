"""What a report is made of: frozen blocks that know their content and not how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from dbplan.evidence import Finding, Server, Timing
from dbplan.report.cells import Figures

if TYPE_CHECKING:
    from pandas import DataFrame

Kind = Literal["text", "code", "count", "number", "seconds", "bytes", "ratio", "percent", "rate", "flag", "severity"]


@dataclass(frozen=True)
class Field:
    """One column of a Table: its heading and what its cells are (`kind` decides format and alignment).

    Cells hold base units: seconds, bytes, calls a second, and for percent a fraction (0.5 shows as 50.0 %).
    """

    title: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Text:
    """One paragraph; `code` between backticks and **strong** between stars are kept."""

    text: str


@dataclass(frozen=True)
class Code:
    """Statements or commands that a reader may copy; `file` is the name of one that is to be saved as it stands."""

    source: str
    language: str = "sql"
    caption: str = ""
    file: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under typed headings; None in a cell means "not measured" and shows as —."""

    fields: tuple[Field, ...]
    rows: tuple[tuple[Any, ...], ...]
    caption: str = ""

    @property
    def frame(self) -> DataFrame:
        """The rows as a DataFrame of plain values in base units (seconds, bytes), intervals in columns of their own.

        Among figures with intervals there are numbers alone: where words stand in place of one, NaN.
        """
        from pandas import DataFrame

        flat, numbers = self.flat, self._of_figures()
        rows = [[_number(value) if of else value for value, of in zip(row, numbers, strict=True)] for row in flat.rows]
        return DataFrame(rows, columns=[f.title for f in flat.fields])

    @property
    def flat(self) -> Table:
        """The same with a column for each number: "ratio", "ratio low", "ratio high"."""
        parts = self._parts()
        fields = [
            Field(f"{f.title} {name}".strip(), f.kind)
            for f, names in zip(self.fields, parts, strict=True)
            for name in names
        ]
        rows = [
            tuple(_part(value, name) for value, names in zip(row, parts, strict=True) for name in names)
            for row in self.rows
        ]
        return Table(tuple(fields), tuple(rows), self.caption)

    def _parts(self) -> list[tuple[str, ...]]:
        """Return the names of the numbers in each column, "" the first."""
        return [
            tuple(
                dict.fromkeys(
                    ["", *(name for row in self.rows if isinstance(row[n], Figures) for name in row[n].parts)]
                )
            )
            for n in range(len(self.fields))
        ]

    def _of_figures(self) -> list[bool]:
        return [len(names) > 1 for names in self._parts() for _ in names]


@dataclass(frozen=True)
class Figure:
    """A picture as SVG text, with words for those who cannot see it; `sources` holds other forms by suffix."""

    svg: str
    alt: str
    caption: str = ""
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Findings:
    """Findings, drawn worst first, each with its mend."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Dots:
    """Timings as a dot plot: one row a query, the median with its interval, seconds on a log scale."""

    timings: tuple[Timing, ...]
    caption: str = ""


@dataclass(frozen=True)
class Series:
    """One of several small plots: counts by label in their order, and the figures that it is read by, in words."""

    name: str
    counts: tuple[tuple[str, float], ...]
    said: str = ""


@dataclass(frozen=True)
class Multiples:
    """Small plots that share a form, a row each: histograms ("bars") or courses over time ("line").

    `titles` name what a series is of, what its labels are, and what it counts.
    """

    series: tuple[Series, ...]
    form: Literal["bars", "line"]
    titles: tuple[str, str, str]
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A titled part that opens with its own one-sentence verdict; a folded one shows its blocks on demand.

    `server` says where its figures were measured, when that is not said by what it stands in. One that is not `judged`
    tells and decides, and nothing could pass there; that it fails is said all the same.
    """

    title: str
    verdict: str = ""
    ok: bool = True
    blocks: tuple[Block, ...] = ()
    folded: bool = False
    server: Server | None = None
    judged: bool = True

    def states(self, depth: int) -> bool:
        """Return whether pass or fail is said: by every study that is judged, by its parts when they fail."""
        return bool(self.verdict) and (not self.ok or (depth == 0 and self.judged))


def _part(value: Any, name: str) -> Any:
    return value.parts.get(name) if isinstance(value, Figures) else None if name else value


def _number(value: Any) -> Any:
    return None if isinstance(value, str) else value


Block = Text | Code | Table | Figure | Findings | Dots | Multiples | Section


def table(headings: Mapping[str, Kind], rows: Iterable[Sequence[Any]], caption: str = "") -> Table:
    """Return a Table from `{"title": "kind"}` headings and any rows."""
    return Table(tuple(Field(t, k) for t, k in headings.items()), tuple(tuple(r) for r in rows), caption)


def walk(blocks: Iterable[Block]) -> Iterable[Block]:
    """Yield every block, the ones inside sections too, in reading order."""
    for block in blocks:
        yield block
        if isinstance(block, Section):
            yield from walk(block.blocks)
