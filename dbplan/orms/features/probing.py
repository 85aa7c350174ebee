"""Probing: one process for each ORM on a database of its own, one question after the other."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import func, select, text

from dbplan.errors import DbplanError, UnknownName
from dbplan.evidence import OrmFeature
from dbplan.orms import installing
from dbplan.orms.contestants import CONTESTANTS, Contestant
from dbplan.orms.counting import Meter, is_control, meter
from dbplan.orms.features.judging import UNPROBED, Seen, judged
from dbplan.orms.features.plan import probe_plan, tables
from dbplan.orms.features.questions import FEATURES, THERE
from dbplan.orms.preparing import prepare
from dbplan.orms.process import Fault, Process
from dbplan.orms.scenarios import Study
from dbplan.sandbox import sandbox

AT_ONCE = 2
"""ORMs that are asked at the same time, each on a database of its own."""
WITHIN = 180.0
"""Seconds for one question."""
_STEERING = ("SAVEPOINT", "ROLLBACK", "DECLARE", "FETCH")


def probe_features(
    names: Sequence[str] | None = None,
    *,
    features: Sequence[str] = tuple(FEATURES),
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[OrmFeature, ...]:
    """Return what ORMs answer to every feature, each on a throwaway database of the embedded PostgreSQL.

    Without names all ORMs are asked; those without probes answer "not probed yet". Raises UnknownName.
    """
    known = {one.name: one for one in CONTESTANTS.values() if not one.is_driver}
    for name in names or ():
        if name not in known:
            raise UnknownName("ORM", name, known)
    for feature in features:
        if feature not in FEATURES:
            raise UnknownName("feature", feature, FEATURES)
    over = Event()

    def ask(name: str) -> list[OrmFeature]:
        tell(known[name].title)
        return list(_asked(known[name], features, counter, Path(folder) / name, reasons[name], over))

    with (
        meter("postgresql") as counter,
        tempfile.TemporaryDirectory(prefix="dbplan-features-") as folder,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        reasons = {name: _reason(known[name], Path(folder) / name) for name in names or known}
        asked = [pool.submit(copy_context().run, ask, name) for name in names or known]
        try:
            return tuple(feature for each in asked for feature in each.result())
        except BaseException:
            over.set()
            pool.shutdown(cancel_futures=True)
            raise


def _asked(
    one: Contestant, features: Sequence[str], counter: Meter, folder: Path, reason: str, over: Event
) -> Iterator[OrmFeature]:
    """Yield the answers of one ORM, until it is over; with a reason, that it cannot be asked."""
    if reason:
        told = "" if reason == UNPROBED else reason
        yield from (OrmFeature(one.name, feature, UNPROBED, told) for feature in features)
        return
    with sandbox(probe_plan(), on="postgresql") as stage:
        prober = _Prober(one, _command(one), stage, counter, folder)
        try:
            yield from (prober.answer(feature) for feature in features if not over.is_set())
        finally:
            prober.close()


def _has_probe(one: Contestant) -> bool:
    if one.is_node:
        return (installing.SOURCES / "features" / f"{one.adapter}.mjs").exists()
    return importlib.util.find_spec(f"dbplan.orms.features.python.{_probe(one)}") is not None


def _probe(one: Contestant) -> str:
    return one.name.replace("-", "_")


def _command(one: Contestant) -> list[str]:
    """Return the words that start the process of a probe: on Node a contestant's own runner asks its probe."""
    if one.is_node:
        return installing.command(one)
    return [sys.executable, "-m", "dbplan.orms.features.serving", one.adapter, _probe(one)]


def _reason(one: Contestant, folder: Path) -> str:
    """Return why an ORM cannot be asked; "" where its models are written: by one thread, for Python 3.11 parses so."""
    if not _has_probe(one):
        return UNPROBED
    found = installing.installed(one)
    if isinstance(found, installing.Absent):
        return f"not installed: {', '.join(found.missing)}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        prepare(one, probe_plan(), folder)
    except DbplanError as error:
        return str(error)
    return ""


class _Prober:
    """One ORM's process and database."""

    def __init__(self, one: Contestant, command: list[str], stage: Any, counter: Meter, folder: Path) -> None:
        self.one, self.command, self.stage, self.counter, self.folder = one, command, stage, counter, folder
        self.process: Process | None = None
        self.database = str(stage.engine.url.database)

    def answer(self, feature: str) -> OrmFeature:
        """Ask one question of empty tables."""
        with self.stage.engine.begin() as connection:
            connection.execute(text("TRUNCATE accounts, entries, parts, members"))
            for statement in THERE.get(feature, ()):
                connection.execute(text(statement))
        if feature == "streaming":
            self.close()  # for its memory is compared with that of a process that has done nothing
        try:
            process = self._started()
            self.counter.reset(self.database)
            told = process.ask("feature", WITHIN, name=feature)
        except Fault as error:
            self.close()
            return OrmFeature(self.one.name, feature, UNPROBED, str(error))
        return judged(self.one.name, feature, Seen(told, self._statements(), self._rows()))

    def _started(self) -> Process:
        if self.process is None or not self.process.lives:
            self.process = Process(self.command, folder=self.folder)
            self.process.ask("open", WITHIN, study=asdict(self._study()))
        return self.process

    def _study(self) -> Study:
        url = self.stage.engine.url
        told = {
            "host": url.query.get("host", url.host),
            "port": int(url.query.get("port", url.port or 5432)),
            "user": url.username,
            "password": url.password,
            "database": url.database,
        }
        return Study("features", "postgresql", told, str(self.folder), 2, tables(probe_plan()))

    def _statements(self) -> tuple[tuple[str, int], ...]:
        """Return what arrived at the server since, without what only steers connections."""
        counted = self.counter.read(self.database)
        found = []
        for line in counted.texts if counted else ():
            calls, _, statement = line.partition(" × ")
            if not is_control(statement) or statement.upper().startswith(_STEERING):
                found.append((statement, int(calls)))
        return tuple(found)

    def _rows(self) -> dict[str, Any]:
        """Return what the tables hold."""
        with self.stage.engine.connect() as connection:
            found: dict[str, Any] = {
                str(table.name): connection.scalar(select(func.count()).select_from(table))
                for table in self.stage.plan.tables
            }
            if found["accounts"] <= 10:
                rows = connection.execute(text("SELECT id, balance::text FROM accounts ORDER BY id")).all()
                found |= {"ids": [row[0] for row in rows], "balances": [row[1] for row in rows]}
        self.stage.engine.dispose()
        return found

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.close()
        self.process = None
