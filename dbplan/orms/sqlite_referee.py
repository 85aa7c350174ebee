"""The referee of SQLite: a file for each contestant, its values in the form that the contestant stores."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy import Table

from dbplan.evidence import Server
from dbplan.orms.forms import DEFAULTS, WRITERS, forms_of, found
from dbplan.orms.referee import RESTORED, Clone, Entrant, Referee
from dbplan.orms.relations import kind_of
from dbplan.orms.renewing import written
from dbplan.orms.scenarios import Scenario
from dbplan.orms.sqlite_states import difference, fingerprint, quoted
from dbplan.orms.states import Compared, Fingerprint
from dbplan.sandbox import sqlite

UNCOUNTED = "SQLite runs inside the contestant's process, where nobody counts beside it"
BUSY = 5000
"""Milliseconds that each contestant waits for the one writer that SQLite lets in."""
SETTING = (
    "SQLite: every contestant has a copy of one file in WAL mode, with foreign_keys = ON, synchronous = FULL and a "
    f"busy timeout of {BUSY // 1000} s, and its values in the form that the contestant itself stores. Decimals, which "
    "SQLite keeps as floats, are compared to 12 digits; moments without a zone as UTC. Features are probed on "
    "PostgreSQL alone."
)
_PATIENCE = 20.0
_LOOKED_AT = 50


@dataclass(frozen=True)
class FileReferee(Referee):
    """Hands out copies of a file and judges what they hold."""

    seen: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By contestant and kind: the forms that all values may be in which it has stored."""
    _templates: dict[tuple[tuple[str, str], ...], Path] = field(default_factory=dict)

    @contextmanager
    def clone(self, entrant: Entrant) -> Iterator[Clone]:
        """Give a copy of the template with values as the contestant stores them, removed at the end."""
        template = self._template(entrant.contestant.forms)
        path = template.with_name(f"{template.stem}-{token_hex(4)}.db")
        shutil.copyfile(template, path)
        try:
            with closing(sqlite3.connect(path, _PATIENCE, isolation_level=None, check_same_thread=False)) as own:
                own.execute("ATTACH ? AS template", [str(template)])
                yield Clone(str(path), own, _now(), 0)
        finally:
            _remove(path)

    def drop(self, clones: Sequence[Clone]) -> None:
        """Remove clones."""
        for clone in clones:
            clone.connection.close()
            _remove(Path(clone.name))

    def address(self, clone: Clone) -> dict[str, Any]:
        """Return where a clone lies, and how long to wait for another writer."""
        return {"database": clone.name, "busy_timeout": BUSY}

    def sessions(self, clone: Clone) -> list[int] | None:
        """Return nothing: SQLite runs inside the contestant's process."""
        return []

    def state(self, clone: Clone, tables: tuple[Compared, ...]) -> Fingerprint:
        """Return what a file holds."""
        return fingerprint(clone.connection, tables, _since(clone))

    def difference(
        self, clone: Clone, other: Clone, tables: tuple[Compared, ...], found: Fingerprint, due: Fingerprint
    ) -> str:
        """Return the first difference of a file from another, which is as it should be."""
        since = min(_since(clone), _since(other))
        return difference(clone.connection, other.connection, tables, found, due, since)

    def restore(self, clone: Clone, scenario: Scenario) -> int:
        """Take out the rows whose keys the template has not; return how many there were.

        A contestant that leaves a transaction open keeps its rows, and fails by them in its next call.
        """
        if scenario.name not in RESTORED:
            return 0
        table = self._inserted(scenario)
        own = quoted(table.name)
        same = " AND ".join(f"old.{quoted(c.name)} IS {own}.{quoted(c.name)}" for c in table.primary_key.columns)
        query = f"DELETE FROM main.{own} WHERE NOT EXISTS (SELECT 1 FROM template.{own} AS old WHERE {same})"  # noqa: S608
        with suppress(sqlite3.OperationalError):
            return int(clone.connection.execute(query).rowcount)
        return 0

    def observe(self, entrant: Entrant, clone: Clone, scenario: Scenario) -> None:
        """Keep in which forms a contestant has stored what it inserted."""
        if scenario.name != "insert_one" or entrant.twin_of:
            return
        table = self._inserted(scenario)
        own = quoted(table.name)
        same = " AND ".join(f"old.{quoted(c.name)} IS {own}.{quoted(c.name)}" for c in table.primary_key.columns)
        for column in (column for column in table.columns if kind_of(column) in DEFAULTS):
            query = (
                f"SELECT {quoted(column.name)} FROM main.{own} WHERE {quoted(column.name)} IS NOT NULL "  # noqa: S608
                f"AND NOT EXISTS (SELECT 1 FROM template.{own} AS old WHERE {same}) LIMIT {_LOOKED_AT}"
            )
            for (value,) in clone.connection.execute(query).fetchall():
                self._see(entrant, str(kind_of(column)), value)

    def _see(self, entrant: Entrant, kind: str, value: Any) -> None:
        now, place = forms_of(value, kind), (entrant.name, kind)
        own = entrant.contestant.forms.get(kind, DEFAULTS[kind])
        both = [form for form in self.seen.get(place, now) if form in now]
        self.seen[place] = sorted(both, key=lambda form: form != own) or ["several"]

    def forms(self) -> Mapping[str, Mapping[str, str]]:
        """Return in which forms contestants were seen to store values, by kind."""
        made: dict[str, dict[str, str]] = {}
        for (name, kind), forms in self.seen.items():
            made.setdefault(name, {})[kind] = forms[0]
        return made

    @property
    def renews(self) -> bool:
        """Whether a file that was written to can be put back while its contestant stays."""
        return True

    def renew(self, clones: Sequence[Clone], scenario: Scenario) -> list[Clone]:
        """Put back what a scenario has changed; return the clones where somebody held it."""
        tables = written(self.stage.plan, scenario)
        lost = []
        for clone in clones:
            try:
                _renew(clone.connection, tables)
            except sqlite3.Error:
                lost.append(clone)
            clone.since = _now()
        return lost

    @property
    def server(self) -> Server:
        """What figures are measured on, as contestants set it."""
        told = dict(self.stage.server.settings) | {"journal_mode": "wal", "busy_timeout": str(BUSY)}
        return replace(self.stage.server, settings=tuple(told.items()))

    def _inserted(self, scenario: Scenario) -> Table:
        return self.stage.plan.metadata.tables[scenario.insert.table if scenario.insert else scenario.table]

    def _template(self, forms: Mapping[str, str]) -> Path:
        """Return the file that contestants with these forms get copies of."""
        others = tuple(sorted((kind, form) for kind, form in forms.items() if form != DEFAULTS.get(kind)))
        if others not in self._templates:
            source = Path(str(self.stage.engine.url.database))
            self.stage.engine.dispose()
            path = source.with_name(f"template-{len(self._templates)}.db")
            sqlite.copy(source, path)
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                _rewrite(connection, self.stage.plan.tables, dict(others))
                connection.execute("VACUUM")
                connection.execute("PRAGMA journal_mode = WAL")
            self._templates[others] = path
        return self._templates[others]


