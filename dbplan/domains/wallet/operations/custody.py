"""Wallets: opened, looked at, frozen, and closed when they are empty."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from dbplan.columns import new_id
from dbplan.domains.calls import only, refused_as, text, whole
from dbplan.domains.paging import TOP, Cursor
from dbplan.domains.wallet import statements
from dbplan.domains.wallet.models import BOUND, StatusChange, WalletStatus
from dbplan.domains.wallet.operations.errors import AlreadyThere, NoSuchWallet, NotEmpty, NotOpen
from dbplan.domains.wallet.operations.people import currency, lock_open
from dbplan.domains.wallet.operations.posting import WalletState, lock


def open_wallet(session: Session, user_id: uuid.UUID, code: str, *, label: str = "main") -> uuid.UUID:
    """Open a wallet for a user and return its id.

    Raises NotOpen for a user who has left or a currency that is retired, AlreadyThere for a label they have already.
    """
    lock_open(session, user_id)
    return _open(session, code, label, user_id=user_id)


def open_platform_wallet(
    session: Session, platform_id: uuid.UUID, code: str, *, label: str, overdraft_limit: int = 0
) -> uuid.UUID:
    """Open a wallet for a platform and return its id; raises as open_wallet does.

    One labelled "settlement" takes part in every deposit and withdrawal; its limit is what users may hold through it.
    """
    whole("overdraft limit in minor units", overdraft_limit, 0, BOUND)
    return _open(session, code, label, platform_id=platform_id, overdraft_limit=overdraft_limit)


def wallet(session: Session, wallet_id: uuid.UUID) -> WalletState:
    """Return a wallet with its balance; NoSuchWallet where there is none."""
    return WalletState(*only(session, statements.wallets.wallet, {"wallet_id": wallet_id}, NoSuchWallet(wallet_id)))


def wallets(session: Session, user_id: uuid.UUID) -> list[WalletState]:
    """Return a user's wallets with their balances, by currency and label."""
    return [WalletState._make(row) for row in session.execute(statements.wallets.wallets, {"user_id": user_id}).all()]


def paid_out(session: Session, wallet_id: uuid.UUID, since: dt.datetime) -> int:
    """Return what has left a wallet since then, in minor units: what limits a day or a month are judged by."""
    values = {"wallet_id": wallet_id, "since": since}
    return int(session.execute(statements.transactions.paid_out, values).scalar_one())


def paid_in(session: Session, wallet_id: uuid.UUID, since: dt.datetime) -> int:
    """Return what has come into a wallet since then, in minor units."""
    values = {"wallet_id": wallet_id, "since": since}
    return int(session.execute(statements.transactions.paid_in, values).scalar_one())


def freeze_wallet(session: Session, wallet_id: uuid.UUID, *, user_id: uuid.UUID, reason: str) -> bool:
    """Let nothing go out of a wallet; money still comes in. Return whether that is new; NotOpen for a closed one."""
    return _change(session, wallet_id, WalletStatus.FROZEN, user_id, reason)


def unfreeze_wallet(session: Session, wallet_id: uuid.UUID, *, user_id: uuid.UUID, reason: str) -> bool:
    """End a freeze, and return whether there was one; NotOpen for a closed wallet."""
    return _change(session, wallet_id, WalletStatus.ACTIVE, user_id, reason)


def close_wallet(session: Session, wallet_id: uuid.UUID, *, user_id: uuid.UUID, reason: str) -> bool:
    """Close a wallet for ever, and return whether that is new; NotEmpty where there is money in it or held."""
    return _change(session, wallet_id, WalletStatus.CLOSED, user_id, reason)


def status_changes(
    session: Session, wallet_id: uuid.UUID, *, before: Cursor = TOP, limit: int = 20
) -> Sequence[StatusChange]:
    """Return a page of who froze, unfroze or closed a wallet, newest first."""
    return session.scalars(statements.wallets.status_changes, {"wallet_id": wallet_id} | before.page(limit)).all()


def _open(
    session: Session,
    code: str,
    label: str,
    *,
    user_id: uuid.UUID | None = None,
    platform_id: uuid.UUID | None = None,
    overdraft_limit: int = 0,
) -> uuid.UUID:
    if not currency(session, code).active:
        raise NotOpen(f"currency {code} is retired; wallets in it go on, and no new one is opened")
    wallet_id, label = new_id(), text("label", label, 50).lower()
    owner = {"of_user": user_id, "of_platform": platform_id}
    values = {"new_id": wallet_id, "counted_in": code, "called": label, "allowed": overdraft_limit}
    with refused_as(session, AlreadyThere(f'the owner has a wallet "{label}" in {code}; give another label')):
        session.execute(statements.wallets.open_wallet, values | owner)
    return wallet_id


def _change(session: Session, wallet_id: uuid.UUID, status: WalletStatus, user_id: uuid.UUID, reason: str) -> bool:
    reason = text("reason", reason, 500)
    before = lock(session, wallet_id)[wallet_id]
    if before.status is status:
        return False
    if before.status is WalletStatus.CLOSED:
        raise NotOpen(f"wallet {wallet_id} is closed, for ever; open_wallet makes a new one")
    if status is WalletStatus.CLOSED and (before.balance or before.held):
        raise NotEmpty(f"wallet {wallet_id} has {before.balance} minor units, {before.held} of them held; move them")
    session.execute(statements.wallets.set_wallet_status, {"wallet_id": wallet_id, "new_status": status})
    values = {"new_id": new_id(), "what": wallet_id, "who": user_id, "why": reason}
    session.execute(statements.wallets.record_change, values | {"before": before.status, "after": status})
    return True
