"""The process of a Python contestant, `python -m dbplan.orms.runner ADAPTER`: a JSON object a line in, and one out.

Nothing else may stand on standard output: what libraries print goes to standard error.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

from dbplan.errors import NotCovered
from dbplan.orms import forms
from dbplan.orms.kinds import native, travelling
from dbplan.orms.scenarios import Link, Scenario, Study, TableFacts

Columns = Mapping[str, Mapping[str, Any]]
MODULES = "DBPLAN_MODULES"
"""The environment variable that tells where exported models find the modules of the plan's own types."""


class Runner:
    """An adapter, its database, and the scenario that is bound."""

    def __init__(self, adapter: str) -> None:
        began = time.perf_counter()
        self.adapter: Any = import_module(f"dbplan.orms.adapters.{adapter}")
        self.import_ms = 1000 * (time.perf_counter() - began)
        self.is_async = bool(getattr(self.adapter, "IS_ASYNC", False))
        self.loop = asyncio.new_event_loop() if self.is_async else None

    def call(self, function: Callable[..., Any], *given: Any) -> Any:
        """Call a function of the adapter, and wait for it where it is asynchronous."""
        found = function(*given)
        return self.loop.run_until_complete(found) if self.loop is not None and isinstance(found, Awaitable) else found

    def open(self, study: Mapping[str, Any]) -> dict[str, Any]:
        """Connect, and say what it took."""
        began = time.perf_counter()
        self.study = study_of(study)
        self.db = self.call(self.adapter.open, self.study)
        opened = time.perf_counter()
        self.call(self.adapter.ping, self.db)
        first = time.perf_counter()
        return {
            **self.adapter.version(),
            "import_ms": self.import_ms,
            "open_ms": 1000 * (opened - began),
            "first_ms": 1000 * (first - opened),
            "rss_kb": resident(),
        }

    def bind(self, scenario: Mapping[str, Any]) -> dict[str, Any]:
        """Look up what a scenario needs; the parameters of later calls are for it."""
        self.scenario = scenario_of(scenario)
        try:
            self.bound = self.call(self.adapter.bind, self.db, self.scenario)
        except NotCovered as error:
            return {"not_covered": str(error)}
        self.function = getattr(self.adapter, self.scenario.name)
        note = getattr(self.bound, "note", None)
        return {"ok": True, **({"note": note} if note else {})}

    def check(self, params: Sequence[Any]) -> dict[str, Any]:
        """Run once with each of the parameters, and return the results in the form that is compared."""
        found = [self.call(self.function, self.db, self.bound, one) for one in self.adapted(params)]
        return {"results": [canonical(result, self.scenario, self.study) for result in found]}

    def time(self, params: Sequence[Any]) -> dict[str, Any]:
        """Run once with each of the parameters, one after the other, each with its nanoseconds."""
        given = self.adapted(params)
        if self.loop is not None:
            return {"ns": self.loop.run_until_complete(self._time_async(given))}
        taken, function, db, bound, clock = [], self.function, self.db, self.bound, time.perf_counter_ns
        for one in given:
            began = clock()
            function(db, bound, one)
            taken.append(clock() - began)
        return {"ns": taken}

    async def _time_async(self, given: Sequence[Any]) -> list[int]:
        taken, function, db, bound, clock = [], self.function, self.db, self.bound, time.perf_counter_ns
        for one in given:
            began = clock()
            await function(db, bound, one)
            taken.append(clock() - began)
        return taken

    def load(
        self, params: Sequence[Any], clients: int, seconds: float | None = None, rate: float | None = None
    ) -> dict[str, Any]:
        """Run by many clients at once, for so long or until the parameters are used up.

        With a `rate` a second calls are due at fixed times, and their nanoseconds count from then.
        """
        work = _Work(self.adapted(params), seconds, rate)
        if self.loop is not None:
            self.loop.run_until_complete(self._clients(work, clients))
        else:
            with ThreadPoolExecutor(clients) as pool:
                for done in [pool.submit(self._client, work) for _ in range(clients)]:
                    done.result()
        return work.told()

    def _client(self, work: _Work) -> None:
        for due, one in work:
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            try:
                self.function(self.db, self.bound, one)
            except Exception as error:
                work.failed(error)
            work.done(due, began, time.perf_counter())

    async def _clients(self, work: _Work, clients: int) -> None:
        async def client() -> None:
            for due, one in work:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                began = time.perf_counter()
                try:
                    await self.function(self.db, self.bound, one)
                except Exception as error:
                    work.failed(error)
                work.done(due, began, time.perf_counter())

        await asyncio.gather(*(client() for _ in range(clients)))

    def violate(self, params: Sequence[Any]) -> dict[str, Any]:
        """Insert a row that is there already, and tell what the error tells; `explain` of an adapter knows more."""
        try:
            self.call(self.function, self.db, self.bound, self.adapted(params)[0])
        except Exception as error:
            explain = getattr(self.adapter, "explain", explained)
            return {"raised": True, "type": type(error).__name__, "message": str(error)[:300], **explain(error)}
        return {"raised": False}

    def close(self) -> dict[str, Any]:
        """Disconnect."""
        if hasattr(self, "db"):
            self.call(self.adapter.close, self.db)
        if self.loop is not None:
            self.loop.close()
        return {"ok": True}

    def adapted(self, params: Sequence[Any]) -> list[Any]:
        """Return parameters as a user of this contestant would hold them."""
        given = [decoded(one, self.scenario, self.study) for one in params]
        adapt = getattr(self.adapter, "adapt", None)
        return given if adapt is None else [adapt(self.db, self.bound, one) for one in given]


