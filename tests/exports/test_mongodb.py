"""Plans as mongosh scripts: what the server takes, the validators take; what a CHECK refuses, they refuse."""

import datetime as dt
import decimal
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports.documents import KEYWORDS, called, document, holding, is_valid, keywords, plain, rows_of
from exports.random_plans import drawn
from exports.strangers import stranger
from exports.test_prisma_random import plans
from node_tools import node
from sqlalchemy.dialects import postgresql as pg

from dbplan.domains import PLANS
from dbplan.exports import export
from dbplan.exports.mongodb import write
from dbplan.exports.mongodb.conditions import Field as Known
from dbplan.exports.mongodb.conditions import Untranslatable, passes
from dbplan.exports.mongodb.conditions import parsed as condition
from dbplan.exports.mongodb.page import new_page
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.sources import read

GOLDEN = Path(__file__).parents[1] / "golden" / "exports" / "credits.mongodb.js"
SCHEMAS = sorted((Path(__file__).parents[1] / "sources" / "prisma").glob("*/*.prisma"))
REFUSED = ("23514", "23502", "22001")
"""A CHECK, NOT NULL, the length of a type."""
VALUES = {
    str: ["", "x", "X y", "a" * 2500, "https://a.example/b", "sealed:x"],
    int: [0, -1, 1, 50, 10**6],
    bool: [True, False],
    decimal.Decimal: [decimal.Decimal(0), decimal.Decimal(-1), decimal.Decimal(10**6)],
}


def text(written):
    return next(iter(written.files.values()))


def validators(calls):
    return {call[1]: call[2]["validator"] for call in calls if call[0] == "createCollection"}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    written = {name: write(read(name), "mongodb") for name in PLANS}
    return written, called(tmp_path_factory.mktemp("calls"), {name: text(one) for name, one in written.items()})


def tried(name):
    """Return for a plan with rows: (collection, document, whether the server takes it, its words), and its filters."""
    found = read(name)
    page, made, filters = new_page(found), [], []
    with sandbox(found, "postgresql") as stage:
        assert seed(stage, rows=30).ok
        with stage.engine.connect() as connection:
            rows = rows_of(connection, found)
            for table in page.roots:
                named = page.collections[table.key]
                made += [(named, document(page, table, row, rows), True, "") for row in rows[table.key]]
            for table in found.tables:
                made += _changed(connection, page, table, rows)
            filters = [_filtered(connection, page, index) for table in page.roots for index in _partial(table)]
    return made, filters


def _partial(table):
    return [index for index in table.indexes if index.dialect_kwargs.get("postgresql_where") is not None]


def _filtered(connection, page, index):
    """Return an index with the documents of its table, and which of them the server has in it."""
    table = index.table
    where = str(index.dialect_kwargs["postgresql_where"])
    key = next(iter(table.primary_key.columns)).name
    taken = set(connection.execute(sa.text(f"SELECT {key} FROM {table.name} WHERE {where}")).scalars())
    rows = rows_of(connection, replace(page.plan, metadata=_alone(table), queries=(), rows={}, retention={}))
    found = [(document(page, table, row, {t.key: [] for t in page.plan.tables} | rows), row[key] in taken)
             for row in rows[table.key]]  # fmt: skip
    return page.collections[table.key], str(index.name), found


def _alone(table):
    metadata = sa.MetaData()
    sa.Table(table.name, metadata, *(sa.Column(c.name, c.type, primary_key=c.primary_key) for c in table.columns))
    return metadata


def _changed(connection, page, table, rows):
    """Yield documents with one value changed, and what the server says of the same change."""
    inner = page.shape.embedded.get(table.key)
    fixed = {c.name for c in table.primary_key.columns} | {
        n for k in table.foreign_key_constraints for n in k.column_keys
    }
    for row in rows[table.key][:1]:
        for column in (column for column in table.columns if column.name not in fixed):
            for value in _candidates(column, row[column.name]):
                if (said := _asked(connection, table, row, column.name, value)) is None:
                    continue
                changed = row | {column.name: value}
                others = rows | {table.key: [changed if one is row else one for one in rows[table.key]]}
                root, own = (table, changed) if inner is None else _parent(inner.relation, changed, rows)
                yield page.collections[root.key], document(page, root, own, others), not said, said


