"""Column types, mixins and names that plans share."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    MetaData,
    Numeric,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine
from uuid_utils.compat import uuid7

from dbplan.encryption import PREFIX, seal, unseal
from dbplan.errors import UsageError

NAMING: Mapping[str, str] = MappingProxyType(
    {
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)
"""How constraints and indexes are called, so that every one of them can be dropped by its name."""


def named_metadata() -> MetaData:
    """Return an empty MetaData with the naming convention."""
    return MetaData(naming_convention=dict(NAMING))


def new_id() -> uuid.UUID:
    """Return a UUIDv7; within one process each is greater than the one before."""
    return uuid7()


def now() -> dt.datetime:
    """Return this instant."""
    return dt.datetime.now(dt.UTC)


class WrongValue(DontWrapMixin, UsageError, ValueError):
    """A value that a column does not take, said before a server sees it.

    SQLAlchemy lets it through as it is, where it would wrap another error with the statement.
    """


def aware(value: dt.datetime) -> dt.datetime:
    """Return an instant; WrongValue for a datetime without a time zone, and for anything else."""
    if not isinstance(value, dt.datetime):
        raise WrongValue(f"an instant is {_kind(value)}; give an aware datetime, as in datetime.now(UTC)")
    if value.tzinfo is None:
        raise WrongValue(f"{value} has no time zone; give an aware datetime, as in datetime.now(UTC)")
    return value


class Key(TypeDecorator[uuid.UUID]):
    """A uuid.UUID, and nothing else, on every dialect.

    A text is refused with WrongValue: PostgreSQL would take it, SQLite could not, and a look-up in a dict would miss.
    """

    impl = Uuid
    cache_ok = True

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> uuid.UUID | None:
        """Return the value as the driver wants it."""
        if value is not None and not isinstance(value, uuid.UUID):
            raise WrongValue(f"an id is {_kind(value)}; give a uuid.UUID, as in uuid.UUID(text)")
        return value


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An instant: aware datetimes in, aware datetimes in UTC out, on every dialect.

    SQLite, which has no zone, keeps UTC as text, `YYYY-MM-DD HH:MM:SS.ffffff`, which sorts as time does; MariaDB and
    MySQL as DATETIME(6). A naive datetime is refused with WrongValue: nobody can say which instant it means.
    """

    impl = DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return the value as the driver wants it."""
        if value is None:
            return None
        value = aware(value).astimezone(dt.UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return the value in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def exact(value: Any) -> Decimal:
    """Return an amount of Numeric(10, 2); WrongValue for what is no number, too large, or has a third decimal."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise WrongValue(f"an amount is {_kind(value)} that is no number; give a Decimal") from None
    if amount.is_finite() and abs(amount) < 10**8 and amount == round(amount, 2):
        return amount
    raise WrongValue(f"{value} is not within ±99999999.99 with two decimals, Numeric(10, 2); round it as your books do")