class _Work:
    """Calls that clients share out among themselves."""

    def __init__(self, given: Sequence[Any], seconds: float | None, rate: float | None) -> None:
        self.given, self.seconds, self.rate = given, seconds, rate
        self.next, self.began = 0, time.perf_counter()
        self.ns: list[int] = []
        self.errors: Counter[str] = Counter()
        self.late = 0

    def __iter__(self) -> Any:
        while True:
            number, self.next = self.next, self.next + 1
            due = self.began + number / self.rate if self.rate else time.perf_counter()
            over = self.seconds is not None and max(due, time.perf_counter()) >= self.began + self.seconds
            if over or (self.seconds is None and number >= len(self.given)):
                return
            yield due, self.given[number % len(self.given)]

    def failed(self, error: Exception) -> None:
        self.errors[f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"] += 1

    def done(self, due: float, began: float, ended: float) -> None:
        start = due if self.rate else began
        self.late += bool(self.rate) and began - due > 0.001
        self.ns.append(round(1e9 * (ended - start)))

    def told(self) -> dict[str, Any]:
        took = time.perf_counter() - self.began
        said = {"done": len(self.ns), "seconds": took, "ns": self.ns, "errors": dict(self.errors)}
        if self.rate is None or self.seconds is None:
            return said
        return said | {"late": self.late, "skipped": max(0, int(self.rate * self.seconds) - len(self.ns))}


_CODES = ("sqlstate", "pgcode", "sqlite_errorname")


def explained(error: BaseException) -> dict[str, Any]:
    """Return what the error object says of a unique violation, its causes included, through public attributes."""
    code = constraint = None
    seen: BaseException | None = error
    while seen is not None:
        inner = getattr(seen, "orig", None) or seen
        diag = getattr(inner, "diag", None)
        code = code or next(filter(None, (getattr(inner, name, None) for name in _CODES)), None)
        constraint = constraint or getattr(diag, "constraint_name", None) or getattr(inner, "constraint_name", None)
        seen = seen.__cause__
    return {"code": code, "constraint": constraint, "columns": None}


def study_of(told: Mapping[str, Any]) -> Study:
    """Return the study that came as JSON."""
    tables = {
        name: TableFacts(t["name"], t["schema"], tuple(t["key"]), t["columns"]) for name, t in told["tables"].items()
    }
    return Study(told["name"], told["dialect"], told["url"], told["models"], told["pool"], tables)


def scenario_of(told: Mapping[str, Any]) -> Scenario:
    """Return the scenario that came as JSON."""
    return Scenario(**{name: _part(name, value) for name, value in _known(Scenario, told).items()})


def _known(of: Any, told: Mapping[str, Any]) -> dict[str, Any]:
    return {part.name: told[part.name] for part in fields(of) if part.name in told}


def _part(name: str, value: Any) -> Any:
    if name == "cascade":
        return tuple(map(_link, value))
    if name in ("parent", "children", "insert"):
        return None if value is None else _link(value)
    if name == "pairs":
        return tuple((a, b) for a, b in value)
    return tuple(value) if isinstance(value, list) else value


def _link(told: Mapping[str, Any]) -> Link:
    return Link(**{name: _part(name, value) for name, value in _known(Link, told).items()})


def decoded(params: Mapping[str, Any], scenario: Scenario, study: Study) -> dict[str, Any]:
    """Return parameters with Python's own values."""
    own = study.tables[scenario.table].columns
    inserted = study.tables[scenario.insert.table].columns if scenario.insert else own

    def row(values: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
        return {name: native(value, columns[name]["kind"]) for name, value in values.items()}

    made = dict(params)
    made |= {name: row(params[name], own) for name in ("key", "after") if name in params}
    if "keys" in params:
        made["keys"] = [row(key, own) for key in params["keys"]]
    if "row" in params:
        made["row"] = row(params["row"], inserted)
    if "rows" in params:
        made["rows"] = [row(one, own) for one in params["rows"]]
    if "value" in params and scenario.name != "json_filter":
        column = scenario.update if scenario.update else scenario.filter
        made["value"] = native(params["value"], own[column]["kind"])
    return made


def canonical(result: Any, scenario: Scenario, study: Study) -> Any:
    """Return a result in the form that is compared; a column that is missing is an error."""
    own = study.tables[scenario.table].columns
    if result is None or isinstance(result, int):
        return result
    if scenario.name == "aggregate":
        kind = own[scenario.group]["kind"]
        return [
            {
                "group": _told(row["group"], kind, study),
                "count": int(row["count"]),
                "total": _told(row["total"], "decimal", study),
            }
            for row in result
        ]
    if isinstance(result, Mapping):
        return _row(result, scenario, study)
    return [_row(row, scenario, study) for row in result]


def _row(row: Mapping[str, Any], of: Scenario | Link, study: Study) -> dict[str, Any]:
    columns = study.tables[of.table].columns
    made: dict[str, Any] = {name: _told(row[name], columns[name]["kind"], study) for name in of.columns}
    parent = getattr(of, "parent", None)
    if parent is not None:
        found = row["parent"]
        made["parent"] = None if found is None else _row(found, parent, study)
    if of.children is not None:
        made["children"] = [_row(child, of.children, study) for child in row["children"]]
    return made


def _told(value: Any, kind: str, study: Study) -> Any:
    """Return a value as it is compared; what libraries make of SQLite's values has many forms."""
    return travelling(forms.compared(value, kind) if study.dialect == "sqlite" else value, kind)


def resident() -> int:
    """Return this process's memory now, in kB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return peak()
    lines = status.read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), peak())


def peak() -> int:
    """Return the most memory that this process has taken, in kB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most


def serve(adapter: str, lines: Any, out: Any) -> None:
    """Answer asks until told to close."""
    runner: Runner | None = None
    for line in lines:
        ask = json.loads(line)
        do = ask.pop("do")
        try:
            runner = runner or Runner(adapter)
            answer = getattr(runner, do)(**ask)
        except Exception as error:
            answer = {"error": failure(error)}
        out.write(json.dumps(answer, default=str) + "\n")
        out.flush()
        if do == "close":
            return


def failure(error: BaseException) -> dict[str, str]:
    """Return what went wrong, and where, in three short texts."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "adapters" in frame.filename] or frames
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno} {own[-1].name}" if own else ""
    return {"type": type(error).__name__, "message": " ".join(str(error).split())[:300], "where": where}


if __name__ == "__main__":
    sys.path += filter(None, os.environ.get(MODULES, "").split(os.pathsep))
    answers, sys.stdout = sys.stdout, sys.stderr
    serve(sys.argv[1], sys.stdin, answers)
    sys.stderr.flush()
    os._exit(0)  # it has disconnected: to tidy up modules takes a tenth of a second, in each of hundreds of processes
