-- credits on MySQL: 4 tables
-- Users spend credits: balances that cannot go below zero, a ledger, an audit log, retries done once.
--
-- 2 things said otherwise here:
--   users (ix_users_membership_tier): it covers all rows, not only those WHERE membership_tier IS NOT NULL
--   audit_logs (ix_audit_logs_failed): it covers all rows, not only those WHERE status = 'failed'

SET NAMES utf8mb4;

CREATE TABLE users (
    id CHAR(32) NOT NULL COMMENT 'UUIDv7: unique everywhere, and sorts by creation time',
    created_at DATETIME(6) NOT NULL COMMENT 'When the row was written' DEFAULT (UTC_TIMESTAMP(6)),
    updated_at DATETIME(6) NOT NULL COMMENT 'When the row was last changed' DEFAULT (UTC_TIMESTAMP(6)),
    credits BIGINT NOT NULL COMMENT 'Balance now, in credits; never below zero' DEFAULT 0,
    membership_expires_at DATETIME(6) COMMENT 'When the membership ends; NULL for one without an end, or for none',
    membership_tier VARCHAR(50) COMMENT 'Membership in lower case, such as pro; NULL for none',
    PRIMARY KEY (id),
    CONSTRAINT ck_users_credits_not_negative CHECK (credits >= 0),
    CONSTRAINT ck_users_membership_tier_length CHECK (char_length(membership_tier) BETWEEN 1 AND 50),
    CONSTRAINT ck_users_membership_tier_lower_case CHECK (membership_tier = lower(membership_tier)),
    CONSTRAINT ck_users_expiry_has_tier CHECK (membership_tier IS NOT NULL OR membership_expires_at IS NULL)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='Accounts that hold credits, one row per user' COLLATE utf8mb4_bin;

CREATE INDEX ix_users_membership_tier ON users (membership_tier, id);

CREATE TABLE idempotency_records (
    `key` VARCHAR(200) NOT NULL COMMENT 'The caller''s key',
    created_at DATETIME(6) NOT NULL COMMENT 'When the row was written' DEFAULT (UTC_TIMESTAMP(6)),
    expires_at DATETIME(6) NOT NULL COMMENT 'From when on the key may be used anew',
    result JSON NOT NULL COMMENT 'The answer under receipt, and under fingerprint the hash of the request that it answers',
    PRIMARY KEY (`key`),
    CONSTRAINT ck_idempotency_records_key_length CHECK (char_length(`key`) BETWEEN 1 AND 200),
    CONSTRAINT ck_idempotency_records_expires_after_creation CHECK (expires_at > created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='Answers kept so that a request sent twice is done once' COLLATE utf8mb4_bin;

CREATE INDEX ix_idempotency_records_expires_at ON idempotency_records (expires_at);

CREATE TABLE transactions (
    id CHAR(32) NOT NULL COMMENT 'UUIDv7: unique everywhere, and sorts by creation time',
    created_at DATETIME(6) NOT NULL COMMENT 'When the row was written' DEFAULT (UTC_TIMESTAMP(6)),
    user_id CHAR(32) NOT NULL COMMENT 'Whose credits moved',
    amount BIGINT NOT NULL COMMENT 'Credits added, or taken where negative; never zero',
    balance_before BIGINT NOT NULL COMMENT 'Balance before the movement, in credits',
    balance_after BIGINT NOT NULL COMMENT 'Balance after it: balance_before + amount',
    action VARCHAR(100) NOT NULL COMMENT 'What the credits moved for, such as generate-post',
    metadata JSON NOT NULL COMMENT 'What else the application wants to keep' DEFAULT ('{}'),
    PRIMARY KEY (id),
    CONSTRAINT ck_transactions_amount_not_zero CHECK (amount <> 0),
    CONSTRAINT ck_transactions_balance_before_not_negative CHECK (balance_before >= 0),
    CONSTRAINT ck_transactions_balance_after_not_negative CHECK (balance_after >= 0),
    CONSTRAINT ck_transactions_balance_adds_up CHECK (balance_after = balance_before + amount),
    CONSTRAINT ck_transactions_action_length CHECK (char_length(action) BETWEEN 1 AND 100),
    CONSTRAINT fk_transactions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='The ledger: every movement of credits, oldest to newest an unbroken chain per user' COLLATE utf8mb4_bin;

CREATE INDEX ix_transactions_action_created_at ON transactions (action, created_at DESC);
CREATE INDEX ix_transactions_user_id_created_at ON transactions (user_id, created_at DESC);

CREATE TABLE audit_logs (
    id CHAR(32) NOT NULL COMMENT 'UUIDv7: unique everywhere, and sorts by creation time',
    created_at DATETIME(6) NOT NULL COMMENT 'When the row was written' DEFAULT (UTC_TIMESTAMP(6)),
    user_id CHAR(32) NOT NULL COMMENT 'Who tried',
    action VARCHAR(100) NOT NULL COMMENT 'What was tried, such as generate-post',
    status VARCHAR(20) NOT NULL COMMENT 'How it ended: success or failed',
    metadata JSON NOT NULL COMMENT 'What else the application wants to keep' DEFAULT ('{}'),
    error_message LONGTEXT COMMENT 'Why it failed; NULL where it did not',
    PRIMARY KEY (id),
    CONSTRAINT ck_audit_logs_status_known CHECK (status IN ('success', 'failed')),
    CONSTRAINT ck_audit_logs_error_only_if_failed CHECK (status = 'failed' OR error_message IS NULL),
    CONSTRAINT ck_audit_logs_action_length CHECK (char_length(action) BETWEEN 1 AND 100),
    CONSTRAINT ck_audit_logs_error_message_length CHECK (char_length(error_message) <= 2000),
    CONSTRAINT fk_audit_logs_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='Who tried what and how it ended, failures included' COLLATE utf8mb4_bin;

CREATE INDEX ix_audit_logs_failed ON audit_logs (created_at DESC);
CREATE INDEX ix_audit_logs_user_id_created_at ON audit_logs (user_id, created_at DESC);
