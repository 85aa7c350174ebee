"""Lettering: how wide text is, and how it is cut to fit, without asking a font."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

ADVANCE = 0.602
"""The width of one character of DejaVu Sans Mono, in em; Menlo's is the same, other monospaced fonts are narrower."""

ELLIPSIS = "…"


def cells(text: str) -> int:
    """Return how many character cells a text takes: two for wide letters and signs, none for combining marks."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def width(text: str, size: float) -> float:
    """Return the width of a text in pixels at a font size in pixels."""
    return cells(text) * size * ADVANCE


def cut(text: str, most: int) -> str:
    """Return the text on one line in at most so many cells, its end given up for an ellipsis."""
    text = printable(text)
    if cells(text) <= most:
        return text
    kept = ""
    for character in text:
        if cells(kept + character) > most - 1:
            break
        kept += character
    return kept.rstrip() + ELLIPSIS


def cut_middle(text: str, most: int) -> str:
    """Return a name in at most so many cells; long names differ at their ends, so that the middle is given up."""
    text = printable(text)
    if cells(text) <= most:
        return text
    tail = cut(text[::-1], most // 2).removesuffix(ELLIPSIS)[::-1]
    return cut(text, most - cells(tail)) + tail


def printable(text: str) -> str:
    """Return the text without line breaks and without characters that XML cannot hold."""
    kept = (c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return " ".join("".join(kept).split())
