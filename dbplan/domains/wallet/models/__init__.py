"""Wallet: who holds money, in which currency and where; every movement of it, and the ledger that proves it."""

from dbplan.domains.wallet.models.base import BOUND, MOST, Base
from dbplan.domains.wallet.models.owners import (
    Currency,
    CurrencyKind,
    LinkStatus,
    Platform,
    PlatformAccount,
    PlatformKind,
    PlatformStatus,
    User,
    UserStatus,
)
from dbplan.domains.wallet.models.transactions import Entry, Failure, Kind, Status, Transaction
from dbplan.domains.wallet.models.wallets import Hold, HoldStatus, StatusChange, Wallet, WalletStatus

__all__ = [
    "BOUND",
    "MOST",
    "Base",
    "Currency",
    "CurrencyKind",
    "Entry",
    "Failure",
    "Hold",
    "HoldStatus",
    "Kind",
    "LinkStatus",
    "Platform",
    "PlatformAccount",
    "PlatformKind",
    "PlatformStatus",
    "Status",
    "StatusChange",
    "Transaction",
    "User",
    "UserStatus",
    "Wallet",
    "WalletStatus",
]