def _as_text(only):
    """Return a filter for an engine that has no binary values: to it a UUID is a text."""
    return json.loads(json.dumps(only).replace('"binData"', '"string"'))


def _parent(relation, row, rows):
    pairs = list(zip(relation.columns, relation.targets, strict=True))
    own = next(one for one in rows[relation.parent.key] if all(one[t.name] == row[c.name] for c, t in pairs))
    return relation.parent, own


def _candidates(column, value):
    labels = getattr(column.type, "enums", None) or []
    if isinstance(value, dt.datetime) or (value is None and "Time" in type(column.type).__name__):
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        return [None, now - dt.timedelta(days=20_000), now + dt.timedelta(days=9000)]
    kind = str if labels or (value is None and not isinstance(column.type, sa.Integer | sa.Boolean)) else type(value)
    return [None, *labels, *VALUES.get(int if isinstance(column.type, sa.Integer) else kind, [])]


def _asked(connection, table, row, name, value):
    """Return why the server refuses a change, "" where it takes it; None for what is no matter of one row."""
    key = " AND ".join(f'"{c.name}" = :k{n}' for n, c in enumerate(table.primary_key.columns))
    keys = {f"k{n}": row[c.name] for n, c in enumerate(table.primary_key.columns)}
    change = connection.begin_nested()
    try:
        connection.execute(sa.text(f'UPDATE {table.name} SET "{name}" = :value WHERE {key}'), {"value": value} | keys)
    except sa.exc.DBAPIError as error:
        state = error.orig.sqlstate
        return f"{state} {error.orig.diag.constraint_name}" if state in REFUSED else None
    finally:
        change.rollback()
    return ""


@pytest.mark.parametrize("name", PLANS)
def test_validators_and_the_server_agree_on_every_row(scripts, name, tmp_path):
    made, filters = tried(name)
    wanted = validators(scripts[1][name])
    asked = [
        {
            "expr": wanted[collection].get("$expr", True),
            "documents": [each for key, each, *_ in made if key == collection],
        }
        for collection in wanted
    ]
    only = {
        call[1:][2]["name"]: call[3].get("partialFilterExpression")
        for call in scripts[1][name]
        if call[0] == "createIndex"
    }
    asked += [{"filter": _as_text(only[index]), "documents": [one for one, _ in found]} for _, index, found in filters]
    answers = holding(tmp_path, asked)
    said = dict(zip(wanted, map(iter, answers), strict=False))
    wrong = [
        (collection, why, plain(each))
        for collection, each, taken, why in made
        if (next(said[collection]) and is_valid(wanted[collection]["$jsonSchema"], each)) != taken
    ]
    assert wrong == []
    assert sum(not taken for *_, taken, _ in made) > 20
    for (_, index, documents), found in zip(filters, answers[len(wanted) :], strict=True):
        assert found == [taken for _, taken in documents], index


@pytest.mark.parametrize("name", PLANS)
def test_no_check_of_the_bundled_plans_is_lost(scripts, name):
    assert [
        one.message for one in scripts[0][name].lost if "validator" in one.message or "left out" in one.message
    ] == []


def sane(calls):
    """Assert that a script asks nothing that a server would refuse for its form."""
    names = [call[1] for call in calls if call[0] == "createCollection"]
    assert len(set(names)) == len(names)
    for name, validator in validators(calls).items():
        assert name
        assert not set("$.") & set(name)
        assert set(keywords(validator["$jsonSchema"])) <= KEYWORDS
        is_valid(validator["$jsonSchema"], {})
    indexes = [call for call in calls if call[0] == "createIndex"]
    assert len({(call[1], call[3]["name"]) for call in indexes}) == len(indexes)
    assert {call[1] for call in indexes} <= set(names)
    for _, _, keys, options in indexes:
        assert set(map(str, keys.values())) <= {"1", "-1", "text", "hashed", "2dsphere"}
        assert set(options) <= {"name", "unique", "partialFilterExpression", "collation", "expireAfterSeconds"}


