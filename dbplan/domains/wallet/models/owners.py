"""Who and what owns wallets: users and platforms, their accounts there, and the currencies that are counted."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import (
    Created,
    Encrypted,
    Identified,
    Person,
    Updated,
    about_people,
    lower_case,
    one_of,
    only_where,
    sealed,
    sized,
    words,
)
from dbplan.domains.wallet.models.base import Base

if TYPE_CHECKING:
    from dbplan.domains.wallet.models.transactions import Transaction
    from dbplan.domains.wallet.models.wallets import Wallet


class UserStatus(StrEnum):
    """What a user may do: everything, only be paid, or nothing."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class CurrencyKind(StrEnum):
    """Who issues a currency: a state, a chain, or the application itself."""

    FIAT = "fiat"
    CRYPTO = "crypto"
    POINTS = "points"


class PlatformKind(StrEnum):
    """Where money is when it is not in a user's wallet; `internal` is the application's own house."""

    BANK = "bank"
    CARD = "card"
    EXCHANGE = "exchange"
    CHAIN = "chain"
    INTERNAL = "internal"


class PlatformStatus(StrEnum):
    """Whether money goes to and from a platform."""

    ACTIVE = "active"
    PAUSED = "paused"
    RETIRED = "retired"


class LinkStatus(StrEnum):
    """Whether a user's account at a platform may be used."""

    ACTIVE = "active"
    REVOKED = "revoked"


