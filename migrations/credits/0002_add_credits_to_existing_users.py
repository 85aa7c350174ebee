"""Give users credits and a membership; those who exist already start with 100 credits.

Every existing user gets an opening row in the ledger, so that the ledger adds up to the balance; a user who has a
ledger already gets the balance it ends with. On PostgreSQL nothing here blocks reads or writes for longer than a
catalog change takes: constraints are validated and the index is built without strong locks, and the backfill commits
batch by batch. Stopped anywhere, the revision can be run again.

The downgrade loses memberships. Balances come back with the next upgrade: from the ledger, and for users without
one from an audit entry that says so. Opening rows that nothing has followed are taken out again.
"""

from textwrap import indent

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BATCH = 5000
"""Users a batch: some tens of milliseconds of row locks."""

CHECKS = {
    "ck_users_credits_not_negative": "credits >= 0",
    "ck_users_membership_tier_length": "length(membership_tier) BETWEEN 1 AND 50",
    "ck_users_membership_tier_lower_case": "membership_tier = lower(membership_tier)",
    "ck_users_expiry_has_tier": "membership_tier IS NOT NULL OR membership_expires_at IS NULL",
}
INDEX = "ix_users_membership_tier"
HAS_TIER = sa.text("membership_tier IS NOT NULL")

# An opening row bears the id of its user: there is one per user, however often this runs, and it can be told.
OPEN_LEDGERS = """
INSERT INTO transactions (id, created_at, user_id, amount, balance_before, balance_after, action)
SELECT users.id, CURRENT_TIMESTAMP, users.id, 100, 0, 100, 'opening-balance' FROM users
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE transactions.user_id = users.id)
AND NOT EXISTS (SELECT 1 FROM audit_logs WHERE audit_logs.id = users.id)"""

# updated_at stays: no user has changed anything.
TAKE_BALANCES = """
UPDATE users SET credits = (
    SELECT balance_after FROM transactions AS entry WHERE entry.user_id = users.id
    ORDER BY entry.created_at DESC, entry.id DESC LIMIT 1
) WHERE EXISTS (SELECT 1 FROM transactions WHERE transactions.user_id = users.id)"""

# Who came later and has nothing must not come back with 100: an audit entry with the user's id remembers it.
NOTE_EMPTY = """
INSERT INTO audit_logs (id, created_at, user_id, action, status)
SELECT users.id, CURRENT_TIMESTAMP, users.id, 'opening-balance', 'success' FROM users
WHERE credits = 0 AND NOT EXISTS (SELECT 1 FROM transactions WHERE transactions.user_id = users.id)
AND NOT EXISTS (SELECT 1 FROM audit_logs WHERE audit_logs.id = users.id)"""

CLOSE_LEDGERS = """
DELETE FROM transactions WHERE id = user_id AND action = 'opening-balance' AND NOT EXISTS (
    SELECT 1 FROM transactions AS later WHERE later.user_id = transactions.user_id AND later.id <> transactions.id
)"""


def in_batches(*statements: tuple[str, str]) -> str:
    """Return a block that runs the statements for some users at a time and commits in between.

    Each statement ends in a WHERE, and comes with the column that holds the user's id.
    The server loops, so that it is one statement online and in an SQL script.
    """
    work = indent("\n".join(f"{sql.strip()} AND {user} = ANY (batch);" for sql, user in statements), " " * 8)
    return f"""
DO $$
DECLARE
    batch uuid[];
    done uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        SELECT array_agg(id ORDER BY id) INTO batch
        FROM (SELECT id FROM users WHERE id > done ORDER BY id LIMIT {BATCH} FOR NO KEY UPDATE) AS next;
        EXIT WHEN batch IS NULL;
{work}
        done := batch[array_upper(batch, 1)];
        COMMIT;
    END LOOP;
END
$$"""  # noqa: S608 - made of the constants above


def columns() -> list[sa.Column]:
    return [
        sa.Column(
            "credits",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Balance now, in credits; never below zero",
        ),
        sa.Column(
            "membership_expires_at",
            sa.DateTime(timezone=True),
            comment="When the membership ends; NULL for one without an end, or for none",
        ),
        sa.Column("membership_tier", sa.String(50), comment="Membership in lower case, such as pro; NULL for none"),
    ]


def upgrade() -> None:
    if context.get_context().dialect.name == "postgresql":
        upgrade_postgresql()
    else:
        upgrade_elsewhere()


def downgrade() -> None:
    if context.get_context().dialect.name == "postgresql":
        downgrade_postgresql()
    else:
        downgrade_elsewhere()


def upgrade_postgresql() -> None:
    for column in columns():
        op.add_column("users", column, if_not_exists=True)
    for name, condition in CHECKS.items():
        op.execute(f"ALTER TABLE users DROP CONSTRAINT IF EXISTS {name}")
        op.create_check_constraint(op.f(name), "users", sa.text(condition), postgresql_not_valid=True)
    with op.get_context().autocommit_block():
        for name in CHECKS:
            op.execute(f"ALTER TABLE users VALIDATE CONSTRAINT {name}")
        op.execute(in_batches((OPEN_LEDGERS, "users.id"), (TAKE_BALANCES, "users.id")))
        # A build that was stopped leaves an invalid index, which IF NOT EXISTS would take for the real one.
        op.drop_index(INDEX, "users", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            INDEX, "users", ["membership_tier", "id"], postgresql_where=HAS_TIER, postgresql_concurrently=True
        )


def downgrade_postgresql() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, "users", if_exists=True, postgresql_concurrently=True)
        op.execute(in_batches((NOTE_EMPTY, "users.id"), (CLOSE_LEDGERS, "transactions.user_id")))
    for column in reversed(columns()):
        op.drop_column("users", column.name, if_exists=True)  # with its checks


def upgrade_elsewhere() -> None:
    with op.batch_alter_table("users", copy_from=users()) as batch:
        for column in columns():
            batch.add_column(column)
        for name, condition in CHECKS.items():
            batch.create_check_constraint(op.f(name), sa.text(condition))
    op.execute(OPEN_LEDGERS)
    op.execute(TAKE_BALANCES)
    op.create_index(INDEX, "users", ["membership_tier", "id"], sqlite_where=HAS_TIER)


def downgrade_elsewhere() -> None:
    op.drop_index(INDEX, "users")
    op.execute(NOTE_EMPTY)
    op.execute(CLOSE_LEDGERS)
    checks = [sa.CheckConstraint(condition, name=op.f(name)) for name, condition in CHECKS.items()]
    with op.batch_alter_table("users", copy_from=users(*columns(), *checks)) as batch:
        for name in CHECKS:
            batch.drop_constraint(op.f(name), type_="check")
        for column in reversed(columns()):
            batch.drop_column(column.name)


def users(*more: sa.schema.SchemaItem) -> sa.Table:
    """Return the table as the first revision made it, with `more`: what SQLite copies it from."""
    instant = sa.DateTime(timezone=True)
    return sa.Table(
        "users",
        sa.MetaData(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", instant, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", instant, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        *more,
    )
