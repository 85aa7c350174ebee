"""Create users, currencies, platforms, platform_accounts, wallets, transactions, entries, holds and status_changes.

The downgrade drops the nine tables with all that is in them: on a live wallet that is everybody's money.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
EMPTY = sa.text("('{}')")
ZERO = sa.text("0")

ID = "UUIDv7: unique everywhere, and sorts by creation time"
WRITTEN = "When the row was written"
CHANGED = "When the row was last changed"
DETAILS = "What else the application wants to keep"
FAILURE_KNOWN = (
    "failure_reason IN ('insufficient_funds', 'wallet_frozen', 'wallet_closed', "
    "'user_suspended', 'limit_exceeded', 'platform_refused')"
)
TABLES = (
    "users",
    "currencies",
    "platforms",
    "platform_accounts",
    "wallets",
    "transactions",
    "entries",
    "holds",
    "status_changes",
)


def upgrade() -> None:
    create_users()
    create_currencies()
    create_platforms()
    create_platform_accounts()
    create_wallets()
    create_transactions()
    create_entries()
    create_holds()
    create_status_changes()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def key() -> sa.Column:
    return sa.Column("id", sa.Uuid(), nullable=False, comment=ID)


def stamp(name: str, comment: str) -> sa.Column:
    return sa.Column(name, INSTANT, server_default=sa.func.now(), nullable=False, comment=comment)


def column(name: str, kind: Any, comment: str, default: Any = None, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, kind, server_default=default, nullable=nullable, comment=comment)


def primary_key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*(columns or ("id",)), name=op.f(f"pk_{table}"))


def reference(table: str, column: str, parent: str, target: str = "id") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{parent}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.{target}"], name=name, ondelete="RESTRICT")


def reference_to_wallet(column: str) -> sa.ForeignKeyConstraint:
    """Refer to a wallet together with its currency."""
    name = op.f(f"fk_transactions_{column}_currency_code_wallets")
    targets = ["wallets.id", "wallets.currency_code"]
    return sa.ForeignKeyConstraint([column, "currency_code"], targets, name=name, ondelete="RESTRICT")


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def only(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def create_users() -> None:
    op.create_table(
        "users",
        key(),
        stamp("created_at", WRITTEN),
        stamp("updated_at", CHANGED),
        column("email", sa.String(254), "E-mail address in lower case"),
        column("name", sa.String(200), "The name they go by; NULL where they gave none", nullable=True),
        column(
            "email_verified", INSTANT, "When they proved that the address is theirs; NULL until then", nullable=True
        ),
        column("image", sa.Text(), "URL of their picture; NULL where they gave none", nullable=True),
        column("status", sa.String(20), "What they may do: active, suspended or closed", "active"),
        column("closed_at", INSTANT, "When they left; NULL while they are here", nullable=True),
        primary_key("users"),
        check("users", "email_form", "email LIKE '_%@_%' AND email = lower(email)"),
        check("users", "email_length", "length(email) BETWEEN 3 AND 254"),
        check("users", "name_length", "length(name) BETWEEN 1 AND 200"),
        check("users", "image_length", "length(image) BETWEEN 1 AND 2000"),
        check("users", "status_known", "status IN ('active', 'suspended', 'closed')"),
        check("users", "closed_has_time", "(status = 'closed') = (closed_at IS NOT NULL)"),
        comment="People who own wallets",
    )
    op.create_index("ix_users_email", "users", ["email"], unique=True, **only("closed_at IS NULL"))


def create_currencies() -> None:
    op.create_table(
        "currencies",
        column("code", sa.String(10), "The code in capitals, ISO 4217 where it has one: EUR"),
        stamp("created_at", WRITTEN),
        column("name", sa.String(100), "The name in English, such as Euro"),
        column("kind", sa.String(20), "Who issues it: fiat, crypto or points"),
        column(
            "minor_units", sa.SmallInteger(), "Decimals of one unit: 2 for EUR, 0 for JPY, 8 for BTC; it never changes"
        ),
        column("active", sa.Boolean(), "Whether new wallets may be opened in it", sa.true()),
        primary_key("currencies", "code"),
        check("currencies", "code_form", "length(code) BETWEEN 2 AND 10 AND code = upper(code)"),
        check("currencies", "name_length", "length(name) BETWEEN 1 AND 100"),
        check("currencies", "kind_known", "kind IN ('fiat', 'crypto', 'points')"),
        check("currencies", "minor_units_fit", "minor_units BETWEEN 0 AND 8"),
        comment="Currencies, and how many decimals each is counted in",
    )


def create_platforms() -> None:
    op.create_table(
        "platforms",
        key(),
        stamp("created_at", WRITTEN),
        stamp("updated_at", CHANGED),
        column("slug", sa.String(50), "The short name in lower case, such as sepa"),
        column("name", sa.String(100), "The name that users see"),
        column(
            "kind", sa.String(20), "What it is: bank, card, exchange, chain, or internal for the application itself"
        ),
        column("status", sa.String(20), "Whether money goes there: active, paused or retired", "active"),
        primary_key("platforms"),
        unique("platforms", "slug"),
        check("platforms", "slug_form", "length(slug) BETWEEN 1 AND 50 AND slug = lower(slug)"),
        check("platforms", "name_length", "length(name) BETWEEN 1 AND 100"),
        check("platforms", "kind_known", "kind IN ('bank', 'card', 'exchange', 'chain', 'internal')"),
        check("platforms", "status_known", "status IN ('active', 'paused', 'retired')"),
        comment="Where money comes from and goes to",
    )


def create_platform_accounts() -> None:
    op.create_table(
        "platform_accounts",
        key(),
        stamp("created_at", WRITTEN),
        stamp("updated_at", CHANGED),
        column("user_id", sa.Uuid(), "Whose account it is"),
        column("platform_id", sa.Uuid(), "Where the account is"),
        column("external_id", sa.String(255), "The account's id there: an IBAN, an address"),
        column("status", sa.String(20), "Whether it may be used: active or revoked", "active"),
        column(
            "credentials",
            sa.Text(),
            "What lets the application act there, sealed; NULL where nothing is needed",
            nullable=True,
        ),
        primary_key("platform_accounts"),
        reference("platform_accounts", "user_id", "users"),
        reference("platform_accounts", "platform_id", "platforms"),
        unique("platform_accounts", "platform_id", "external_id"),
        check("platform_accounts", "external_id_length", "length(external_id) BETWEEN 1 AND 255"),
        check("platform_accounts", "status_known", "status IN ('active', 'revoked')"),
        check("platform_accounts", "credentials_sealed", "credentials LIKE 'sealed:%'"),
        check("platform_accounts", "revoked_has_no_credentials", "status = 'active' OR credentials IS NULL"),
        comment="Users' accounts at platforms, by which they pay in and out",
    )
    op.create_index("ix_platform_accounts_user_id", "platform_accounts", ["user_id"])


def create_wallets() -> None:
    op.create_table(
        "wallets",
        key(),
        stamp("created_at", WRITTEN),
        stamp("updated_at", CHANGED),
        column("user_id", sa.Uuid(), "The user who owns it; NULL where a platform does", nullable=True),
        column("platform_id", sa.Uuid(), "The platform that owns it; NULL where a user does", nullable=True),
        column("currency_code", sa.String(10), "What is counted in it"),
        column("label", sa.String(50), "Which of the owner's wallets, in lower case: main, settlement, fees", "main"),
        column("balance", sa.BigInteger(), "Money in it, in minor units", ZERO),
        column(
            "held", sa.BigInteger(), "How much of it is promised: the sum of its active holds, in minor units", ZERO
        ),
        column(
            "overdraft_limit",
            sa.BigInteger(),
            "How far below zero a platform's wallet may go, in minor units; 0 for users",
            ZERO,
        ),
        column("last_sequence", sa.BigInteger(), "Number of its newest ledger entry; 0 before the first", ZERO),
        column("status", sa.String(20), "What it does: active, frozen or closed", "active"),
        primary_key("wallets"),
        reference("wallets", "user_id", "users"),
        reference("wallets", "platform_id", "platforms"),
        reference("wallets", "currency_code", "currencies", "code"),
        unique("wallets", "user_id", "currency_code", "label"),
        unique("wallets", "platform_id", "currency_code", "label"),
        unique("wallets", "currency_code", "id"),
        check("wallets", "one_owner", "(user_id IS NULL) <> (platform_id IS NULL)"),
        check("wallets", "label_form", "length(label) BETWEEN 1 AND 50 AND label = lower(label)"),
        check("wallets", "balance_fits", "balance BETWEEN -1000000000000000000 AND 1000000000000000000"),
        check("wallets", "held_not_negative", "held >= 0"),
        check("wallets", "balance_covers_held", "balance - held >= -overdraft_limit"),
        check("wallets", "overdraft_limit_fits", "overdraft_limit BETWEEN 0 AND 1000000000000000000"),
        check("wallets", "users_have_no_overdraft", "overdraft_limit = 0 OR platform_id IS NOT NULL"),
        check("wallets", "last_sequence_not_negative", "last_sequence >= 0"),
        check("wallets", "status_known", "status IN ('active', 'frozen', 'closed')"),
        check("wallets", "closed_is_empty", "status <> 'closed' OR (balance = 0 AND held = 0)"),
        comment="Money of one owner in one currency",
    )


def create_transactions() -> None:
    op.create_table(
        "transactions",
        key(),
        stamp("created_at", WRITTEN),
        column("user_id", sa.Uuid(), "In whose name it was asked for"),
        column(
            "idempotency_key",
            sa.String(200),
            "The caller's key, once per user; NULL for the fee of another transaction",
            nullable=True,
        ),
        column(
            "fingerprint",
            sa.String(64),
            "SHA-256 of the request, so that its key answers no other; NULL without a key",
            nullable=True,
        ),
        column("kind", sa.String(20), "Why it moves: deposit, withdrawal, transfer, fee, refund or adjustment"),
        column("status", sa.String(20), "Where it stands: pending, completed, failed, cancelled or reversed"),
        column("source_wallet_id", sa.Uuid(), "Where the amount comes from"),
        column("destination_wallet_id", sa.Uuid(), "Where it goes"),
        column("currency_code", sa.String(10), "The currency of both wallets"),
        column("amount", sa.BigInteger(), "What moves, in minor units; always positive"),
        column("failure_reason", sa.String(20), "Why it failed; NULL where it did not", nullable=True),
        column(
            "finished_at",
            INSTANT,
            "When it was completed, failed or cancelled; NULL while it is pending",
            nullable=True,
        ),
        column(
            "platform_account_id",
            sa.Uuid(),
            "By which account a deposit came or a withdrawal goes; NULL for other kinds",
            nullable=True,
        ),
        column(
            "external_id", sa.String(255), "The payment's id at the platform; NULL where it has none yet", nullable=True
        ),
        column("reverses_id", sa.Uuid(), "What a refund takes back; NULL for other kinds", nullable=True),
        column("fee_of_id", sa.Uuid(), "What it is the fee of; NULL for other transactions", nullable=True),
        column("description", sa.String(500), "What the people concerned read; NULL for none", nullable=True),
        column("metadata", DOCUMENT, DETAILS, EMPTY),
        primary_key("transactions"),
        reference_to_wallet("source_wallet_id"),
        reference_to_wallet("destination_wallet_id"),
        reference("transactions", "user_id", "users"),
        reference("transactions", "platform_account_id", "platform_accounts"),
        reference("transactions", "reverses_id", "transactions"),
        reference("transactions", "fee_of_id", "transactions"),
        unique("transactions", "user_id", "idempotency_key"),
        unique("transactions", "platform_account_id", "external_id"),
        unique("transactions", "fee_of_id"),
        check("transactions", "idempotency_key_length", "length(idempotency_key) BETWEEN 1 AND 200"),
        check("transactions", "fingerprint_digest", "length(fingerprint) = 64"),
        check("transactions", "key_has_fingerprint", "(fingerprint IS NULL) = (idempotency_key IS NULL)"),
        check("transactions", "request_has_key", "(idempotency_key IS NULL) = (fee_of_id IS NOT NULL)"),
        check(
            "transactions", "kind_known", "kind IN ('deposit', 'withdrawal', 'transfer', 'fee', 'refund', 'adjustment')"
        ),
        check("transactions", "status_known", "status IN ('pending', 'completed', 'failed', 'cancelled', 'reversed')"),
        check("transactions", "wallets_differ", "source_wallet_id <> destination_wallet_id"),
        check("transactions", "amount_in_range", "amount BETWEEN 1 AND 1000000000000000"),
        check("transactions", "failure_reason_known", FAILURE_KNOWN),
        check("transactions", "failed_has_reason", "(status = 'failed') = (failure_reason IS NOT NULL)"),
        check("transactions", "finished_unless_pending", "(status = 'pending') = (finished_at IS NULL)"),
        check("transactions", "finished_after_creation", "finished_at >= created_at"),
        check("transactions", "only_withdrawals_wait", "kind = 'withdrawal' OR status NOT IN ('pending', 'cancelled')"),
        check(
            "transactions",
            "platform_account_by_kind",
            "(kind IN ('deposit', 'withdrawal')) = (platform_account_id IS NOT NULL)",
        ),
        check("transactions", "external_id_has_account", "external_id IS NULL OR platform_account_id IS NOT NULL"),
        check("transactions", "external_id_length", "length(external_id) BETWEEN 1 AND 255"),
        check("transactions", "refund_reverses", "(kind = 'refund') = (reverses_id IS NOT NULL)"),
        check("transactions", "reverses_another", "reverses_id <> id"),
        check("transactions", "fee_of_only_for_fees", "kind = 'fee' OR fee_of_id IS NULL"),
        check("transactions", "fee_of_another", "fee_of_id <> id"),
        check("transactions", "description_length", "length(description) BETWEEN 1 AND 500"),
        comment="Movements of money between two wallets of one currency, those that failed included",
    )
    op.create_index(
        "ix_transactions_destination_wallet_id_created_at",
        "transactions",
        ["destination_wallet_id", "currency_code", "created_at"],
    )
    op.create_index("ix_transactions_pending", "transactions", ["created_at"], **only("status = 'pending'"))
    op.create_index("ix_transactions_reverses_id", "transactions", ["reverses_id"], **only("reverses_id IS NOT NULL"))
    op.create_index(
        "ix_transactions_reverses_id_completed",
        "transactions",
        ["reverses_id"],
        unique=True,
        **only("status = 'completed' AND reverses_id IS NOT NULL"),
    )
    op.create_index(
        "ix_transactions_source_wallet_id_created_at",
        "transactions",
        ["source_wallet_id", "currency_code", "created_at"],
    )
    op.create_index("ix_transactions_user_id_created_at", "transactions", ["user_id", sa.text("created_at DESC")])


def create_entries() -> None:
    op.create_table(
        "entries",
        column("wallet_id", sa.Uuid(), "Whose ledger it is"),
        column("sequence", sa.BigInteger(), "Its number there: 1, 2, 3, …"),
        stamp("created_at", WRITTEN),
        column("transaction_id", sa.Uuid(), "What moved the money"),
        column("amount", sa.BigInteger(), "Minor units added, or taken where negative; never zero"),
        column("balance_before", sa.BigInteger(), "Balance before the movement, in minor units"),
        column("balance_after", sa.BigInteger(), "Balance after it: balance_before + amount"),
        primary_key("entries", "wallet_id", "sequence"),
        reference("entries", "wallet_id", "wallets"),
        reference("entries", "transaction_id", "transactions"),
        unique("entries", "transaction_id", "wallet_id"),
        check("entries", "sequence_from_one", "sequence >= 1"),
        check("entries", "first_from_zero", "sequence > 1 OR balance_before = 0"),
        check("entries", "amount_in_range", "amount <> 0 AND amount BETWEEN -1000000000000000 AND 1000000000000000"),
        check("entries", "balance_adds_up", "balance_after = balance_before + amount"),
        comment="The ledger: two lines per completed transaction, an unbroken chain per wallet",
    )


def create_holds() -> None:
    op.create_table(
        "holds",
        key(),
        stamp("created_at", WRITTEN),
        column("wallet_id", sa.Uuid(), "Where the money is"),
        column(
            "idempotency_key",
            sa.String(200),
            "The caller's key, once per wallet; NULL for the hold of a pending transaction",
            nullable=True,
        ),
        column(
            "fingerprint",
            sa.String(64),
            "SHA-256 of the request, so that its key answers no other; NULL without a key",
            nullable=True,
        ),
        column("amount", sa.BigInteger(), "How much is promised, in minor units"),
        column("status", sa.String(20), "Where it stands: active, captured, released or expired", "active"),
        column(
            "expires_at",
            INSTANT,
            "From when on the promise is void; NULL where it ends with its transaction",
            nullable=True,
        ),
        column("finished_at", INSTANT, "When it ended; NULL while it is active", nullable=True),
        column(
            "transaction_id",
            sa.Uuid(),
            "The pending withdrawal that it is for, or the transfer that captured it; NULL for neither",
            nullable=True,
        ),
        column("description", sa.String(500), "What it is for; NULL for none", nullable=True),
        primary_key("holds"),
        reference("holds", "wallet_id", "wallets"),
        reference("holds", "transaction_id", "transactions"),
        unique("holds", "wallet_id", "idempotency_key"),
        unique("holds", "transaction_id"),
        check("holds", "idempotency_key_length", "length(idempotency_key) BETWEEN 1 AND 200"),
        check("holds", "fingerprint_digest", "length(fingerprint) = 64"),
        check("holds", "key_has_fingerprint", "(fingerprint IS NULL) = (idempotency_key IS NULL)"),
        check("holds", "asked_for", "idempotency_key IS NOT NULL OR transaction_id IS NOT NULL"),
        check("holds", "amount_in_range", "amount BETWEEN 1 AND 1000000000000000"),
        check("holds", "status_known", "status IN ('active', 'captured', 'released', 'expired')"),
        check("holds", "request_expires", "(idempotency_key IS NULL) = (expires_at IS NULL)"),
        check("holds", "expires_after_creation", "expires_at > created_at"),
        check("holds", "finished_unless_active", "(status = 'active') = (finished_at IS NULL)"),
        check("holds", "finished_after_creation", "finished_at >= created_at"),
        check("holds", "captured_has_transaction", "status <> 'captured' OR transaction_id IS NOT NULL"),
        check("holds", "expired_had_an_end", "status <> 'expired' OR expires_at IS NOT NULL"),
        check("holds", "description_length", "length(description) BETWEEN 1 AND 500"),
        comment="Money that is promised and not yet moved",
    )
    op.create_index("ix_holds_due", "holds", ["expires_at"], **only("status = 'active'"))


def create_status_changes() -> None:
    op.create_table(
        "status_changes",
        key(),
        stamp("created_at", WRITTEN),
        column("wallet_id", sa.Uuid(), "Which wallet"),
        column("user_id", sa.Uuid(), "Who changed it"),
        column("old_status", sa.String(20), "What it was"),
        column("new_status", sa.String(20), "What it became"),
        column("reason", sa.String(500), "Why, in words"),
        primary_key("status_changes"),
        reference("status_changes", "wallet_id", "wallets"),
        reference("status_changes", "user_id", "users"),
        check("status_changes", "old_status_known", "old_status IN ('active', 'frozen', 'closed')"),
        check("status_changes", "new_status_known", "new_status IN ('active', 'frozen', 'closed')"),
        check("status_changes", "status_changes", "old_status <> new_status"),
        check("status_changes", "closed_stays_closed", "old_status <> 'closed'"),
        check("status_changes", "reason_length", "length(reason) BETWEEN 1 AND 500"),
        comment="Who froze, unfroze or closed a wallet, when and why",
    )
    op.create_index("ix_status_changes_user_id", "status_changes", ["user_id"])
    op.create_index(
        "ix_status_changes_wallet_id_created_at", "status_changes", ["wallet_id", sa.text("created_at DESC")]
    )
