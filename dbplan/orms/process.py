"""A contestant's process: asked by lines of JSON, answering in time or not at all, and gone at the end."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from dbplan.errors import mask
from dbplan.sandbox.directory import die_with_parent

What = Literal["crashed", "hung", "printed rubbish", "failed"]
FAULTS = frozenset(get_args(What))

GRACE = 3.0
"""Seconds that a process has to end by itself."""
SHOWN = 160
"""Characters of what a process said that are told."""
_CHUNK = 1 << 16


class Fault(Exception):
    """How a contestant failed an ask; only one that `failed` goes on to answer."""

    def __init__(self, what: What, reason: str) -> None:
        self.what: What = what
        self.reason = mask(" ".join(reason.split()))
        super().__init__(f"{what}: {self.reason}")


class Process:
    """One process of one contestant, in a group of its own, so that what it starts ends with it."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._rest, self._ended = b"", False
        self._child = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(environment or {}),
            cwd=folder,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._in, self._out = self._child.stdin.fileno(), self._child.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    @property
    def pid(self) -> int:
        """Its number, which is its group's as well."""
        return self._child.pid

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return not self._ended and self._child.poll() is None

    def ask(self, do: str, within: float, **given: Any) -> dict[str, Any]:
        """Return the answer to one ask; Fault when there is none within so many seconds, and the process is killed."""
        if self._ended:
            raise Fault("crashed", "it has ended already")
        end = time.monotonic() + within
        try:
            self._send(json.dumps({"do": do, **given}).encode() + b"\n", end)
            answer = _answer(self._line(end))
        except TimeoutError:
            words = self._last_words()
            self.kill()
            raise Fault("hung", f"no answer to {do} within {within:g} s{words}") from None
        except BaseException:  # Ctrl-C as well: half an answer may be on its way
            self.kill()
            raise
        if "error" in answer:
            error = answer["error"] if isinstance(answer["error"], dict) else {"message": answer["error"]}
            raise Fault("failed", _told(error))
        return answer

    def _send(self, line: bytes, end: float) -> None:
        while line:
            _wait(self._in, select.POLLOUT, end)
            try:
                line = line[os.write(self._in, line[:_CHUNK]) :]
            except BrokenPipeError:
                raise self._crash() from None

    def _line(self, end: float) -> bytes:
        """Return what it says up to the end of a line."""
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            _wait(self._out, select.POLLIN, end)
            part = os.read(self._out, _CHUNK)
            if not part:
                raise self._crash()
            parts.append(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def _crash(self) -> Fault:
        """Return how it ended."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(GRACE)
        code = self._child.returncode
        ended = "closed its output" if code is None else _ending(code)
        return Fault("crashed", f"{ended}{self._last_words()}")

    def _last_words(self) -> str:
        """Return the last line of its standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 4096))
        lines = [line.strip() for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return f"; its last words: {lines[-1][:SHOWN]}" if lines else ""

    def memory(self) -> int | None:
        """Return the most memory that it has taken, in bytes, as its operating system counts it; None where unknown.

        What getrusage would tell begins with what the parent had when it started the child.
        """
        with suppress(OSError, ValueError):
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
            return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
        return None

    def close(self) -> None:
        """Let it disconnect and end; one that does not is killed."""
        if not self._ended:
            with suppress(Fault):
                self.ask("close", GRACE)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(GRACE)
        self.kill()

    def stop(self) -> None:
        """End it and all that it has started, at once; an ask in another thread learns of it."""
        if not self._ended:
            self._ended = True  # its number may be somebody else's from now on
            with suppress(ProcessLookupError, PermissionError):  # nobody is left of the group
                os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it and all that it has started, and let go of its pipes."""
        self.stop()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout, self._errors):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _wait(descriptor: int, event: int, end: float) -> None:
    """Wait until a pipe is ready; TimeoutError when that takes too long."""
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, 1000 * (end - time.monotonic()))):
        raise TimeoutError


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return ours without what would lead a driver to another server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE_", "DIRECT_"))}
    modules = os.pathsep.join(str(Path(folder).absolute()) for folder in sys.path)  # last, so that they hide nothing
    return kept | {"TZ": "UTC", "PYTHONSAFEPATH": "1", "DBPLAN_MODULES": modules} | dict(extra)


def _answer(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        said = line.decode(errors="replace").strip()[:SHOWN]
        raise Fault("printed rubbish", f'it printed "{said}" where an answer is due')
    return answer


def _told(error: Mapping[str, Any]) -> str:
    said = ": ".join(str(error[part]) for part in ("type", "message") if error.get(part))
    return f"{said} ({error['where']})" if error.get("where") else said


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"
