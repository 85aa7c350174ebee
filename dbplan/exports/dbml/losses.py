"""What DBML has no words for at all, each by name."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Table
from sqlalchemy.schema import CreateSequence

from dbplan.ddl.extensions import extensions
from dbplan.evidence import Place
from dbplan.exports.clauses import measures
from dbplan.exports.dbml.page import Page
from dbplan.exports.facts import Facts

_OPTIONS = {"partition_by": "partitioned by", "inherits": "inherits from", "with": "stored with"}
_FOLLOWING = ("triggers", "policies", "rules", "alterations")


def lose(page: Page) -> None:
    """Say by name what the file does not hold."""
    if page.dialect.name == "postgresql":
        _lose_of_plan(page)
    for found in page.plan.tables:
        for said in _of_table(found):
            page.lose(said, found)
    for found in page.tables:
        for column in found.columns:
            for said in _of_column(page.facts(column), column):
                page.lose(said, found, column=column.name)


def _lose_of_plan(page: Page) -> None:
    info = page.plan.metadata.info
    for known, place in extensions(page.plan.metadata).items():
        mend = f'CREATE EXTENSION IF NOT EXISTS "{known}";'
        page.lose_at(place, f"the extension {known} must be there before", mend)
    for sequence in page.plan.metadata._sequences.values():
        place = Place(f"{sequence.schema}.{sequence.name}" if sequence.schema else sequence.name)
        page.lose_at(place, "sequences are left out", f"{CreateSequence(sequence).compile(dialect=page.dialect)};")
    for domain in sorted({f.type.words for f in page.columns.values() if f.type.base is not None}):
        page.lose_at(Place(domain.strip('"')), "domains are left out: it must be there before")
    for key, words in (("types", "types"), ("routines", "functions and procedures"), ("statistics", "statistics")):
        for sql in info.get(key, ()):
            page.lose_at(Place(), f"{words} are left out: {' '.join(str(sql).split())[:80]}")


def _of_table(found: Table) -> Iterator[str]:
    if found.info.get("is_view"):
        yield "views are left out: DBML has none"
    elif found.info.get("partition_of"):
        yield f"it is a partition of {found.info['partition_of'][0]}: the file shows the whole table alone"
    elif not len(found.columns):
        yield "it has no columns, and a table of DBML has one at least: left out"
    if found._prefixes:
        yield f"{' '.join(map(str, found._prefixes))} is left out"
    told = {key.partition("_")[2]: value for key, value in found.dialect_kwargs.items() if value}
    yield from (f"it is not {words} {measures(told[key])}" for key, words in _OPTIONS.items() if told.get(key))
    yield from (f"its {key} are left out" for key in _FOLLOWING if found.info.get(key))
    if found.info.get("row_security"):
        yield "its row level security is left out"


def _of_column(facts: Facts, column: Column[object]) -> Iterator[str]:
    if column.computed is not None:
        yield f"it is a plain column: GENERATED ALWAYS AS ({column.computed.sqltext}) is left out"
    if column.identity is not None and (column.identity.always or _numbers(column.identity)):
        yield "increment says neither GENERATED ALWAYS nor where it starts"
    if facts.type.collation:
        yield f"its collation {facts.type.collation} is left out"


def _numbers(identity: object) -> bool:
    known = ("start", "increment", "minvalue", "maxvalue", "cycle", "cache")
    return any(getattr(identity, word, None) not in (None, 1, False) for word in known)
