"""Two chains of tables whose names and types are crooked, a few rows of each, and every scenario on them."""

import datetime as dt
from enum import Enum as PythonEnum

from sqlalchemy import (
    Column,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from dbplan.columns import Digest, Encrypted
from dbplan.orms.scenarios import Link, Scenario


class Mood(PythonEnum):
    """The database keeps the names, not the values."""

    GLAD = 1
    SO_SO = 2


METADATA = MetaData()
PARENTS = Table(
    "50% off", METADATA,
    Column("key:", String(20), primary_key=True), Column("n)", Integer, primary_key=True, autoincrement=False),
    Column('say "hi"', Text, nullable=False), Column("mood", Enum(Mood), nullable=False),
    Column("made at", DateTime(timezone=True), nullable=False), Column("doc", JSONB, nullable=False),
    Column("Weight", Numeric(8, 3)), Column("token", Digest), Column("secret", Encrypted("50% off.secret")),
    schema="Über Café",
)  # fmt: skip
CHILDREN = Table(
    "child's", METADATA, Column("id", Integer, primary_key=True, autoincrement=False),
    Column("of key", String(20)), Column("of n", Integer), Column("class", Text, nullable=False),
    ForeignKeyConstraint(["of key", "of n"], ["Über Café.50% off.key:", "Über Café.50% off.n)"]),
)  # fmt: skip
TWINS = Table(
    "twin", METADATA, Column("of", ForeignKey("child's.id"), primary_key=True, autoincrement=False),
    Column("metadata", Text, nullable=False), UniqueConstraint("metadata", name="one of each"),
)  # fmt: skip
TAGS = Table("tag", METADATA, Column("id", Integer, primary_key=True), Column("code", Text, unique=True))
TAGGED = Table(
    "tagged", METADATA, Column("id", Integer, primary_key=True), Column("tag", ForeignKey("tag.code")),
)  # fmt: skip
Table("no key", METADATA, Column("said", Text))

ROWS = {
    PARENTS: [
        {
            "key:": key, "n)": n, 'say "hi"': f"{key} %s {n}", "mood": mood,
            "made at": dt.datetime(2026, 1, 1 + n, 12, 0, 0, 1000 * n, dt.UTC), "doc": {"a": {"b": [n]}, "k": key},
            "Weight": n / 8 or None, "token": f"t{n}", "secret": f"between {key} and me",
        }
        for key, n, mood in [("a:", 1, Mood.GLAD), ("a:", 2, Mood.SO_SO), ("ß%", 1, Mood.GLAD), ("Z", 3, Mood.GLAD)]
    ],
    CHILDREN: [
        {"id": n, "of key": key, "of n": of, "class": f"c{n}"}
        for n, key, of in [(5, "a:", 1), (3, "a:", 1), (4, "ß%", 1), (9, None, None), (7, None, 3)]
    ],
    TWINS: [{"of": 5, "metadata": "five"}, {"of": 4, "metadata": "four"}],
    TAGS: [{"id": 11, "code": "x"}, {"id": 12, "code": "y"}],
    TAGGED: [{"id": 1, "tag": "x"}, {"id": 2, "tag": "x"}, {"id": 3, "tag": None}, {"id": 4, "tag": "y"}],
}  # fmt: skip

KEYS = {PARENTS: ("key:", "n)"), CHILDREN: ("id",), TWINS: ("of",), TAGS: ("id",), TAGGED: ("id",)}
ALL = {table: tuple(c.name for c in table.columns if not isinstance(c.type, Encrypted)) for table in KEYS}
P, C = PARENTS.key, CHILDREN.key

TO_TWIN = Link(TWINS.key, ALL[TWINS], (("id", "of"),), ("of",))
TO_CHILDREN = Link(C, ALL[CHILDREN], (("key:", "of key"), ("n)", "of n")), ("id",))
DEEP = Link(C, ALL[CHILDREN], TO_CHILDREN.pairs, ("id",), TO_TWIN)
TO_TAG = Link(TAGS.key, ALL[TAGS], (("tag", "code"),))
TO_TAGGED = Link(TAGGED.key, ALL[TAGGED], (("code", "tag"),), ("id",))

FIRST, OTHER = {"key:": "a:", "n)": 1}, {"key:": "ß%", "n)": 1}
NEW = {
    "key:": "new", "n)": 9, 'say "hi"': "100%", "mood": "SO_SO", "made at": "2026-02-01T00:00:00.000Z",
    "doc": [1, None], "Weight": "1.5", "token": "0" * 64,
}  # fmt: skip
CHILD = {"id": 20, "of key": "a:", "of n": 2, "class": "new"}

CASES = {
    "insert": (Scenario("insert_one", P, tuple(NEW)), [{"row": NEW}]),
    "insert without its key": (Scenario("insert_one", TAGS.key, ("code",)), [{"row": {"code": "z"}}]),
    "bulk": (Scenario("bulk_insert", P, tuple(NEW)), [{"rows": [NEW | {"n)": n} for n in range(30, 60)]}]),
    "read": (Scenario("point_read", P, ALL[PARENTS]), [{"key": FIRST}, {"key": {"key:": "?", "n)": 0}}]),
    "list by enum": (
        Scenario("filtered_list", P, ALL[PARENTS], filter="mood", order=("made at", "n)"), descending=True, limit=2),
        [{"value": "GLAD"}, {"value": "SO_SO"}],
    ),
    "list with parents": (
        Scenario("list_to_one", C, ALL[CHILDREN], parent=Link(P, ALL[PARENTS], tuple(
            (b, a) for a, b in TO_CHILDREN.pairs
        )), limit=4),
        [{"after": {"id": 3}}, {"after": {"id": 0}}],
    ),
    "list with parents by another key": (
        Scenario("list_to_one", TAGGED.key, ALL[TAGGED], parent=TO_TAG, limit=9), [{"after": {"id": 0}}],
    ),
    "include": (Scenario("nested_include", P, ALL[PARENTS], children=TO_CHILDREN), [{"keys": [OTHER, FIRST]}]),
    "include by another key": (
        Scenario("nested_include", TAGS.key, ALL[TAGS], children=TO_TAGGED), [{"keys": [{"id": 12}, {"id": 11}]}],
    ),
    "include nothing": (Scenario("nested_include", P, ALL[PARENTS], children=TO_CHILDREN), [{"keys": []}]),
    "deep": (Scenario("deep_include", P, ALL[PARENTS], children=DEEP), [{"keys": [FIRST, OTHER]}, {"keys": [FIRST]}]),
    "aggregate": (Scenario("aggregate", P, ALL[PARENTS], group="mood", total="Weight"), [{}]),
    "aggregate without total": (Scenario("aggregate", C, ALL[CHILDREN], group="of key"), [{}]),
    "update": (
        Scenario("update_one", P, ALL[PARENTS], update="mood"),
        [{"key": OTHER, "value": "SO_SO"}, {"key": {"key:": "?", "n)": 0}, "value": "GLAD"}],
    ),
    "update a document": (Scenario("update_one", P, (), update="doc"), [{"key": OTHER, "value": {"new": [True]}}]),
    "upsert": (
        Scenario("upsert", P, ALL[PARENTS], update='say "hi"'),
        [{"row": NEW | FIRST | {'say "hi"': "again"}}, {"row": NEW}],
    ),
    "transaction": (
        Scenario("transaction", P, ALL[PARENTS], update="mood", insert=Link(C, ALL[CHILDREN], ())),
        [{"key": FIRST, "value": "SO_SO", "row": CHILD}],
    ),
    "cascade": (Scenario("delete_cascade", P, ALL[PARENTS], cascade=(DEEP,)), [{"key": FIRST}, {"key": OTHER}]),
    "page": (
        Scenario("keyset_page", P, ALL[PARENTS], order=("made at", "key:", "n)"), limit=2),
        [{"after": {"made at": "2026-01-02T12:00:00.001Z", "key:": "a:", "n)": 1}}],
    ),
    "page backwards": (
        Scenario("keyset_page", C, ALL[CHILDREN], order=("id",), descending=True, limit=2), [{"after": {"id": 7}}],
    ),
    "json": (Scenario("json_filter", P, ALL[PARENTS], filter="doc", path="k", limit=3), [{"value": "a:"}]),
}  # fmt: skip
"""By name: a scenario and its parameters."""
