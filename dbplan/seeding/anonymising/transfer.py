"""The transfer: every table of a plan from one open connection to another, in the order of its keys, and looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection, Table

from dbplan.errors import Unsatisfiable, UsageError
from dbplan.sandbox.schema import in_words_of
from dbplan.seeding.anonymising.choosing import Choices
from dbplan.seeding.anonymising.copying import Passage, close, copied, first_rows
from dbplan.seeding.anonymising.drift import Common, common
from dbplan.seeding.anonymising.keyed import from_environment
from dbplan.seeding.anonymising.numbering import move_on
from dbplan.seeding.anonymising.replacing import Replacer
from dbplan.seeding.anonymising.steps import steps
from dbplan.seeding.anonymising.watching import Watch
from dbplan.seeding.constraints.checks import Facts
from dbplan.seeding.constraints.order import Order, order
from dbplan.seeding.constraints.references import Reference, references
from dbplan.seeding.constraints.violations import violations
from dbplan.seeding.loading.emptiness import filled, refuse_filled
from dbplan.seeding.loading.emptying import counts, empty, refuse_referred
from dbplan.seeding.loading.triggers import without_triggers
from dbplan.seeding.rows.frames import Source

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Copied:
    """What one copy did: rows, seconds and violations by table, a watch for every replaced column, a few new rows."""

    rows: Mapping[str, int]
    seconds: Mapping[str, float]
    broken: Mapping[str, int]
    watches: Mapping[tuple[str, str], Watch]
    samples: Mapping[str, Rows]
    columns: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]
    removed: Mapping[str, int]


@dataclass(frozen=True)
class Linked:
    """What the order of loading asks of a table."""

    table: Table
    references: tuple[Reference, ...]
    facts: Facts
    groups: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Transfer:
    """One copy, between two open connections."""

    source: Connection
    target: Connection
    chosen: Choices
    random_state: int
    progress: Callable[[float, str], None]

    def __call__(self, truncate: bool) -> Copied:
        """Copy every table; return what came."""
        plan = self.chosen.plan
        shared = common(plan, self.source, self.target)
        removed = self._emptied(truncate)
        order = self._order()
        passages = self._passages(shared, order)
        with without_triggers(self.target, plan.metadata):
            rows, seconds = self._load(passages, order)
        broken = self._violations(rows)
        watches = {(name, c): watch for name, passage in passages.items() for c, watch in passage.watches.items()}
        _refuse_leaks(watches)
        samples = {name: first_rows(self.target, passage) for name, passage in passages.items()}
        return Copied(rows, seconds, broken, watches, samples, shared.columns, shared.notes, removed)

    def _emptied(self, truncate: bool) -> dict[str, int]:
        """Refuse tables that have rows, or take them out where that was asked for; return how many went."""
        plan = self.chosen.plan
        if not truncate:
            refuse_filled(self.target, filled(self.target, plan))
            return {}
        refuse_referred(self.target, plan)
        removed = counts(self.target, plan)
        empty(self.target, [plan.metadata.tables[name] for name in reversed(self._order().tables)])
        return removed

    def _order(self) -> Order:
        facts = self.chosen.facts
        linked = {str(t.key): Linked(t, references(t), facts[str(t.key)]) for t in self.chosen.plan.tables}
        unchecked = self.target.dialect.name in ("sqlite", "mysql", "mariadb")
        return order(cast("dict[str, Source]", linked), defers=unchecked)

    def _passages(self, shared: Common, order: Order) -> dict[str, Passage]:
        """Return how each table goes over, in the order of loading."""
        metadata = self.chosen.plan.metadata
        theirs = in_words_of(metadata, self.target.dialect.name)[0] if metadata.info.get("dialect") else metadata
        replacer, found = Replacer(self.chosen, from_environment(self.random_state)), {}
        for name in (name for name in order.tables if name in shared.columns):
            table, names = metadata.tables[name], shared.columns[name]
            made = tuple(steps(replacer, table, names))
            blank = {c for place, ref in order.later if place == name for c in self._free(table, ref)}
            watches = {step.column: Watch(self.chosen.columns[name, step.column].kind) for step in made}
            found[name] = Passage(table, theirs.tables[name], names, made, frozenset(blank), watches)
        return found

    def _free(self, table: Table, reference: Reference) -> list[str]:
        """Return the columns of a reference that can be NULL at first: no CHECK speaks of them."""
        checks = self.chosen.facts[str(table.key)].checks
        tied = {name for check in checks if check.parsed is not None for name in check.parsed.columns}
        return [name for name in reference.own if table.columns[name].nullable and name not in tied]

    def _load(self, passages: Mapping[str, Passage], order: Order) -> tuple[dict[str, int], dict[str, float]]:
        rows, seconds = {}, {}
        with _unchecked(self.target):
            for at, (name, passage) in enumerate(passages.items()):
                self.progress(at / len(passages), name)
                began = time.perf_counter()
                with _noted(name):
                    rows[name] = copied(self.source, self.target, passage) if passage.names else 0
                seconds[name] = time.perf_counter() - began
            for passage in passages.values():
                if passage.blank:
                    close(self.source, self.target, passage, sorted(passage.blank))
        move_on(self.target, [passage.table for passage in passages.values()])
        return rows, seconds

    def _violations(self, rows: Mapping[str, int]) -> dict[str, int]:
        tables = self.chosen.plan.metadata.tables
        broken = {name: violations(self.target, tables[name], count) for name, count in rows.items()}
        if sum(broken.values()):
            names = ", ".join(f"{count:,} in {name}" for name, count in broken.items() if count)
            raise Unsatisfiable(
                f"rows break constraints of the plan ({names}), and nothing was kept; either the source breaks them, "
                'or a replacement does: the rule "keep" for a column of the constraint tells which'
            )
        return broken


def _refuse_leaks(watches: Mapping[tuple[str, str], Watch]) -> None:
    found = {".".join(place): watch.leaked for place, watch in watches.items() if watch.refused}
    if found:
        listing = ", ".join(f"{count:,} of {name}" for name, count in found.items())
        raise Unsatisfiable(
            f"values of the source would stand in the target ({listing}), and nothing was kept; please report this, "
            'with the kind that the report of --explain names; the rule "drop" leaves the column out meanwhile'
        )


@contextmanager
def _noted(table: str) -> Iterator[None]:
    """Note on a refusal which table was on its way; a value of another type than the plan's is not repeated."""
    try:
        yield
    except (ValueError, TypeError, ArithmeticError):
        raise UsageError(
            f"{table} holds a value that is not of its column's type in the plan, and nothing was kept; dbplan diff "
            "shows where source and plan differ"
        ) from None
    except Exception as error:
        error.add_note(table)
        raise


@contextmanager
def _unchecked(connection: Connection) -> Iterator[None]:
    """Let rows come before those that they refer to, where a server can be told so; all are looked at afterwards."""
    server = connection.dialect.name
    if server == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    elif server == "postgresql":
        connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")
    elif server in ("mariadb", "mysql"):
        connection.exec_driver_sql("SET foreign_key_checks = 0")
    try:
        yield
    finally:
        if server in ("mariadb", "mysql"):
            connection.exec_driver_sql("SET foreign_key_checks = 1")
