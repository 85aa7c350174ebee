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
        """Return what one process answers, whose file is put back after each write."""
        contestant = contestants_on(SQLITE)[name]
        wanted = [self.derived.scenarios[one] for one in scenarios if one in self.derived.scenarios]
        entrant = Entrant(contestant, tuple(command(contestant)), str(self.models(contestant)))
        with self.referee.clone(entrant) as clone:
            process = Process(entrant.command)
            try:
                process.ask("open", 60, study=self.referee.study(entrant, clone))
                return {one.name: self._judged(process, entrant, clone, one) for one in wanted}
            except Fault as error:
                return {one.name: {"fault": str(error)} for one in wanted}
            finally:
                process.close()

    def _judged(self, process, entrant, clone, scenario):
        answer = self._answer(process, scenario)
        self._judge(entrant, clone, scenario, answer)
        if scenario.name in WRITES:
            assert not self.referee.renew([clone], scenario)
        return answer

    def _judge(self, entrant, clone, scenario, answer):
        if scenario.name in WRITES and "results" in answer:
            tables = self.referee.compared(scenario)
            answer["state"] = [sorted(map(str, rows(clone.connection, one, EARLY))) for one in tables]
            self.referee.observe(entrant, clone, scenario)


@contextmanager
def files(plan, folder, rows=300):
    with sandbox(plan, on="sqlite") as stage:
        yield FileArena(stage, folder, rows)
