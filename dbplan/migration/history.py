"""The revisions of a plan, in the order in which they run, and how one of them is run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from dbplan.errors import DbplanError, MigrationError, mask
from dbplan.plan import Plan

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, RevisionStep
    from alembic.script import Script
    from sqlalchemy import Connection

    from dbplan.migration.environment import Environment


@dataclass(frozen=True)
class Revision:
    """One revision file. `down` are the revisions right before it, `one_way` why it has no way back, or ""."""

    id: str
    title: str
    down: tuple[str, ...]
    file: Path
    upgrades: bool
    downgrades: bool
    one_way: str = ""


@dataclass(frozen=True)
class History:
    """All revisions, base first; each comes after every one that it builds on."""

    plan: Plan
    revisions: tuple[Revision, ...]
    heads: tuple[str, ...]
    _environment: Environment

    @property
    def command(self) -> str:
        """How Alembic's command line is called for these revisions."""
        return "alembic" if self._environment.own else f"alembic -x plan={self.plan.name}"

    def revision(self, name: str) -> Revision:
        """Return the revision of that id."""
        return next(revision for revision in self.revisions if revision.id == name)

    def current(self, connection: Connection) -> tuple[tuple[str, ...], str]:
        """Return the revisions that the database stands at, and the name of its version table."""
        seen: list[tuple[tuple[str, ...], str]] = []

        def look(_heads: Any, context: MigrationContext) -> list[RevisionStep]:
            table, schema = context.version_table, context.version_table_schema
            default = connection.dialect.default_schema_name
            name = table if schema in (None, default) else f"{schema}.{table}"
            seen.append((context.get_current_heads(), name))
            return []

        try:
            self._run(connection, look, dont_mutate=True)
        except MigrationError:
            connection.rollback()
            if not seen:  # else the environment stumbled on the data, and what was asked is known
                raise
        return seen[0]

    def step(self, connection: Connection, revision: str, direction: str) -> None:
        """Run one revision up or down; MigrationError carries the server's message, masked, in one line."""
        self._run(connection, lambda *_: [self._step(revision, direction)])

    def path(self, current: tuple[str, ...], target: str, direction: str) -> tuple[Revision, ...]:
        """Return the revisions that lead from the current ones to `target`, in the order in which they run.

        `target` is an id or the beginning of one, head, heads, base, or a step such as +1 or -1.
        Raises MigrationError that lists the revisions for one that is not there.
        """
        from alembic.util import CommandError

        if direction == "down" and not current and target.startswith("-"):
            raise MigrationError("the database stands at base: no revision of this plan is in it to roll back")
        scripts = self._environment.scripts
        find = scripts._upgrade_revs if direction == "up" else scripts._downgrade_revs
        try:
            steps = find(target, current)  # type: ignore[arg-type]
        except CommandError as error:
            known = ", ".join(r.id for r in self.revisions) or "none"
            said = _one_line(str(error))
            raise MigrationError(
                f'no way {direction} to "{target}" from {shown(current)}: {said}; revisions are: {known}'
            ) from None
        return tuple(self.revision(step.revision.revision) for step in steps)

    def sql(self, revision: str, dialect: str) -> str:
        """Return the statements of one upgrade, written without a database."""
        start = self.revision(revision).down
        try:
            return self._environment.sql(dialect, lambda *_: [self._step(revision, "up")], ",".join(start) or "base")
        except Exception as error:
            raise MigrationError(_said(error)) from None

    def _step(self, revision: str, direction: str) -> RevisionStep:
        from alembic.runtime.migration import RevisionStep

        scripts = self._environment.scripts
        return RevisionStep(scripts.revision_map, _script(scripts.get_revision(revision)), direction == "up")

    def _run(self, connection: Connection, steps: Callable[..., list[RevisionStep]], **options: Any) -> None:
        try:
            self._environment.run(connection, steps, **options)
        except NotImplementedError as error:
            raise NoDowngrade(_said(error)) from None
        except Exception as error:  # a revision is code of others and may raise anything
            raise MigrationError(_said(error)) from None


class NoDowngrade(MigrationError):
    """A revision that says it cannot be undone."""


def load(plan: Plan) -> History:
    """Return the history of a plan; MigrationError names the file of a revision that cannot be loaded."""
    from alembic.util import CommandError

    from dbplan.migration.environment import find

    environment = find(plan)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            found = [_script(script) for script in environment.scripts.walk_revisions()]
            heads = tuple(environment.scripts.get_heads())
    except CommandError as error:
        raise MigrationError(f'the revisions of "{plan.name}" do not fit together: {_one_line(str(error))}') from None
    except UserWarning as error:
        raise MigrationError(f'the revisions of "{plan.name}" do not fit together: {_one_line(str(error))}') from None
    except Exception as error:
        raise MigrationError(f'a revision of "{plan.name}" does not load: {_where(error)}{_said(error)}') from None
    return History(plan, tuple(_revision(script) for script in reversed(found)), heads, environment)


def shown(revisions: tuple[str, ...]) -> str:
    """Return where a database stands, in words."""
    return " and ".join(sorted(revisions)) or "base"


def _script(found: Any) -> Script:
    script: Script = found
    return script


def _revision(script: Script) -> Revision:
    file = Path(script.path)
    upgrades, downgrades = _does_something(file, "upgrade"), _does_something(file, "downgrade")
    title = script.doc.splitlines()[0].rstrip(".") if script.doc else ""
    one_way = str(getattr(script.module, "one_way", "") or "")
    return Revision(script.revision, title, script._versioned_down_revisions, file, upgrades, downgrades, one_way)


def _does_something(file: Path, name: str) -> bool:
    """Say whether the function of that name holds more than a docstring, `pass` or a raised NotImplementedError."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return not all(_is_nothing(statement) for statement in node.body)
    return False


def _is_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        return "NotImplementedError" in ast.dump(statement)
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _said(error: BaseException) -> str:
    """Return an error in one masked line; of a database error what the server said."""
    if isinstance(error, DBAPIError) and error.orig is not None and error.orig.args:
        return _one_line(str(error.orig.args[-1]))
    if isinstance(error, DbplanError):
        return _one_line(str(error))
    name = "" if type(error).__name__ == "CommandError" else f"{type(error).__name__}: "
    return _one_line(f"{name}{error}".rstrip(": "))


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("LINE ", "^"))]
    return mask(" ".join(kept[:3]))


def _where(error: BaseException) -> str:
    """Return the revision file that an error arose in."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}: "
    trace, where = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if trace.tb_frame.f_code.co_name == "<module>" and "site-packages" not in name:
            where = f"{Path(name).name}:{trace.tb_lineno}: "
        trace = trace.tb_next
    return where
