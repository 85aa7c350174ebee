"""The page and the notebook fragment: whole, safe, linked, and the same in every run."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.evidence import Finding, Place, Severity
from dbplan.report import Report
from dbplan.report.blocks import Code, Figure, Findings, Section, Text, table
from dbplan.report.cells import THIN, Cell, Figures, estimate
from dbplan.report.html import fragment, page
from dbplan.report.markup import embedded, inline

VOID = {"meta", "link", "input", "wbr", "br"}
HOSTILE = "</script><img src=x onerror=alert(1)> & \"quotes\" 'single' <b>"


class Tree(HTMLParser):
    """Notes every element, and fails on a tag that is not closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style", "script"}:
            self.words.append(data)

    def named(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]

    @property
    def ids(self):
        return [attributes["id"] for _, attributes, _ in self.elements if "id" in attributes]


def test_the_page_is_well_formed_and_every_link_leads_somewhere(sample):
    tree = Tree(page(sample))
    assert len(tree.ids) == len(set(tree.ids))
    targets = [a["href"] for a in tree.named("a")]
    assert len(targets) > 10
    assert all(unquote(target[1:]) in tree.ids for target in targets)


def test_the_page_loads_nothing(sample):
    text = page(sample)
    assert not re.search(r"https?://(?!www\.w3\.org/)|@import|<(?:iframe|object|embed|img)\b|url\((?!#)", text)
    assert all("src" not in attributes for attributes in Tree(text).named("script"))


def test_the_page_opens_with_verdict_and_actions_then_diagram_then_studies(sample):
    text = page(sample).partition("<main")[2]
    order = ["<h1>", 'class="verdict"', ">What to do<", 'class="picture"', 'id="lint"', 'id="benchmark"', 'id="drift"']
    assert [text.index(mark) for mark in order] == sorted(text.index(mark) for mark in order)


def test_the_page_says_where_it_was_measured_once_a_study(sample):
    assert page(sample).count("Measured on PostgreSQL 18.6 · 4 cores") == 3


def test_no_more_than_five_actions_open_a_page_and_the_rest_are_linked(sample):
    rules = [Finding(f"rule-{n}", Severity.WARNING, Place("users"), f"fault {n}", f"MEND {n};") for n in range(9)]
    report = replace(sample, actions=tuple(rules), blocks=(Section("Lint", blocks=(Findings(tuple(rules)),)),))
    opening = page(report).partition('id="lint"')[0]
    assert opening.count("<li><p class=") == 5
    assert 'and 4 more: 4 in <a href="#lint">Lint</a>' in opening


def test_actions_that_no_section_tells_are_told_at_the_top(sample):
    rules = tuple(Finding(f"rule-{n}", Severity.NOTE, Place("users"), f"fault {n}", f"MEND {n};") for n in range(7))
    opening = page(replace(sample, actions=rules, blocks=()))
    assert "and 2 more" in opening
    assert "MEND 6;" in opening


def test_a_few_findings_of_a_single_study_are_told_once(findings):
    report = Report("Lint", "2 faults", False, (Findings(findings[1:3]),), actions=findings[1:3])
    assert "What to do" not in page(report)
    assert page(report).count("no index begins with") == 2


@pytest.mark.parametrize("form", [page, fragment])
def test_nothing_from_outside_becomes_markup(form):
    finding = Finding(HOSTILE, Severity.ERROR, Place(HOSTILE, HOSTILE), HOSTILE, HOSTILE, HOSTILE)
    blocks = (
        Text(HOSTILE),
        Code(HOSTILE, caption=HOSTILE),
        Figure("<svg/>", HOSTILE, HOSTILE),
        Findings((finding,)),
        table({HOSTILE: "code", "x": "text", "y": "severity"}, [(HOSTILE, HOSTILE, HOSTILE)], HOSTILE),
    )
    report = Report(HOSTILE, HOSTILE, True, (*blocks, Section(HOSTILE, HOSTILE, True, blocks, True)), (), (finding,))
    tree = Tree(form(report))
    assert tree.named("img") == []
    assert tree.named("b") == []
    assert len(tree.named("script")) == (1 if form is page else 0)
    assert tree.words.count(HOSTILE) >= 3


@given(st.text(max_size=60))
def test_any_words_stay_words(words):
    tree = Tree(f"<p>{inline(words)}</p>")
    assert {name for name, _, _ in tree.elements} <= {"p", "code", "strong"}


def test_code_and_strong_are_kept_in_words():
    assert inline("`a < b` is **not** 2 ** 3") == "<code>a &lt; b</code> is <strong>not</strong> 2 ** 3"


def test_a_severity_is_a_shape_and_a_word(sample):
    text = page(sample)
    for severity in ("error", "warning", "note"):
        assert re.search(rf'<svg class="mark {severity}"[^>]*>.*?</svg>{severity}</span>', text)


def test_two_hundred_findings_of_one_rule_tell_their_reason_once():
    found = tuple(
        Finding("r", Severity.ERROR, Place(f"t{n}", "c"), f"fault {n}", f"MEND {n};", "the reason") for n in range(200)
    )
    text = page(Report("Lint", "200", False, (Section("Lint", "200", False, (Findings(found),)),), actions=found))
    assert text.count("the reason") == 1
    assert all(f'id="r:t{n}.c"' in text for n in range(200))
    assert "188 more places" in text
    assert len(text) < 120_000


def test_anchors_of_findings_do_not_move_when_others_come(findings):
    one = Tree(page(Report("Lint", "x", False, (Findings(findings[1:2]),))))
    all_of_them = Tree(page(Report("Lint", "x", False, (Findings(findings),))))
    assert "unindexed-foreign-key:transactions.user_id" in one.ids
    assert set(one.ids) <= set(all_of_them.ids)


