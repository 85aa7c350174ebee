"""Markdown that a forge renders as it was meant."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dbplan.evidence import Finding, Place, Severity
from dbplan.report import Report
from dbplan.report.blocks import Code, Figure, Findings, Text, table
from dbplan.report.cells import estimate
from dbplan.report.markdown import markdown


def test_headings_follow_each_other(sample):
    heads = re.findall(r"^(#+) (.+)$", markdown(sample), re.MULTILINE)
    assert [(len(marks), title) for marks, title in heads] == [
        (1, "Design review of credits"),
        (2, "What to do"),
        (2, "Lint"),
        (2, "Benchmark"),
        (3, "Indexes"),
        (3, "Rows"),
        (2, "Migrations"),
        (2, "Drift"),
    ]


def test_a_figure_is_named_by_its_path_or_else_drawn_by_mermaid(sample):
    assert "](picture.svg)" in markdown(sample, lambda _: "picture.svg")
    assert "```mermaid\nerDiagram" in markdown(sample)
    assert "*Words_only*" in markdown(replace(sample, blocks=(Figure("<svg/>", "Words_only"),)))


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=5))
def test_any_cell_leaves_the_table_a_table(rows):
    written = markdown(Report("t", "v", True, (table({"a": "text", "b": "code"}, rows),)))
    lines = [line for line in written.split("\n") if line.startswith("|")]
    assert len(lines) == len(rows) + 2
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)


def test_numbers_are_right_aligned():
    written = markdown(Report("t", "v", True, (table({"name": "text", "rows": "count"}, [("users", 1000)]),)))
    assert "| ----- | ----: |" in written


def test_what_would_be_markup_is_escaped():
    written = markdown(Report("a_b", "<script> [x](y) 2*3*4", True, (Text("`a_b` **is** _not_"),)))
    assert "# a_b" in written
    assert "\\<script> \\[x\\](y) 2\\*3\\*4" in written
    assert "`a_b` **is** \\_not\\_" in written


def test_code_with_fences_stays_inside_its_fence():
    written = markdown(Report("t", "v", True, (Code("a\n```\nb", "text"),)))
    assert "````text\na\n```\nb\n````" in written


def test_a_mend_stands_under_its_finding():
    finding = Finding("r", Severity.ERROR, Place("t", "c"), "is wrong", "MEND;", "because")
    written = markdown(Report("t", "v", True, (Findings((finding,)),)))
    assert "**error** `r`: because\n\n- `t.c`: is wrong\n\n  ```sql\n  MEND;\n  ```" in written


def test_figures_stand_in_one_line():
    cell = estimate(1.02, 0.97, 1.05, "ratio", "no difference")
    written = markdown(Report("t", "v", judged=False, blocks=(table({"Pony": "ratio"}, [(cell,)]),)))
    assert "| 1.02× (0.970–1.05×, no difference) |" in written
    assert written.startswith("# t\n\n**v**\n")
