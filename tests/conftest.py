"""One throwaway home of databases for the whole run, shared by its workers; a run that leaves something there fails."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

from dbplan.sandbox import cluster, mariadb, postgresql
from dbplan.sandbox.home import home

hypothesis.settings.register_profile("here", deadline=None, database=None)
# CI tells a failure as it is found: where examples want a server, to make it smaller takes minutes.
TOLD_SOON = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
hypothesis.settings.register_profile(
    "ci", deadline=None, database=None, derandomize=True, phases=TOLD_SOON, print_blob=True, report_multiple_bugs=False
)
# --hypothesis-profile=many, with a --hypothesis-seed: a search by hand.
hypothesis.settings.register_profile("many", deadline=None, database=None, max_examples=2000, phases=TOLD_SOON)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

_root = pytest.StashKey[Path]()


def _is_worker(config):
    return hasattr(config, "workerinput")


def pytest_configure(config):
    if _is_worker(config):
        return
    root = Path(tempfile.mkdtemp(prefix="dbplan-tests-"))
    root.chmod(0o711)  # run by root, the server belongs to another account
    config.stash[_root] = root
    node = home() / "node"
    os.environ["DBPLAN_HOME"] = str(root / "home")
    if node.is_dir():  # the packages of Node's ORMs, which make installs once
        (home() / "node").symlink_to(node)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if _is_worker(session.config):
        return
    left = leftovers(session.config.stash[_root] / "home")
    if left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(f"\nleft behind by the tests: {', '.join(left)}", red=True)


def pytest_unconfigure(config):
    root = config.stash.get(_root, None)
    if root is not None:
        shutil.rmtree(root)


def leftovers(place):
    """Stop the servers of that home; return what is still there that should not be."""
    os.environ["DBPLAN_HOME"] = str(place)
    if not place.exists():
        return []
    left = list(postgresql.status().databases)
    postgresql.stop()
    left += mariadb.names()
    mariadb.stop()
    servers = [cluster.here(), *mariadb.instance.present()]
    left += [f"process {pid}" for server in servers for pid in server.processes()]
    return left + [str(path) for path in (place / "sqlite").glob("*/")]
