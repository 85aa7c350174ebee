"""Column types, mixins and names that plans share."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, MetaData, TypeDecorator, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from uuid_utils.compat import uuid7

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


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An instant: aware datetimes in, aware datetimes in UTC out, on every dialect.

    SQLite has no zone of its own and keeps UTC as `YYYY-MM-DD HH:MM:SS.ffffff`, which sorts as time does.
    A naive datetime is refused with ValueError: nobody can say which instant it means.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return the value as the driver wants it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware datetime, as in datetime.now(UTC)")
        value = value.astimezone(dt.UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return the value in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


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


JsonDocument = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""JSONB on PostgreSQL, JSON elsewhere; None is NULL, never the document `null`."""


def words(kind: type[Any], length: int = 20) -> Enum:
    """Return a type for the values of a StrEnum, kept as text.

    The CHECK that belongs to it stands with the table: one more word is then one more CHECK, on every dialect,
    where a native enum could not lose a word again.
    """
    return Enum(
        kind, native_enum=False, create_constraint=False, length=length, values_callable=lambda k: [str(v) for v in k]
    )


def one_of(column: str, values: Iterable[str]) -> str:
    """Return the condition that `column` holds one of `values`, which hold no quote."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


TYPES: Mapping[Any, Any] = MappingProxyType(
    {uuid.UUID: Uuid(), dt.datetime: UtcDateTime(), dict[str, Any]: JsonDocument, int: BigInteger()}
)
"""What a Python annotation becomes; a declarative base names it as its `type_annotation_map`."""


class Identified:
    """A table whose rows have a UUIDv7 key."""

    id: Mapped[uuid.UUID] = mapped_column(
        primary_key=True, default=new_id, sort_order=-3, comment="UUIDv7: unique everywhere, and sorts by creation time"
    )


class Created:
    """A table that knows when each row was written."""

    created_at: Mapped[dt.datetime] = mapped_column(
        server_default=func.now(), sort_order=-2, comment="When the row was written"
    )


class Updated:
    """A table that knows when each row was last changed."""

    updated_at: Mapped[dt.datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), sort_order=-1, comment="When the row was last changed"
    )
