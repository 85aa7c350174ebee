-- credits on SQL Server: 4 tables
-- Users spend credits: balances that cannot go below zero, a ledger, an audit log, retries done once.
--
-- 1 thing said otherwise here:
--   texts compare by the collation of the database, which as a rule ignores case: create it with COLLATE
--     Latin1_General_100_BIN2 to have uniques and CHECKs mind it

CREATE TABLE users (
    id UNIQUEIDENTIFIER NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL DEFAULT SYSDATETIMEOFFSET(),
    updated_at DATETIMEOFFSET(6) NOT NULL DEFAULT SYSDATETIMEOFFSET(),
    credits BIGINT NOT NULL DEFAULT 0,
    membership_expires_at DATETIMEOFFSET(6) NULL,
    membership_tier NVARCHAR(50) NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_credits_not_negative CHECK (credits >= 0),
    CONSTRAINT ck_users_membership_tier_length CHECK (len(membership_tier) BETWEEN 1 AND 50),
    CONSTRAINT ck_users_membership_tier_lower_case CHECK (membership_tier = lower(membership_tier)),
    CONSTRAINT ck_users_expiry_has_tier CHECK (membership_tier IS NOT NULL OR membership_expires_at IS NULL)
);

CREATE INDEX ix_users_membership_tier ON users (membership_tier, id) WHERE membership_tier IS NOT NULL;

execute sp_addextendedproperty 'MS_Description', N'Accounts that hold credits, one row per user', 'schema', dbo, 'table', users;
execute sp_addextendedproperty 'MS_Description', N'UUIDv7: unique everywhere, and sorts by creation time', 'schema', dbo, 'table', users, 'column', id;
execute sp_addextendedproperty 'MS_Description', N'When the row was written', 'schema', dbo, 'table', users, 'column', created_at;
execute sp_addextendedproperty 'MS_Description', N'When the row was last changed', 'schema', dbo, 'table', users, 'column', updated_at;
execute sp_addextendedproperty 'MS_Description', N'Balance now, in credits; never below zero', 'schema', dbo, 'table', users, 'column', credits;
execute sp_addextendedproperty 'MS_Description', N'When the membership ends; NULL for one without an end, or for none', 'schema', dbo, 'table', users, 'column', membership_expires_at;
execute sp_addextendedproperty 'MS_Description', N'Membership in lower case, such as pro; NULL for none', 'schema', dbo, 'table', users, 'column', membership_tier;

CREATE TABLE idempotency_records (
    [key] NVARCHAR(200) NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL DEFAULT SYSDATETIMEOFFSET(),
    expires_at DATETIMEOFFSET(6) NOT NULL,
    result NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_idempotency_records PRIMARY KEY ([key]),
    CONSTRAINT ck_idempotency_records_key_length CHECK (len([key]) BETWEEN 1 AND 200),
    CONSTRAINT ck_idempotency_records_expires_after_creation CHECK (expires_at > created_at),
    CONSTRAINT ck_idempotency_records_result CHECK (isjson(result) = 1)
);

CREATE INDEX ix_idempotency_records_expires_at ON idempotency_records (expires_at);

execute sp_addextendedproperty 'MS_Description', N'Answers kept so that a request sent twice is done once', 'schema', dbo, 'table', idempotency_records;
execute sp_addextendedproperty 'MS_Description', N'The caller''s key', 'schema', dbo, 'table', idempotency_records, 'column', [key];
execute sp_addextendedproperty 'MS_Description', N'When the row was written', 'schema', dbo, 'table', idempotency_records, 'column', created_at;
execute sp_addextendedproperty 'MS_Description', N'From when on the key may be used anew', 'schema', dbo, 'table', idempotency_records, 'column', expires_at;
execute sp_addextendedproperty 'MS_Description', N'The answer under receipt, and under fingerprint the hash of the request that it answers', 'schema', dbo, 'table', idempotency_records, 'column', result;

