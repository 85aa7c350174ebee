"""Prisma schemas beyond syntax: what Prisma's engine refuses is refused at the same line, in words that mend it."""

import re

import pytest
from prisma_schemas import faults

from dbplan.errors import SourceError
from dbplan.sources.prisma.check import check
from dbplan.sources.prisma.parse import parse


def source(provider="postgresql", *entries):
    lines = [f'provider = "{provider}"', *entries]
    features = 'generator g {\n  provider = "x"\n  previewFeatures = ["partialIndexes", "views"]\n}\n'
    return "datasource db {\n" + "".join(f"  {line}\n" for line in lines) + "}\n" + features


def block(head, *lines):
    return head + " {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def model(*lines, on="postgresql", behind=""):
    return source(on) + block("model A", "id Int @id", *lines) + behind


def related(*lines, back="bs B[]", on="postgresql", more=()):
    """Return two models: what A says, and what B holds of it."""
    b = block("model B", "id Int @id", "x Int @unique", *lines)
    return source(on, *more) + block("model A", "id Int @id", "x Int @unique", "plain Int", *back.split("; ")) + b


E = block("enum E", "X", "Y")
BY_X = '@relation(fields: [x], references: [x], name: "n")'
STILL = "onDelete: NoAction, onUpdate: NoAction"
SELF = 'A? @relation("t", fields: [p], references: [id]'
ROUND = 'bs B[]; bId Int; b B @relation("z", fields: [bId], references: [id])'
HELD = "a A @relation(fields: [aId], references: [id]"
TWICE = related(
    "aId Int", f'{HELD}, map: "k")', f'b{HELD[1:]}, map: "k", name: "n")', back='bs B[]; cs B[] @relation("n")'
)

