"""What we lay out, prettier leaves as it is."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbplan.exports.typescript import (
    Arrow, Call, List, Member, Record, Sql, Text, Word, attribute, decorator, identifier, imports, statement,
)  # fmt: skip
from tests.node_tools import node

WORDS = st.text("abcxyzABC_1", min_size=1, max_size=30).filter(identifier)
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
        lambda entries, open: Record(tuple(entries.items()), open and bool(entries)),
        st.dictionaries(st.one_of(WORDS, st.just("a-b")), values, max_size=4),
        st.booleans(),
    )


def _calls(values):
    arguments = st.lists(values, max_size=3).map(tuple)
    first = st.builds(lambda name, given: Call(Word(name), given), WORDS, arguments)
    start = st.one_of(first, st.builds(lambda a, b: Member(Word(a), b), WORDS, WORDS))

    def chained(start, links):
        for name, given in links:
            start = Call(Member(start, name), given)
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
