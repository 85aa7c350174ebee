"""A plan seeded once, its scenarios and their parameters, and what contestants answer on copies of it."""

import hashlib
import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module

from sqlalchemy import delete, select

from dbplan import sandbox, seed
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.deriving import derive
from dbplan.orms.drawing import draw
from dbplan.orms.process import Fault, Process
from dbplan.orms.relations import is_stamped
from dbplan.orms.scenarios import SCENARIOS, WRITES, Study

INSERTS = ("insert_one", "bulk_insert", "transaction")
ORDER = (*(one for one in SCENARIOS if one not in WRITES), *INSERTS, "update_one", "upsert", "delete_cascade")
CALLS = dict.fromkeys(SCENARIOS, 4) | {"bulk_insert": 2}


class Arena:
    """Asks contestants; every write happens in a copy of its own."""

    def __init__(self, stage, folder, rows):
        self.stage, self.folder = stage, folder
        seed(stage, rows=rows)
        with stage.engine.begin() as connection:
            self.derived = derive(stage.plan, connection)
            self.params = draw(connection, stage.plan, self.derived, CALLS).params
        stage.engine.dispose()
        self.reads = {}

    def study(self, stage, contestant):
        url = stage.engine.url
        told = {
            "host": url.query.get("host", url.host), "port": int(url.query.get("port", url.port or 5432)),
            "user": url.username, "password": url.password, "database": url.database,
        }  # fmt: skip
        models = self.models(contestant)
        return asdict(Study(stage.plan.name, "postgresql", told, str(models), 10, dict(self.derived.tables)))

    def models(self, contestant):
        """Write the exported models once."""
        folder = self.folder / contestant.name
        if not folder.exists():
            folder.mkdir()
            if contestant.export:
                import_module("dbplan.orms.preparing").prepare(contestant, self.stage.plan, folder)
        return folder

    def answers(self, name, scenarios):
        """Return what a contestant answers to scenarios: results and the table's state after, or why there are none."""
        contestant = CONTESTANTS[name]
        wanted = [self.derived.scenarios[one] for one in scenarios if one in self.derived.scenarios]
        reads = [one for one in wanted if one.name not in WRITES]
        together = [reads] if reads else []
        found = {}
        for part in (*together, *([one] for one in wanted if one.name in WRITES)):
            with self.stage.clone() as copy:
                found |= self._answers(copy, contestant, part)
        return found

    def answers_at_once(self, name, scenarios):
        """Return the same by one process on one copy, from which rows that were inserted are taken out again."""
        wanted = [self.derived.scenarios[one] for one in ORDER if one in scenarios and one in self.derived.scenarios]
        process, found = Process(command(CONTESTANTS[name])), {}
        with self.stage.clone() as copy:
            try:
                process.ask("open", 120, study=self.study(copy, CONTESTANTS[name]))
                for scenario in wanted:
                    with without_new_rows(copy, scenario):
                        answer = found[scenario.name] = self._answer(process, scenario)
                        if scenario.name in WRITES and "results" in answer:
                            answer["state"] = state(copy, scenario)
            finally:
                process.close()
        return found

    def _answers(self, copy, contestant, scenarios):
        """Ask one process of a contestant on one copy."""
        process, found = Process(command(contestant)), {}
        try:
            process.ask("open", 120, study=self.study(copy, contestant))
            for scenario in scenarios:
                found[scenario.name] = self._answer(process, scenario)
        except Fault as error:
            return found | {
                scenario.name: {"fault": str(error)} for scenario in scenarios if scenario.name not in found
            }
        finally:
            process.close()
        for scenario in scenarios:
            if scenario.name in WRITES and "results" in found[scenario.name]:
                found[scenario.name]["state"] = state(copy, scenario)
        return found

    def _answer(self, process, scenario):
        try:
            bound = process.ask("bind", 30, scenario=asdict(scenario))
            if "not_covered" in bound:
                return bound
            return {"results": process.ask("check", 60, params=list(self.params[scenario.name]))["results"]}
        except Fault as error:
            return {"fault": str(error)}


def command(contestant):
    if not contestant.is_node:
        return [sys.executable, "-m", "dbplan.orms.runner", contestant.adapter]
    return import_module("dbplan.orms.installing").command(contestant)


def state(stage, scenario):
    """Return what the tables hold that a scenario writes: rows and a digest of the columns that it gives."""
    tables = {scenario.table: scenario.columns}
    if scenario.insert:
        tables[scenario.insert.table] = scenario.insert.columns
    tables |= {link.table: link.columns for link in scenario.cascade}
    found = {}
    with stage.engine.connect() as connection:
        for name, columns in sorted(tables.items()):
            table = stage.plan.metadata.tables[name]
            stamped = {c.name for c in table.columns if is_stamped(c) and scenario.update}
            chosen = [table.columns[c] for c in columns if c not in stamped]
            rows = sorted(map(repr, connection.execute(select(*chosen))))
            found[name] = [len(rows), hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]]
    stage.engine.dispose()
    return found


@contextmanager
def without_new_rows(stage, scenario):
    """Take out what a scenario inserts, once it was looked at."""
    if scenario.name not in INSERTS:
        yield
        return
    table = stage.plan.metadata.tables[(scenario.insert or scenario).table]
    keys = [*table.primary_key.columns]
    with stage.engine.connect() as connection:
        before = {*map(tuple, connection.execute(select(*keys)))}
    yield
    with stage.engine.begin() as connection:
        for row in {*map(tuple, connection.execute(select(*keys)))} - before:
            connection.execute(delete(table).where(*(key == value for key, value in zip(keys, row, strict=True))))
    stage.engine.dispose()


@contextmanager
def arena(plan, folder, rows=300):
    with sandbox(plan) as stage:
        yield Arena(stage, folder, rows)