def test_scripts_run_whatever_the_schema(scripts, tmp_path):
    examples = {str(number): plan for number, plan in enumerate(drawn(plans(), 25))} | {"stranger": stranger()}
    examples |= {str(path): read(str(path)) for path in SCHEMAS}
    for calls in (
        *scripts[1].values(),
        *called(tmp_path, {n: text(write(p, "mongodb")) for n, p in examples.items()}).values(),
    ):
        sane(calls)


def test_prettier_leaves_the_scripts_as_they_are(scripts, tmp_path):
    paths = []
    for name, one in (*scripts[0].items(), ("stranger", write(stranger(), "mongodb"))):
        paths.append(tmp_path / f"{name}.js")
        paths[-1].write_text(text(one), "utf-8")
    assert "All matched files" in node("node_modules/prettier/bin/prettier.cjs", "--check", *paths)


def shop(rows, **told):
    """Return a shop whose tables are made for each decision."""
    m = sa.MetaData()
    key = {"primary_key": True}
    sa.Table("customers", m, sa.Column("id", sa.Uuid, **key), sa.Column("name", sa.Text))
    sa.Table(
        "addresses", m,
        sa.Column("customer_id", sa.ForeignKey("customers.id", ondelete="CASCADE"), **key),
        sa.Column("kind", sa.String(10), sa.CheckConstraint("kind IN ('home', 'work')"), **key),
        sa.Column("street", sa.Text, sa.CheckConstraint("length(street) <= 100"), nullable=False),
        sa.Column("since", sa.Date), sa.Column("until", sa.Date), sa.CheckConstraint("until > since"),
        sa.Index("ix_street", "street"),
    )  # fmt: skip
    sa.Table(
        "profiles", m,
        sa.Column("customer_id", sa.ForeignKey("customers.id", ondelete="CASCADE"), **key),
        sa.Column("nick", sa.Text, unique=True),
    )  # fmt: skip
    sa.Table("orders", m, sa.Column("id", sa.Uuid, **key), sa.Column("no", sa.Integer, sa.Identity()),
             sa.Column("customer_id", sa.ForeignKey("customers.id", ondelete="CASCADE"), nullable=False))  # fmt: skip
    sa.Table("tags", m, sa.Column("id", sa.Integer, **key), sa.Column("word", sa.Text))
    sa.Table("order_tags", m, sa.Column("order_id", sa.ForeignKey("orders.id"), **key),
             sa.Column("tag_id", sa.ForeignKey("tags.id"), **key))  # fmt: skip
    return Plan("shop", m, rows=rows, **told)


FEW = {"customers": 100, "addresses": 250, "orders": 300, "order_tags": 600, "tags": 10}


def test_what_is_embedded_and_why(tmp_path):
    written = write(shop(FEW), "mongodb")
    calls = called(tmp_path, {"shop": text(written)})["shop"]
    made = validators(calls)
    assert set(made) == {"customers", "orders", "tags"}
    fields = made["customers"]["$jsonSchema"]["properties"]
    assert fields["addresses"]["items"]["properties"].keys() == {"kind", "street", "since", "until"}
    assert fields["profile"]["bsonType"] == ["object", "null"]
    assert made["orders"]["$jsonSchema"]["properties"]["tag_ids"]["items"] == {"bsonType": "int"}
    assert ["createIndex", "customers", {"addresses.street": 1}, {"name": "ix_street"}] in calls
    assert ["createIndex", "orders", {"tag_ids": 1}, {"name": "ix_orders_tag_ids"}] in calls
    said = {finding.place.table: finding.message for finding in written.lost if not finding.place.column}
    assert (
        said["addresses"] == "embedded in customers.addresses: 2.5 rows a parent, deleted with it, no query is planned"
    )
    assert said["order_tags"].startswith("an array of references, orders.tag_ids: 2 a document")


