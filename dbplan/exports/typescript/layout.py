"""Layout: documents of groups that stand on one line where they fit, else broken; prettier's way of choosing."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH = 80
_STEP = "  "


@dataclass(frozen=True)
class Line:
    """A place to break; flat it is a space, or nothing where `soft`. A `hard` one always breaks."""

    soft: bool = False
    hard: bool = False


@dataclass(frozen=True)
class Force:
    """Nothing, which breaks every group around it."""


@dataclass(frozen=True)
class Raw:
    """Text that keeps its own line ends."""

    words: str


@dataclass(eq=False)
class Group:
    """What stands on one line or breaks as a whole; `states` are further ways to write it, tried in order."""

    content: Doc
    broken: bool = False
    states: Sequence[Doc] = ()
    breaks: bool = field(init=False)

    def __post_init__(self) -> None:
        """Find out once whether it must break; a break inside alternatives does not count."""
        self.breaks = self.broken or (not self.states and breaks(self.content))


@dataclass(eq=False)
class Indent:
    """Lines within are one step to the right; only where `group` breaks, if one is given."""

    content: Doc
    group: Group | None = None
    breaks: bool = field(init=False)

    def __post_init__(self) -> None:
        """Find out once whether there is a break in it."""
        self.breaks = breaks(self.content)


@dataclass(frozen=True)
class IfBroken:
    """Text that is there only where the group around it breaks."""

    words: str


Doc = str | Line | Force | Raw | Group | Indent | IfBroken | Sequence["Doc"]
LINE, SOFT, HARD, FORCE = Line(), Line(soft=True), Line(hard=True), Force()


def breaks(doc: Doc) -> bool:
    """Say whether a line break is forced within; one inside alternatives does not count."""
    if isinstance(doc, str):
        return False
    if isinstance(doc, Group | Indent):
        return doc.breaks
    if isinstance(doc, Raw):
        return "\n" in doc.words
    if isinstance(doc, IfBroken | Line | Force):
        return doc in (HARD, FORCE)
    return any(map(breaks, doc))


def join(separator: Sequence[Doc], parts: Sequence[Doc]) -> list[Doc]:
    """Return the parts with the separator between them."""
    found: list[Doc] = []
    for part in parts:
        found += [*separator, part] if found else [part]
    return found


@dataclass(frozen=True)
class _Step:
    indent: str
    flat: bool
    doc: Doc


@dataclass
class _Page:
    out: list[str] = field(default_factory=list)
    column: int = 0
    remeasure: bool = False
    modes: dict[int, bool] = field(default_factory=dict)

    def write(self, words: str) -> None:
        self.out.append(words)
        last = words.rpartition("\n")[2]
        self.column = width(last) if "\n" in words else self.column + width(words)

    def newline(self, indent: str) -> None:
        while self.out and not self.out[-1].rstrip(" "):
            self.out.pop()
        if self.out:
            self.out[-1] = self.out[-1].rstrip(" ")
        self.write(f"\n{indent}")


def width(words: str) -> int:
    """Return the columns that text takes: two for a wide sign, none for one that joins another."""
    return len(words) if words.isascii() else sum(map(_width_of, words))


def _width_of(sign: str) -> int:
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cc", "Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def rendered(doc: Doc) -> str:
    """Return a document as text, no line longer than WIDTH where that can be helped."""
    page, rest = _Page(), [_Step("", False, doc)]
    while rest:
        step = rest.pop()
        match step.doc:
            case str():
                page.write(step.doc)
            case Raw():
                page.write(step.doc.words)
            case Force():
                continue
            case Line():
                _break(page, step, step.doc)
            case IfBroken():
                page.write("" if step.flat else step.doc.words)
            case Indent():
                rest.append(_indented(page.modes, step, step.doc))
            case Group():
                chosen = _choose(page, step, step.doc, rest)
                page.modes[id(step.doc)] = chosen.flat
                rest.append(chosen)
            case parts:
                rest += [_Step(step.indent, step.flat, part) for part in reversed(parts)]
    return "".join(page.out)


def _break(page: _Page, step: _Step, line: Line) -> None:
    if step.flat and not line.hard:
        page.write("" if line.soft else " ")
        return
    page.remeasure = page.remeasure or step.flat
    page.newline(step.indent)


def _indented(modes: dict[int, bool], step: _Step, doc: Indent) -> _Step:
    stays = doc.group is not None and modes.get(id(doc.group), True)
    return _Step(step.indent if stays else step.indent + _STEP, step.flat, doc.content)


def _choose(page: _Page, step: _Step, group: Group, rest: list[_Step]) -> _Step:
    """Return the first way to write a group that fits the line, else its last one, broken."""
    broken = breaks(group)
    if step.flat and not page.remeasure:
        return _Step(step.indent, not broken, group.states[-1] if broken and group.states else group.content)
    page.remeasure = False
    room = WIDTH - page.column
    if not broken and _fits(_Step(step.indent, True, group.content), rest, room, page.modes):
        return _Step(step.indent, True, group.content)
    if not group.states or broken:
        return _Step(step.indent, False, group.states[-1] if group.states else group.content)
    for state in group.states[1:]:
        if _fits(_Step(step.indent, True, state), rest, room, page.modes):
            return _Step(step.indent, True, state)
    return _Step(step.indent, False, group.states[-1])


def _fits(first: _Step, rest: list[_Step], room: int, modes: dict[int, bool]) -> bool:
    """Say whether the line ends before its room does."""
    steps, behind = [first], len(rest)
    while room >= 0:
        if not steps:
            if not behind:
                return True
            behind -= 1
            steps.append(rest[behind])
            continue
        step = steps.pop()
        doc = step.doc
        if isinstance(doc, Line):
            if not step.flat or doc.hard:
                return True
            room -= not doc.soft
        elif isinstance(doc, str):
            room -= width(doc)
        elif isinstance(doc, Raw):
            room -= width(doc.words.partition("\n")[0])
            if "\n" in doc.words:
                return room >= 0
        elif isinstance(doc, IfBroken):
            room -= 0 if step.flat else width(doc.words)
        else:
            steps += _inside(step, doc, modes)
    return False


def _inside(step: _Step, doc: Doc, modes: dict[int, bool]) -> list[_Step]:
    if isinstance(doc, Indent):
        return [_Step(step.indent, step.flat, doc.content)]
    if isinstance(doc, Group):
        broken = breaks(doc)
        content = doc.states[-1] if doc.states and (broken or not step.flat) else doc.content
        return [_Step(step.indent, step.flat and not broken, content)]
    if isinstance(doc, Force):
        return []
    assert not isinstance(doc, str | Line | Raw | IfBroken)
    return [_Step(step.indent, step.flat, part) for part in reversed(doc)]
