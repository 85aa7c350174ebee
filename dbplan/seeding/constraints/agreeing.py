"""Keys that share columns: a parent is picked only where the other keys of the row find one that agrees with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dbplan.errors import NotCovered, Unsatisfiable
from dbplan.seeding.constraints.conflicts import TooFew
from dbplan.seeding.rows.fanout import Fan, fan, shape_of
from dbplan.seeding.rows.frames import Frame, Picker, Source
from dbplan.seeding.rows.stream import Array, Index, below, bits, key, permuted

if TYPE_CHECKING:
    from dbplan.seeding.constraints.checks import Check
    from dbplan.seeding.constraints.references import Reference
    from dbplan.seeding.rows.builder import Builder


class Agreement:
    """The parents of one reference that leave all others which share columns with it a parent as well."""

    def __init__(self, builder: Builder, place: int) -> None:
        self.builder, self.place = builder, place
        self._rows: Index | None = None

    @property
    def others(self) -> tuple[Reference, ...]:
        """The references that may not be NULL and follow a column which this one decides."""
        own, source = set(self.reference.own), self.builder.source
        return tuple(r for r in source.references if own & set(r.given) and not self._optional(r))

    @property
    def checks(self) -> tuple[Check, ...]:
        """The CHECKs on nothing but columns that this reference decides."""
        own = set(self.reference.own)
        return tuple(c for c in self.builder.facts.checks if c.parsed is not None and c.parsed.columns <= own)

    def _holds(self, parent: Source, check: Check) -> Array:
        frame = parent.frame(np.arange(parent.rows, dtype=np.int64))
        assert check.parsed is not None
        try:
            return check.parsed.holds(lambda name: frame[self.reference.target(name)], parent.rows)
        except (NotCovered, TypeError, ValueError):
            return np.ones(parent.rows, dtype=bool)  # said in words when the CHECKs are read

    def _optional(self, other: Reference) -> bool:
        return (
            other.left_out or other.closes or other.parent == self.builder.name or (bool(other.own) and other.nullable)
        )

    @property
    def reference(self) -> Reference:
        """The reference that decides first."""
        return self.builder.source.references[self.place]

    def rows(self) -> Index:
        """Return the parents' rows; Unsatisfiable where there are none."""
        if self._rows is None:
            parent = self.builder.world.sources[self.reference.parent]
            kept = np.ones(parent.rows, dtype=bool)
            for other in self.others:
                kept &= self._agrees(parent, other)
            for check in self.checks:
                kept &= self._holds(parent, check)
            if not kept.any():
                self._refuse()
            self._rows = np.flatnonzero(kept).astype(np.int64)
        return self._rows

    def forget(self) -> None:
        """Let go of what parents held before they were moved."""
        self._rows = None

    def _agrees(self, parent: Source, other: Reference) -> Array:
        shared = [name for name in other.given if name in self.reference.own]
        mine = keys_of(parent, [self.reference.target(name) for name in shared])
        sources = self.builder.world.sources
        there = set(keys_of(sources[other.parent], [other.target(name) for name in shared]))
        return np.fromiter((key in there for key in mine), dtype=bool, count=len(mine))

    def _refuse(self) -> None:
        if not self.others:
            raise Unsatisfiable(
                f'CHECK "{self.checks[0].name}" of {self.builder.name} ({self.checks[0].text}) holds for no row of '
                f"{self.reference.parent}; ask for more rows of it, or give its column values by a recipe"
            )
        shared = sorted({name for other in self.others for name in other.given if name in self.reference.own})
        parents = " and ".join(dict.fromkeys([self.reference.parent, *(other.parent for other in self.others)]))
        raise Unsatisfiable(
            f"{self.builder.name}: a row needs parents in {parents} with the same {', '.join(shared)}, and no rows of "
            "these agree in it; ask for more rows of them, or give the column the same few values by a recipe"
        )

    def picker(self, pick: Picker, how: str) -> Picker:
        """Return a picker of parents that agree, where the plain one may pick others."""
        builder, name = self.builder, "+".join(self.reference.own)
        stream = key(builder.world.random_state, builder.name, name, "agreeing")
        size = builder.world.rows[self.reference.parent]

        def again(frame: Frame) -> Index:
            rows, kept = pick(frame), self.rows()
            if len(kept) == size:
                return rows
            if how == "distinct":
                return self._each_once(rows, permuted(stream, frame.rows, max(len(kept), builder.source.rows)), kept)
            wrong = (rows >= 0) & ~np.isin(rows, kept)
            turn = np.uint64(frame.attempt(self.reference.own[0]))
            return np.where(wrong, kept[below(bits(stream + turn, frame.rows), len(kept))], rows)

        return again

    def _each_once(self, rows: Index, turn: Index, kept: Index) -> Index:
        """Give each row a parent of its own; where they do not suffice for all rows, some have none, if they may."""
        size = len(kept)
        if size < self.builder.source.rows and not self.reference.nullable:
            raise TooFew(
                self.builder.name,
                f"{self.builder.name}: ({self.reference.label}) is unique, and {size:,} rows of "
                f"{self.reference.parent} agree with its other keys: not enough for {self.builder.source.rows:,} rows; "
                "ask for fewer rows of it or more of its parents",
                size,
            )
        return np.where((rows < 0) | (turn >= size), -1, kept[turn % size])

    def lead(self) -> None:
        """Share the children of the lead among the parents that agree."""
        builder, lead = self.builder, self.reference
        parents, kept = builder.world.rows[lead.parent], self.rows()
        if len(kept) == parents:
            return
        most = builder.keys.most
        if most is not None and most * len(kept) < builder.source.rows:
            raise TooFew(
                builder.name,
                f"{builder.name}: {len(kept):,} rows of {lead.parent} agree with its other keys and CHECKs, each with "
                f"{most:,} children at most, not enough for {builder.source.rows:,} rows; ask for more of them",
                most * len(kept),
            )
        counts = np.zeros(parents, dtype=np.int64)
        counts[kept] = fan(
            key(builder.world.random_state, builder.name, "fan-out"),
            len(kept),
            builder.source.rows,
            shape=replace(shape_of(builder.rule.children, builder.keys.most), least=0),
            label=f"{builder.name} ({lead.label}, where its other keys agree)",
        ).counts
        builder.source.fan = Fan(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def keys_of(source: Source, names: Sequence[str]) -> list[tuple[object, ...]]:
    """Return what all rows of a table hold in columns."""
    frame = source.frame(np.arange(source.rows, dtype=np.int64))
    return list(zip(*(np.asarray(frame[name].values).tolist() for name in names), strict=True))


def agree(builder: Builder) -> None:
    """Let every reference pick among those parents that leave the others of the row a parent."""
    source = builder.source
    for place, reference in enumerate(source.references):
        agreement = Agreement(builder, place)
        if (
            not reference.own
            or reference.given
            or not (agreement.others or agreement.checks)
            or reference.parent == builder.name
        ):
            continue
        builder.agreements.append(agreement)
        how = builder.keys.references.get(reference.own, "")
        if reference is not source.lead and how in ("", "distinct"):
            source.pickers[place] = agreement.picker(source.pickers[place], how)
