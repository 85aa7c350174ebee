"""People who run stores: how they sign in, are paid, and buy from suppliers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from dbplan.columns import (
    PASSWORD_HASH,
    Created,
    EmailToken,
    Encrypted,
    Identified,
    Person,
    SignInAccount,
    SignInSession,
    Updated,
    about_people,
    one_of,
    sealed,
    sized,
    words,
)
from dbplan.domains.store.models.base import Base
from dbplan.domains.store.models.kinds import (
    SupplierProvider,
)

if TYPE_CHECKING:
    from dbplan.domains.store.models.stores import Store


class User(Identified, Created, Updated, Person, Base):
    """A person who runs stores, and how they are paid."""

    __tablename__ = "users"

    password_hash: Mapped[str | None] = mapped_column(
        String(255),
        sort_order=1,
        comment="Hash of the password, Argon2id or bcrypt, salt included; NULL for who signs in elsewhere",
    )
    stripe_account_id: Mapped[str | None] = mapped_column(
        String(64),
        unique=True,
        sort_order=1,
        comment="Stripe Connect account that is paid for their sales; NULL for none",
    )
    stripe_onboarded: Mapped[bool] = mapped_column(
        server_default=text("false"), sort_order=1, comment="Whether Stripe knows enough of them to pay out"
    )

    accounts: WriteOnlyMapped[Account] = relationship(back_populates="user", passive_deletes="all")
    sessions: WriteOnlyMapped[Session] = relationship(back_populates="user", passive_deletes="all")
    stores: WriteOnlyMapped[Store] = relationship(back_populates="user", passive_deletes="all")
    supplier_accounts: Mapped[list[SupplierAccount]] = relationship(back_populates="user", passive_deletes=True)

    __table_args__ = (
        UniqueConstraint("email"),
        *about_people(),
        CheckConstraint(PASSWORD_HASH, name="password_hash_form"),
        CheckConstraint(sized("password_hash", 60, 255), name="password_hash_length"),
        CheckConstraint(
            f"stripe_account_id LIKE 'acct_%' AND {sized('stripe_account_id', 6, 64)}", name="stripe_account_id_form"
        ),
        CheckConstraint("NOT stripe_onboarded OR stripe_account_id IS NOT NULL", name="onboarded_has_account"),
        {
            "comment": "People who run stores",
            "info": {
                "decisions": (
                    "email is kept in lower case under its unique constraint, so that one mailbox is one user.",
                    "password_hash is nullable, since who signs in through a provider has none; a CHECK takes only "
                    "what looks like a hash, so that no program can keep a password in clear.",
                    "An onboarded user without a Stripe account is refused: nobody would be paid.",
                    "stripe_account_id is unique where given: two users never share what they earn.",
                    "A user with a Stripe account is not erased (operations.erase_user): money may still be on its "
                    "way to them. Disconnect the account first.",
                ),
            },
        },
    )


class Account(Identified, SignInAccount, Base):
    """An account at a provider that lets a user in."""

    __tablename__ = "accounts"

    user: Mapped[User] = relationship(back_populates="accounts")


class Session(Identified, SignInSession, Base):
    """A browser in which a user is signed in."""

    __tablename__ = "sessions"

    user: Mapped[User] = relationship(back_populates="sessions")


class VerificationToken(EmailToken, Base):
    """A token that was sent to an address."""

    __tablename__ = "verification_tokens"


class SupplierAccount(Identified, Created, Updated, Base):
    """A user's keys to one supplier."""

    __tablename__ = "supplier_accounts"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), comment="Who buys there")
    provider: Mapped[SupplierProvider] = mapped_column(words(SupplierProvider), comment="The supplier")
    api_key: Mapped[str] = mapped_column(Encrypted("supplier_accounts.api_key"), comment="Key to its interface, sealed")
    api_secret: Mapped[str | None] = mapped_column(
        Encrypted("supplier_accounts.api_secret"), comment="Secret beside the key, sealed; NULL where it wants none"
    )

    user: Mapped[User] = relationship(back_populates="supplier_accounts")

    __table_args__ = (
        UniqueConstraint("user_id", "provider"),
        CheckConstraint(one_of("provider", SupplierProvider), name="provider_known"),
        CheckConstraint(sealed("api_key"), name="api_key_sealed"),
        CheckConstraint(sealed("api_secret"), name="api_secret_sealed"),
        {
            "comment": "Keys of users to the suppliers that they buy from",
            "info": {
                "decisions": (
                    "Encryption was left to the application; a CHECK sees to it that it is done, whichever one writes.",
                    "The unique pair begins with user_id and serves the foreign key, which needs no index of its own.",
                    "Keys go with their user (CASCADE, as asked): nobody else may use them. Products stay what they "
                    "are, since they name their supplier and not the account.",
                ),
            },
        },
    )