@pytest.mark.parametrize(
    ("rows", "why"),
    [({}, "no planned rows tell how many"), (FEW | {"addresses": 10_000}, "100 rows a parent on average")],
)
def test_what_is_not_embedded_and_why(rows, why):
    said = {finding.place.table: finding.message for finding in write(shop(rows), "mongodb").lost}
    page = new_page(shop(rows))
    assert "addresses" not in page.shape.embedded
    assert why in page.shape.reasons["addresses"]
    assert "profiles" in page.shape.embedded
    assert said


def test_a_query_that_reaches_the_child_alone_keeps_it_apart():
    plan = shop(FEW)
    addresses = plan.table("addresses")
    by_parent = sa.select(addresses).where(addresses.c.customer_id == sa.bindparam("id"))
    by_street = sa.select(addresses).where(addresses.c.street == sa.bindparam("street"))
    assert "addresses" in new_page(plan.ask("addresses of one", by_parent)).shape.embedded
    reasons = new_page(plan.ask("who lives there", by_street)).shape.reasons
    assert reasons["addresses"] == "queries reach it without customers: who lives there"


def test_entries_of_an_array_are_checked_each_and_kept_apart(tmp_path):
    calls = called(tmp_path, {"shop": text(write(shop(FEW), "mongodb"))})["shop"]
    day = dt.date(2026, 1, 1)
    home, work = {"kind": "home", "street": "a"}, {"kind": "work", "street": "b", "since": day, "until": day}
    documents = [{}, {"addresses": [home]}, {"addresses": [home, home]}, {"addresses": [home, work]}]
    asked = [{"expr": validators(calls)["customers"]["$expr"], "documents": documents}]
    assert holding(tmp_path, asked) == [[True, True, False, False]]


CONDITIONS = [
    "a > b", "a IS NULL OR b IS NOT NULL", "NOT (a > 1 AND b > 1)", "(a IS NULL) = (b IS NULL)", "a + b * 2 <> 3",
    "a NOT IN (1, 2)", "a BETWEEN b AND 3", "NOT a BETWEEN 0 AND 1", "coalesce(a, 0) > 0", "t LIKE 'a%'",
    "t = upper(t)", "t NOT LIKE '_b%'", "length(t) > 1 OR f", "NOT f OR a > 0",
    "t IN ('a', 'ab') AND a <> 1", "t <> ALL (ARRAY['a'::text]) OR a = ANY (ARRAY[1, 2])", "a > '-1'::bigint",
    "-a < b", "abs(a) = 1",
]  # fmt: skip


def test_conditions_are_true_where_postgresql_says_so(tmp_path):
    scope = {
        name: Known(f"${name}", (kind,), True)
        for name, kind in zip("abtf", ("int", "int", "string", "bool"), strict=True)
    }
    rows = [
        (a, b, t, f)
        for a in (None, -1, 1, 2)
        for b in (None, 0, 3)
        for t in (None, "a", "AB", "ab")
        for f in (None, True, False)
    ]
    documents = [{k: v for k, v in zip("abtf", row, strict=True) if v is not None} for row in rows]
    with sandbox(Plan("empty", sa.MetaData()), "postgresql", create=False) as stage, stage.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE r (n serial, a int, b int, t text, f boolean)"))
        connection.execute(sa.text("INSERT INTO r (a, b, t, f) VALUES (:a, :b, :t, :f)"),
                           [dict(zip("abtf", row, strict=True)) for row in rows])  # fmt: skip
        asked = [{"expr": passes(condition(said, "postgresql"), scope), "documents": documents} for said in CONDITIONS]
        for said, found in zip(CONDITIONS, holding(tmp_path, asked), strict=True):
            wanted = list(connection.execute(sa.text(f"SELECT ({said}) IS NOT FALSE FROM r ORDER BY n")).scalars())
            assert found == wanted, said


