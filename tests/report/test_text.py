"""The terminal: the same in the same order, 80 columns, colours on a terminal alone."""

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from dbplan.report import Report
from dbplan.report.blocks import Code, Dots, Findings, Section, Text, table, walk
from dbplan.report.cells import THIN, estimate
from dbplan.report.html import page
from dbplan.report.text import print_report, text


def is_code(line):
    return line.startswith(("      ", "    ALTER"))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_line_but_code_fits(sample, width):
    lines = text(sample, width=width).splitlines()
    assert [line for line in lines if cell_len(line) > width and not is_code(line)] == []


def test_code_is_never_broken(sample):
    written = text(sample, width=40)
    for block in walk(sample.blocks):
        if isinstance(block, Code):
            assert block.source in written
        if isinstance(block, Findings):
            assert all(line in written for f in block.findings for line in f.mend.splitlines())


def test_a_pipe_gets_no_colours(sample, capsys):
    print_report(sample)
    assert "\x1b" not in capsys.readouterr().out
    assert "\x1b" not in str(sample)


def test_a_terminal_gets_colours(sample):
    paper = io.StringIO()
    print_report(sample, Console(file=paper, force_terminal=True, width=80, color_system="standard"))
    assert re.sub(r"\x1b\[[\d;]*m", "", paper.getvalue()).splitlines()[0].strip() == sample.title
    assert "\x1b[" in paper.getvalue()


def test_an_output_that_knows_few_characters_still_gets_the_report(sample):
    raw = io.BytesIO()
    paper = io.TextIOWrapper(raw, encoding="ascii")
    print_report(sample, Console(file=paper, width=80))
    paper.flush()
    assert b"unindexed-foreign-key" in raw.getvalue()


def test_the_terminal_tells_the_same_in_the_same_order(sample):
    written, shown = str(sample), page(sample)
    heads = re.findall(r"^── (.+?) ─+$", written, re.MULTILINE)
    assert heads == ["What to do", *re.findall(r'<h2><a class="self"[^>]*>(.+?)</a>', shown)]


def test_figures_read_the_same_on_the_page_and_in_the_terminal(sample):
    plain_page = re.sub(r"<[^>]+>", "", page(sample)).replace(THIN, " ")
    for figure in ("22.5 MB", "8.19 kB", "44.1 %", "118×", "123 k/s", "812 ms", "142 µs", "1.19–1.31 ms"):
        assert figure in str(sample)
        assert figure in plain_page


def test_a_table_too_wide_for_the_terminal_is_stacked():
    fields = {f"a column with quite a name {n}": "count" for n in range(12)}
    written = text(Report("x", "y", True, (table({"name": "text", **fields}, [("t", *range(1000, 1012))]),)))
    assert max(map(len, written.splitlines())) <= 80
    assert "  a column with quite a name 11: 1,011" in written


def test_folded_parts_can_be_left_out(sample):
    paper = io.StringIO()
    print_report(sample, Console(file=paper, width=80), folded=False)
    written = paper.getvalue()
    assert "4 queries timed; the slowest takes 318 ms" in written
    assert "2 tables · 1 plot · 2 parts" in written
    assert "guards a constraint" not in written
    assert "unindexed-foreign-key" in written


@pytest.mark.parametrize("blocks", [(Findings(()),), (Dots(()),), (table({"a": "count"}, []),), (Text(""),), ()])
def test_an_empty_report_prints(blocks):
    assert text(Report("Title", "Verdict.", True, blocks)).startswith("Title\n✓ passes · Verdict.")


def test_square_brackets_are_words_and_not_styles(sample):
    assert "[bold]x[/bold] :smile:" in text(replace(sample, verdict="[bold]x[/bold] :smile:"))


def test_a_part_says_pass_or_fail_only_when_it_fails():
    parts = (Section("Fine", "All is well."), Section("Bad", "All is lost.", ok=False))
    written = text(Report("x", "y", True, (Section("Study", "Both.", True, parts),)))
    assert "✓ passes · Both." in written
    assert "\nAll is well." in written
    assert "✗ fails · All is lost." in written


def test_no_column_of_a_table_is_cut_off():
    headings = {"table": "code", "kind": "text", "meaning": "text", "planned rows": "count", "kept": "text"}
    row = ("idempotency_records", "table", "Answers kept so that a request sent twice is done once")
    kept = table(headings, [(*row, 300_000, "until expires_at"), (*row, 60_000_000, "183 days by created_at")])
    for width in (60, 70, 80, 100, 200):
        shown = text(Report("R", "v", blocks=(kept,)), width=width)
        assert max(map(len, shown.splitlines())) <= width
        assert {"expires_at", "created_at", "idempotency_records"} <= set(shown.split())


def test_figures_stand_above_their_intervals_and_are_never_broken():
    cells = [estimate(1.2, 1.1, 1.3, "ratio"), estimate(10.5, 9.5, 12, "ratio", "no difference")]
    wide = table({"scenario": "text", "Django": "ratio", "Pony": "ratio"}, [("read", *cells)])
    lines = text(Report("t", "v", blocks=(wide,))).splitlines()
    assert [line.split() for line in lines[-3:]] == [
        ["read", "1.20×", "10.5×"],
        ["1.10–1.30×", "9.50–12.0×"],
        ["no", "difference"],
    ]
    assert {line[-1] for line in lines[-3:]} == {"×", "e"}
    narrow = text(Report("t", "v", blocks=(wide,)), width=20).splitlines()
    assert "  Django: 1.20×" in narrow
    assert "".join(narrow).replace("  ", " ").endswith("Pony: 10.5× (9.50–12.0×, no difference)")