def _now() -> str:
    """Return the moment, without fractions: CURRENT_TIMESTAMP has none."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _renew(connection: sqlite3.Connection, tables: Sequence[Table]) -> None:
    """Give a file's tables the template's rows alone; what triggers would do is not done."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        with _without_triggers(connection):
            for table in tables:
                name = quoted(table.name)
                columns = ", ".join(quoted(c.name) for c in table.columns if c.computed is None)
                connection.execute(f"DELETE FROM main.{name}")  # noqa: S608
                connection.execute(f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM template.{name}")  # noqa: S608
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _without_triggers(connection: sqlite3.Connection) -> Iterator[None]:
    triggers = connection.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER main.{quoted(name)}")
    yield
    for _, text in triggers:
        connection.execute(text)


def _since(clone: Clone) -> datetime:
    return datetime.fromisoformat(clone.since)


def _remove(path: Path) -> None:
    for rest in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{rest}").unlink(missing_ok=True)


def _rewrite(connection: sqlite3.Connection, tables: Sequence[Table], forms: Mapping[str, str]) -> None:
    """Write every value of some kinds in another form; what triggers would do is not done."""
    if not forms:
        return
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for number, (kind, form) in enumerate(forms.items()):
        connection.create_function(f"form_{number}", 1, _writer(kind, form), deterministic=True)
    functions = {kind: f"form_{number}" for number, kind in enumerate(forms)}
    connection.execute("BEGIN")
    with _without_triggers(connection):
        for table in tables:
            names = [(c.name, functions[str(kind_of(c))]) for c in table.columns if _is_rewritten(table, c, functions)]
            if names:
                sets = ", ".join(f"{quoted(name)} = {function}({quoted(name)})" for name, function in names)
                connection.execute(f"UPDATE {quoted(table.name)} SET {sets}")  # noqa: S608
    connection.execute("COMMIT")


def _is_rewritten(table: Table, column: Any, functions: Mapping[str, str]) -> bool:
    return not table.info.get("is_view") and column.computed is None and str(kind_of(column)) in functions


def _writer(kind: str, form: str) -> Any:
    write = WRITERS[form]
    return lambda value: None if value is None else write(found(value, kind))