REFUSED = [
    # the datasource
    (source("postgresq"), 'no provider "postgresq"; did you mean "postgresql"?'),
    (source() + 'datasource e {\n  provider = "mysql"\n}\n', "a schema has one datasource"),
    ("datasource db {\n}\n", 'the datasource "db" has no provider'),
    (source("postgresql", 'relationmode = "prisma"'), 'no setting "relationmode" of a datasource; did you mean'),
    (source("sqlite", 'schemas = ["a"]'), "sqlite has no schemas"),
    (source("postgresql", "schemas = []"), "at least one"),
    (source("postgresql", 'schemas = ["a", "a"]'), "a schema is listed twice"),
    (source() + 'generator g {\n  provider = "y"\n}\n', 'generator "g" is there already'),
    (source() + "generator h {\n}\n", 'the generator "h" has no provider'),
    (source("postgresql", 'schemas = ["a"]') + block("model A", "id Int @id"), "has no @@schema"),
    (source("postgresql", 'schemas = ["a"]') + block("enum E", "X"), "has no @@schema"),
    (model('@@schema("b")'), 'no schema "b" in the datasource\'s list'),
    # names
    (model(behind=block("model A", "id Int @id")), 'block "A" is there already, in a.prisma:'),
    (model(behind=block("enum A", "X")), 'block "A" is there already'),
    (model("n Int", "n Int"), 'in model "A", field "n" is there already'),
    (model(behind=block("enum F", "X", "X")), 'in enum "F", value "X" is there already'),
    (model(behind=block("enum F")), 'enum "F" has no values'),
    (model(behind=block("enum F", "X"), on="sqlserver"), "SQL Server has no enums"),
    (model(behind=block("model Int", "id Int @id")), '"Int" is a scalar type'),
    (model(behind=block("model B", "id Int @id", '@@map("A")')), 'table or view "A" is there twice, for "A" and "B"'),
    (model(behind=E + block("enum F", "X", '@@map("E")')), 'type "E" is there twice'),
    (model("n Int", 'm Int @map("n")'), 'in model "A", column "n" is there twice, for "n" and "m"'),
    # types
    (model("n string"), 'no type "string"; did you mean "String"?'),
    (model("n Foo"), 'no type "Foo"'),
    (model("n Unsupported"), "is of no type"),
    (model("n Int[]", on="mysql"), "mysql has no lists of values"),
    (model("n Int[]", on="sqlite"), "sqlite has no lists of values"),
    (model("n Json", on="sqlserver"), "SQL Server has no Json fields"),
    (source() + block("type T", "a Int"), "composite types are MongoDB's"),
    (source("mongodb") + block("type T"), 'type "T" has no fields'),
    (source("mongodb") + block("type T", "t T"), "holds its own type without end"),
    (source("mongodb") + block("type T", "a Int @unique"), 'no attribute "@unique"'),
    # attributes
    (model("n Int @uniqe"), 'no attribute "@uniqe"; did you mean "@unique"?'),
    (model("@@idx([id])"), 'no attribute "@@idx"'),
    (model(behind=block("enum F", "X", "@@index([X])")), 'no attribute "@@index"'),
    (model(behind=block("enum F", "X @id")), 'no attribute "@id"'),
    (model("n Int @unique @unique"), '"@unique" is there twice'),
    (model('@@map("a")', '@@map("b")'), '"@@map" is there twice'),
    (model("n Int @map"), '"@map" lacks its argument "name"'),
    (model("n Int @map(1)"), 'expected a text as "name" of "@map", found 1'),
    (model('n Int @map(env("X"))'), "found env()"),
    (model("n Int @unique(foo: 1)"), 'no argument "foo" of "@unique"'),
    (model('n Int @unique("x")'), '"@unique" takes no argument without a name, found "x"'),
    (model('@@index([id], map: "x", map: "y")'), 'has the argument "map" twice'),
    (model('@@index([id], "x")'), 'has the argument "fields" twice; a list stands in brackets'),
    (model('@@index([id], name: "x", map: "y")'), '"name" and "map" of "@@index" are the same'),
    (model('@@index(["id"])'), 'expected the name of a field as "fields" of "@@index", found "id"'),
    (model("n Int", "@@index([n(sort: Up)])"), 'expected a sort order as "sort" of "n", found Up'),
    (model("n Json", "@@index([n(ops: JsonbPathOp)], type: Gin)"), 'did you mean "JsonbPathOps"?'),
    (model("n Int @updatedAt"), '"@updatedAt" is for a DateTime'),
    (model('n Int @relation("x")'), '"@relation" is for fields of a model'),
    # native types
    (model("n String @db.Foo"), 'no native type "Foo" on postgresql'),
    (model("n String @db.varchar(1)"), 'did you mean "VarChar"?'),
    (model("n String @db.LongText"), 'no native type "LongText"'),
    (model("n Int @db.Text"), '"@db.Text" is for String fields; "n" is of type Int'),
    (model("n String @db.Text", on="sqlite"), "SQLite has no native types"),
    (model("n String @pg.Text"), 'no datasource "pg"; there are: db'),
    (model("n String @db.VarChar(1, 2)"), '"@db.VarChar" takes 0 or 1 arguments, found 2'),
    (model("n String @db.VarChar(-1)"), "takes whole numbers, found -1"),
    (model("n String @db.VarChar", on="mysql"), '"@db.VarChar" takes 1 argument, found 0'),
    (model("n Decimal @db.Decimal(5, 10)"), "is larger than its precision"),
    (model("n DateTime @db.Timestamp(9)"), "is from 0 to 6, found 9"),
    (model("n String @db.Text @db.VarChar(1)"), "has two native types"),
    (model("n E @db.Text", behind=E), "is for scalar fields"),
    # defaults
    (model('n Int @default("x")'), 'expected an Int as default of "n", found "x"'),
    (model("n Int @default(1.5)"), "found 1.5"),
    (model("n BigInt @default(9223372036854775808)"), "expected a BigInt"),
    (model("n Boolean @default(1)"), "expected a Boolean"),
    (model("n String @default(x)"), "expected a String"),
    (model('n DateTime @default("2024-02-30T00:00:00Z")'), "expected a DateTime"),
    (model('n Json @default("{")'), "expected a Json"),
    (model('n Bytes @default("%%")'), "expected a Bytes"),
    (model('n Decimal @default("x")'), "expected a Decimal"),
    (model("n E @default(Z)", behind=E), 'no value "Z" in enum "E"'),
    (model('n E @default("X")', behind=E), 'expected a value of enum "E"'),
    (model("n Int[] @default(1)"), "the default of a list is a list"),
    (model("n Int @default([1])"), "found a list"),
    (model("n E[] @default([Z])", behind=E), 'no value "Z"'),
    (model("n Int @default(nwo())"), 'no function "nwo()"; did you mean "now()"?'),
    (model("n Int @default(now())"), "now() is for DateTime fields"),
    (model("n String @default(cuid(3))"), "cuid() takes nothing or 1 or 2, found 3"),
    (model("n String @default(nanoid(1))"), "a number from 2 to 255"),
    (model('n Int @default(dbgenerated(""))'), "dbgenerated() takes nothing or one text"),
    (model("n Int @default(autoincrement(1))"), "takes no argument"),
    (model("n Int @default(sequence())"), "sequence() is cockroachdb's"),
    (model("n Int @default(sequence(startt: 1))", on="cockroachdb"), 'did you mean "start"?'),
    (model("n Int @default(autoincrement())", on="cockroachdb"), "autoincrement() is for BigInt on CockroachDB"),
    (model("n Int @default(autoincrement())", on="sqlite"), "autoincrement() is for the @id on SQLite"),
    (model("n Int @default(autoincrement())", on="mysql"), "autoincrement() is for a key or an index on MySQL"),
    (model('n Int @default(1, map: "x")'), "postgresql has no names for defaults"),
    (model('n Unsupported("x") @default(1)'), "a default of an Unsupported field is dbgenerated"),
    (model("n Int @default()"), '"@default" lacks its argument "value"'),
    # keys and indexes
    (source() + block("model A", "n Int"), 'nothing tells the rows of model "A" apart'),
    (source() + block("model A", "n Int? @unique"), "nothing tells the rows"),
    (model("n Int @id"), "has several @id: id, n; write @@id([id, n])"),
    (model("n Int", "@@id([n])"), "has both @id and @@id"),
    (source() + block("model A", "n Int? @id"), "an id is required"),
    (source() + block("model A", "n Int?", "@@id([n])"), "an id is of required fields"),
    (model("name String", "@@index([nam])"), 'no field "nam" in model "A"; did you mean "name"?'),
    (model("@@unique([])"), "has no fields"),
    (model("@@unique([id, id])"), 'names "id" twice'),
    (model("@@index([id], type: Gni)"), 'no type of index "Gni" on postgresql; did you mean "Gin"?'),
    (model("@@index([id], type: Gin)", on="mysql"), 'no type of index "Gin"'),
    (model("@@index([id], type: Gin)"), 'a Gin index does not take "id", of type Int'),
    (model("n String", "@@index([n(length: 3)])"), 'postgresql has no "length"'),
    (model("n String", "@@fulltext([n])"), "postgresql has no fulltext indexes"),
    (model("@@index([id], clustered: true)"), 'postgresql has no "clustered"'),
    (model('@@index([id], where: raw("x"))', on="mysql"), 'mysql has no "where"'),
    (model("@@index([id], where: { zz: 1 })"), 'no field "zz"'),
    (model('@@index([id], where: { id: "x" })'), '"id", of type Int, is not compared with "x"'),
    (model("n String @db.Text", "@@index([n])", on="mysql"), 'no key on the whole of "n", a Text'),
    (model("@@index([id])", "@@index([id])"), 'the name "A_id_idx" of a key or index is there already'),
    (model("n Int @unique", "@@unique([n])"), 'the name "A_n_key"'),
    (model(f'@@index([id], map: "{"x" * 64}")'), "a name has at most 63 bytes on postgresql"),
    (source() + block("view V", "n Int @unique", "@@index([n])"), 'a view has no "index"'),
    # relations
    (related("aId Int", f"{HELD})", back="p Int"), "nothing leads back; add a field of type B to"),
    (related("p Int"), "nothing leads back; add a field of type A to"),
    (related("a A"), "says not what holds it; write @relation(fields: [aId], references: [id])"),
    (related("as A[]", back='bs B[] @relation("x")'), '"A.bs" has @relation("x"), "B.as" has no name; give both'),
    (related("aId Int", f"{HELD})", back="b B?"), '"a" is one to one, but aId may repeat; mark it @unique'),
    (related("a A?", back="b B?"), "neither side says what holds the relation"),
    (related("aId Int @unique", f"{HELD})", back="b B"), '"A.b" has no column and cannot be required; write B?'),
    (related("aId Int", "a A @relation(fields: [aId, x], references: [id])"), "has 2 fields and 1 references"),
    (related("aId Int", "a A @relation(fields: [aid], references: [id])"), 'for "fields"; did you mean "aId"?'),
    (related("aId Int", "a A @relation(fields: [aId], references: [di])"), 'no field "di" in "A" for "references"'),
    (related("aId Int", "a A @relation(fields: [a], references: [id])"), '"a" of "B" is a relation'),
    (related("aId Int", "a A @relation(fields: [aId], references: [plain])"), 'refers to plain of "A", which is no'),
    (related("aId Int", "a A @relation(fields: [aId])"), 'lacks "references"'),
    (related("aId String", f"{HELD})"), 'joins two types: "aId" is of type String'),
    (related("aId Int?", f"{HELD})"), '"aId" is optional, so "a" must be too: A?'),
    (related("aId Int", f"{HELD})", "bId Int", "b A @relation(fields: [bId], references: [id])"), "ambiguous"),
    (related("y Int", back="p A?; c A[]"), "ambiguous"),
    (related("p B[]"), "nothing leads back"),
    (related("aId Int", f'{HELD}, name: "")', back='bs B[] @relation("")'), "has an empty name"),
    (related("aId Int", f"{HELD}, onDelete: Cascad)"), 'no referential action "Cascad"; did you mean "Cascade"?'),
    (related("aId Int", f"{HELD}, onDelete: SetNull)", on="mysql"), '"onDelete: SetNull" needs optional fields'),
    (related("aId Int", f"{HELD}, onDelete: Restrict)", on="sqlserver"), "sqlserver has no Restrict"),
    (related("aId Int", f"{HELD}, onDelete: NoAction)", more=['relationMode = "prisma"']), "has no NoAction"),
    (related("aId Int", f'{HELD}, map: "x")', on="sqlite"), "SQLite has no names for foreign keys"),
    (related("aId Int", f"{HELD})", back="bs B[] @relation(onDelete: Cascade)"), 'takes no "onDelete"; "a" holds it'),
    (related("as A[]", back="bs B[] @relation(references: [id])"), "many to many has a table of its own"),
    (source() + block("model A", "n Int @unique", "bs B[]") + block("model B", "id Int @id", "as A[]"), "needs an @id"),
    (TWICE, 'the foreign key "k" is there already'),
    (related("aId Int", f"{HELD})", back="bs B[] @unique"), '"@unique" is for fields with a column'),
    (related("aId Int", f"{HELD}) @default(1)"), '"@default" is for fields with a column'),
    (related("aId Int", f"{HELD})", "as A[] @relation(\"z\")", on="sqlserver", back=ROUND), 'come back to "A"'),
    (related("y Int", on="sqlserver", back=f"p Int?; up {SELF}); down A[] @relation(\"t\")"), 'come back to "A"'),
    (related("aId Int", f"{HELD})", f"b A {BY_X}", on="sqlserver", back='bs B[]; c B? @relation("n")'),
     'what changes in "A" reaches "B" by "a" and by "b"'),
    # MongoDB
    (source("mongodb") + block("model A", "id String @id"), 'add @map("_id")'),
    (source("mongodb") + block("model A", "a Int", "b Int", "@@id([a, b])"), "ids of one field alone"),
]  # fmt: skip

