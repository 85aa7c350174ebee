"""Pages: what stands in docs/rules is what the rules say now."""

from __future__ import annotations

import os

import pytest

from dbplan.errors import SourceError
from dbplan.linting import RULES, pages


@pytest.mark.generated
@pytest.mark.parametrize("name", sorted(pages.render()))
def test_page_is_what_the_rule_says_now(name):
    path, text = pages.HOUSE / name, pages.render()[name]
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "stale: make docs writes it anew"


def test_no_page_is_left_of_a_rule_that_is_gone():
    made = {
        path.name for path in (pages.HOUSE / "docs" / "rules").glob("*.md") if pages.MADE in path.read_text("utf-8")
    }
    assert made == {f"{rule.id}.md" for rule in RULES} | {"index.md"}


def test_each_page_shows_a_finding_and_its_severity():
    for rule in RULES:
        text = pages.page(rule)
        assert f"> **{rule.severity}** `{rule.id}:" in text
        assert all(f"**{word}.**" in text for word in ("Why", "Mend"))


def test_a_missing_example_is_said(tmp_path):
    with pytest.raises(SourceError, match=r"no example at .*bad\.py; every rule has"):
        pages.page(RULES[0], tmp_path)
