"""A request sent twice is done once: its receipt is kept under the caller's key, and given again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dbplan.columns import now
from dbplan.domains.credits import statements
from dbplan.domains.credits.models import Status
from dbplan.errors import DbplanError

KEPT = dt.timedelta(days=1)
"""How long a request may be repeated and get the answer it got."""


class KeyReused(DbplanError):
    """An idempotency key that already stands for another request."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f'idempotency key "{key}" already stands for another request; send a new key with a new request'
        )


@dataclass(frozen=True)
class Receipt:
    """How a request ended: `transaction_id` is None and `error` says why where the balance did not move."""

    status: Status
    user_id: uuid.UUID
    action: str
    amount: int
    balance_before: int
    balance_after: int
    transaction_id: uuid.UUID | None = None
    error: str | None = None
    replayed: bool = False

    @property
    def ok(self) -> bool:
        """Whether the balance moved."""
        return self.status is Status.SUCCESS


@dataclass(frozen=True)
class Request:
    """What somebody asks for under an idempotency key."""

    verb: str
    user_id: uuid.UUID
    action: str
    amount: int
    details: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """Return a hash that two requests share only if they ask for the same."""
        asked = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(asked.encode()).hexdigest()


def replay(session: Session, request: Request, key: str) -> Receipt | None:
    """Return the receipt that the key already stands for, if it has not expired."""
    found = session.execute(statements.recall, {"idempotency_key": key}).one_or_none()
    if found is None:
        return None
    if found.expires_at <= now():
        session.execute(statements.forget, {"idempotency_key": key, "now": now()})
        return None
    if found.result.get("fingerprint") != request.fingerprint:
        raise KeyReused(key)
    return _receipt(found.result["receipt"])


def remember(session: Session, request: Request, key: str, receipt: Receipt) -> None:
    """Keep the receipt for as long as the request may be repeated; KeyReused where the key was taken meanwhile."""
    kept = {"fingerprint": request.fingerprint, "receipt": json.loads(json.dumps(asdict(receipt), default=str))}
    instant = now()
    values = {"idempotency_key": key, "now": instant, "until": instant + KEPT, "answer": kept}
    try:
        session.execute(statements.remember, values)
    except IntegrityError:
        # The lock is per user: only somebody else's request can have taken the key since `replay` looked.
        raise KeyReused(key) from None


def _receipt(kept: Mapping[str, Any]) -> Receipt:
    ids = {name: uuid.UUID(kept[name]) for name in ("user_id", "transaction_id")}
    fields: dict[str, Any] = {**kept, **ids, "status": Status(kept["status"]), "replayed": True}
    return Receipt(**fields)