TAKEN = [
    model("n Int[] @default(autoincrement())", "m Int @default(99999999999)"),
    model("b E @default(X)", behind=E, on="sqlite"),
    model(behind=block("enum F", 'X @map("Y")', "Y")),
    model(behind=block("enum F", "X", '@@map("A")')),
    related("aId Int?", "a A? @relation(fields: [aId], references: [id], onDelete: SetNull)"),
    related("aId Int", f"{HELD}, onDelete: SetNull)"),
    related("aId Int", "a A? @relation(fields: [aId], references: [id])"),
    related("aId Int", f"{HELD})", f"b A {BY_X}", back='bs B[]; c B? @relation("n")'),
    related("y Int", on="sqlserver", back=f'p Int?; up {SELF}, {STILL}); d A[] @relation("t")'),
    related("as A[]"),
    related('p B[] @relation("t")', 'c B[] @relation("t")', "as A[]"),
    source() + block("model A", "n Int", "@@ignore"),
    source() + block("view V", "n Int"),
]  # fmt: skip


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    texts = [*(text for text, _ in REFUSED), *TAKEN]
    return dict(zip(texts, faults(texts, tmp_path_factory.mktemp("texts")), strict=True))


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_prisma_refuses_is_refused_at_its_line(text, words, verdicts):
    with pytest.raises(SourceError) as caught:
        check(parse({"a.prisma": text}))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    line = int(re.match(r"a\.prisma:(\d+):\d+: ", str(caught.value))[1])
    assert line in {found for found, _ in verdicts[text]}


