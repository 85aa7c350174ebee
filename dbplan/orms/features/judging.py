"""Judging: what was seen of a feature, in the process, on the server and in the tables, as yes, partly or no."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dbplan.evidence import OrmFeature
from dbplan.orms.features.questions import DOCUMENT, EXACT, FEATURES, MANY, STREAMED

if TYPE_CHECKING:
    import pandas as pd

YES, PARTLY, NO, UNPROBED = "yes", "partly", "no", "not probed yet"
_FEW = 20
"""INSERTs that a thousand rows may take in parts and still be bulk."""
_SHOWN = 100
_LITTLE_KB = 16_000
"""Memory that may grow while 20 MB are streamed: less than they take, with what a collector has not yet taken back."""


@dataclass(frozen=True)
class Seen:
    """What came of one probe: what the process told, statements on the server with their calls, rows that are left."""

    told: Mapping[str, Any]
    statements: tuple[tuple[str, int], ...] = ()
    rows: Mapping[str, Any] = field(default_factory=dict)

    def calls(self, *words: str) -> int:
        """Return how often statements that begin with one of these words were sent."""
        return sum(calls for text, calls in self.statements if text.upper().startswith(words))

    def first(self, word: str) -> str:
        """Return the first statement with a word in it, cut to what fits a line."""
        found = next((text for text, _ in self.statements if word in text.upper()), "")
        start = found.upper().find(word)
        return _cut(found) if start < _SHOWN // 2 else f"{_cut(found[:40])}… {_cut(found[start:])}"

    def where(self) -> str:
        """Return the SELECT that has a condition."""
        found = (text for text, _ in self.statements if text.upper().startswith("SELECT") and " WHERE " in text.upper())
        conditions = [text[text.upper().index(" WHERE ") + 1 :] for text in found]
        by_path = (text for text in conditions if any(operator in text for operator in ("->", "#>", "@>")))
        return _cut(next(by_path, "".join(conditions[:1])))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def judged(orm: str, feature: str, seen: Seen) -> OrmFeature:
    """Return the answer for one feature of one ORM."""
    told = seen.told
    if "unprobed" in told:
        return OrmFeature(orm, feature, UNPROBED, str(told["unprobed"]))
    if "not_covered" in told:
        return OrmFeature(orm, feature, NO, str(told["not_covered"]))
    if "refused" in told:
        return OrmFeature(orm, feature, NO, f"{told['refused']['type']}: {told['refused']['message']}")
    found = told.get("seen") or {}
    return OrmFeature(orm, feature, *_with_detour(_JUDGES[feature](found, seen), found.get("detour")))


Judged = tuple[str, str]


def _with_detour(found: Judged, detour: Any) -> Judged:
    """Return what works by a detour as partly: that an asynchronous ORM calls a synchronous function, say."""
    answer, evidence = found
    return (PARTLY if answer == YES else answer, f"{evidence}; {detour}") if detour else found


def _enums(told: Mapping[str, Any], _: Seen) -> Judged:
    if told["read"] != "paused":
        return NO, f"read {told['read']!r} where 'paused' was written"
    error = told.get("error")
    if error is None:
        return NO, "took the label 'nonsense'"
    said = (
        f"read as {told['type']}; 'nonsense' refused by {'the server' if error['code'] else 'the ORM'}: {error['type']}"
    )
    return (PARTLY if error["code"] else YES), said


def _decimals(told: Mapping[str, Any], _: Seen) -> Judged:
    same = told["read"] == str(EXACT)
    return (YES if same else NO), f"{EXACT} came back as {told['type']} {told['read']}"


def _documents(told: Mapping[str, Any], seen: Seen) -> Judged:
    if told["read"] != DOCUMENT:
        return NO, f"came back as {told['read']!r}"
    if told["found"] == [1]:
        return YES, f"found by a path: {seen.where()}"
    return PARTLY, f"read and written; by a path {told.get('why') or 'not found'}"


def _composite_keys(told: Mapping[str, Any], _: Seen) -> Judged:
    read, related = told["note"] == "second", told.get("related") == [7]
    said = "read by its key" if read else "not read by its key"
    said += (
        ", and what refers to it by the relation" if related else f"; {told.get('why', 'no relation of two columns')}"
    )
    return (YES if read and related else PARTLY if read or related else NO), said


def _upsert(told: Mapping[str, Any], seen: Seen) -> Judged:
    if seen.rows["balances"] != ["2.0000", "3.0000"]:
        return NO, f"balances are {', '.join(seen.rows['balances'])}"
    conflict = seen.first("ON CONFLICT")
    if conflict:
        return YES, conflict
    count = sum(calls for _, calls in seen.statements)
    return PARTLY, f"{told.get('why', 'read, then written')}: {count} statements for two rows"


def _bulk_insert(told: Mapping[str, Any], seen: Seen) -> Judged:
    sent = seen.calls("INSERT", "COPY")
    if seen.rows["accounts"] != MANY:
        return NO, f"{seen.rows['accounts']} of {MANY} rows are there"
    said = f"{MANY} rows by {sent} statement{'s' * (sent != 1)}: {seen.first('COPY') or seen.first('INSERT')}"
    if sent >= MANY and told.get("batched"):
        return PARTLY, f"{said}, in one go by {told['batched']}"
    return (YES if sent <= _FEW else PARTLY if sent < MANY else NO), said


def _streaming(told: Mapping[str, Any], seen: Seen) -> Judged:
    grown, fetched = int(seen.told.get("grown_kb", 0)), seen.calls("FETCH", "DECLARE")
    if told["rows"] != STREAMED:
        return NO, f"{told['rows']} of {STREAMED} rows came"
    said = f"{STREAMED} rows of 1 kB, memory grew by {grown / 1000:.0f} MB"
    if fetched:
        return YES, f"{said}; {seen.calls('FETCH')} FETCHes"
    return (YES if grown < _LITTLE_KB else NO), f"{said}, no cursor on the server was seen"


def _cascades(_: Mapping[str, Any], seen: Seen) -> Judged:
    left = {name: seen.rows[name] for name in ("accounts", "entries", "parts")}
    if any(left.values()):
        return NO, f"left behind: {', '.join(f'{count} {name}' for name, count in left.items() if count)}"
    sent = seen.calls("DELETE")
    return YES, f"two levels gone by {sent} DELETE{'s' * (sent != 1)}{', the rest by the database' * (sent == 1)}"


def _transactions(told: Mapping[str, Any], seen: Seen) -> Judged:
    if not told.get("raised") or seen.rows["accounts"]:
        return NO, f"{seen.rows['accounts']} rows stayed after an error"
    if not seen.calls("INSERT"):
        return NO, "nothing was written before the error"
    return YES, f"{seen.calls('INSERT')} INSERT undone after an error by {seen.calls('ROLLBACK')} ROLLBACK"


def _savepoints(_: Mapping[str, Any], seen: Seen) -> Judged:
    if seen.rows["ids"] != [1, 3]:
        return NO, f"rows {seen.rows['ids']} stayed instead of [1, 3]"
    return YES, f"the inner part was undone alone: {seen.first('SAVEPOINT')}"


def _soft_delete(told: Mapping[str, Any], seen: Seen) -> Judged:
    if told["visible"] != [2] or seen.rows["ids"] != [1, 2]:
        return NO, f"queries see {told['visible']}, the table holds {seen.rows['ids']}"
    return (YES if told["built_in"] else PARTLY), str(told["how"])


def _migrations(told: Mapping[str, Any], _: Seen) -> Judged:
    return (told["answer"], str(told["how"]))


def _raw_sql(told: Mapping[str, Any], seen: Seen) -> Judged:
    if told["rows"] != [[1, "1@example.org"]]:
        return NO, f"came back as {told['rows']!r}"
    return YES, f"with bound values{', as objects too' if told.get('objects') else ''}: {seen.where()}"


def _typed_results(told: Mapping[str, Any], _: Seen) -> Judged:
    return (told["answer"], str(told["how"]))


_JUDGES: Mapping[str, Callable[[Mapping[str, Any], Seen], Judged]] = {name: globals()[f"_{name}"] for name in FEATURES}


def matrix(features: Sequence[OrmFeature]) -> pd.DataFrame:
    """Return a frame of answers, a row a feature and a column an ORM; what was not probed says so."""
    import pandas as pd

    orms = list(dict.fromkeys(one.orm for one in features))
    answers = {(one.feature, one.orm): one.answer for one in features}
    rows = [[answers.get((name, orm), UNPROBED) for orm in orms] for name in FEATURES]
    return pd.DataFrame(rows, index=pd.Index(FEATURES.values(), name="feature"), columns=orms)
