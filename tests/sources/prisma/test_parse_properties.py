"""Properties of the Prisma parser: what is written is read, every place is right, and no text breaks it."""

import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from prisma_schemas import HARD, faults, placeless, schemas, written

from dbplan.errors import SourceError
from dbplan.sources.prisma.check import check
from dbplan.sources.prisma.parse import parse
from dbplan.sources.prisma.syntax import Attribute, Schema, Settings

PLACE = re.compile(r"a\.prisma:(\d+):(\d+): \S")
SPACES = [" ", "\t", "  ", "\u3000", "\xa0 \t"]
NEWLINES = ["\n", "\r\n", "\r"]
TEXTS = [path.read_text() for path in HARD]


@given(schemas, st.sampled_from(SPACES), st.sampled_from(NEWLINES))
@settings(max_examples=120, deadline=None)
def test_a_tree_written_and_parsed_is_the_same_tree(schema, space, newline):
    assert placeless(parse({"": written(schema, space, newline)})) == schema


def places(part):
    """Return each name of a tree with the place that it claims."""
    if isinstance(part, tuple):
        return [found for each in part for found in places(each)]
    inner = [found for each in vars(part).values() if isinstance(each, tuple) for found in places(each)]
    if isinstance(part, Schema):
        return inner
    return [("@" if isinstance(part, Attribute) else part.name, part.spot), *inner]


@given(schemas, st.sampled_from(SPACES), st.sampled_from(NEWLINES))
@settings(max_examples=40, deadline=None)
def test_every_block_field_and_attribute_stands_where_it_says(schema, space, newline):
    text = written(schema, space, newline)
    lines = text.split(newline)
    parsed = parse({"a.prisma": text})
    blocks = [*parsed.models, *parsed.enums]
    owned = [item for block in blocks for item in (*getattr(block, "fields", ()), *getattr(block, "values", ()))]
    for part in (*blocks, *parsed.settings, *owned):
        assert lines[part.spot.line - 1][part.spot.column - 1 :].startswith(part.name)
        for attribute in () if isinstance(part, Settings) else part.attributes:
            assert lines[attribute.spot.line - 1][attribute.spot.column - 1 :].startswith("@")


def judged(text):
    """Return the error of a text, or ""; anything but a SourceError with a place fails."""
    try:
        check(parse({"a.prisma": text}))
    except SourceError as error:
        return str(error)
    return ""


def mutated(text, chance):
    """Return a text with a few characters deleted, inserted, doubled or cut off."""
    characters = list(text)
    for _ in range(chance.randint(1, 3)):
        position = chance.randrange(len(characters) or 1)
        match chance.randrange(5):
            case 0:
                del characters[position : position + chance.choice([1, 1, 2, 5, 30])]
            case 1:
                characters.insert(position, chance.choice('{}()[]@@"\\/:,.?!-_*= \n\t\rax1é\x00\ufeff\u2028'))
            case 2:
                end = position + chance.randint(1, 20)
                characters[position:position] = characters[position:end]
            case 3:
                other = chance.randrange(len(characters) or 1)
                if characters:
                    characters[position], characters[other] = characters[other], characters[position]
            case 4 if chance.random() < 0.2:
                del characters[position:]
    return "".join(characters)


@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_a_damaged_schema_is_an_error_with_a_place_or_a_schema(text, chance):
    damaged = mutated(text, chance)
    error = judged(damaged)
    if "no datasource" in error:
        return
    assert not error or PLACE.match(error), error
    assert "\n" not in error
    if error:
        line, _ = map(int, PLACE.match(error).groups())
        assert 1 <= line <= len(re.split(r"\r\n|\n|\r", damaged))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: data.decode("latin-1")))
@settings(max_examples=200, deadline=None)
def test_any_text_is_an_error_with_a_place_or_a_schema(text):
    error = judged(text)
    assert "no datasource" in error or PLACE.match(error), error


def test_deep_nesting_is_no_traceback():
    for opening, closing in (("[", "]"), ("{ a: ", "}"), ("f(", ")")):
        deep = opening * 3_000 + "1" + closing * 3_000
        assert judged(f"model A {{\n  a Int @default({deep})\n}}\n")
        assert PLACE.match(judged(f"model A {{\n  a Int @default({opening * 3_000}\n}}\n"))


# What only the version of Prisma decides, or what no plan is wrong for.
INDIFFERENT = ("reserved name", "preview feature", "no longer supported in schema files", "shardKey")


def test_prisma_refuses_what_is_refused_here_and_takes_the_rest(tmp_path):
    chance = random.Random(7)
    texts = [mutated(chance.choice(TEXTS), chance) for _ in range(600)]
    verdicts = faults(texts, tmp_path)
    unlike = []
    for text, found in zip(texts, verdicts, strict=True):
        error = judged(text)
        if found is None or any(word in said for _, said in found for word in INDIFFERENT) or "no datasource" in error:
            continue
        if bool(error) != bool(found):
            unlike.append((error, found, text))
    assert len(unlike) <= 6, [entry[:2] for entry in unlike]
    assert verdicts.count([]) > 60
