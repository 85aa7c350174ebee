"""The Prisma parser: what it reads, what it refuses in which words, and that Prisma's own parser says the same."""

import os
import re
import subprocess
import sys
import time

import pytest
from prisma_schemas import HARD, faults

from dbplan.errors import SourceError
from dbplan.sources.prisma.check import check
from dbplan.sources.prisma.parse import load, parse
from dbplan.sources.prisma.syntax import Argument, Call, Literal, Many, Name, Pairs, Spot

HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'


def model(*lines, behind="\n"):
    return HEAD + "model A {\n  id Int @id\n" + "".join(f"  {line}\n" for line in lines) + "}" + behind


def field(line):
    return parse({"": f"model A {{\n{line}\n}}\n"}).models[0].fields[0]


# What Prisma takes, however odd it looks.
TAKEN = {
    "no line at the end": model(behind=""),
    "a block behind a block": model(behind=" model B {\n  id Int @id\n}"),
    "keyword and name glued": HEAD + "modelA{\n  id Int @id\n}\nenumE {\n  X\n}\n",
    "words behind the brace": HEAD + "model A { whatever\n  id Int @id\n}\n",
    "no space between attributes": model("n Int@unique@default(1)"),
    "space after the sign": model("n Int @ unique", "@@ index ( [ n ] )"),
    "space before the list": model("n Int []", "m Int ?"),
    "carriage returns": model("n Int").replace("\n", "\r"),
    "carriage returns and newlines": model("n Int").replace("\n", "\r\n"),
    "odd spaces": model("n\u3000Int\xa0@unique\u2003@default(1)"),
    "letters": model("straße Int", "名前 String", "éÉ_1 Int"),
    "keywords as names": model("model Int", "type Int", "enum Int", "view Int", "datasource Int", "map Int"),
    "a model called model": HEAD + "model model {\n  id Int @id\n}\n",
    "block comments": "/* a\nb */" + model("/* c */ n Int /* d\ne */", "@@index([n]) /* f */", behind="/**/\n"),
    "braces in comments": model("// }", "n Int // {", behind=" // }\n"),
    "four slashes": model("//// n", "n Int"),
    "strings": model(r'n String @default("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 é 😀")'),
    "characters beyond control": model('n String @default("\x7f\u0085\u2028")'),
    "numbers": model("n Int @default(-007)", "f Float @default(-1.50)"),
    "nested calls": model("n String", '@@index([n(ops: raw("gin_trgm_ops"), sort: Desc)], type: Gin)'),
    "one field without brackets": model("n Int", "@@index(n)"),
    "unsupported": model('n Unsupported("a\\"b")?', 'm Unsupported( "x" )[]', "Unsupported Int"),
    "the settings' values": HEAD
    + 'generator 1-x {\n  provider="x"\n  a = [b.c, 1, true, f(g: [])]\n  c = { d: { e: 1 } }\n}\n',
}
# What Prisma refuses, and what is said of it here.
REFUSED = {
    "a field's type": (model("email }"), '6:9: expected a field type after "email", found "}"'),
    "no type": (model("n"), '6:4: expected a field type after "n", found the end of the line'),
    "two on a line": (model("n Int m Int"), '6:9: expected "?" or "[]", an attribute'),
    "arguments over lines": (model("n Int", "@@index(", "  [n])"), "7:11: expected a value"),
    "a list over lines": (model("n Int[] @default([", "1])"), "Prisma wants all arguments on one line"),
    "an attribute on the next line": (model("n Int", "@unique"), "7:3: expected a field, an attribute of the block"),
    "a comma at the end": (model("@@index([id],)"), '6:16: expected a value after ",", found ")"; remove the comma'),
    "a comma in a list": (model("@@index([id,])"), "remove the comma"),
    "a comma in an object": (model("@@index([id], where: { id: 1, })"), "remove the comma"),
    "a comment in arguments": (model("@@index([id], // x", 'map: "y")'), "a comment stands before a line's words"),
    "a comment between words": (model("n /* x */ Int"), "a comment stands before a line's words"),
    "two comments behind": (model("n Int /* x */ // y"), "a comment stands before"),
    "an open comment": (model("n Int /* x"), "the comment is never closed"),
    "a block on one line": (HEAD + "model A { id Int @id }\n", '4:9: expected the end of the line after "{"'),
    "an enum on one line": (HEAD + "enum E { A B }\nmodel A {\n  id Int @id\n}\n", '4:8: expected the end of'),
    "the brace behind a field": (HEAD + "model A {\n  id Int @id }\n", '5:14: expected an attribute ("@"), "(" or'),
    "the brace on the next line": (HEAD + "model A\n{\n  id Int @id\n}\n", '4:8: expected "{"'),
    "no end": (HEAD + "model A {\n  id Int @id\n", '4:9: expected "}" for the block that begins here'),
    "a block in a block": (model(behind="")[:-1] + "model B {\n}\n", "the block of line 4 is not closed"),
    "one brace more": (model(behind="}\n"), 'found "}"'),
    "no name": (HEAD + "model {\n  id Int @id\n}\n", "4:7: expected the block's name after \"model\", found \"{\""),
    "a capital keyword": (HEAD + "Model A {\n  id Int @id\n}\n", 'did you mean "model"?'),
    "stray words": (HEAD + "hello\n", "4:1: expected a block (datasource, enum, generator, model, type or view)"),
    "a type alias": (HEAD + "type X = String\n", '4:8: expected "{"'),
    "a colon": (model("n: Int"), "a field's type follows its name without a colon"),
    "a legacy list": (model("n [Int]"), 'write "Type[]" for a list'),
    "a legacy mark": (model("n Int!"), "a field is required unless"),
    "an optional list": (model("n Int[]?"), "a list cannot be optional"),
    "a space in the brackets": (model("n Int[ ]"), '6:8: expected "?" or "[]"'),
    "a semicolon": (model("n Int;"), "a line ends without a mark"),
    "an empty argument": (model("n Int @unique(map: )"), '6:22: expected a value after ":"'),
    "single quotes": (model("n String @default('x')"), "strings stand in double quotes"),
    "an open string": (model('n String @default("x)'), "the string has no closing quote on its line"),
    "a tab in a string": (model('n String @default("a\tb")'), "a tab in a string is written \\t"),
    "an unknown escape": (model('n String @default("C:\\dir")'), '6:24: expected \\" \\\\'),
    "half an escape": (model('n String @default("\\u12")'), "6:22: expected four hexadecimal digits"),
    "half a pair": (model('n String @default("\\ud83d")'), "6:21: half a surrogate pair"),
    "an exponent": (model("n Float @default(1e5)"), '6:21: expected "," or ")" after "1", found "e5"'),
    "a plus": (model("n Int @default(+1)"), 'found "+"'),
    "a name with a dash": (model("a-b Int"), '6:3: the name of a field cannot hold "-"'),
    "a name with a digit": (HEAD + "model 1A {\n  id Int @id\n}\n", "the name of a model cannot start with a digit"),
    "an attribute with a dash": (model("n Int @uni-que"), '6:10: the name of an attribute cannot hold "-"'),
    "a leading underscore": (HEAD + "model _A {\n  id Int @id\n}\n", 'found "_A"'),
    "a numeral for a letter": (model("n² Int"), '6:4: "²" is not allowed in a name'),
    "a comma in an enum": (HEAD + "enum E {\n  A,\n  B\n}\n", '5:4: expected an attribute ("@") or the end'),
    "a type in an enum": (HEAD + "enum E {\n  A Int\n}\n", 'found "Int"'),
    "a setting without a value": (HEAD + "generator g {\n  provider =\n}\n", '5:13: expected a value after "="'),
    "a setting without a sign": (HEAD + 'generator g {\n  provider "x"\n}\n', '5:12: expected "=" after "provider"'),
    "a byte order mark": ("\ufeff" + model(), "1:1: expected a block"),
    "an unknown space": (model("n\x0bInt"), '6:4: expected a field type after "n", found "\\x0b"'),
    "unsupported without words": (model("n Unsupported()"), '6:17: expected a string after "(", found ")"'),
}  # fmt: skip


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Return what Prisma's engine says of all the texts above, by name."""
    texts = {**TAKEN, **{name: text for name, (text, _) in REFUSED.items()}, **{p.stem: p.read_text() for p in HARD}}
    return dict(zip(texts, faults(texts.values(), tmp_path_factory.mktemp("texts")), strict=True))


