"""A trial: one scenario, all contestants alive at once, checked first and timed in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbplan.orms.contestants import drivers
from dbplan.orms.counting import Counted
from dbplan.orms.facts import NOT_CHECKED, NOT_COVERED, WRONG
from dbplan.orms.process import Fault, Process
from dbplan.orms.referee import Clone, Entrant, Referee
from dbplan.orms.scenarios import WRITES, Scenario

OPEN = 60.0
"""Seconds that a contestant has to start and connect."""
ANSWER = 30.0
"""Seconds that it has for anything else."""
AT_ONCE = 2
"""Contestants that work at the same time while nothing is timed."""


@dataclass
class Player:
    """A contestant in one trial: its database, its process, and what came of it."""

    entrant: Entrant
    clone: Clone
    process: Process
    is_open: bool = False
    outcome: str = ""
    """What ended its trial early, and why; empty while it goes on."""
    reason: str = ""
    note: str = ""
    rounds: list[tuple[int, ...]] = field(default_factory=list)
    counted: dict[int | None, Counted] = field(default_factory=dict)
    """By the number of parents asked for; None for the scenario as it is."""
    memory: int | None = None
    cost: float = 0.0
    """Seconds of one call, as its warm-up shows."""

    @property
    def name(self) -> str:
        """Its contestant's name."""
        return self.entrant.name

    @property
    def goes_on(self) -> bool:
        """Whether nothing has ended its trial."""
        return not self.outcome

    @property
    def may_go_on(self) -> bool:
        """Whether its process is fit for another trial: one whose call failed may hold a transaction open."""
        return self.process.lives and self.outcome in ("", NOT_COVERED, NOT_CHECKED, WRONG)

    def ask(self, do: str, within: float | None = None, **given: Any) -> dict[str, Any]:
        """Return its process's answer; raises Fault."""
        return self.process.ask(do, ANSWER if within is None else within, **given)

    def leave(self, outcome: str, reason: str) -> None:
        """End its trial; what it did until then does not count."""
        self.outcome, self.reason = outcome, reason
        self.rounds.clear()


@dataclass
class Seats:
    """Databases and processes of contestants: those of reads are kept, those of writes are each trial's own.

    Where processes are not `shared`, each trial starts its own. Where they are, and the referee can put back what was
    written, writes keep theirs too.
    """

    referee: Referee
    folder: Path
    shared: bool
    _stack: ExitStack = field(default_factory=ExitStack)
    _clones: dict[str, Clone] = field(default_factory=dict)
    _kept: dict[str, Process] = field(default_factory=dict)
    _started: list[Process] = field(default_factory=list)

    def __enter__(self) -> Seats:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for process in self._started:
                process.stop()
            for process in self._started:
                process.kill()
            self.referee.drop(list(self._clones.values()))
        finally:
            self._stack.close()

    def clone(self, entrant: Entrant) -> Clone:
        """Return the database that a contestant only reads from."""
        if entrant.name not in self._clones:
            self._clones[entrant.name] = self._stack.enter_context(self.referee.clone(entrant))
        return self._clones[entrant.name]

    def start(self, entrant: Entrant) -> Process:
        """Start a contestant's process, which ends with the seats at the latest."""
        self._started.append(Process(entrant.command, entrant.environment, self.folder))
        return self._started[-1]

    def keep(self, entrant: Entrant, process: Process) -> None:
        """Keep an open process for the trials to come."""
        self._kept[entrant.name] = process

    def _rise(self) -> None:
        """End the processes that were kept."""
        _close(list(self._kept.values()))
        self._kept.clear()

    @contextmanager
    def seated(self, entrants: Sequence[Entrant], scenario: Scenario) -> Iterator[list[Player]]:
        """Give the players of a trial; databases that were written to are dropped at its end, or put back."""
        writes = scenario.name in WRITES
        keeps = self.shared and (not writes or self.referee.renews)
        if not keeps:
            self._rise()
        players: list[Player] = []
        with ExitStack() as stack:
            for entrant in entrants:
                own = writes and not keeps
                clone = stack.enter_context(self.referee.clone(entrant)) if own else self.clone(entrant)
                kept = self._kept.pop(entrant.name, None)
                players.append(Player(entrant, clone, kept or self.start(entrant), is_open=kept is not None))
            if writes and not keeps:
                stack.callback(self.referee.drop, [player.clone for player in players])
            yield players
            self._kept |= {player.name: player.process for player in players if keeps and player.may_go_on}
            _close([player.process for player in players if player.name not in self._kept])
            if writes and keeps:
                self._renew(players, scenario)

    def _renew(self, players: Sequence[Player], scenario: Scenario) -> None:
        """Put back what was written; a database that is held by somebody goes, and who plays in it starts anew."""
        lost = self.referee.renew([player.clone for player in players], scenario)
        for player in (player for player in players if player.clone in lost):
            if process := self._kept.pop(player.name, None):
                process.kill()
            del self._clones[player.name]
        self.referee.drop(lost)


def _close(processes: Sequence[Process]) -> None:
    with ThreadPoolExecutor(2 * AT_ONCE) as pool:
        list(pool.map(Process.close, processes))


def together(players: Sequence[Player], act: Callable[[Player], object]) -> None:
    """Have several players act at the same time; those that fail leave with the reason."""

    def attempt(player: Player) -> None:
        try:
            act(player)
        except Fault as fault:
            player.leave(fault.what, fault.reason)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            list(pool.map(attempt, players))
        except BaseException:
            for player in players:
                player.process.stop()  # whoever waits for an answer learns of it
            raise


def reference(players: Sequence[Player]) -> Player | None:
    """Return the raw driver whose results all others must equal, the first of those that go on."""
    by_name = {player.name: player for player in players if player.goes_on}
    return next((by_name[name] for name in drivers() if name in by_name), None)
