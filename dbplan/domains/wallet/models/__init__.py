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
from dbplan.domains.wallet.models.transactions import (
    Entry,
    FailureReason,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from dbplan.domains.wallet.models.wallets import Hold, HoldStatus, StatusChange, Wallet, WalletStatus

__all__ = [
    "BOUND",
    "MOST",
    "Base",
    "Currency",
    "CurrencyKind",
    "Entry",
    "FailureReason",
    "Hold",
    "HoldStatus",
    "LinkStatus",
    "Platform",
    "PlatformAccount",
    "PlatformKind",
    "PlatformStatus",
    "StatusChange",
    "Transaction",
    "TransactionKind",
    "TransactionStatus",
    "User",
    "UserStatus",
    "Wallet",
    "WalletStatus",
]
