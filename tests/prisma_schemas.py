"""Prisma schemas for tests: as trees that hypothesis makes, as text, and as Prisma's own engine judges them."""

import dataclasses
import json
from pathlib import Path

from hypothesis import strategies as st
from node_tools import node

from dbplan.sources.prisma.syntax import (
    Argument,
    Attribute,
    Call,
    Enumeration,
    EnumValue,
    Field,
    Literal,
    Many,
    Model,
    Name,
    Pairs,
    Schema,
    Settings,
    Spot,
)

HARD = sorted((Path(__file__).parent / "sources" / "prisma" / "hard").glob("*.prisma"))
NOWHERE = Spot("", 0, 0)
KEYWORDS = ["model", "type", "enum", "view", "datasource", "generator", "map", "Unsupported", "true", "not", "fields"]


def faults(texts, folder):
    """Return what Prisma's engine says of each text: [] for one that it takes, else (line, message) pairs."""
    asked = Path(folder) / "texts.json"
    asked.write_text(json.dumps(list(texts)))
    return json.loads(node("prisma_each.mjs", asked))


def placeless(part):
    """Return a tree without the places of its parts."""
    if isinstance(part, tuple):
        return tuple(map(placeless, part))
    if isinstance(part, Spot):
        return NOWHERE
    if not dataclasses.is_dataclass(part):
        return part
    return type(part)(*(placeless(getattr(part, field.name)) for field in dataclasses.fields(part)))


letters = st.characters(categories=["Lu", "Ll", "Lo"], max_codepoint=0x2FFF)
names = st.one_of(
    st.sampled_from(KEYWORDS),
    st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True),
    st.builds(lambda first, rest: first + rest, letters, st.from_regex(r"[a-z0-9_]{0,3}", fullmatch=True)),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
said = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=8)
remarks = st.lists(said, max_size=2).map("\n".join)
paths = st.lists(names, min_size=1, max_size=3).map(".".join)
constants = paths.filter(lambda path: path not in ("true", "false"))
numbers = st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True)
literals = st.one_of(
    st.builds(Literal, st.just("string"), texts, st.just(NOWHERE)),
    st.builds(Literal, st.just("number"), numbers, st.just(NOWHERE)),
    st.builds(Literal, st.just("boolean"), st.sampled_from(["true", "false"]), st.just(NOWHERE)),
)


def tuples(strategy, most=2):
    return st.lists(strategy, max_size=most).map(tuple)


def arguments(values):
    return tuples(st.builds(Argument, st.one_of(st.just(""), names), values, st.just(NOWHERE)))


values = st.recursive(
    st.one_of(literals, st.builds(Name, constants, st.just(NOWHERE))),
    lambda inner: st.one_of(
        st.builds(Call, constants, arguments(inner), st.just(NOWHERE)),
        st.builds(Many, tuples(inner), st.just(NOWHERE)),
        st.builds(Pairs, tuples(st.tuples(names, inner)), st.just(NOWHERE)),
    ),
    max_leaves=4,
)
attributes = tuples(st.builds(Attribute, constants, arguments(values), st.just(NOWHERE)))
arities = st.sampled_from(["", "?", "[]"])
fields = st.one_of(
    st.builds(Field, names, names, arities, attributes, remarks, st.just(NOWHERE)),
    st.builds(Field, names, st.just("Unsupported"), arities, attributes, remarks, st.just(NOWHERE), texts),
)
models = st.builds(
    Model, st.sampled_from(["model", "view", "type"]), names, tuples(fields, 3), attributes, remarks, st.just(NOWHERE)
)
enum_values = st.builds(EnumValue, names, attributes, remarks, st.just(NOWHERE))
enums = st.builds(Enumeration, names, tuples(enum_values, 3), attributes, remarks, st.just(NOWHERE))
settings = st.builds(
    Settings,
    st.sampled_from(["datasource", "generator"]),
    names,
    tuples(st.tuples(names, values), 3),
    remarks,
    st.just(NOWHERE),
)
schemas = st.builds(Schema, tuples(models), tuples(enums), tuples(settings))


def written(schema, space=" ", newline="\n"):
    """Return a tree as text, with this between words and that between lines."""
    blocks = [*map(_settings, schema.settings), *map(_model, schema.models), *map(_enum, schema.enums)]
    return newline.join("\n\n".join(blocks).replace("\x00", space).split("\n")) + newline


# The words of a line stand apart by a NUL, which no word holds, until the writer knows what stands there.
def _line(*words):
    return "\x00".join(word for word in words if word)


def _block(comment, head, lines):
    return "\n".join([*_remarks(comment), _line(*head, "{"), *lines, "}"])


def _remarks(comment):
    return [f"/// {line}" for line in comment.split("\n") if line]


def _settings(block):
    lines = [_line(key, "=", _value(value)) for key, value in block.entries]
    return _block(block.comment, (block.kind, block.name), lines)


def _model(model):
    lines = [line for field in model.fields for line in (*_remarks(field.comment), _field(field))]
    return _block(model.comment, (model.kind, model.name), [*lines, *(_attribute(a, "@@") for a in model.attributes)])


def _enum(enum):
    lines = [line for value in enum.values for line in (*_remarks(value.comment), _enum_value(value))]
    return _block(enum.comment, ("enum", enum.name), [*lines, *(_attribute(a, "@@") for a in enum.attributes)])


def _enum_value(value):
    return _line(value.name, *(_attribute(a, "@") for a in value.attributes))


def _field(field):
    unsupported = field.type == "Unsupported" and field.unsupported
    kind = f"Unsupported({_text(field.unsupported)})" if unsupported else field.type
    return _line(field.name, kind + field.arity, *(_attribute(a, "@") for a in field.attributes))


def _attribute(attribute, sign):
    return f"{sign}{attribute.name}{_arguments(attribute.arguments)}"


def _arguments(given):
    shown = [f"{argument.name}:\x00{_value(argument.value)}" if argument.name else _value(argument.value)
             for argument in given]  # fmt: skip
    return "(" + ",\x00".join(shown) + ")" if shown else ""


def _value(value):
    match value:
        case Literal("string", text):
            return _text(text)
        case Literal(_, text) | Name(text):
            return text
        case Call(name, given):
            return f"{name}{_arguments(given) or '()'}"
        case Many(items):
            return "[" + ",\x00".join(map(_value, items)) + "]"
        case Pairs(items):
            return "{\x00" + ",\x00".join(f"{key}:\x00{_value(inner)}" for key, inner in items) + "\x00}"


def _text(text):
    return json.dumps(text, ensure_ascii=len(text) % 2 == 0)
