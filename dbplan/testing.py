"""The pytest plugin: a test asks for `dbplan_database` and gets a copy of its own of a seeded database.

It is loaded by every pytest run of an environment that has dbplan, so that nothing is imported before a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dbplan.plan import Plan
    from dbplan.sandbox import Stage

_SETTINGS = {
    "dbplan_plan": "the plan of tests that name none: what `dbplan lint` takes",
    "dbplan_on": "the server of their databases: postgresql, mariadb, sqlite or a URL; default: the plan's own kind",
    "dbplan_profile": "the profile of the recipe that seeds them; default: test",
}
_MARK = "dbplan(plan=None, *, on=None, profile=None, rows=None, random_state=None): the seeded database of a test"
_WORDS = ("plan", "on", "profile", "rows", "random_state")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let pytest's settings name a plan, a server and a profile."""
    for name, said in _SETTINGS.items():
        parser.addini(name, said, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARK)


@dataclass(frozen=True)
class Wish:
    """The database that a test asks for."""

    plan: str
    on: str
    profile: str | None
    rows: int | None
    random_state: int | None


@dataclass
class Templates:
    """The seeded databases of a session, made when they are first asked for, and kept until its end."""

    root: Path
    open: ExitStack
    made: dict[Wish, Stage] = field(default_factory=dict)

    def of(self, wish: Wish) -> Stage:
        """Return the database that all copies for a wish are made of."""
        if wish not in self.made:
            self.made[wish] = self._make(wish)
        return self.made[wish]

    def _make(self, wish: Wish) -> Stage:
        from dbplan.sandbox import sandbox
        from dbplan.seeding import seed

        plan = self._plan(wish.plan)
        stage = self.open.enter_context(sandbox(plan, on=wish.on or _own_server(plan)))
        seed(stage, rows=wish.rows, profile=wish.profile, random_state=wish.random_state)
        return stage

    def _plan(self, name: str) -> Plan:
        """Return a plan by its name; that of a file is looked for from pytest's root folder."""
        from dbplan.sources import read

        file = self.root / name
        return read(str(file) if file.exists() else name)


def _own_server(plan: Plan) -> str:
    own = {"sqlite": "sqlite", "mysql": "mariadb", "mariadb": "mariadb"}
    return own.get(str(plan.metadata.info.get("dialect")), "postgresql")


@pytest.fixture(scope="session")
def dbplan_templates(pytestconfig: pytest.Config) -> Iterator[Templates]:
    """Give the seeded databases of this session, which are dropped at its end."""
    with ExitStack() as open_:
        yield Templates(pytestconfig.rootpath, open_)


@pytest.fixture
def dbplan_database(request: pytest.FixtureRequest, dbplan_templates: Templates) -> Iterator[Stage]:
    """Give a seeded database of this test's own, as a Stage with `engine`, `url` and `plan`.

    Which one is said by `@pytest.mark.dbplan("credits", rows=50)`, else by the settings `dbplan_plan`, `dbplan_on` and
    `dbplan_profile`. The test may write to it: it is dropped at the end.
    """
    wish = _wish(request)
    with _one_line():
        template = dbplan_templates.of(wish)
    with template.clone() as stage:
        yield stage


@contextmanager
def _one_line() -> Iterator[None]:
    """Fail a test with what an error of dbplan says, without dbplan's own source."""
    from dbplan.errors import DbplanError

    try:
        yield
    except DbplanError as error:
        pytest.fail(f"dbplan: {error}", pytrace=False)


def _wish(request: pytest.FixtureRequest) -> Wish:
    """Return what the nearest marker says, and the settings where it says nothing."""
    said: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers("dbplan"))):
        said |= _words(mark)
    plan = said.get("plan") or request.config.getini("dbplan_plan")
    if not plan:
        raise pytest.UsageError(
            'dbplan_database wants a plan: @pytest.mark.dbplan("models.py"), or dbplan_plan in the settings of pytest'
        )
    profile = said.get("profile") or request.config.getini("dbplan_profile") or None
    rows = said.get("rows")
    return Wish(
        str(plan),
        str(said.get("on") or request.config.getini("dbplan_on")),
        profile or (None if rows is not None else "test"),
        rows,
        said.get("random_state"),
    )


def _words(mark: pytest.Mark) -> dict[str, Any]:
    unknown = sorted(set(mark.kwargs) - set(_WORDS))
    if unknown or len(mark.args) > 1:
        raise pytest.UsageError(
            f"@pytest.mark.dbplan takes a plan and {', '.join(_WORDS[1:])}; not {', '.join(unknown) or mark.args[1:]}"
        )
    return dict(mark.kwargs) | ({"plan": mark.args[0]} if mark.args else {})
