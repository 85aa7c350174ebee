"""What the operations refuse. A payment that cannot be made is none of it: its receipt says failed."""

from __future__ import annotations

import uuid

from dbplan.domains.calls import NotThere
from dbplan.errors import DbplanError


class NoSuchUser(NotThere):
    """A user id that no row has."""

    def __init__(self, user_id: uuid.UUID) -> None:
        super().__init__(f"no user {user_id}; create_user makes one")


class NoSuchCurrency(NotThere):
    """A currency code that no row has."""

    def __init__(self, code: str) -> None:
        super().__init__(f'no currency "{code}"; add_currency makes one')


class NoSuchPlatform(NotThere):
    """A platform that no row is."""

    def __init__(self, platform: object) -> None:
        super().__init__(f"no platform {platform}; add_platform makes one")


class NoSuchAccount(NotThere):
    """The id of an account at a platform that no row has."""

    def __init__(self, account_id: uuid.UUID) -> None:
        super().__init__(f"no platform account {account_id}; link_platform_account makes one")


class NoSuchWallet(NotThere):
    """A wallet id that no row has."""

    def __init__(self, wallet_id: uuid.UUID) -> None:
        super().__init__(f"no wallet {wallet_id}; open_wallet makes one")


class NoSuchTransaction(NotThere):
    """A transaction id that no row has."""

    def __init__(self, transaction_id: uuid.UUID) -> None:
        super().__init__(f"no transaction {transaction_id}; transactions lists those of a user")


class NoSuchHold(NotThere):
    """A hold id that no row has."""

    def __init__(self, hold_id: uuid.UUID) -> None:
        super().__init__(f"no hold {hold_id}; place_hold makes one")


class AlreadyThere(DbplanError):
    """Something that is unique and was to be made twice."""


class KeyReused(DbplanError):
    """An idempotency key that already stands for another request."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f'idempotency key "{key}" already stands for another request; send a new key with a new request'
        )


class AlreadyBooked(DbplanError):
    """A payment of a platform that is in the books under another key."""

    def __init__(self, external_id: str) -> None:
        super().__init__(f'payment "{external_id}" of this platform account is booked already; payment finds it')


class NotTheirs(DbplanError):
    """A wallet and an account at a platform that belong to different users."""

    def __init__(self, wallet_id: uuid.UUID, account_id: uuid.UUID) -> None:
        super().__init__(
            f"wallet {wallet_id} and platform account {account_id} belong to different owners; "
            "money goes in and out by an account of the wallet's owner"
        )


class NotReachable(DbplanError):
    """A platform that money cannot go through."""


class CurrenciesDiffer(DbplanError):
    """A movement between wallets of different currencies."""

    def __init__(self, codes: set[str]) -> None:
        super().__init__(
            f"the wallets count in {' and '.join(sorted(codes))}; a movement stays in one currency, "
            "and a conversion is two movements through an exchange's wallets"
        )


class NotRefundable(DbplanError):
    """A transaction that cannot be taken back, or not any more."""


class NotPending(DbplanError):
    """A transaction that waits for nothing."""

    def __init__(self, transaction_id: uuid.UUID, status: str) -> None:
        super().__init__(f"transaction {transaction_id} is {status}; only a pending one is completed or called off")


class HoldEnded(DbplanError):
    """A hold that promises nothing any more, or that ends with its transaction."""


class NotOpen(DbplanError):
    """A user or wallet that is closed, or not in a state for this."""


class NotEmpty(DbplanError):
    """Something that can be closed only when nothing is left in it."""