class Money(TypeDecorator[Decimal]):
    """An exact amount with two decimals, Numeric(10, 2), on every dialect.

    SQLite has no decimals: it computes with doubles, which hold these ten digits and come back as the same Decimal.
    A value with a third decimal is refused with WrongValue, where a server would round it and say nothing; one with an
    eleventh digit too, where SQLite would keep it.
    """

    impl = Numeric(10, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type as the dialect has it."""
        return dialect.type_descriptor(Numeric(10, 2, asdecimal=False) if dialect.name == "sqlite" else Numeric(10, 2))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the value as the driver wants it."""
        amount = None if value is None else exact(value)
        return float(amount) if amount is not None and dialect.name == "sqlite" else amount

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return the amount."""
        return None if value is None else round(Decimal(str(value)), 2)


def _kind(value: object) -> str:
    """Return what a value is, and not the value, which may be a secret in the wrong place."""
    return "a text" if isinstance(value, str) else f"of type {type(value).__name__}"


class Encrypted(TypeDecorator[str]):
    """A secret in clear for the application, sealed in the database; `place` binds it to its column.

    Keys are those of `dbplan.encryption`. The CHECK `sealed` belongs beside it: then nobody can write one in clear.
    """

    impl = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the sealed text."""
        return None if value is None else seal(value, self.place)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text in clear."""
        return None if value is None else unseal(value, self.place)


class Hashed(str):
    """A digest that was read from the database; what a person sends in is never one."""

    __slots__ = ()


class Digest(TypeDecorator[str]):
    """A token of which only the SHA-256 is kept: it can be looked up by its holder, and read by nobody.

    Tokens bound to it are hashed, comparisons included. What comes back is the digest, 64 hexadecimal digits, as
    `Hashed`: bound again it stays as it is, so that a row that was read can be found and written.
    """

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the digest of a token."""
        if value is None:
            return None
        return str(value) if isinstance(value, Hashed) else hashlib.sha256(value.encode()).hexdigest()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Hashed | None:
        """Return the digest, marked as one."""
        return None if value is None else Hashed(value)


class clock(FunctionElement[dt.datetime]):  # noqa: N801 - reads as the SQL function that it is
    """The server's clock at this statement, where CURRENT_TIMESTAMP would be that of the transaction's start.

    Rows written one after the other under a lock are thus stamped in that order, whichever transaction began first.
    """

    type = UtcDateTime()
    inherit_cache = True


@compiles(clock)
def _clock(_element: clock, _compiler: SQLCompiler, **_: Any) -> str:
    return "CURRENT_TIMESTAMP(6)"


@compiles(clock, "postgresql")
def _clock_postgresql(_element: clock, _compiler: SQLCompiler, **_: Any) -> str:
    return "clock_timestamp()"


@compiles(clock, "sqlite")
def _clock_sqlite(_element: clock, _compiler: SQLCompiler, **_: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


JsonDocument = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
"""JSONB on PostgreSQL, JSON elsewhere; None is NULL, never the document `null`."""


def words(kind: type[Any], length: int = 20) -> Enum:
    """Return a type for the values of a StrEnum, kept as text.

    The CHECK that belongs to it stands with the table: one more word is then one more CHECK, on every dialect,
    where a native enum could not lose a word again.
    """
    return Enum(
        kind,
        name=re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(),
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda k: [str(v) for v in k],
    )


def one_of(column: str, values: Iterable[str]) -> str:
    """Return the condition that `column` holds one of `values`, which hold no quote."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def sized(column: str, least: int, most: int) -> str:
    """Return the condition that `column` has `least` to `most` characters."""
    return f"length({column}) BETWEEN {least} AND {most}"


def lower_case(column: str) -> str:
    """Return the condition that `column` is in lower case, so that no two values differ by case alone."""
    return f"{column} = lower({column})"


def sealed(column: str) -> str:
    """Return the condition that an Encrypted `column` holds nothing in clear."""
    return f"{column} LIKE '{PREFIX}%'"


def only_where(condition: str) -> dict[str, Any]:
    """Return what makes an index one of the rows that meet a condition, on the servers that have such indexes."""
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


EMPTY = text("('{}')")
"""The default of a document: an empty one."""

ZERO = text("0")


TYPES: Mapping[Any, Any] = MappingProxyType(
    {
        uuid.UUID: Key(),
        dt.datetime: UtcDateTime(),
        Decimal: Money(),
        dict[str, Any]: JsonDocument,
        int: BigInteger(),
    }
)
"""What a Python annotation becomes; a declarative base names it as its `type_annotation_map`."""


class Identified:
    """A table whose rows have a UUIDv7 key."""

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, default=new_id, sort_order=-3, comment="UUIDv7: unique everywhere, and sorts by creation time"
    )


class Created:
    """A table that knows when each row was written: by the statement's clock, or what a bare INSERT gets."""

    created_at: Mapped[dt.datetime] = mapped_column(
        insert_default=clock(), server_default=func.now(), sort_order=-2, comment="When the row was written"
    )


class Updated:
    """A table that knows when each row was last changed."""

    updated_at: Mapped[dt.datetime] = mapped_column(
        insert_default=clock(),
        server_default=func.now(),
        onupdate=clock(),
        sort_order=-1,
        comment="When the row was last changed",
    )


class SoftDeleted:
    """A table whose rows are hidden before they are deleted."""

    deleted_at: Mapped[dt.datetime | None] = mapped_column(
        sort_order=1, comment="When the row was deleted; NULL while it lives"
    )


class Person:
    """A table of people."""

    email: Mapped[str] = mapped_column(String(254), comment="E-mail address in lower case")
    name: Mapped[str | None] = mapped_column(String(200), comment="The name they go by; NULL where they gave none")
    email_verified: Mapped[dt.datetime | None] = mapped_column(
        comment="When they proved that the address is theirs; NULL until then"
    )
    image: Mapped[str | None] = mapped_column(Text, comment="URL of their picture; NULL where they gave none")


EMAIL = f"email LIKE '_%@_%' AND {lower_case('email')}"
"""The condition on the address of a Person: an at sign with something on both sides, in lower case."""

PASSWORD_HASH = "password_hash LIKE '$argon2id$v=%$m=%,t=%,p=%$%$%' OR password_hash LIKE '$2_$__$%'"  # noqa: S105
"""The condition on a password's hash: what Argon2id and bcrypt write, and no one would type."""


def about_people() -> tuple[CheckConstraint, ...]:
    """Return what binds the columns of a Person."""
    return (
        CheckConstraint(EMAIL, name="email_form"),
        CheckConstraint(sized("email", 3, 254), name="email_length"),
        CheckConstraint(sized("name", 1, 200), name="name_length"),
        CheckConstraint(sized("image", 1, 2000), name="image_length"),
    )


class AccountType(StrEnum):
    """How a provider lets people in."""

    OAUTH = "oauth"
    OIDC = "oidc"
    EMAIL = "email"
    CREDENTIALS = "credentials"
    WEBAUTHN = "webauthn"


class SignInAccount:
    """A person's account at a provider that lets them in, as Auth.js keeps it.

    It goes with `Identified`, in a table `accounts`, whose name its secrets are sealed for, beside a table `users`.
    """

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True, comment="Who is let in"
    )
    type: Mapped[AccountType] = mapped_column(words(AccountType), comment="How the provider lets people in")
    provider: Mapped[str] = mapped_column(String(100), comment="The provider, in lower case, such as github")
    provider_account_id: Mapped[str] = mapped_column(String(255), comment="The person's id at the provider")
    refresh_token: Mapped[str | None] = mapped_column(
        Encrypted("accounts.refresh_token"), comment="What buys new access tokens, sealed; NULL where there is none"
    )
    access_token: Mapped[str | None] = mapped_column(
        Encrypted("accounts.access_token"), comment="What the provider's interface takes, sealed; NULL for none"
    )
    expires_at: Mapped[dt.datetime | None] = mapped_column(comment="When the access token ends; NULL for never")
    token_type: Mapped[str | None] = mapped_column(String(50), comment="Kind of access token, such as bearer")
    scope: Mapped[str | None] = mapped_column(Text, comment="What the access token allows, separated by spaces")
    id_token: Mapped[str | None] = mapped_column(
        Encrypted("accounts.id_token"), comment="The provider's signed word on who it is, sealed; NULL for none"
    )
    session_state: Mapped[str | None] = mapped_column(String(255), comment="The provider's own session; NULL for none")

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """Return what binds the columns."""
        return (
            UniqueConstraint("provider", "provider_account_id"),
            CheckConstraint(one_of("type", AccountType), name="type_known"),
            CheckConstraint(lower_case("provider"), name="provider_lower_case"),
            CheckConstraint(sized("provider", 1, 100), name="provider_length"),
            CheckConstraint(sized("provider_account_id", 1, 255), name="provider_account_id_length"),
            CheckConstraint(sized("token_type", 1, 50), name="token_type_length"),
            CheckConstraint(sized("scope", 0, 2000), name="scope_length"),
            CheckConstraint(sized("session_state", 1, 255), name="session_state_length"),
            CheckConstraint(sealed("refresh_token"), name="refresh_token_sealed"),
            CheckConstraint(sealed("access_token"), name="access_token_sealed"),
            CheckConstraint(sealed("id_token"), name="id_token_sealed"),
            {
                "comment": "Accounts at providers by which people sign in",
                "info": {
                    "decisions": (
                        "Tokens were asked for in clear text. They open other people's accounts, so that they are "
                        "sealed by the application, and a CHECK refuses one in clear.",
                        "expires_at was asked for as an integer of seconds; it is an instant as every other time.",
                        "type and provider are bounded and lower case; the kinds that Auth.js knows stand in a CHECK.",
                        "An account goes with its user (CASCADE): without them it lets nobody in.",
                    ),
                },
            },
        )


class SignInSession:
    """A person's session in one browser, as Auth.js keeps it; it goes with `Identified`, beside a table `users`."""

    session_token: Mapped[str] = mapped_column(
        Digest, unique=True, comment="SHA-256 of the token in the browser's cookie"
    )
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True, comment="Who is signed in"
    )
    expires: Mapped[dt.datetime] = mapped_column(index=True, comment="From when on the token signs nobody in")

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """Return what binds the columns."""
        return (
            CheckConstraint("length(session_token) = 64", name="session_token_digest"),
            {
                "comment": "Sessions of people who are signed in",
                "info": {
                    "decisions": (
                        "A session token was asked for in clear text: whoever read the table could be anybody. Only "
                        "its SHA-256 is kept; the look-up hashes what the cookie brings.",
                        "An index on expires serves the cleanup of sessions that are over.",
                        "A session goes with its user (CASCADE).",
                    ),
                },
            },
        )