@pytest.mark.parametrize("name", TAKEN)
def test_what_prisma_takes_is_taken(name, verdicts):
    assert verdicts[name] == []
    check(parse({"a.prisma": TAKEN[name]}))


@pytest.mark.parametrize("name", REFUSED)
def test_what_prisma_refuses_is_refused_in_words_at_its_place(name, verdicts):
    text, words = REFUSED[name]
    with pytest.raises(SourceError) as caught:
        parse({"schema.prisma": text})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    line = int(re.match(r"schema\.prisma:(\d+):\d+: ", str(caught.value))[1])
    # A setting without a value is no fault of syntax to the engine; it points at the block.
    assert line - (name == "a setting without a value") in {found for found, _ in verdicts[name]}


@pytest.mark.parametrize("path", HARD, ids=lambda path: path.stem)
def test_a_schema_with_everything_is_taken_by_both(path, verdicts):
    assert verdicts[path.stem] == []
    check(load(path))


def test_values():
    line = r'a Int @x("a\nb\u00e9\ud83d\ude00", n: -1.5, [true, b.c], f(g: h()), { k: { not: null } }) @db.Y(1)'
    x, y = field(line).attributes

    def at(words):
        return Spot("", 2, line.index(words) + 1)

    assert x.arguments == (
        Argument("", Literal("string", "a\nbé😀", at('"a')), at('"a')),
        Argument("n", Literal("number", "-1.5", at("-1.5")), at("n: -")),
        Argument("", Many((Literal("boolean", "true", at("true")), Name("b.c", at("b.c"))), at("[")), at("[")),
        Argument("", Call("f", (Argument("g", Call("h", (), at("h(")), at("g:")),), at("f(")), at("f(")),
        Argument("", Pairs((("k", Pairs((("not", Name("null", at("null"))),), at("{ not"))),), at("{ k")), at("{ k")),
    )
    assert (y.name, y.spot) == ("db.Y", at("@db"))