@pytest.mark.parametrize(
    "said", ["a > now()", "t ~* 'x'", "t > 'a' || 'b'", "a / 2 = 1", "d > '2020-01-01'", "t LIKE 'a\\%'"]
)
def test_what_cannot_be_said_is_no_guess(said):
    scope = {"a": Known("$a", ("int",)), "t": Known("$t", ("string",)), "d": Known("$d", ("date",))}
    with pytest.raises(Untranslatable):
        passes(condition(said, "postgresql"), scope)


PRISMA = """
datasource db {
  provider = "mongodb"
}
type Town {
  name String
  at   Float[]
}
model User {
  id    String   @id @default(auto()) @map("_id") @db.ObjectId
  email String   @unique
  age   Int?
  seen  BigInt
  town  Town?
  posts Post[]
}
model Post {
  id       String   @id @default(auto()) @map("_id") @db.ObjectId
  words    String[]
  at       DateTime @default(now())
  author   User     @relation(fields: [authorId], references: [id])
  authorId String   @map("author_id") @db.ObjectId
  @@index([authorId, at(sort: Desc)])
  @@fulltext([words])
}
"""


def test_a_prisma_schema_of_mongodbs(tmp_path):
    path = tmp_path / "schema.prisma"
    path.write_text(PRISMA, "utf-8")
    calls = called(tmp_path, {"prisma": text(write(read(str(path)), "mongodb"))})["prisma"]
    sane(calls)
    made = validators(calls)
    user, post = (made[name]["$jsonSchema"]["properties"] for name in ("User", "Post"))
    assert user["_id"] == {"bsonType": "objectId"}
    assert user["town"]["properties"]["at"] == {"bsonType": "array", "items": {"bsonType": "number"}}
    assert user["age"] == {"bsonType": ["int", "null"]}
    assert post["words"]["items"] == {"bsonType": "string"}
    assert post["author_id"] == {"bsonType": "objectId"}
    keys = {str(call[2]) for call in calls if call[0] == "createIndex"}
    assert keys == {"{'email': 1}", "{'author_id': 1, 'at': -1}", "{'words': 'text'}"}


def test_indexes_of_other_kinds():
    m = sa.MetaData()
    t = sa.Table("t", m, sa.Column("id", sa.Integer, sa.Identity(), primary_key=True), sa.Column("mail", sa.Text),
                 sa.Column("doc", pg.JSONB), sa.Column("found", pg.TSVECTOR), sa.Column("tags", pg.ARRAY(sa.Text)),
                 )  # fmt: skip
    sa.Index("a_lower", sa.func.lower(t.c.mail), unique=True)
    sa.Index("b_doc", t.c.doc, postgresql_using="gin")
    sa.Index("c_tags", t.c.tags, postgresql_using="gin")
    sa.Index("d_text", t.c.found, postgresql_using="gin")
    sa.Index("e_hash", t.c.mail, postgresql_using="hash")
    sa.Index("f_sum", t.c.id + 1)
    written = write(Plan("kinds", m), "mongodb")
    said = re.sub(r"\s+", " ", text(written))
    assert 'partialFilterExpression: { mail: { $type: "string" } }, collation: { locale: "en", strength: 2 }, }' in said
    assert 'db.t.createIndex({ "doc.$**": 1 }, { name: "b_doc" });' in said
    assert 'db.t.createIndex({ tags: 1 }, { name: "c_tags" });' in said
    assert 'db.t.createIndex({ found: "text" }, { name: "d_text" });' in said
    assert 'db.t.createIndex({ mail: "hashed" }, { name: "e_hash" });' in said
    lost = {finding.place.index: finding.message for finding in written.lost if finding.place.index}
    assert lost["f_sum"] == "it is left out: MongoDB indexes fields, no expression: (id + 1)"


def test_export_says_so():
    report = export(read("credits"), "mongodb")
    assert "4 tables for mongodb; " in report.verdict


def test_the_script_is_as_it_was_agreed(scripts):
    written = text(scripts[0]["credits"])
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        GOLDEN.write_text(written, "utf-8")
    assert written == GOLDEN.read_text("utf-8")
