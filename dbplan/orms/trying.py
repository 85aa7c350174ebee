"""Trying: whether the server takes what scenarios write, sent as the raw driver sends it; then all is undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from dbplan.errors import mask
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.deriving import DELETES, INSERTS, UPDATES, UPSERTS, Derived
from dbplan.orms.drawing import Drawn, Params
from dbplan.orms.installing import Absent, installed
from dbplan.orms.referee import new_rows
from dbplan.orms.renewing import may_renew
from dbplan.orms.runner import decoded
from dbplan.orms.scenarios import WRITES, Scenario, Study

TRIED = 3
"""Calls of each scenario that are tried."""


@dataclass(frozen=True)
class Write:
    """What a scenario writes to one table: how, and calls that write so."""

    way: str
    scenario: Scenario
    params: Sequence[Params]

    @property
    def place(self) -> tuple[str, str]:
        """How it writes, and to which table."""
        return self.way, self.scenario.table


def refusals(connection: Connection, derived: Derived, drawn: Drawn) -> dict[tuple[str, str], str]:
    """Return by way of writing and table why the server refuses the calls that were drawn: by a trigger, say.

    Nothing is tried on SQLite, where plans have no triggers.
    """
    if connection.dialect.name != "postgresql" or isinstance(installed(CONTESTANTS["psycopg"]), Absent):
        return {}
    found: dict[tuple[str, str], str] = {}
    for name in (name for name in derived.scenarios if name in WRITES):
        for write in _writes(derived.scenarios[name], drawn.params[name][:TRIED]):
            if write.place not in found and (why := _refusal(connection, derived, write)):
                found[write.place] = why
    return found


def _writes(scenario: Scenario, params: Sequence[Params]) -> Iterator[Write]:
    """Yield what a scenario writes, a table at a time."""
    if scenario.insert is not None:
        update = replace(scenario, name="update_one", insert=None)
        yield Write(UPDATES, update, [{"key": one["key"], "value": one["value"]} for one in params])
        insert = Scenario("insert_one", scenario.insert.table, scenario.insert.columns)
        yield Write(INSERTS, insert, [{"row": one["row"]} for one in params])
    elif scenario.name == "bulk_insert":
        yield Write(INSERTS, scenario, [{"rows": one["rows"][:TRIED]} for one in params[:1]])
    else:
        yield Write(_WAYS[scenario.name], scenario, params)


_WAYS = {"insert_one": INSERTS, "update_one": UPDATES, "upsert": UPSERTS, "delete_cascade": DELETES}


@dataclass(frozen=True)
class _Borrowed:
    """A database as the raw driver's adapter has it, whose pool is one connection with a transaction open."""

    lent: Any
    study: Study

    @property
    def pool(self) -> _Borrowed:
        return self

    @contextmanager
    def connection(self) -> Iterator[Any]:
        yield self.lent


def _refusal(connection: Connection, derived: Derived, write: Write) -> str:
    """Return why the server refuses a write; empty where it takes it.

    What is inserted must go again between batches; only a superuser gets past triggers that refuse that.
    """
    import psycopg

    from dbplan.orms.adapters import psycopg as raw

    study = Study("trying", "postgresql", {}, "", 1, dict(derived.tables))
    db: Any = _Borrowed(connection.connection.driver_connection, study)
    bound, call = raw.bind(db, write.scenario), getattr(raw, write.scenario.name)
    given = [raw.adapt(db, bound, decoded(one, write.scenario, study)) for one in write.params]
    nested = connection.begin_nested()
    try:
        for one in given:
            call(db, bound, one)
        db.lent.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if write.way == INSERTS and not may_renew(db.lent):
            facts = derived.tables[write.scenario.table]
            db.lent.execute(new_rows(facts.schema, facts.name, _first(db.lent)))
    except psycopg.Error as error:
        return mask(str(error).strip().partition("\n")[0]) or type(error).__name__
    finally:
        nested.rollback()
    return ""


def _first(lent: Any) -> int:
    """Return the number of the transaction that is open, as xmin shows it."""
    return int(lent.execute("SELECT pg_current_xact_id()::text").fetchone()[0]) % 2**32


def passed_over(refused: Mapping[tuple[str, str], str], derived: Derived) -> tuple[str, ...]:
    """Return sentences on the tables that scenarios would have been about, and which they are about instead."""
    taken: dict[str, dict[str, None]] = {}
    for name in (name for name in derived.scenarios if name in WRITES):
        for write in _writes(derived.scenarios[name], ()):
            taken.setdefault(write.way, {})[write.scenario.table] = None
    ways: dict[tuple[str, str], list[str]] = {}
    for (way, table), why in refused.items():
        ways.setdefault((table, why), []).append(way)
    return tuple(
        f"the server refuses {' and '.join(found)} of {table} ({why}); "
        + "; ".join(f"{way} are of {' and '.join(taken[way])}" if way in taken else f"no {way}" for way in found)
        for (table, why), found in ways.items()
    )