@pytest.mark.parametrize("text", TAKEN)
def test_what_prisma_takes_is_taken(text, verdicts):
    assert verdicts[text] == []
    check(parse({"a.prisma": text}))


def test_schemas_written_for_prisma_before_version_7_are_taken():
    entries = ['url = env("X")', 'directUrl = env("Y")', 'shadowDatabaseUrl = "z"', 'extensions = [citext(map: "c")]']
    check(parse({"a.prisma": source("postgresql", *entries) + block("model A", "id Int @id")}))


def test_a_schema_without_a_datasource_has_no_server():
    with pytest.raises(SourceError, match=r"^a\.prisma: the schema has no datasource; add: "):
        check(parse({"a.prisma": block("model A", "id Int @id")}))
    with pytest.raises(SourceError, match="^the schema has no datasource"):
        check(parse({}))


def test_names_are_there_once_over_all_files():
    files = {"a.prisma": model(), "b.prisma": "\n" + block("model A", "id Int @id")}
    with pytest.raises(SourceError, match=r'^b\.prisma:2:7: block "A" is there already, in a\.prisma:8:7'):
        check(parse(files))


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("title   Strng", 11, 'no type "Strng"; did you mean "String"?'),
        ("@@index([id, nme])", 16, 'no field "nme" in model "A"'),
        ("n Int @unique @default(autoinc())", 26, 'no function "autoinc()"; did you mean "autoincrement()"?'),
    ],
)
def test_the_place_is_that_of_the_word(line, column, words):
    with pytest.raises(SourceError) as caught:
        check(parse({"a.prisma": model(line)}))
    assert str(caught.value).startswith(f"a.prisma:10:{column}: {words}")


def test_a_file_without_a_block_is_named():
    with pytest.raises(SourceError, match=r"^a\.prisma: the schema has no datasource"):
        check(parse({"a.prisma": "// nothing\n"}))
