"""Alembic at arm's length: which env.py a folder runs under, and one call of it on a connection of ours."""

from __future__ import annotations

import logging.config
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dbplan.domains import folder
from dbplan.errors import MigrationError
from dbplan.plan import Plan

Steps = Callable[[Any, MigrationContext], list[RevisionStep]]


@dataclass(frozen=True)
class Environment:
    """An env.py and the revisions that run under it; `own` when it is the user's and not the one for all plans."""

    plan: Plan
    scripts: ScriptDirectory
    own: bool
    ini: Path | None = None

    def run(self, connection: Connection, steps: Steps, **options: Any) -> None:
        """Run env.py, with `steps` deciding which revisions it runs on `connection`; commit what it leaves open."""
        config = self._config()
        config.attributes["connection"] = connection
        if self.own:
            url = connection.engine.url.render_as_string(hide_password=False)
            config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        context = EnvironmentContext(config, self.scripts, fn=steps, **options)
        self._run(_insist(context, {"connection": connection}))
        if connection.in_transaction():
            connection.commit()

    def sql(self, dialect: str, steps: Steps, start: str) -> str:
        """Return the statements that the steps would run on a database at `start`, without one."""
        config, written = self._config(), StringIO()
        config.cmd_opts = Namespace(x=[f"url={dialect}://"])
        given: dict[str, Any] = {"connection": None, "url": None, "dialect_name": dialect, "output_buffer": written}
        given["dialect_opts"] = {"paramstyle": "named"}  # else percent signs are doubled, as for a driver
        context = EnvironmentContext(config, self.scripts, fn=steps, as_sql=True, starting_rev=start)
        self._run(_insist(context, given))
        return written.getvalue()

    def _run(self, context: EnvironmentContext) -> None:
        try:
            with context, _quiet():
                self.scripts.run_env()
        except Exception as error:
            if context._migration_context is not None or not self.own:  # a revision's own fault, told as that
                raise
            raise MigrationError(_stumbles(error)) from error

    def _config(self) -> Config:
        config = Config(str(self.ini)) if self.ini else Config()
        config.set_main_option("script_location", self.scripts.dir.replace("%", "%%"))
        config.attributes["plan"] = self.plan
        return config


def _stumbles(error: Exception) -> str:
    """Return in one line why an env.py did not come to run revisions, and what it could have used."""
    said = next(iter(str(error).splitlines()), "").rstrip(". ")
    if isinstance(error, KeyError):
        return f"env.py wants {said}, perhaps an environment variable; set it, then try again"
    if isinstance(error, ImportError):
        return f"env.py does not find its application: {said}; run where it can be imported, or set PYTHONPATH"
    if isinstance(error, DBAPIError):
        return (
            f"env.py connects to a database of its own: {said}; "
            'let it take config.attributes["connection"] or the sqlalchemy.url that it is handed'
        )
    return f"env.py fails before it runs a revision: {type(error).__name__}: {said}"


def _insist(context: EnvironmentContext, given: dict[str, Any]) -> EnvironmentContext:
    """Let our options stand against those of any env.py, so that no rehearsal reaches the database that one is for."""
    configure = context.configure

    def insisting(connection: Connection | None = None, **options: Any) -> None:
        configure(**({"connection": connection} | options | given))

    # Alembic proxies this class alone, and looks the method up on the object.
    context.configure = insisting  # type: ignore[method-assign,assignment]
    return context


def find(plan: Plan) -> Environment:
    """Return the environment of the plan's folder of migrations.

    A folder (or, of `versions`, its parent) with an env.py runs under that; any other holds revision files alone,
    and runs under the env.py for all plans. Raises MigrationError when there is no such folder.
    """
    path = plan.migrations
    if path is None or not path.is_dir():
        raise MigrationError(f'plan "{plan.name}" has no folder of migrations{f" at {path}" if path else ""}')
    shared = folder("migrations").resolve()
    own = path if (path / "env.py").is_file() else path.parent if path.name == "versions" else None
    if own is None or not (own / "env.py").is_file() or own.resolve() == shared:
        return Environment(plan, ScriptDirectory(shared, version_locations=[str(path)]), own=False)
    ini = next((file for file in (own / "alembic.ini", own.parent / "alembic.ini") if file.is_file()), None)
    return Environment(plan, _own_scripts(own, ini), own=True, ini=ini)


def _own_scripts(own: Path, ini: Path | None) -> ScriptDirectory:
    if ini is None:
        return ScriptDirectory(own)
    config = Config(str(ini))
    config.set_main_option("script_location", str(own).replace("%", "%%"))
    try:
        with _quiet():
            return ScriptDirectory.from_config(config)
    except CommandError as error:
        raise MigrationError(f"{ini.name}: {error}") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Let neither env.py nor a revision print, warn, or set up logging for the whole process."""
    before, disabled = logging.config.fileConfig, logging.root.manager.disable
    logging.config.fileConfig = _leave_logging_alone
    logging.disable()  # an application may have set up logging of its own, Alembic's included
    try:
        with ExitStack() as stack:
            stack.enter_context(redirect_stdout(StringIO()))
            stack.enter_context(redirect_stderr(StringIO()))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.config.fileConfig = before
        logging.disable(disabled)


def _leave_logging_alone(*_arguments: Any, **_options: Any) -> None:
    pass
