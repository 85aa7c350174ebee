"""The outline: groups by rule, the worst first, and anchors that hold."""

from hypothesis import given
from hypothesis import strategies as st

from dbplan.evidence import Finding, Place, Severity
from dbplan.report import Report
from dbplan.report.blocks import Findings, Section
from dbplan.report.outline import actions, elsewhere, groups, outline, slug

FINDING = st.builds(
    Finding,
    st.sampled_from(["a-rule", "b-rule", "c-rule"]),
    st.sampled_from(list(Severity)),
    st.builds(Place, st.text(max_size=8), st.text(max_size=8)),
    st.sampled_from(["one", "two"]),
    st.text(max_size=5),
)


@given(st.lists(FINDING, max_size=30))
def test_grouping_loses_nothing_and_puts_the_worst_first(findings):
    found = groups(findings)
    assert sorted((f for g in found for f in g.findings), key=repr) == sorted(findings, key=repr)
    assert [g.severity.rank for g in found] == sorted(g.severity.rank for g in found)
    assert len({(g.severity, g.rule) for g in found}) == len(found)


@given(st.lists(FINDING, max_size=30))
def test_every_action_is_shown_or_counted(findings):
    report = Report("t", "v", True, (Section("Lint", blocks=(Findings(tuple(findings)),)),), (), tuple(findings))
    first, rest = actions(report)
    assert len(first) <= 5
    assert sum(len(group.findings) for group in first) + len(rest) == len(findings)
    assert sum(count for _, count in elsewhere(rest, outline(report))) == len(rest)


@given(st.lists(FINDING, max_size=30), st.text(max_size=5))
def test_anchors_differ_and_have_no_spaces(findings, title):
    plan = outline(Report("t", "v", True, (Section(title), Section(title), Findings(tuple(findings)))))
    anchors = [*(part.anchor for part in plan.parts), *plan.anchors.values()]
    assert len(anchors) == len(set(anchors))
    assert all(anchor and not any(c.isspace() for c in anchor) for anchor in anchors)
    assert set(plan.anchors) == {f.key for f in findings}


def test_a_slug_keeps_what_names_are_made_of():
    assert slug("rule:Users.Email (ix_users)") == "rule:Users.Email-ix_users"
    assert slug("Größe der Tabelle") == "Größe-der-Tabelle"
    assert slug("???") == "part"


def test_a_group_is_told_by_its_first_message(findings):
    by_rule = {group.rule: group for group in groups(findings)}
    assert by_rule["timestamp-without-time-zone"].headline == "holds no time zone, in 16 places"
    assert by_rule["unindexed-foreign-key"].headline == "no index begins with `user_id`; the same in 1 more place."
    assert by_rule["text-without-length"].headline == "any text fits, a whole book too"
