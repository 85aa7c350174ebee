"""Where throwaway servers and databases live, and which account their server runs as."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from dbplan.errors import NotCovered, SandboxError

VARIABLE = "DBPLAN_HOME"


@dataclass(frozen=True)
class Account:
    """The account that the server's processes run as; `switch` says whether that is not our own."""

    uid: int
    gid: int
    switch: bool

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that make `subprocess` run something as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}

    def reaches(self, path: Path) -> bool:
        """Say whether the account may pass through (or run) `path`."""
        if not self.switch:
            return os.access(path, os.X_OK)
        try:
            test = subprocess.run(["/bin/sh", "-c", 'test -x "$0"', str(path)], check=False, cwd="/", **self.options)
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(
                f"cannot become user {self.uid} to run PostgreSQL, which refuses root ({error}); run as a normal user"
            ) from None
        return test.returncode == 0


def account() -> Account:
    """Return the account for the server: our own, or `nobody` for root, as which PostgreSQL refuses to run."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise SandboxError(
            "PostgreSQL refuses to run as root and there is no user nobody to run it; run as a normal user"
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid, switch=True)


def home() -> Path:
    """Return dbplan's own directory for throwaway data; make it when it is not there.

    It is $DBPLAN_HOME, else `dbplan` in the user's cache directory (for root in /var/cache),
    else a private one in the temporary directory.
    """
    if sys.platform == "win32":
        raise NotCovered(
            'throwaway databases are not covered on Windows; run in WSL, or give the URL of a server: on="…"'
        )
    chosen = os.environ.get(VARIABLE)
    candidates = [Path(chosen).expanduser().absolute()] if chosen else _usual()
    failures = []
    for path in candidates:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return own_directory(path, 0o711 if os.geteuid() == 0 else 0o700)
        except OSError as error:
            failures.append(f"{path}: {error.strerror or error}")
        except SandboxError as error:
            failures.append(str(error))
    raise SandboxError(
        f"no place for throwaway databases: {'; '.join(failures)}; set {VARIABLE} to a directory of yours"
    )


def _usual() -> list[Path]:
    fallback = Path(gettempdir()) / f"dbplan-{os.geteuid()}"
    if os.geteuid() == 0:
        return [Path("/var/cache/dbplan"), fallback]
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    usual = [Path(cache) / "dbplan"] if Path(cache).is_absolute() else []
    return [*usual, fallback]


def own_directory(path: Path, mode: int, owner: Account | None = None) -> Path:
    """Return `path` as a directory of ours; make it with that mode, or check that nobody else could have put it there.

    The mode of a directory that is already there is left alone.
    """
    uid = owner.uid if owner else os.geteuid()
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o022:
            raise SandboxError(
                f"{path} is not a directory that only user {uid} can write to; "
                "mend that with chown and chmod, or remove it"
            ) from None
        return path
    if owner is not None and owner.switch:
        os.chown(path, owner.uid, owner.gid)
    path.chmod(mode)
    return path
