"""What we lay out, prettier leaves as it is."""

import json

import pytest
from exports.strangers import stranger
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from node_tools import node

from dbplan.domains import PLANS
from dbplan.exports import drizzle, typeorm
from dbplan.exports.typescript import (
    Arrow,
    Call,
    List,
    Member,
    Record,
    Sql,
    Text,
    Word,
    attribute,
    decorator,
    identifier,
    imports,
    statement,
)  # fmt: skip
from dbplan.exports.typescript.names import WORDS as RESERVED
from dbplan.sources import read

WORDS = st.text("abcxyzABC_1", min_size=1, max_size=30).filter(lambda word: identifier(word) and word not in RESERVED)
STRINGS = st.text("ab \"'\\`$é漢{}", max_size=60)
LEAVES = st.one_of(
    WORDS.map(Word),
    st.sampled_from(["0", "12.5", "true", "false"]).map(Word),
    STRINGS.map(Text),
    STRINGS.map(Sql),
    STRINGS.map(lambda value: Sql(value, "")),
)


def _records(values):
    return st.builds(
        lambda entries, spread: Record(tuple(entries.items()), spread and bool(entries)),
        st.dictionaries(st.one_of(WORDS, st.just("a-b")), values, max_size=4),
        st.booleans(),
    )


def _calls(values):
    arguments = st.lists(values, max_size=3).map(tuple)
    first = st.builds(lambda name, handed: Call(Word(name), handed), WORDS, arguments)
    start = st.one_of(first, st.builds(lambda a, b: Member(Word(a), b), WORDS, WORDS))

    def chained(start, links):
        for name, arguments in links:
            start = Call(Member(start, name), arguments)
        return start

    return st.one_of(first, st.builds(chained, start, st.lists(st.tuples(WORDS, arguments), max_size=4)))


def _arrows(values):
    bodies = values.filter(lambda node: not isinstance(node, Arrow))
    return st.builds(Arrow, st.sampled_from(["", "table", "{ one, many }"]), bodies)


EXPRESSIONS = st.recursive(
    LEAVES,
    lambda values: st.one_of(
        _records(values), st.lists(values, max_size=4).map(lambda items: List(tuple(items))), _calls(values),
        _arrows(values),
    ),
    max_leaves=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of both tools for the bundled plans and a strange one."""
    folder, found = tmp_path_factory.mktemp("typescript"), []
    for plan in (*map(read, PLANS), stranger()):
        for tool in (drizzle, typeorm):
            for text in tool.write(plan, "postgresql").files.values():
                found.append(folder / f"{plan.name}.{tool.__name__.rpartition('.')[2]}.ts")
                found[-1].write_text(text, "utf-8")
    return found


def test_typescript_finds_no_fault(files):
    assert node("typescript.mjs", "types", *files) == ""


def test_prettier_leaves_the_files_as_they_are(files):
    formatted = json.loads(node("typescript.mjs", "format", *files))
    assert {str(path): path.read_text("utf-8") for path in files} == formatted


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_prettier_leaves_statements_as_they_are(tmp_path):
    """Random expressions, all in one file: Prettier is asked once."""
    found = []

    @settings(max_examples=150, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(WORDS, EXPRESSIONS)
    def collect(name, value):
        found.append(statement(f"export const {name}", value))

    collect()
    path = tmp_path / "all.ts"
    path.write_text("\n\n".join(found) + "\n", "utf-8")
    assert json.loads(node("typescript.mjs", "format", path))[str(path)] == path.read_text("utf-8")


def test_names_and_texts():
    assert imports(["a"], "b") == 'import { a } from "b";'
    assert attribute("a", ["string", "null"]) == "  a!: string | null;"
    assert decorator("Index", Text('it\'s "it"')) == "@Index('it\\'s \"it\"')"
