"""Ignored, waived, known: what is accepted is counted, shown with its reason, and does not fail."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import BigInteger, Column, Float, ForeignKey, Identity, Index, Integer, MetaData, Table

from dbplan.errors import CannotWrite, UnknownName, UsageError
from dbplan.linting import lint, write_baseline
from dbplan.plan import Plan
from dbplan.report.blocks import Text, walk


def plan(*, table=None, column=None) -> Plan:
    metadata = MetaData()
    Table("users", metadata, Column("id", BigInteger, Identity(), primary_key=True))
    Table(
        "audit",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("user_id", BigInteger, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
        Column("price", Float, nullable=False, info={"lint": column} if column else {}),
        Column("count", Integer, nullable=False),
        Index("ix_audit_count", "count"),
        Index("ix_audit_count_price", "count", "price"),
        info={"lint": table} if table else {},
    )
    return Plan("audit", metadata)


def keys(report, severities=("error", "warning")) -> set[str]:
    return {f.key for f in report.evidence if f.severity in severities}


WEIGHTY = {"type-money-float:audit.price", "fk-no-index:audit.user_id", "idx-prefix-redundant:audit (ix_audit_count)"}


def test_without_acceptance_everything_stands():
    report = lint(plan())
    assert keys(report) == WEIGHTY
    assert not report.ok
    assert report.verdict.startswith("1 error, 2 warnings, ")


@pytest.mark.parametrize(
    ("pattern", "gone"),
    [
        ("type-money-float", "type-money-float:audit.price"),
        ("type-money-float:audit.price", "type-money-float:audit.price"),
        ("fk-no-index:audit.*", "fk-no-index:audit.user_id"),
        ("fk-*", "fk-no-index:audit.user_id"),
        ("*-redundant:audit*", "idx-prefix-redundant:audit (ix_audit_count)"),
    ],
)
def test_ignore_takes_rules_keys_and_patterns(pattern, gone):
    report = lint(plan(), ignore=[pattern])
    assert keys(report) == WEIGHTY - {gone}
    assert "ignored" in report.verdict


def test_a_lone_string_is_one_pattern():
    assert keys(lint(plan(), ignore="fk-no-index")) == WEIGHTY - {"fk-no-index:audit.user_id"}


@pytest.mark.parametrize("pattern", ["fk-no-indx", "fk-no-indx:audit.user_id", "zz*"])
def test_an_unknown_rule_is_refused_with_the_nearest(pattern):
    with pytest.raises(UnknownName, match='no lint rule "'):
        lint(plan(), ignore=[pattern])
    if pattern.startswith("fk"):
        with pytest.raises(UnknownName, match="did you mean 'fk-no-index'"):
            lint(plan(), ignore=[pattern])


@pytest.mark.parametrize(
    ("where", "rule", "gone"),
    [
        ("table", "fk-no-index", "fk-no-index:audit.user_id"),
        ("table", "idx-prefix-redundant", "idx-prefix-redundant:audit (ix_audit_count)"),
        ("column", "type-money-float", "type-money-float:audit.price"),
        ("table", "idx-prefix-redundant:ix_audit_count", "idx-prefix-redundant:audit (ix_audit_count)"),
    ],
)
def test_a_waiver_beside_the_model_is_kept_and_shown_with_its_reason(where, rule, gone):
    report = lint(plan(**{where: {rule: "because we measured it"}}))
    assert keys(report) == WEIGHTY - {gone}
    assert "; 1 waived" in report.verdict
    accepted = report.frames["Accepted findings"]
    assert accepted.to_dict("records") == [
        {"finding": gone, "severity": accepted["severity"][0], "state": "waived", "reason": "because we measured it"}
    ]


def test_a_waiver_of_one_column_is_not_one_of_its_neighbour():
    assert keys(lint(plan(column={"fk-no-index": "no"}))) == WEIGHTY


def test_what_accepts_nothing_is_said():
    report = lint(plan(table={"uq-case": "no mail here"}), ignore=["pk-wide"], baseline={"pk-missing:old": "gone"})
    said = " ".join(block.text for block in walk(report.blocks) if isinstance(block, Text))
    assert all(f"`{text}`" in said for text in ("uq-case:audit", "pk-wide", "pk-missing:old"))


def test_an_info_that_is_not_a_mapping_is_left_alone():
    assert keys(lint(plan(table="off"))) == WEIGHTY


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_a_written_baseline_accepts_all_that_was_found(tmp_path, suffix):
    path = write_baseline(lint(plan()), tmp_path / f"known.{suffix}", reason="before the review")
    report = lint(plan(), baseline=path)
    assert report.ok
    assert not report.evidence
    assert report.verdict.startswith("nothing found from ")
    assert " known" in report.verdict
    assert set(report.frames["Accepted findings"]["reason"]) == {"before the review"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.json", json.dumps(sorted(WEIGHTY))),
        ("list.toml", f"known = {json.dumps(sorted(WEIGHTY))}"),
        ("flat.toml", "\n".join(f'"{key}" = "so"' for key in WEIGHTY)),
    ],
)
def test_a_baseline_is_a_list_or_reasons(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert not keys(lint(plan(), baseline=tmp_path / name))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[known", "is not TOML"),
        ("known = 3", "is not a list of finding keys"),
        ("known = [3]", "is not a list of finding keys"),
        ('"fk-no-indx:a" = "b"', "did you mean 'fk-no-index'"),
    ],
)
def test_a_bad_baseline_is_refused_in_one_sentence(tmp_path, text, message):
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises((UsageError, UnknownName), match=message):
        lint(plan(), baseline=path)


def test_a_baseline_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read the baseline .*none\.toml: No such file"):
        lint(plan(), baseline=tmp_path / "none.toml")


def test_a_baseline_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(CannotWrite, match="cannot write"):
        write_baseline(lint(plan()), tmp_path / "missing" / "known.toml")