class User(Identified, Created, Updated, Person, Base):
    """A person who owns wallets."""

    __tablename__ = "users"

    status: Mapped[UserStatus] = mapped_column(
        words(UserStatus),
        server_default=UserStatus.ACTIVE,
        comment="What they may do: active, suspended or closed",
        sort_order=1,
    )
    closed_at: Mapped[dt.datetime | None] = mapped_column(
        sort_order=1, comment="When they left; NULL while they are here"
    )

    wallets: WriteOnlyMapped[Wallet] = relationship(back_populates="user", passive_deletes="all")
    platform_accounts: WriteOnlyMapped[PlatformAccount] = relationship(back_populates="user", passive_deletes="all")
    transactions: WriteOnlyMapped[Transaction] = relationship(back_populates="user", passive_deletes="all")

    __table_args__ = (
        *about_people(),
        CheckConstraint(one_of("status", UserStatus), name="status_known"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed_has_time"),
        # Whoever left may come back under the same address, as somebody new.
        Index(
            "ix_users_email",
            "email",
            unique=True,
            **only_where("closed_at IS NULL"),
        ),
        {
            "comment": "People who own wallets",
            "info": {
                "decisions": (
                    "The requirement names Users, Wallets, Transactions, Platforms and leaves the rest open; all "
                    "columns of this plan are decisions.",
                    "Nobody is deleted: books that name a user must name them for as long as they are kept. Who "
                    "leaves is closed, which wants all their wallets closed first.",
                    "An address is unique among those who have not left.",
                    "A suspended user starts nothing and can still be paid: what others owe them is not lost.",
                ),
            },
        },
    )


class Currency(Created, Base):
    """A currency and how finely it is counted."""

    __tablename__ = "currencies"

    code: Mapped[str] = mapped_column(
        String(10), primary_key=True, sort_order=-3, comment="The code in capitals, ISO 4217 where it has one: EUR"
    )
    name: Mapped[str] = mapped_column(String(100), comment="The name in English, such as Euro")
    kind: Mapped[CurrencyKind] = mapped_column(words(CurrencyKind), comment="Who issues it: fiat, crypto or points")
    minor_units: Mapped[int] = mapped_column(
        SmallInteger, comment="Decimals of one unit: 2 for EUR, 0 for JPY, 8 for BTC; it never changes"
    )
    active: Mapped[bool] = mapped_column(server_default=true(), comment="Whether new wallets may be opened in it")

    __table_args__ = (
        CheckConstraint(f"{sized('code', 2, 10)} AND code = upper(code)", name="code_form"),
        CheckConstraint(sized("name", 1, 100), name="name_length"),
        CheckConstraint(one_of("kind", CurrencyKind), name="kind_known"),
        CheckConstraint("minor_units BETWEEN 0 AND 8", name="minor_units_fit"),
        {
            "comment": "Currencies, and how many decimals each is counted in",
            "info": {
                "decisions": (
                    "The code is the key: it is short, known to everybody, and never changes.",
                    "Amounts everywhere are bigints in minor units. They add up exactly on every server, where "
                    "floats do not and SQLite has no decimals.",
                    "minor_units ends at 8. With the 18 decimals of some tokens a bigint ends at nine whole units; "
                    "such a token is kept in 8 decimals, and what is finer stays at its platform.",
                    "A currency is retired (active = false), never deleted: existing wallets go on.",
                ),
            },
        },
    )


class Platform(Identified, Created, Updated, Base):
    """A bank, card scheme, exchange or chain that money comes from and goes to."""

    __tablename__ = "platforms"

    slug: Mapped[str] = mapped_column(String(50), unique=True, comment="The short name in lower case, such as sepa")
    name: Mapped[str] = mapped_column(String(100), comment="The name that users see")
    kind: Mapped[PlatformKind] = mapped_column(
        words(PlatformKind), comment="What it is: bank, card, exchange, chain, or internal for the application itself"
    )
    status: Mapped[PlatformStatus] = mapped_column(
        words(PlatformStatus),
        server_default=PlatformStatus.ACTIVE,
        comment="Whether money goes there: active, paused or retired",
    )

    wallets: WriteOnlyMapped[Wallet] = relationship(back_populates="platform", passive_deletes="all")
    accounts: WriteOnlyMapped[PlatformAccount] = relationship(back_populates="platform", passive_deletes="all")

    __table_args__ = (
        CheckConstraint(f"{sized('slug', 1, 50)} AND {lower_case('slug')}", name="slug_form"),
        CheckConstraint(sized("name", 1, 100), name="name_length"),
        CheckConstraint(one_of("kind", PlatformKind), name="kind_known"),
        CheckConstraint(one_of("status", PlatformStatus), name="status_known"),
        {
            "comment": "Where money comes from and goes to",
            "info": {
                "decisions": (
                    "The application is a platform of its own (internal): fees and corrections have wallets there, "
                    "and no movement has a side that is nowhere.",
                    "How to reach a platform is configuration, not data: no addresses or keys of its interface here.",
                ),
            },
        },
    )


class PlatformAccount(Identified, Created, Updated, Base):
    """A user's account at a platform."""

    __tablename__ = "platform_accounts"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), index=True, comment="Whose account it is"
    )
    platform_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("platforms.id", ondelete="RESTRICT"), comment="Where the account is"
    )
    external_id: Mapped[str] = mapped_column(String(255), comment="The account's id there: an IBAN, an address")
    status: Mapped[LinkStatus] = mapped_column(
        words(LinkStatus), server_default=LinkStatus.ACTIVE, comment="Whether it may be used: active or revoked"
    )
    credentials: Mapped[str | None] = mapped_column(
        Encrypted("platform_accounts.credentials"),
        comment="What lets the application act there, sealed; NULL where nothing is needed",
    )

    user: Mapped[User] = relationship(back_populates="platform_accounts")
    platform: Mapped[Platform] = relationship(back_populates="accounts")

    __table_args__ = (
        UniqueConstraint("platform_id", "external_id"),
        CheckConstraint(sized("external_id", 1, 255), name="external_id_length"),
        CheckConstraint(one_of("status", LinkStatus), name="status_known"),
        CheckConstraint(sealed("credentials"), name="credentials_sealed"),
        CheckConstraint("status = 'active' OR credentials IS NULL", name="revoked_has_no_credentials"),
        {
            "comment": "Users' accounts at platforms, by which they pay in and out",
            "info": {
                "decisions": (
                    "One account at a platform belongs to one user, for ever: a deposit from it can be nobody else's.",
                    "Credentials are sealed by the application, and gone once the account is revoked; CHECKs say both.",
                    "Revoked accounts stay, since transactions refer to them.",
                ),
            },
        },
    )
