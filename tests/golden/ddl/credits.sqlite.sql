-- credits on SQLite: 4 tables
-- Users spend credits: balances that cannot go below zero, a ledger, an audit log, retries done once.
--
-- 1 thing said otherwise here:
--   SQLite checks neither the type nor the length of a value: VARCHAR(50) takes any text

-- Accounts that hold credits, one row per user
CREATE TABLE users (
    -- UUIDv7: unique everywhere, and sorts by creation time
    id CHAR(32) NOT NULL,
    -- When the row was written
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    -- When the row was last changed
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    -- Balance now, in credits; never below zero
    credits BIGINT DEFAULT 0 NOT NULL,
    -- When the membership ends; NULL for one without an end, or for none
    membership_expires_at DATETIME,
    -- Membership in lower case, such as pro; NULL for none
    membership_tier VARCHAR(50),
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_credits_not_negative CHECK (credits >= 0),
    CONSTRAINT ck_users_membership_tier_length CHECK (length(membership_tier) BETWEEN 1 AND 50),
    CONSTRAINT ck_users_membership_tier_lower_case CHECK (membership_tier = lower(membership_tier)),
    CONSTRAINT ck_users_expiry_has_tier CHECK (membership_tier IS NOT NULL OR membership_expires_at IS NULL)
);

CREATE INDEX ix_users_membership_tier ON users (membership_tier, id) WHERE membership_tier IS NOT NULL;

-- Answers kept so that a request sent twice is done once
CREATE TABLE idempotency_records (
    -- The caller's key
    "key" VARCHAR(200) NOT NULL,
    -- When the row was written
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    -- From when on the key may be used anew
    expires_at DATETIME NOT NULL,
    -- The answer under receipt, and under fingerprint the hash of the request that it answers
    result JSON NOT NULL,
    CONSTRAINT pk_idempotency_records PRIMARY KEY ("key"),
    CONSTRAINT ck_idempotency_records_key_length CHECK (length("key") BETWEEN 1 AND 200),
    CONSTRAINT ck_idempotency_records_expires_after_creation CHECK (expires_at > created_at)
);

CREATE INDEX ix_idempotency_records_expires_at ON idempotency_records (expires_at);

-- The ledger: every movement of credits, oldest to newest an unbroken chain per user
CREATE TABLE transactions (
    -- UUIDv7: unique everywhere, and sorts by creation time
    id CHAR(32) NOT NULL,
    -- When the row was written
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    -- Whose credits moved
    user_id CHAR(32) NOT NULL,
    -- Credits added, or taken where negative; never zero
    amount BIGINT NOT NULL,
    -- Balance before the movement, in credits
    balance_before BIGINT NOT NULL,
    -- Balance after it: balance_before + amount
    balance_after BIGINT NOT NULL,
    -- What the credits moved for, such as generate-post
    action VARCHAR(100) NOT NULL,
    -- What else the application wants to keep
    metadata JSON DEFAULT ('{}') NOT NULL,
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

-- Who tried what and how it ended, failures included
CREATE TABLE audit_logs (
    -- UUIDv7: unique everywhere, and sorts by creation time
    id CHAR(32) NOT NULL,
    -- When the row was written
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    -- Who tried
    user_id CHAR(32) NOT NULL,
    -- What was tried, such as generate-post
    action VARCHAR(100) NOT NULL,
    -- How it ended: success or failed
    status VARCHAR(20) NOT NULL,
    -- What else the application wants to keep
    metadata JSON DEFAULT ('{}') NOT NULL,
    -- Why it failed; NULL where it did not
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
