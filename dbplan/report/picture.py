"""Picture: an SVG of a report made to stand alone, and as PNG."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from math import sqrt
from pathlib import Path

from dbplan.errors import CannotWrite

DPI = 96
ZOOM = 2.0
LARGEST_SIDE = 16_000
LARGEST_AREA = 64_000_000
_VARIABLE = re.compile(r"var\(\s*--[\w-]+\s*,\s*([^()]*(?:\([^()]*\)[^()]*)*)\)")
_BARE_VARIABLE = re.compile(r"var\(\s*--[\w-]+\s*\)")


def standalone(svg: str) -> str:
    """Return SVG text without CSS variables: each gives way to its fallback, so that any viewer draws it in light."""
    while (resolved := _VARIABLE.sub(lambda found: found[1].strip(), svg)) != svg:
        svg = resolved
    svg = _BARE_VARIABLE.sub("currentColor", svg)
    start = max(0, svg.find("<svg"))
    head = svg[start:].partition(">")[0]
    if " style=" not in head:
        svg = f'{svg[:start]}<svg style="background:#ffffff"{svg[start + len("<svg") :]}'
    return f"{svg.rstrip()}\n"


def png(svg: str) -> bytes:
    """Return the picture as PNG on white, twice its size in pixels; one too huge to open is smaller and says so.

    Raises CannotWrite when the SVG is not well-formed.
    """
    import resvg_py

    fonts, drawn = _fonts(), zoom(svg)
    alone = _in_known_fonts(standalone(svg))
    try:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=_with_note(alone, drawn) if drawn < 1 else alone,
                background="#ffffff",
                skip_system_fonts=True,
                dpi=DPI,
                zoom=drawn,
                font_files=[str(font) for font in fonts],
                font_family="DejaVu Sans",
                sans_serif_family="DejaVu Sans",
                monospace_family="DejaVu Sans Mono",
            )
        )
    except ValueError as error:
        raise CannotWrite(f"the figure cannot be drawn as PNG ({error}); save it as .svg to look at it") from error


def size(svg: str) -> tuple[float, float]:
    """Return width and height of an SVG in pixels, from its attributes or else its viewBox; 0 where it has neither."""
    head = svg[svg.find("<svg") :].partition(">")[0]
    box = re.search(r'viewBox="([^"]*)"', head)
    sides = [float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", box[1])][2:4] if box else []
    width, height = ([*sides, 0.0, 0.0])[:2]
    return _length(head, "width") or width, _length(head, "height") or height


def zoom(svg: str) -> float:
    """Return how much larger than itself a picture is drawn: 2, or less where that would be too many pixels."""
    width, height = size(svg)
    if not width or not height:
        return ZOOM
    return min(ZOOM, LARGEST_SIDE / max(width, height), sqrt(LARGEST_AREA / (width * height)))


def _length(head: str, name: str) -> float:
    found = re.search(rf'\b{name}="([\d.]+)(px|pt)?"', head)
    return float(found[1]) * (DPI / 72 if found[2] == "pt" else 1) if found else 0.0


def _with_note(svg: str, drawn: float) -> str:
    width, height = size(svg)
    foot, font = 40 / drawn, f'font-size="{16 / drawn}" font-family="sans-serif"'
    words = f"Drawn at {drawn:.0%} of its size; the SVG holds every detail."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height + foot}">{svg[svg.find("<svg") :]}'
        f'<text x="{12 / drawn}" y="{height + foot / 2}" {font}>{words}</text>'
        "</svg>"
    )


def _in_known_fonts(svg: str) -> str:
    # Text in a family that is not there would not be drawn at all.
    def known(found: re.Match[str]) -> str:
        generic = "monospace" if "mono" in found[2].lower() or "courier" in found[2].lower() else "sans-serif"
        return f"{found[1]}{found[2]}, {generic}{found[3]}"

    svg = re.sub(r"""(\bfont-family=")([^"]*)(")""", known, svg)
    return re.sub(r"""(\bfont-family:)([^;}"<]*)([;}"<])""", known, svg)


@cache
def _fonts() -> tuple[Path, ...]:
    # Asking for the place alone: importing matplotlib takes longer than drawing.
    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise CannotWrite(
            "PNG needs the fonts of matplotlib, which is not installed; pip install matplotlib, or save .svg"
        )
    folder = Path(spec.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    return tuple(sorted(folder.glob("DejaVuSans*.ttf")))
