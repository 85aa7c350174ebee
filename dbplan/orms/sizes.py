"""Sizes: what a contestant's packages take on disk, with all that they depend on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from dbplan.orms.contestants import Contestant
from dbplan.orms.installing import SOURCES, packages

TOOLS = frozenset({"prisma", "drizzle-kit"})
"""Packages that are at work while an application is built, and are not deployed with it."""


@dataclass(frozen=True)
class Size:
    """Bytes of the files of all packages that a contestant runs with, and the version of each package.

    `tools` are the bytes of what it needs on top while an application is built.
    """

    bytes: int
    versions: Mapping[str, str]
    tools: int = 0

    @property
    def packages(self) -> int:
        """How many packages they are."""
        return len(self.versions)


def size_of(contestant: Contestant) -> Size:
    """Return the size of an installed contestant, of its dependencies as well; those that are optional are left out."""
    return _size_on_node(contestant.packages) if contestant.is_node else _size_on_python(contestant.packages)


def _size_on_python(names: Sequence[str]) -> Size:
    found = closure_on_python(names)
    files = {Path(str(one.locate_file(file))) for one in found.values() for file in one.files or ()}
    versions = {name: one.version for name, one in sorted(found.items())}
    return Size(_bytes(files), versions)


def closure_on_python(names: Iterable[str]) -> dict[str, Distribution]:
    """Return the distributions that packages need on this machine, by normalised name.

    An extra's dependencies count where a requirement asks for the extra; what is not installed is left out.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    left = [Requirement(name) for name in names]
    while left:
        wanted = left.pop()
        name = canonicalize_name(wanted.name)
        extras = {(name, extra) for extra in ("", *wanted.extras)} - seen
        if not extras or (found.get(name) or _distribution(name)) is None:
            continue
        found[name] = found.get(name) or distribution(name)
        seen |= extras
        left += _required(found[name], [extra for _, extra in extras])
    return found


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _required(of: Distribution, extras: Sequence[str]) -> Iterator[Any]:
    """Yield the requirements that hold here, with one of these extras; "" is none."""
    from packaging.requirements import Requirement

    for text in of.requires or ():
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
            yield one


def _size_on_node(names: Sequence[str]) -> Size:
    lock = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))["packages"]
    places = closure_on_node(lock, [name for name in names if name not in TOOLS])
    there = [place for place in places if (packages().parent / place).is_dir()]
    versions = {place.removeprefix("node_modules/"): str(lock[place]["version"]) for place in there}
    return Size(_taken(there), versions, _taken(set(closure_on_node(lock, names)) - set(places)))


def _taken(places: Iterable[str]) -> int:
    return _bytes(file for place in places for file in _files(packages().parent / place))


def closure_on_node(lock: Mapping[str, Mapping[str, Any]], names: Iterable[str]) -> list[str]:
    """Return the places in a lock file's `packages` of what packages need, in order, peers included."""
    found: set[str] = set()
    left = [place for name in names if (place := _place(lock, "", name))]
    while left:
        place = left.pop()
        if place not in found:
            found.add(place)
            left += [inner for name in _needed(lock[place]) if (inner := _place(lock, place, name))]
    return sorted(found)


def _needed(package: Mapping[str, Any]) -> set[str]:
    optional = {name for name, told in package.get("peerDependenciesMeta", {}).items() if told.get("optional")}
    return {*package.get("dependencies", ()), *package.get("optionalDependencies", ())} | (
        set(package.get("peerDependencies", ())) - optional
    )


def _place(lock: Mapping[str, Any], user: str, name: str) -> str:
    """Return where Node finds a package for the one that stands at `user`: within it, or beside one of its folders."""
    while True:
        place = f"{user}/node_modules/{name}" if user else f"node_modules/{name}"
        if place in lock:
            return place
        if not user:
            return ""
        user = user.rpartition("/node_modules/")[0] if "/node_modules/" in user else ""


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a package, without those of packages within it."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "node_modules"]
        yield from (Path(parent, name) for name in files)


def _bytes(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())