CREATE TABLE transactions (
    id UNIQUEIDENTIFIER NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL DEFAULT SYSDATETIMEOFFSET(),
    user_id UNIQUEIDENTIFIER NOT NULL,
    amount BIGINT NOT NULL,
    balance_before BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    action NVARCHAR(100) NOT NULL,
    metadata NVARCHAR(max) NOT NULL DEFAULT '{}',
    CONSTRAINT pk_transactions PRIMARY KEY (id),
    CONSTRAINT ck_transactions_amount_not_zero CHECK (amount <> 0),
    CONSTRAINT ck_transactions_balance_before_not_negative CHECK (balance_before >= 0),
    CONSTRAINT ck_transactions_balance_after_not_negative CHECK (balance_after >= 0),
    CONSTRAINT ck_transactions_balance_adds_up CHECK (balance_after = balance_before + amount),
    CONSTRAINT ck_transactions_action_length CHECK (len(action) BETWEEN 1 AND 100),
    CONSTRAINT ck_transactions_metadata CHECK (isjson(metadata) = 1),
    CONSTRAINT fk_transactions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_transactions_action_created_at ON transactions (action, created_at DESC);
CREATE INDEX ix_transactions_user_id_created_at ON transactions (user_id, created_at DESC);

execute sp_addextendedproperty 'MS_Description', N'The ledger: every movement of credits, oldest to newest an unbroken chain per user', 'schema', dbo, 'table', transactions;
execute sp_addextendedproperty 'MS_Description', N'UUIDv7: unique everywhere, and sorts by creation time', 'schema', dbo, 'table', transactions, 'column', id;
execute sp_addextendedproperty 'MS_Description', N'When the row was written', 'schema', dbo, 'table', transactions, 'column', created_at;
execute sp_addextendedproperty 'MS_Description', N'Whose credits moved', 'schema', dbo, 'table', transactions, 'column', user_id;
execute sp_addextendedproperty 'MS_Description', N'Credits added, or taken where negative; never zero', 'schema', dbo, 'table', transactions, 'column', amount;
execute sp_addextendedproperty 'MS_Description', N'Balance before the movement, in credits', 'schema', dbo, 'table', transactions, 'column', balance_before;
execute sp_addextendedproperty 'MS_Description', N'Balance after it: balance_before + amount', 'schema', dbo, 'table', transactions, 'column', balance_after;
execute sp_addextendedproperty 'MS_Description', N'What the credits moved for, such as generate-post', 'schema', dbo, 'table', transactions, 'column', action;
execute sp_addextendedproperty 'MS_Description', N'What else the application wants to keep', 'schema', dbo, 'table', transactions, 'column', metadata;

CREATE TABLE audit_logs (
    id UNIQUEIDENTIFIER NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL DEFAULT SYSDATETIMEOFFSET(),
    user_id UNIQUEIDENTIFIER NOT NULL,
    action NVARCHAR(100) NOT NULL,
    status NVARCHAR(20) NOT NULL,
    metadata NVARCHAR(max) NOT NULL DEFAULT '{}',
    error_message NVARCHAR(max) NULL,
    CONSTRAINT pk_audit_logs PRIMARY KEY (id),
    CONSTRAINT ck_audit_logs_status_known CHECK (status IN ('success', 'failed')),
    CONSTRAINT ck_audit_logs_error_only_if_failed CHECK (status = 'failed' OR error_message IS NULL),
    CONSTRAINT ck_audit_logs_action_length CHECK (len(action) BETWEEN 1 AND 100),
    CONSTRAINT ck_audit_logs_error_message_length CHECK (len(error_message) <= 2000),
    CONSTRAINT ck_audit_logs_metadata CHECK (isjson(metadata) = 1),
    CONSTRAINT fk_audit_logs_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_audit_logs_failed ON audit_logs (created_at DESC) WHERE status = 'failed';
CREATE INDEX ix_audit_logs_user_id_created_at ON audit_logs (user_id, created_at DESC);

execute sp_addextendedproperty 'MS_Description', N'Who tried what and how it ended, failures included', 'schema', dbo, 'table', audit_logs;
execute sp_addextendedproperty 'MS_Description', N'UUIDv7: unique everywhere, and sorts by creation time', 'schema', dbo, 'table', audit_logs, 'column', id;
execute sp_addextendedproperty 'MS_Description', N'When the row was written', 'schema', dbo, 'table', audit_logs, 'column', created_at;
execute sp_addextendedproperty 'MS_Description', N'Who tried', 'schema', dbo, 'table', audit_logs, 'column', user_id;
execute sp_addextendedproperty 'MS_Description', N'What was tried, such as generate-post', 'schema', dbo, 'table', audit_logs, 'column', action;
execute sp_addextendedproperty 'MS_Description', N'How it ended: success or failed', 'schema', dbo, 'table', audit_logs, 'column', status;
execute sp_addextendedproperty 'MS_Description', N'What else the application wants to keep', 'schema', dbo, 'table', audit_logs, 'column', metadata;
execute sp_addextendedproperty 'MS_Description', N'Why it failed; NULL where it did not', 'schema', dbo, 'table', audit_logs, 'column', error_message;
