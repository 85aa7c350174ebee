"""Seeing: what probes of several ORMs tell in the same way."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from enum import Enum
from typing import Any

from dbplan.errors import NotCovered
from dbplan.orms.features.judging import NO, PARTLY, YES
from dbplan.sandbox.home import home


def refusal(write: Callable[[], object]) -> Any:
    """Do what should not be done, and tell the error, with the server's code where it refused; None for none."""
    try:
        write()
    except Exception as error:
        return refused(error)
    return None


async def awaited_refusal(write: Awaitable[object]) -> Any:
    """Await what should not be done, and tell the error as `refusal` does."""
    try:
        await write
    except Exception as error:
        return refused(error)
    return None


def refused(error: BaseException) -> dict[str, Any]:
    """Tell an error, with the server's code where the server said it."""
    return {"type": type(error).__name__, "code": next(filter(None, map(_code, _chain(error))), None)}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it came of."""
    waiting: list[Any] = [error]
    seen: list[int] = []
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.append(id(one))
            yield one
            told = (getattr(one, name, None) for name in ("__cause__", "__context__", "orig", "original_exc"))
            waiting += [*told, *one.args]


def _code(error: BaseException) -> Any:
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def enum_seen(held: Any, error: Any) -> dict[str, Any]:
    """Tell what an enum came back as, and how a wrong label was refused."""
    label = held.value if isinstance(held, Enum) else held
    kind = f"a member of {type(held).__name__}" if isinstance(held, Enum) else type(held).__name__
    return {"read": str(label), "type": kind, "error": error}


def decimal_seen(held: Any) -> dict[str, Any]:
    """Tell what a decimal came back as."""
    return {"read": str(held), "type": type(held).__name__}


def typed_seen(source: str, note: str = "", indent: str = "") -> dict[str, Any]:
    """Have mypy say which types an object, `one`, and its decimal have; NotCovered where mypy is missing."""
    try:
        from mypy import api
    except ImportError:
        raise NotCovered("mypy is not installed, which says the types") from None
    text = f"{source}\n{indent}reveal_type(one)\n{indent}reveal_type(one.balance)\n"
    # one cache for all ORMs and runs, of files, which processes may share: most of the time is their common libraries
    cache = [f"--cache-dir={home() / 'mypy'}", "--no-sqlite-cache"]
    said = api.run(["--no-error-summary", "--ignore-missing-imports", *cache, "-c", text])[0]
    found = re.findall(r'Revealed type is "(.*)"', said)[-2:]
    if len(found) < 2:
        raise NotCovered(f"mypy said: {' '.join(said.split())[:160]}")
    whole, part = found
    known = re.fullmatch(r"[\w.]*\bAccount(?: \| None)?", whole) is not None
    answer = NO if not known else YES if "Decimal" in part else PARTLY
    return {
        "answer": answer,
        "how": f"mypy{note and f' {note}'}: an object is {_short(whole)}, its decimal {_short(part)}",
    }


def _short(kind: str) -> str:
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", kind)
