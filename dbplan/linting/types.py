"""Rules about column types: what cannot be made, what loses values, and what says less than it means."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Enum, Table
from sqlalchemy.types import NullType

from dbplan.evidence import Place, Severity
from dbplan.linting import ddl
from dbplan.linting.schema import Schema
from dbplan.linting.words import listed, tokens
from dbplan.rule import Hit, rule

_MONEY = {"price", "amount", "balance", "cost", "fee", "salary", "wage", "payment", "payout", "refund", "revenue"}
_MONEY |= {"prices", "costs", "fees", "subtotal"}
_TOTALS = {"total", "tax", "vat", "discount", "deposit", "charge", "budget", "income", "turnover"}
_TRADE = {"order", "orders", "invoice", "invoices", "cart", "carts", "basket", "baskets", "sale", "sales"}
_TRADE |= {"purchase", "purchases", "payment", "payments", "receipt", "receipts", "billing", "checkout", "checkouts"}
_TRADE |= {"subscription", "subscriptions", "wallet", "wallets", "transaction", "transactions"}
_NOT_MONEY = {
    *(
        "rate",
        "ratio",
        "percent",
        "percentage",
        "pct",
        "factor",
        "score",
        "weight",
        "count",
        "index",
        "change",
        "delta",
    ),
    *("seconds", "ms", "minutes", "hours", "days", "bytes", "tokens", "level", "multiplier", "per", "avg", "average"),
    *("mean", "median", "std", "stddev", "estimated", "estimate", "predicted", "prediction", "forecast", "elasticity"),
}
_UNITS = {"unit", "units", "uom", "measure", "unit_id", "measure_id"}
_LOCAL = {"local", "wall", "naive"}


@rule(
    "type-money-float",
    Severity.ERROR,
    condition="A column named as money (price, amount, balance, cost, fee …) is a binary float.",
    why="0.1 has no exact binary form: sums drift by cents, and equal amounts compare as unequal.",
    mend="numeric(precision, scale), or whole minor units in bigint.",
    source="PostgreSQL documentation: numeric types",
)
def type_money_float(schema: Schema) -> Iterator[Hit]:
    """Find money in floats; a table with a unit of measure counts something else."""
    for table in schema.tables:
        names = {column.name for column in table.columns}
        trade = any("currency" in tokens(name) for name in names) or _TRADE & set(tokens(table.name))
        for column in table.columns:
            words = set(tokens(column.name))
            money = words & _MONEY or (trade and words & _TOTALS)
            float_ = schema.of(column).name in ("real", "double precision")
            if float_ and money and not words & _NOT_MONEY and not names & _UNITS:
                yield (
                    Place(table.fullname, column.name),
                    f"{table.fullname}.{column.name} keeps money in {schema.of(column).text}.",
                    ddl.alter_column(column, f"TYPE numeric(19, 4) USING round({ddl.quote(column.name)}::numeric, 4)"),
                )


@rule(
    "type-money-locale",
    Severity.WARNING,
    condition="A column has PostgreSQL's type money.",
    why="Its fraction and its reading depend on lc_monetary: a dump restored elsewhere can change the values.",
    mend="numeric(precision, scale), and the currency in a column of its own.",
    source="PostgreSQL wiki: Don't Do This",
)
def type_money_locale(schema: Schema) -> Iterator[Hit]:
    """Find the type money."""
    for column in _columns(schema):
        if schema.of(column).kind == "money":
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} is money, whose meaning depends on the server's locale.",
                ddl.alter_column(column, f"TYPE numeric(19, 4) USING {ddl.quote(column.name)}::numeric"),
            )


@rule(
    "type-tz-naive",
    Severity.WARNING,
    condition="A point in time is kept without its time zone, or a time of day with one.",
    why="A timestamp without zone is no instant: it shifts with whoever reads it, and one hour a year exists twice.",
    mend="DateTime(timezone=True); the USING clause below takes what is there as UTC: check that it is.",
    source="PostgreSQL wiki: Don't Do This",
)
def type_tz_naive(schema: Schema) -> Iterator[Hit]:
    """Find timestamps without time zone (but local_… ones, which mean the clock on the wall) and timetz."""
    for column in _columns(schema):
        name = schema.of(column).name
        if name == "timestamp" and not set(tokens(column.name)) & _LOCAL and column.computed is None:
            mend = ddl.alter_column(column, f"TYPE timestamptz USING {ddl.quote(column.name)} AT TIME ZONE 'UTC'")
            yield _place(column), f"{column.table.fullname}.{column.name} has no time zone.", mend
        elif name == "timetz":
            mend = ddl.alter_column(column, f"TYPE time USING {ddl.quote(column.name)}::time")
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} is a time of day with a zone but no date.",
                mend,
            )


@rule(
    "type-json",
    Severity.NOTE,
    condition="A column is json, not jsonb.",
    why="json is kept as text: no equality, no DISTINCT, no GIN index, parsed anew at each look.",
    mend="JSONB of sqlalchemy.dialects.postgresql (as a variant, where other databases are meant too).",
    source="PostgreSQL documentation: JSON types",
)
def type_json(schema: Schema) -> Iterator[Hit]:
    """Find json columns."""
    for column in _columns(schema):
        if schema.of(column).kind == "json":
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} is json, not jsonb.",
                ddl.alter_column(column, f"TYPE jsonb USING {ddl.quote(column.name)}::jsonb"),
            )


@rule(
    "type-char",
    Severity.NOTE,
    condition="A column is char(n) with n above 1.",
    why="It pads with blanks that some comparisons ignore and others do not, and saves no space.",
    mend="text with CHECK (char_length(column) = n).",
    source="PostgreSQL wiki: Don't Do This",
)
def type_char(schema: Schema) -> Iterator[Hit]:
    """Find blank-padded types."""
    for column in _columns(schema):
        type_ = schema.of(column)
        if type_.name == "character" and type_.args and type_.args[0] > 1 and not column.foreign_keys:
            name = ddl.quote(column.name)
            check = ddl.add_check(
                schema, column.table, [column.name], f"char_length({name}) = {type_.args[0]}", "length"
            )
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} is {type_.text.lower()}, padded with blanks.",
                f"{ddl.alter_column(column, f'TYPE text USING {name}::text')}\n{check}",
            )


@rule(
    "type-inconsistent",
    Severity.NOTE,
    condition="A column named …_id, …_uuid or …_code has another kind of type than its namesakes in other tables.",
    why="Joining the two needs a cast, and a cast cannot use the index.",
    mend="Give the columns one type.",
    source="SchemaCrawler, Azimutt",
)
def type_inconsistent(schema: Schema) -> Iterator[Hit]:
    """Find identifiers whose type differs from most of their namesakes; foreign keys follow their target."""
    named: dict[str, list[Column[Any]]] = defaultdict(list)
    for column in _columns(schema):
        if tokens(column.name)[1:] and tokens(column.name)[-1] in ("id", "uuid", "code") and schema.of(column).kind:
            named[column.name].append(column)
    for columns in named.values():
        kinds = Counter(schema.of(column).kind for column in columns)
        usual, _ = max(kinds.items(), key=lambda item: (item[1], item[0]))
        others = [column.table.fullname for column in columns if schema.of(column).kind == usual]
        model = next(schema.of(column) for column in columns if schema.of(column).kind == usual)
        for column in columns:
            if schema.of(column).kind != usual and not column.foreign_keys:
                yield (
                    _place(column),
                    f"{column.table.fullname}.{column.name} is {schema.of(column).text}; "
                    f"in {listed(sorted(others))} it is {model.text}.",
                    ddl.alter_column(column, f"TYPE {model.text} USING {ddl.quote(column.name)}::text::{model.text}"),
                )


@rule(
    "type-unknown",
    Severity.NOTE,
    condition="A column's type is not known to PostgreSQL's dialect (NullType, or another database's own type).",
    why="No rule about types is asked of it, and `create_all` fails on NullType.",
    mend="State the type in the model.",
    source="SQLAlchemy: NullType",
)
def type_unknown(schema: Schema) -> Iterator[Hit]:
    """Find columns that the rules about types do not cover."""
    for column in _columns(schema):
        if not schema.of(column).known and not isinstance(column.type, Enum):
            what = "no type" if isinstance(column.type, NullType) else f"the type {type(column.type).__name__}"
            yield (
                _place(column),
                f"{column.table.fullname}.{column.name} has {what}, so the rules about types do not cover it.",
                f"State the type of {column.table.fullname}.{column.name} in the model.",
            )


def _columns(schema: Schema) -> Iterator[Column[Any]]:
    for table in schema.tables:
        yield from table.columns


def _place(column: Column[Any]) -> Place:
    table: Table = column.table
    return Place(table.fullname, column.name)
