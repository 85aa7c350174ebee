import re

import pytest

from dbplan.diagram import erd
from dbplan.diagram.mermaid import MOST_CHARACTERS, MOST_EDGES, identifiers, mermaid
from dbplan.diagram.relations import relations
from dbplan.domains.credits import PLAN
from dbplan.plan import Plan

NAME = r"[A-Za-z_\u00c0-\uffff][\w\u00c0-\uffff-]*"
ATTRIBUTE = r"[A-Za-z_\u00c0-\uffff*][A-Za-z0-9\-_\[\]()\u00c0-\uffff*]*"
STRING = r'"[^"\n]*"'
LINES = (
    r"erDiagram",
    r"    %% .*",
    rf"    {NAME}(\[{STRING}\])?( \{{)?",
    r"    \}",
    rf"        (?!(?:PK|FK|UK)\b){ATTRIBUTE} (?!(?:PK|FK|UK) ){ATTRIBUTE}( (PK|FK|UK)(, (PK|FK|UK))*)?( {STRING})?",
    rf"    {NAME} (\|\||\|o)--(o\||o\{{) {NAME} : {STRING}",
)
RESERVED = {"one", "many", "to", "only", "zero", "optionally", "title", "direction", "style", "class", "end", "u"}


def text(plan):
    return erd(plan).blocks[0].sources["mmd"]


def well_formed(source):
    wrong = [line for line in source.splitlines() if not any(re.fullmatch(form, line, re.A) for form in LINES)]
    declared = [m[1] for line in source.splitlines() if (m := re.fullmatch(rf"    ({NAME})(\[.*\])?( \{{)?", line))]
    used = [
        name for line in source.splitlines() if "--" in line for name in re.split(r" \S+--\S+ ", line.split(" : ")[0])
    ]
    assert wrong == []
    assert len(declared) == len({name.lower() for name in declared})
    assert {name.strip() for name in used} <= set(declared)
    assert not RESERVED & {name.lower() for name in declared}


@pytest.mark.parametrize("name", ["shop", "ugly", "circle"])
def test_the_text_is_well_formed(schemas, name):
    well_formed(text(getattr(schemas, name)()))


def test_what_is_in_the_plan_is_in_the_text():
    source = text(PLAN)
    well_formed(source)
    assert '    users ||--o{ transactions : "user_id"' in source
    assert re.search(r'^        uuid id PK "UUIDv7', source, re.M)
    assert 'varchar(50) membership_tier "or NULL; Membership in lower case' in source


def test_cardinalities_on_both_ends(schemas):
    lines = text(schemas.shop()).splitlines()
    assert '    users ||--o| profiles : "user_id"' in lines
    assert '    categories |o--o{ products : "category_id"' in lines
    assert '    order_lines |o--o{ refunds : "order_id, line_no"' in lines


def test_comments_cannot_break_out(schemas):
    source = text(schemas.ugly())
    assert "%%" not in source
    assert "a #quot;quote#quot; #lt;i#gt; #amp; newline" in source


def test_names_become_words_and_no_two_the_same():
    assert identifiers(["users", "a b", "a-b", "a_b", "title", "1st", "", "データ"]) == {
        "users": "users",
        "a b": "a_b_2",
        "a-b": "a_b_3",
        "a_b": "a_b",
        "title": "t_title",
        "1st": "t_1st",
        "": "t_",
        "データ": "データ",
    }


def test_many_columns_leave_the_keys_and_say_so(schemas):
    m = schemas.MetaData()
    for n in range(30):
        wide = [schemas.Column(f"quite_a_long_name_of_a_column_{k}", schemas.Text) for k in range(60)]
        schemas.Table(f"t{n}", m, schemas.Column("id", schemas.Integer, primary_key=True), *wide)
    plan = Plan("wide", m)
    source, said = mermaid(plan.tables, ())
    well_formed(source)
    assert len(source) <= MOST_CHARACTERS
    assert "integer id PK" in source
    assert "quite_a_long" not in source
    assert said == (
        "Mermaid draws 50,000 characters and 500 relations at most; its text leaves out columns that are no key."
    )
    assert said in [block.text for block in erd(plan).blocks[1:]]


@pytest.mark.parametrize(
    ("tables", "prefix"), [(400, "t"), (450, "t"), (700, 3 * "a_rather_long_name_"), (60, 900 * "x")]
)
def test_any_number_of_tables_stays_within_the_limits(schemas, tables, prefix):
    plan = schemas.large(tables, prefix)
    edges, _ = relations(plan.tables)
    source, said = mermaid(plan.tables, edges)
    well_formed(source)
    assert len(source) <= MOST_CHARACTERS
    assert source.count("--") <= MOST_EDGES
    assert said
