"""Pictures that stand alone: no CSS variable left, PNG in twice the size with its text drawn."""

import struct

import pytest

from dbplan.errors import CannotWrite
from dbplan.report.picture import LARGEST_AREA, LARGEST_SIDE, png, size, standalone, zoom

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40" viewBox="0 0 120 40">{}</svg>'
TEXT = '<text x="5" y="25" font-size="16" font-family="{}" fill="var(--ink, #1b1f24)">users</text>'


def dimensions(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def test_a_variable_gives_way_to_its_fallback():
    svg = '<svg><a fill="var(--ink, #1a1a1a)" stroke="var(--x, var(--y, rgb(1, 2, 3)))" color="var(--z)"/></svg>'
    assert standalone(svg) == (
        '<svg style="background:#ffffff"><a fill="#1a1a1a" stroke="rgb(1, 2, 3)" color="currentColor"/></svg>\n'
    )


def test_a_style_of_its_own_is_kept():
    assert standalone('<svg style="background:var(--paper, #fffffe)"/>') == '<svg style="background:#fffffe"/>\n'


def test_a_prolog_does_not_hide_the_picture(sample):
    alone = standalone(sample.blocks[0].svg)
    assert "var(" not in alone
    assert "<?xml" in alone
    assert alone.count("background:#ffffff") == 1
    assert alone.index("<svg") < alone.index("background:#ffffff")


def test_a_png_has_twice_the_pixels():
    assert dimensions(png(SVG.format(""))) == (240, 80)


@pytest.mark.parametrize("family", ["DejaVu Sans Mono, monospace", "sans-serif", "system-ui", "Nowhere Grotesk"])
def test_text_is_drawn_whatever_font_it_asks_for(family):
    assert png(SVG.format(TEXT.format(family))) != png(SVG.format(""))


def test_mono_and_sans_are_not_the_same_font():
    assert png(SVG.format(TEXT.format("monospace"))) != png(SVG.format(TEXT.format("sans-serif")))


def test_a_huge_picture_stays_within_what_viewers_open():
    for width, height in ((90_000, 200), (20_000, 20_000), (100, 100)):
        drawn = zoom(f'<svg width="{width}" height="{height}"/>')
        assert max(width, height) * drawn <= LARGEST_SIDE + 1
        assert width * height * drawn**2 <= LARGEST_AREA * 1.001


def test_a_picture_made_smaller_says_so_under_it():
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="400" viewBox="0 0 20000 400"></svg>'
    drawn = zoom(svg)
    assert drawn == pytest.approx(0.8)
    assert dimensions(png(svg)) == (16_000, 360)


def test_size_is_read_from_attributes_or_viewbox():
    assert size('<?xml version="1.0"?><svg width="72pt" height="36pt" viewBox="0 0 1 1">') == (96, 48)
    assert size('<svg viewBox="0 0 300.5 200"/>') == (300.5, 200)
    assert size('<svg width="10px" height="20px" stroke-width="3">') == (10, 20)
    assert size('<svg width="100%" viewBox="0 0 30 20">') == (30, 20)
    assert size("<svg>") == (0, 0)


def test_what_is_no_svg_cannot_be_drawn():
    with pytest.raises(CannotWrite, match="cannot be drawn as PNG"):
        png("<svg><unclosed></svg>")
