"""An arena on SQLite: every contestant asks a file of its own, its values in the form that it stores."""

from contextlib import contextmanager
from datetime import UTC, datetime

from orms.arena import Arena, command

from dbplan import sandbox
from dbplan.orms.contestants import SQLITE, contestants_on
from dbplan.orms.counting import Meter
from dbplan.orms.process import Fault, Process
from dbplan.orms.referee import Entrant
from dbplan.orms.scenarios import WRITES
from dbplan.orms.sqlite_referee import FileReferee
from dbplan.orms.sqlite_states import rows

EARLY = datetime(2000, 1, 1, tzinfo=UTC)


class FileArena(Arena):
    """Asks contestants; every write happens in a file of its own."""

    def __init__(self, stage, folder, rows):
        super().__init__(stage, folder, rows)
        self.referee = FileReferee(stage, Meter(None, "nobody counts"), self.derived.tables)

    def answers(self, name, scenarios):
        contestant = contestants_on(SQLITE)[name]
        wanted = [self.derived.scenarios[one] for one in scenarios if one in self.derived.scenarios]
        entrant = Entrant(contestant, tuple(command(contestant)), str(self.models(contestant)))
        parts = [[one for one in wanted if one.name not in WRITES], *([one] for one in wanted if one.name in WRITES)]
        found = {}
        for part in filter(None, parts):
            found |= self._answered(entrant, part)
        return found

    def _answered(self, entrant, scenarios):
        found = {}
        with self.referee.clone(entrant) as clone:
            process = Process(entrant.command)
            try:
                process.ask("open", 60, study=self.referee.study(entrant, clone))
                for scenario in scenarios:
                    found[scenario.name] = self._answer(process, scenario)
                    self._judge(entrant, clone, scenario, found[scenario.name])
            except Fault as error:
                found |= {one.name: {"fault": str(error)} for one in scenarios if one.name not in found}
            finally:
                process.close()
        return found

    def _judge(self, entrant, clone, scenario, answer):
        if scenario.name in WRITES and "results" in answer:
            tables = self.referee.compared(scenario)
            answer["state"] = [sorted(map(str, rows(clone.connection, one, EARLY))) for one in tables]
            self.referee.observe(entrant, clone, scenario)


@contextmanager
def files(plan, folder, rows=300):
    with sandbox(plan, on="sqlite") as stage:
        yield FileArena(stage, folder, rows)
