-- credits on PostgreSQL: 4 tables
-- Users spend credits: balances that cannot go below zero, a ledger, an audit log, retries done once.

CREATE TABLE users (
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    credits BIGINT DEFAULT 0 NOT NULL,
    membership_expires_at TIMESTAMP WITH TIME ZONE,
    membership_tier VARCHAR(50),
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_credits_not_negative CHECK (credits >= 0),
    CONSTRAINT ck_users_membership_tier_length CHECK (length(membership_tier) BETWEEN 1 AND 50),
    CONSTRAINT ck_users_membership_tier_lower_case CHECK (membership_tier = lower(membership_tier)),
    CONSTRAINT ck_users_expiry_has_tier CHECK (membership_tier IS NOT NULL OR membership_expires_at IS NULL)
);

CREATE INDEX ix_users_membership_tier ON users (membership_tier, id) WHERE membership_tier IS NOT NULL;

COMMENT ON TABLE users IS 'Accounts that hold credits, one row per user';
COMMENT ON COLUMN users.id IS 'UUIDv7: unique everywhere, and sorts by creation time';
COMMENT ON COLUMN users.created_at IS 'When the row was written';
COMMENT ON COLUMN users.updated_at IS 'When the row was last changed';
COMMENT ON COLUMN users.credits IS 'Balance now, in credits; never below zero';
COMMENT ON COLUMN users.membership_expires_at IS 'When the membership ends; NULL for one without an end, or for none';
COMMENT ON COLUMN users.membership_tier IS 'Membership in lower case, such as pro; NULL for none';

CREATE TABLE idempotency_records (
    key VARCHAR(200) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    result JSONB NOT NULL,
    CONSTRAINT pk_idempotency_records PRIMARY KEY (key),
    CONSTRAINT ck_idempotency_records_key_length CHECK (length(key) BETWEEN 1 AND 200),
    CONSTRAINT ck_idempotency_records_expires_after_creation CHECK (expires_at > created_at)
);

CREATE INDEX ix_idempotency_records_expires_at ON idempotency_records (expires_at);

COMMENT ON TABLE idempotency_records IS 'Answers kept so that a request sent twice is done once';
COMMENT ON COLUMN idempotency_records.key IS 'The caller''s key';
COMMENT ON COLUMN idempotency_records.created_at IS 'When the row was written';
COMMENT ON COLUMN idempotency_records.expires_at IS 'From when on the key may be used anew';
COMMENT ON COLUMN idempotency_records.result IS 'The answer under receipt, and under fingerprint the hash of the request that it answers';

CREATE TABLE transactions (
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    user_id UUID NOT NULL,
    amount BIGINT NOT NULL,
    balance_before BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    action VARCHAR(100) NOT NULL,
    metadata JSONB DEFAULT ('{}') NOT NULL,
    CONSTRAINT pk_transactions PRIMARY KEY (id),
    CONSTRAINT ck_transactions_amount_not_zero CHECK (amount <> 0),
    CONSTRAINT ck_transactions_balance_before_not_negative CHECK (balance_before >= 0),
    CONSTRAINT ck_transactions_balance_after_not_negative CHECK (balance_after >= 0),
    CONSTRAINT ck_transactions_balance_adds_up CHECK (balance_after = balance_before + amount),
    CONSTRAINT ck_transactions_action_length CHECK (length(action) BETWEEN 1 AND 100),
    CONSTRAINT fk_transactions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT
);

CREATE INDEX ix_transactions_action_created_at ON transactions (action, created_at DESC);
CREATE INDEX ix_transactions_user_id_created_at ON transactions (user_id, created_at DESC);

COMMENT ON TABLE transactions IS 'The ledger: every movement of credits, oldest to newest an unbroken chain per user';
COMMENT ON COLUMN transactions.id IS 'UUIDv7: unique everywhere, and sorts by creation time';
COMMENT ON COLUMN transactions.created_at IS 'When the row was written';
COMMENT ON COLUMN transactions.user_id IS 'Whose credits moved';
COMMENT ON COLUMN transactions.amount IS 'Credits added, or taken where negative; never zero';
COMMENT ON COLUMN transactions.balance_before IS 'Balance before the movement, in credits';
COMMENT ON COLUMN transactions.balance_after IS 'Balance after it: balance_before + amount';
COMMENT ON COLUMN transactions.action IS 'What the credits moved for, such as generate-post';
COMMENT ON COLUMN transactions.metadata IS 'What else the application wants to keep';

CREATE TABLE audit_logs (
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    user_id UUID NOT NULL,
    action VARCHAR(100) NOT NULL,
    status VARCHAR(20) NOT NULL,
    metadata JSONB DEFAULT ('{}') NOT NULL,
    error_message TEXT,
    CONSTRAINT pk_audit_logs PRIMARY KEY (id),
    CONSTRAINT ck_audit_logs_status_known CHECK (status IN ('success', 'failed')),
    CONSTRAINT ck_audit_logs_error_only_if_failed CHECK (status = 'failed' OR error_message IS NULL),
    CONSTRAINT ck_audit_logs_action_length CHECK (length(action) BETWEEN 1 AND 100),
    CONSTRAINT ck_audit_logs_error_message_length CHECK (length(error_message) <= 2000),
    CONSTRAINT fk_audit_logs_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT
);

CREATE INDEX ix_audit_logs_failed ON audit_logs (created_at DESC) WHERE status = 'failed';
CREATE INDEX ix_audit_logs_user_id_created_at ON audit_logs (user_id, created_at DESC);

COMMENT ON TABLE audit_logs IS 'Who tried what and how it ended, failures included';
COMMENT ON COLUMN audit_logs.id IS 'UUIDv7: unique everywhere, and sorts by creation time';
COMMENT ON COLUMN audit_logs.created_at IS 'When the row was written';
COMMENT ON COLUMN audit_logs.user_id IS 'Who tried';
COMMENT ON COLUMN audit_logs.action IS 'What was tried, such as generate-post';
COMMENT ON COLUMN audit_logs.status IS 'How it ended: success or failed';
COMMENT ON COLUMN audit_logs.metadata IS 'What else the application wants to keep';
COMMENT ON COLUMN audit_logs.error_message IS 'Why it failed; NULL where it did not';
