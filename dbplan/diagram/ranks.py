"""Ranks: which table stands left of which, with circles cut open and no rank higher than wanted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

Arc = tuple[str, str]
"""From a parent to its child; both by key, never the same."""


def order(keys: Iterable[str], arcs: Iterable[Arc]) -> dict[str, int]:
    """Return a place in line for each key, such that few arcs run backwards.

    Source: P. Eades, X. Lin, W. F. Smyth, "A fast and effective heuristic for the feedback arc set problem",
    Information Processing Letters 47, 1993.
    """
    out: dict[str, set[str]] = {key: set() for key in sorted(keys)}
    into: dict[str, set[str]] = {key: set() for key in out}
    for tail, head in arcs:
        out[tail].add(head)
        into[head].add(tail)
    front: list[str] = []
    back: list[str] = []
    while out:
        key, line = _next(out, into, front, back)
        line.append(key)
        for head in out.pop(key):
            into[head].discard(key)
        for tail in into.pop(key):
            out[tail].discard(key)
    return {key: number for number, key in enumerate([*front, *reversed(back)])}


def _next(
    out: Mapping[str, set[str]], into: Mapping[str, set[str]], front: list[str], back: list[str]
) -> tuple[str, list[str]]:
    """Return the key to take out, and the line that it joins: sources to the front, sinks to the back."""
    source = next((key for key in out if not into[key]), None)
    if source is not None:
        return source, front
    sink = next((key for key in out if not out[key]), None)
    if sink is not None:
        return sink, back
    return max(out, key=lambda key: len(out[key]) - len(into[key])), front


def layers(places: Mapping[str, int], arcs: Iterable[Arc], heights: Mapping[str, float], most: float) -> dict[str, int]:
    """Return a layer for each key, after those of its parents, none higher than `most` pixels.

    Keys go to the first layer that has room, the ones with many descendants first (list scheduling, as in
    E. G. Coffman and R. L. Graham, Acta Informatica 1, 1972); what has no parent then moves up to its children.
    """
    parents: dict[str, set[str]] = {key: set() for key in places}
    children: dict[str, set[str]] = {key: set() for key in places}
    for tail, head in arcs:
        first, second = (tail, head) if places[tail] < places[head] else (head, tail)
        parents[second].add(first)
        children[first].add(second)
    line = sorted(places, key=places.__getitem__)
    depth = _depths(line, parents)
    layer: dict[str, int] = {}
    filled: dict[int, float] = defaultdict(float)
    for key in sorted(line, key=lambda key: (depth[key], -len(children[key]), places[key])):
        at = 1 + max((layer[parent] for parent in parents[key]), default=-1)
        while filled[at] and filled[at] + heights[key] > most:
            at += 1
        layer[key] = at
        filled[at] += heights[key]
    for key in reversed(line):
        nearest = min((layer[child] for child in children[key]), default=0) - 1
        if not parents[key] and nearest > layer[key] and filled[nearest] + heights[key] <= most:
            filled[layer[key]] -= heights[key]
            filled[nearest] += heights[key]
            layer[key] = nearest
    return layer


def _depths(line: Sequence[str], parents: Mapping[str, set[str]]) -> dict[str, int]:
    depth: dict[str, int] = {}
    for key in line:
        depth[key] = 1 + max((depth[parent] for parent in parents[key]), default=-1)
    return depth