@pytest.mark.parametrize(
    ("line", "type", "arity", "unsupported"),
    [
        ("a Int", "Int", "", ""),
        ("a Int []", "Int", "[]", ""),
        ("a B?", "B", "?", ""),
        ('a Unsupported("x(\\"y\\")")[]', "Unsupported", "[]", 'x("y")'),
    ],
)
def test_types(line, type, arity, unsupported):
    found = field(line)
    assert (found.type, found.arity, found.unsupported) == (type, arity, unsupported)


COMMENTED = """\
/// of A
// of nobody
/// too
model A {
  /// of id
  id Int /// behind id
  /// far above b

  b Int
  /// lost

  // another group
  c Int
  /// above an attribute
  @@index([b])
  d Int /* behind d */
  e Int // nothing
  /* over
     lines */ f Int
  /// at the end
}
/// loose

/// of E
enum E {
  /// of X
  X /// behind X
  Y
} /// of B
model B {
}
"""


def test_comments_stand_with_what_prisma_takes_them_for():
    schema = parse({"": COMMENTED})
    one, other = schema.models
    assert (one.comment, other.comment, schema.enums[0].comment) == ("of A\ntoo", "of B", "of E")
    assert {item.name: item.comment for item in one.fields} == {
        "id": "of id\nbehind id",
        "b": "far above b",
        "c": "",
        "d": "above an attribute\nbehind d",
        "e": "",
        "f": "over\n     lines",
    }
    assert [value.comment for value in schema.enums[0].values] == ["of X\nbehind X", ""]


def test_no_password_is_shown():
    text = 'datasource db {\n  url = "postgresql://anna:a-password-of-many-letters-and-more@localhost/shop\n}\n'
    with pytest.raises(SourceError, match=r"^:2:9: expected a value .*anna:\*\*\*@") as caught:
        parse({"": text})
    assert "a-pass" not in str(caught.value)


def test_several_files_are_one_schema_in_their_order():
    schema = parse({"b.prisma": "model B {\n}\n", "a.prisma": "\nmodel A {\n}\nenum E {\n}\n"})
    assert [(each.name, str(each.spot)) for each in schema.models] == [("B", "b.prisma:1:7"), ("A", "a.prisma:2:7")]
    with pytest.raises(SourceError, match=r"c\.prisma:1:7: expected"):
        parse({"a.prisma": "", "c.prisma": "model {\n"})


def test_a_folder_is_read_with_all_below_it(tmp_path):
    for name in ("b.prisma", "models/a.prisma", "models/deep/c.prisma", "node_modules/x/d.prisma", "e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"model {(tmp_path / name).stem} {{\n}}\n")
    (tmp_path / "folder.prisma").mkdir()
    schema = load(tmp_path)
    assert [each.name for each in schema.models] == ["b", "a", "c"]
    assert schema.models[1].spot.file == str(tmp_path / "models" / "a.prisma")
    assert [each.name for each in load(str(tmp_path / "b.prisma")).models] == ["b"]


def refusal(path):
    with pytest.raises(SourceError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_read_is_said_in_one_line(tmp_path):
    assert (
        refusal(tmp_path / "no.prisma")
        == f'no Prisma schema at "{tmp_path}/no.prisma"; give a .prisma file or a folder of them'
    )
    assert "no .prisma file in the folder" in refusal(tmp_path)
    folder = tmp_path / "schema.prisma"
    folder.mkdir()
    assert "no .prisma file in the folder" in refusal(folder)
    broken = tmp_path / "broken.prisma"
    broken.write_bytes("model Ä {\n".encode() + b"  a\xff Int\n}\n")
    assert refusal(broken) == f"{broken}:2:4: byte 0xff is not UTF-8; save the file as UTF-8"
    (tmp_path / "loop.prisma").symlink_to(tmp_path / "loop.prisma")
    assert "loop.prisma" in refusal(tmp_path / "loop.prisma")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    closed = tmp_path / "closed.prisma"
    closed.write_text("")
    closed.chmod(0)
    assert refusal(closed) == f'cannot read "{closed}": Permission denied'


def test_five_thousand_lines_take_no_second():
    block = TAKEN["nested calls"][len(HEAD) :] + COMMENTED.replace("model A", "model Z")
    text = "".join(block.replace("A {", f"A{n} {{") for n in range(5000 // block.count("\n") + 1))
    assert text.count("\n") >= 5000
    parse({"": "model A {\n}\n"})
    start = time.process_time()
    parse({"": text})
    assert time.process_time() - start < 2


def test_the_parser_is_loaded_when_a_schema_is():
    program = "import sys, dbplan; import dbplan.sources.prisma.parse; assert 'lark' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
