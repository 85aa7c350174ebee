"""Report: the one thing that every verb returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbplan.errors import UsageError
from dbplan.evidence import Fact, Finding, Server
from dbplan.report.blocks import Block, Section, Table, walk

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_ACTIONS = 5


@dataclass(frozen=True)
class Report:
    """Evidence and the blocks that tell it; draws itself in a notebook, prints in a terminal, saves by suffix.

    `verdict` is one sentence. `ok` is False when a finding fails the study (exit code 1).
    `actions` are the findings to do something about, worst first; a page opens with five at most.
    `server` says where the figures were measured. One that is not `judged` compares or decides: nothing passes there,
    and only that it failed is said.
    """

    title: str
    verdict: str
    ok: bool = True
    blocks: tuple[Block, ...] = ()
    evidence: tuple[Fact, ...] = ()
    actions: tuple[Finding, ...] = ()
    server: Server | None = None
    judged: bool = True

    @property
    def states(self) -> bool:
        """Whether pass or fail is said."""
        return self.judged or not self.ok

    @property
    def frames(self) -> Mapping[str, DataFrame]:
        """Every table as a DataFrame, by its caption (or "table N"); one whose caption is taken gets a number, too."""
        found: dict[str, DataFrame] = {}
        for number, block in enumerate((block for block in walk(self.blocks) if isinstance(block, Table)), 1):
            name = block.caption or f"table {number}"
            found[f"{name} ({number})" if name in found else name] = block.frame
        return found

    @property
    def frame(self) -> DataFrame:
        """The first table as a DataFrame."""
        for frame in self.frames.values():
            return frame
        raise UsageError(f'the report "{self.title}" has no table')

    def section(self, *, folded: bool = True) -> Section:
        """Return the report as one section of a larger one."""
        return Section(self.title, self.verdict, self.ok, self.blocks, folded, self.server, self.judged)

    @classmethod
    def of(cls, title: str, parts: Sequence[tuple[str, Report]]) -> Report:
        """Return reports of several subjects as one, a section for each under its name."""
        told = [part for _, part in parts]
        servers = {part.server for part in told}
        server = told[0].server if len(servers) == 1 else None
        return cls(
            title,
            " ".join(f"{name}: {part.verdict.rstrip('.')}." for name, part in parts),
            all(part.ok for part in told),
            tuple(_named(name, part, server) for name, part in parts),
            tuple(fact for part in told for fact in part.evidence),
            tuple(action for part in told for action in part.actions),
            server,
            any(part.judged for part in told),
        )

    def save(self, path: str | Path) -> Path:
        """Write the report by the suffix of `path` (html, md, txt, json, csv; svg, png, mmd for diagrams)."""
        from dbplan.report.files import save

        return save(self, Path(path))

    def __repr__(self) -> str:
        """Return one short line that is the same in every run with the same verdict."""
        return f"Report({self.title!r}: {self.verdict})"

    def __str__(self) -> str:
        """Return the report as a terminal without colours would print it."""
        from dbplan.report.text import text

        return text(self)

    def _repr_html_(self) -> str:
        from dbplan.report.html import fragment

        return fragment(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}


def _named(name: str, part: Report, server: Server | None) -> Section:
    """Return a part as a section that says where it was measured only where that is not said for all."""
    return replace(part, title=name, server=None if server else part.server).section(folded=False)