def test_a_table_has_headings_with_a_scope_and_scrolls_in_its_own_box(sample):
    tree = Tree(page(sample))
    assert all(th.get("scope") in {"col", "row"} for th in tree.named("th"))
    assert all("div" in path for name, _, path in tree.elements if name == "table")
    assert all("aria-label" in div for div in tree.named("div") if div.get("class") == "scroll")


def test_what_scrolls_shows_where_there_is_more_but_on_paper(sample):
    """The paper that covers a shade moves with what scrolls, and the shade stays at the edge of the box."""
    for text in (page(sample), fragment(sample)):
        shown = re.search(r"\.scroll ?\{\s*overflow-x: ?auto;([^}]*)", text)[1]
        assert re.findall(r"var\(--(paper|shade)\).*? (left|right) ?/.*? (local|scroll)", shown) == [
            ("paper", "left", "local"), ("paper", "right", "local"),
            ("shade", "left", "scroll"), ("shade", "right", "scroll"),
        ]  # fmt: skip
    printed = page(sample).partition("@media print")[2]
    assert ".scroll { overflow: visible; background: none; }" in printed


def test_two_figures_do_not_share_ids():
    svg = '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg><defs><marker id="m"/></defs><path marker-end="url(#m)"/></svg>'
    text = page(Report("x", "y", True, (Figure(svg, "one"), Figure(svg, "two"))))
    assert "url(#f1-m)" in text
    assert "url(#f2-m)" in text
    assert len(Tree(text).ids) == len(set(Tree(text).ids))
    assert "<?xml" not in text
    assert embedded('<svg><use href="#m"/></svg>', "p-") == '<svg><use href="#p-m"/></svg>'


def test_a_large_figure_can_be_seen_in_full_size():
    small, large = ('<svg width="300" height="9"/>', '<svg width="3000" height="9"/>')
    assert "actual size" not in page(Report("x", "y", True, (Figure(small, "s"),)))
    assert "actual size" in page(Report("x", "y", True, (Figure(large, "l"),)))


def test_many_parts_fold_in_the_contents():
    parts = tuple(Section(f"Table {n}") for n in range(30))
    text = page(Report("x", "y", True, (Section("Dictionary", blocks=parts),)))
    assert "<summary>30 parts</summary>" in text.partition("<main")[0]


def test_equal_titles_get_anchors_of_their_own():
    same = Section("Same", "v")
    ids = Tree(page(Report("x", "y", True, (same, same, Section("Same", blocks=(same,)))))).ids
    assert [i for i in ids if i.startswith("same")] == ["same", "same-2", "same-3", "same-3-same"]


def test_the_fragment_is_the_same_in_every_run_and_small(sample):
    assert fragment(sample) == fragment(replace(sample))
    style = re.search(r"<style>(.*?)</style>", fragment(sample), re.DOTALL)[1]
    assert len(style) < 8_000
    assert "var(--jp-" in style


def test_the_style_of_the_fragment_reaches_no_further_than_the_fragment(sample):
    style = re.search(r"<style>(.*?)</style>", fragment(sample), re.DOTALL)[1]
    selectors = [s.strip() for block in re.findall(r"([^{}]+)\{", style) for s in block.split(",")]
    assert len(selectors) > 60
    assert [s for s in selectors if ".dbplan.cell" not in s] == []


def test_a_notebook_sees_the_fragment_and_one_short_line(sample):
    shown = sample._repr_mimebundle_()
    assert shown["text/html"] == fragment(sample)
    assert shown["text/plain"] == f"Report({sample.title!r}: {sample.verdict})"


def luminance(colour):
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("sheet", "scheme"), [("report.css", "light"), ("page.css", "dark")])
def test_colours_have_enough_contrast(sheet, scheme):
    css = files("dbplan.report").joinpath(sheet).read_text("utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", css))
    assert len(colours) == 8, scheme
    for ground in (colours["paper"], colours["wash"]):
        assert all(contrast(colours[name], ground) >= 4.5 for name in ("ink", "muted", "accent", "error"))
        assert contrast(colours["warning"], ground) >= 3


def test_a_masked_password_stays_masked():
    words = "cannot connect to postgresql://bob:***@host/db: it is **down**"
    assert inline(words) == "cannot connect to postgresql://bob:***@host/db: it is <strong>down</strong>"
    assert ":***@" in str(Report("t", words))


def test_figures_stand_above_their_intervals():
    cells = (estimate(0.0005, 0.0004, 0.0006, "seconds", "a <b>"), Figures({"": 0.8}, Cell("0.8")))
    drawn = page(Report("t", "v", blocks=(table({"p50": "seconds", "score": "number"}, [cells]),)))
    assert f"500<i>{THIN}µs</i><small>400–600{THIN}µs</small><small>a &lt;b&gt;</small></td>" in drawn
    assert '<td class="n">0.8</td>' in drawn


def test_a_table_of_many_columns_stands_closer():
    for columns, wide in ((8, False), (9, True)):
        titles = {f"c{n}": "count" for n in range(columns)}
        assert ('<table class="wide">' in page(Report("t", "v", blocks=(table(titles, [range(columns)]),)))) is wide


def test_long_words_may_wrap_where_identifiers_do():
    long = "(sqlalchemy.dialects.postgresql.asyncpg.UniqueViolationError) is <raised> `by.hand`"
    drawn = page(Report("t", "v", blocks=(table({"says": "text"}, [(long,)]),)))
    assert "(<wbr>sqlalchemy.<wbr>dialects.<wbr>postgresql.<wbr>asyncpg.<wbr>Unique" in drawn
    assert "is &lt;raised&gt; <code>by.hand</code>" in drawn
