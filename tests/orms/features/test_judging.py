"""Answers: what was seen of a feature decides between yes, partly and no, and what was not seen is not a no."""

import pytest

from dbplan.evidence import OrmFeature
from dbplan.orms.features.judging import UNPROBED, Seen, judged, matrix
from dbplan.orms.features.questions import DOCUMENT, EXACT, FEATURES, MANY, STREAMED

INSERT = "INSERT INTO accounts (id) VALUES ($1)"
CONFLICT = f"{INSERT} ON CONFLICT (id) DO UPDATE SET balance = excluded.balance"
SERVER = {"type": "DataError", "code": "22P02"}
ORM = {"type": "ValueError", "code": None}
ALL = {"accounts": MANY}
GONE = {"accounts": 0, "entries": 0, "parts": 0}
UPSERTED = {"balances": ["2.0000", "3.0000"]}


def answer(feature, told, statements=(), rows=None, grown=0):
    seen = Seen({"seen": told, "grown_kb": grown}, tuple(statements), rows or {})
    return judged("one", feature, seen).answer


@pytest.mark.parametrize(
    ("expected", "feature", "told", "more"),
    [
        ("yes", "enums", {"read": "paused", "type": "str", "error": ORM}, {}),
        ("partly", "enums", {"read": "paused", "type": "str", "error": SERVER}, {}),
        ("no", "enums", {"read": "paused", "type": "str", "error": None}, {}),
        ("no", "enums", {"read": "active", "type": "str", "error": ORM}, {}),
        ("yes", "decimals", {"read": str(EXACT), "type": "Decimal"}, {}),
        ("no", "decimals", {"read": "123456789012345.67", "type": "float"}, {}),
        ("yes", "documents", {"read": DOCUMENT, "found": [1]}, {}),
        ("partly", "documents", {"read": DOCUMENT, "found": None}, {}),
        ("no", "documents", {"read": "{}", "found": [1]}, {}),
        ("yes", "composite_keys", {"note": "second", "related": [7]}, {}),
        ("partly", "composite_keys", {"note": "second", "related": None}, {}),
        ("no", "composite_keys", {"note": "first", "related": []}, {}),
        ("yes", "upsert", {}, {"statements": [(CONFLICT, 2)], "rows": UPSERTED}),
        ("partly", "upsert", {}, {"statements": [(INSERT, 1)], "rows": UPSERTED}),
        ("no", "upsert", {}, {"statements": [(CONFLICT, 2)], "rows": {"balances": ["1.0000", "3.0000"]}}),
        ("yes", "bulk_insert", {}, {"statements": [(INSERT, 10)], "rows": ALL}),
        ("partly", "bulk_insert", {"batched": "a pipeline"}, {"statements": [(INSERT, MANY)], "rows": ALL}),
        ("no", "bulk_insert", {}, {"statements": [(INSERT, MANY)], "rows": ALL}),
        ("no", "bulk_insert", {}, {"statements": [(INSERT, 1)], "rows": {"accounts": MANY - 1}}),
        ("yes", "streaming", {"rows": STREAMED}, {"statements": [("FETCH FORWARD $1 FROM c", 200)], "grown": 90_000}),
        ("yes", "streaming", {"rows": STREAMED}, {"grown": 1_000}),
        ("no", "streaming", {"rows": STREAMED}, {"grown": 90_000}),
        ("no", "streaming", {"rows": 1}, {"grown": 0}),
        ("yes", "cascades", {}, {"statements": [("DELETE FROM accounts", 1)], "rows": GONE}),
        ("no", "cascades", {}, {"rows": {**GONE, "parts": 1}}),
        ("yes", "transactions", {"raised": True}, {"statements": [(INSERT, 1), ("ROLLBACK", 1)], "rows": GONE}),
        ("no", "transactions", {"raised": True}, {"statements": [("ROLLBACK", 1)], "rows": GONE}),
        ("no", "transactions", {"raised": True}, {"statements": [(INSERT, 1)], "rows": {**GONE, "accounts": 1}}),
        ("yes", "savepoints", {}, {"statements": [("SAVEPOINT $1", 1)], "rows": {"ids": [1, 3]}}),
        ("no", "savepoints", {}, {"rows": {"ids": [1, 2, 3]}}),
        ("yes", "soft_delete", {"visible": [2], "built_in": True, "how": ""}, {"rows": {"ids": [1, 2]}}),
        ("partly", "soft_delete", {"visible": [2], "built_in": False, "how": ""}, {"rows": {"ids": [1, 2]}}),
        ("no", "soft_delete", {"visible": [2], "built_in": True, "how": ""}, {"rows": {"ids": [2]}}),
        ("yes", "raw_sql", {"rows": [[1, "1@example.org"]]}, {}),
        ("no", "raw_sql", {"rows": []}, {}),
        ("partly", "raw_sql", {"rows": [[1, "1@example.org"]], "detour": "by a thread"}, {}),
        ("no", "raw_sql", {"rows": [], "detour": "by a thread"}, {}),
    ],
)  # fmt: skip
def test_what_was_seen_decides(expected, feature, told, more):
    assert answer(feature, told, **more) == expected


def test_a_reason_stands_with_a_no_and_nothing_seen_is_no_no():
    assert judged("one", "upsert", Seen({"not_covered": "it has none"})) == OrmFeature(
        "one", "upsert", "no", "it has none"
    )
    refused = judged("one", "upsert", Seen({"refused": {"type": "ProgrammingError", "message": "type text"}}))
    assert (refused.answer, refused.evidence) == ("no", "ProgrammingError: type text")
    assert judged("one", "upsert", Seen({"unprobed": ""})).answer == UNPROBED


def test_a_long_statement_is_cut_around_its_word():
    long = f"INSERT INTO accounts ({', '.join(f'column_{n}' for n in range(40))}) ON CONFLICT (id) DO NOTHING"
    evidence = judged("one", "upsert", Seen({"seen": {}}, ((long, 2),), UPSERTED)).evidence
    assert evidence.startswith("INSERT INTO accounts (column_0")
    assert evidence.endswith("ON CONFLICT (id) DO NOTHING")
    assert len(evidence) < 150


def test_the_matrix_has_a_row_a_feature_and_a_column_an_orm():
    frame = matrix([OrmFeature("a", "enums", "yes"), OrmFeature("b", "upsert", "no")])
    assert list(frame.columns) == ["a", "b"]
    assert list(frame.index) == list(FEATURES.values())
    assert frame.loc["Enums"].tolist() == ["yes", UNPROBED]
