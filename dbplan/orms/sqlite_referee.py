"""The referee of SQLite: a file for each contestant, its values in the form that the contestant stores."""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy import Table

from dbplan.orms.forms import DEFAULTS, WRITERS, form_of, found
from dbplan.orms.referee import RESTORED, Clone, Entrant, Referee
from dbplan.orms.relations import kind_of
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
    "SQLite keeps as floats, are compared to 12 digits; moments without a zone as UTC."
)
_PATIENCE = 20.0
_LOOKED_AT = 50


@dataclass(frozen=True)
class FileReferee(Referee):
    """Hands out copies of a file and judges what they hold."""

    seen: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """By contestant and kind: the form in which it has stored values."""
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
                yield Clone(str(path), own, datetime.now(UTC).isoformat(timespec="seconds"), 0)
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
            for (value,) in clone.connection.execute(query):
                self.seen[entrant.name].setdefault(str(kind_of(column)), form_of(value, str(kind_of(column))))

    def forms(self) -> Mapping[str, Mapping[str, str]]:
        """Return in which forms contestants were seen to store values, by kind."""
        return {name: dict(kinds) for name, kinds in self.seen.items()}

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
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {quoted(name)}")
    for table in tables:
        names = [(c.name, functions[str(kind_of(c))]) for c in table.columns if _is_rewritten(table, c, functions)]
        if names:
            sets = ", ".join(f"{quoted(name)} = {function}({quoted(name)})" for name, function in names)
            connection.execute(f"UPDATE {quoted(table.name)} SET {sets}")  # noqa: S608
    for _, text in triggers:
        connection.execute(text)
    connection.execute("COMMIT")


def _is_rewritten(table: Table, column: Any, functions: Mapping[str, str]) -> bool:
    return not table.info.get("is_view") and column.computed is None and str(kind_of(column)) in functions


def _writer(kind: str, form: str) -> Any:
    write = WRITERS[form]
    return lambda value: None if value is None else write(found(value, kind))
