"""Create users, accounts, sessions, verification_tokens and user_usage.

The downgrade drops the five tables with all that is in them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

ID = "UUIDv7: unique everywhere, and sorts by creation time"
WRITTEN = "When the row was written"
CHANGED = "When the row was last changed"


def upgrade() -> None:
    create_users()
    create_accounts()
    create_sessions()
    create_verification_tokens()
    create_user_usage()


def downgrade() -> None:
    for table in ("user_usage", "verification_tokens", "sessions", "accounts", "users"):
        op.drop_table(table)


def key() -> sa.Column:
    return sa.Column("id", sa.Uuid(), nullable=False, comment=ID)


def stamp(name: str, comment: str) -> sa.Column:
    return sa.Column(name, INSTANT, server_default=sa.func.now(), nullable=False, comment=comment)


def primary_key(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}"))


def reference_to_user(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_user_id_users")
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=name, ondelete="CASCADE")


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def create_users() -> None:
    op.create_table(
        "users",
        key(),
        stamp("created_at", WRITTEN),
        stamp("updated_at", CHANGED),
        sa.Column("email", sa.String(254), nullable=False, comment="E-mail address in lower case"),
        sa.Column("name", sa.String(200), comment="The name they go by; NULL where they gave none"),
        sa.Column("email_verified", INSTANT, comment="When they proved that the address is theirs; NULL until then"),
        sa.Column("image", sa.Text(), comment="URL of their picture; NULL where they gave none"),
        primary_key("users"),
        unique("users", "email"),
        check("users", "email_form", "email LIKE '_%@_%' AND email = lower(email)"),
        check("users", "email_length", "length(email) BETWEEN 3 AND 254"),
        check("users", "name_length", "length(name) BETWEEN 1 AND 200"),
        check("users", "image_length", "length(image) BETWEEN 1 AND 2000"),
        comment="People who sign in, one row per address",
    )


def create_accounts() -> None:
    op.create_table(
        "accounts",
        key(),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Who is let in"),
        sa.Column("type", sa.String(20), nullable=False, comment="How the provider lets people in"),
        sa.Column("provider", sa.String(100), nullable=False, comment="The provider, in lower case, such as github"),
        sa.Column("provider_account_id", sa.String(255), nullable=False, comment="The person's id at the provider"),
        sa.Column("refresh_token", sa.Text(), comment="What buys new access tokens, sealed; NULL where there is none"),
        sa.Column("access_token", sa.Text(), comment="What the provider's interface takes, sealed; NULL for none"),
        sa.Column("expires_at", INSTANT, comment="When the access token ends; NULL for never"),
        sa.Column("token_type", sa.String(50), comment="Kind of access token, such as bearer"),
        sa.Column("scope", sa.Text(), comment="What the access token allows, separated by spaces"),
        sa.Column("id_token", sa.Text(), comment="The provider's signed word on who it is, sealed; NULL for none"),
        sa.Column("session_state", sa.String(255), comment="The provider's own session; NULL for none"),
        primary_key("accounts"),
        reference_to_user("accounts"),
        unique("accounts", "provider", "provider_account_id"),
        check("accounts", "type_known", "type IN ('oauth', 'oidc', 'email', 'credentials', 'webauthn')"),
        check("accounts", "provider_lower_case", "provider = lower(provider)"),
        check("accounts", "provider_length", "length(provider) BETWEEN 1 AND 100"),
        check("accounts", "provider_account_id_length", "length(provider_account_id) BETWEEN 1 AND 255"),
        check("accounts", "token_type_length", "length(token_type) BETWEEN 1 AND 50"),
        check("accounts", "scope_length", "length(scope) BETWEEN 0 AND 2000"),
        check("accounts", "session_state_length", "length(session_state) BETWEEN 1 AND 255"),
        check("accounts", "refresh_token_sealed", "refresh_token LIKE 'sealed:%'"),
        check("accounts", "access_token_sealed", "access_token LIKE 'sealed:%'"),
        check("accounts", "id_token_sealed", "id_token LIKE 'sealed:%'"),
        comment="Accounts at providers by which people sign in",
    )
    op.create_index("ix_accounts_user_id", "accounts", ["user_id"])


def create_sessions() -> None:
    op.create_table(
        "sessions",
        key(),
        sa.Column(
            "session_token", sa.String(64), nullable=False, comment="SHA-256 of the token in the browser's cookie"
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Who is signed in"),
        sa.Column("expires", INSTANT, nullable=False, comment="From when on the token signs nobody in"),
        primary_key("sessions"),
        reference_to_user("sessions"),
        unique("sessions", "session_token"),
        check("sessions", "session_token_digest", "length(session_token) = 64"),
        comment="Sessions of people who are signed in",
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires", "sessions", ["expires"])


def create_verification_tokens() -> None:
    op.create_table(
        "verification_tokens",
        sa.Column("token", sa.String(64), nullable=False, comment="SHA-256 of the token in the message"),
        sa.Column(
            "identifier", sa.String(254), nullable=False, comment="The address that the token proves, in lower case"
        ),
        sa.Column("expires", INSTANT, nullable=False, comment="From when on the token proves nothing"),
        primary_key("verification_tokens", "token"),
        check("verification_tokens", "token_digest", "length(token) = 64"),
        check("verification_tokens", "identifier_lower_case", "identifier = lower(identifier)"),
        check("verification_tokens", "identifier_length", "length(identifier) BETWEEN 1 AND 254"),
        comment="Tokens sent to addresses to prove them",
    )
    op.create_index("ix_verification_tokens_identifier", "verification_tokens", ["identifier"])
    op.create_index("ix_verification_tokens_expires", "verification_tokens", ["expires"])


def create_user_usage() -> None:
    op.create_table(
        "user_usage",
        key(),
        stamp("created_at", WRITTEN),
        stamp("updated_at", CHANGED),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose usage it is"),
        sa.Column("period_start", INSTANT, nullable=False, comment="Start of the period that summary_count counts in"),
        sa.Column(
            "summary_count",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Summaries made since period_start; never below zero",
        ),
        stamp("last_used", "When the last summary was asked for; at first, when counting began"),
        primary_key("user_usage"),
        reference_to_user("user_usage"),
        unique("user_usage", "user_id"),
        check("user_usage", "summary_count_not_negative", "summary_count >= 0"),
        check("user_usage", "used_in_period", "summary_count = 0 OR last_used >= period_start"),
        comment="How many summaries each user had in the period that runs, one row per user",
    )
