"""Pony."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from pony.orm import db_session, flush, select

from dbplan.orms.features.judging import NO
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import decimal_seen, enum_seen, refusal, typed_seen

Function = TypeVar("Function", bound=Callable[..., Any])


def _in_session(function: Function) -> Function:
    """Have a function run in a session."""
    return cast("Function", db_session(function))


def _entity(db: Any, table: str = "accounts") -> Any:
    return db.entities.face(table).entity


@_in_session
def _made(db: Any, number: int = 1, **values: Any) -> None:
    _entity(db)(**account(number, **values))


def enums(db: Any) -> dict[str, Any]:
    """Write a label, and one that there is not."""
    _member(db, 1, "paused")
    with db_session:
        held = _entity(db, "members")[1].status
    return enum_seen(held, refusal(lambda: _member(db, 2, "nonsense")))


@_in_session
def _member(db: Any, number: int, status: str) -> None:
    _entity(db, "members")(id=number, status=status)


@_in_session
def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    _made(db, balance=EXACT)
    db.pony.commit()
    return decimal_seen(_entity(db).get_by_sql("SELECT * FROM accounts").balance)


def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    _made(db, profile=DOCUMENT)
    _made(db, 2)
    with db_session:
        found = select("a.id for a in E if a.profile['city'] == city", {"E": _entity(db)}, {"city": DOCUMENT["city"]})
        return {"found": list(found), "read": _entity(db)[1].profile.get_untracked()}


@_in_session
def composite_keys(db: Any) -> dict[str, Any]:
    """Get by a key of two columns, and what refers to it."""
    found = _entity(db, "entries")[1, 2]
    return {"note": found.note, "related": [part.id for part in found.parts]}


@_in_session
def upsert(db: Any) -> dict[str, Any]:
    """Read for update, then set or make."""
    for number, balance in ((1, 2), (2, 3)):
        found = _entity(db).get_for_update(id=number)
        if found is None:
            _entity(db)(**account(number, balance=Decimal(balance)))
        else:
            found.balance = Decimal(balance)
    return {"why": "it has none: read FOR UPDATE, then set or made"}


@_in_session
def bulk_insert(db: Any) -> dict[str, Any]:
    """Make many objects in one session."""
    for number in range(1, MANY + 1):
        _entity(db)(**account(number))
    return {}


@_in_session
def streaming(db: Any) -> dict[str, Any]:
    """Iterate over a query."""
    return {"rows": sum(1 for _ in _entity(db).select())}


@_in_session
def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    _entity(db)[1].delete()
    return {}


@_in_session
def _undone(db: Any, number: int = 1) -> None:
    _entity(db)(**account(number))
    db.pony.flush()
    raise RuntimeError("undo")


def transactions(db: Any) -> dict[str, Any]:
    """Raise within a session, after a write."""
    return {"raised": refusal(lambda: _undone(db)) is not None}


@_in_session
def savepoints(db: Any) -> dict[str, Any]:
    """Undo a session within another: Pony takes both for one."""
    _made(db)
    refusal(lambda: _undone(db, 2))
    _made(db, 3)
    return {}


@_in_session
def soft_delete(db: Any) -> dict[str, Any]:
    """Select what is left once a row is marked: an entity can be given no filter that its queries take."""
    entity = _entity(db)
    entity[1].gone_at = datetime.now(UTC)
    flush()
    return {"visible": [one.id for one in entity.select().order_by(entity.id)], "built_in": False, "how": ""}


def migrations(_: Any) -> dict[str, Any]:
    """Look for a command."""
    found = importlib.util.find_spec("pony.migrate") or importlib.util.find_spec("pony.orm.migrate")
    return {"answer": NO, "how": "it ships no migrations" if found is None else f"{found.name} is there, untried"}


@_in_session
def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    query = "SELECT id, email FROM accounts WHERE id = $number"
    rows = [list(row) for row in db.pony.select(query, {}, {"number": 1})]
    return {"rows": rows, "objects": len(_entity(db).select_by_sql("SELECT * FROM accounts")) == 2}


def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    return typed_seen("from models import Account\none = Account[1]")
