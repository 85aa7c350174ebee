"""The process of a probe, `python -m dbplan.orms.features.serving ADAPTER PROBE`: as a contestant's, with features."""

from __future__ import annotations

import gc
import inspect
import json
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from dbplan.errors import NotCovered
from dbplan.orms.runner import Runner, failure, peak, resident


class Prober(Runner):
    """An adapter with its database, and the functions that use its ORM's features."""

    def __init__(self, adapter: str, probe: str) -> None:
        super().__init__(adapter)
        self.probe = import_module(f"dbplan.orms.features.python.{probe}")

    def feature(self, name: str) -> dict[str, Any]:
        """Use one feature, and tell what was seen."""
        function = getattr(self.probe, name, None)
        if function is None:
            return {"unprobed": ""}
        before = _forgotten()
        try:
            found = function(self.db)
            told = self.loop.run_until_complete(found) if self.loop and inspect.isawaitable(found) else found
        except NotCovered as error:
            return {"not_covered": str(error)}
        except Exception as error:
            return {"refused": failure(error)}
        return {"seen": told, "grown_kb": max(0, _highest() - before)}


def _forgotten() -> int:
    """Begin to look for the most memory anew, where the system can; return what this process takes now, in kB."""
    gc.collect()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    return resident()


def _highest() -> int:
    """Return the most memory that this process has taken since, in kB; getrusage's begins with its parent's."""
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return peak()
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), peak())


def serve(adapter: str, probe: str, lines: Any, out: Any) -> None:
    """Answer asks until told to close."""
    prober: Prober | None = None
    for line in lines:
        ask = json.loads(line)
        do = ask.pop("do")
        try:
            prober = prober or Prober(adapter, probe)
            answer = getattr(prober, do)(**ask)
        except Exception as error:
            answer = {"error": failure(error)}
        out.write(json.dumps(answer, default=str) + "\n")
        out.flush()
        if do == "close":
            return


if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr
    serve(sys.argv[1], sys.argv[2], sys.stdin, answers)