class EmailToken:
    """A token that was sent to an address to prove it, as Auth.js keeps it; it needs no other mixin and no table."""

    token: Mapped[str] = mapped_column(
        Digest, primary_key=True, sort_order=-3, comment="SHA-256 of the token in the message"
    )
    identifier: Mapped[str] = mapped_column(
        String(254), index=True, comment="The address that the token proves, in lower case"
    )
    expires: Mapped[dt.datetime] = mapped_column(index=True, comment="From when on the token proves nothing")

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        """Return what binds the columns."""
        return (
            CheckConstraint("length(token) = 64", name="token_digest"),
            CheckConstraint(lower_case("identifier"), name="identifier_lower_case"),
            CheckConstraint(sized("identifier", 1, 254), name="identifier_length"),
            {
                "comment": "Tokens sent to addresses to prove them",
                "info": {
                    "lint": {"table-unrelated": "the address may not belong to a user yet"},
                    "decisions": (
                        "The table was asked for without a primary key, with a unique token beside a unique pair of "
                        "identifier and token. A unique token makes every pair unique, so that the token is the key, "
                        "and the pair is dropped.",
                        "Only the token's SHA-256 is kept: whoever reads the table proves no address with it.",
                        "No foreign key: the address may not belong to a user yet.",
                    ),
                },
            },
        )
