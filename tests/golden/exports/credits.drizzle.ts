import { relations, sql } from "drizzle-orm";
import {
  bigint,
  check,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";

/** Returns a UUIDv7: unique everywhere, and sorted by the time of its creation. */
function uuidv7(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = Date.now();
  for (let place = 5; place >= 0; place--) {
    bytes[place] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Accounts that hold credits, one row per user */
export const users = pgTable(
  "users",
  {
    /** UUIDv7: unique everywhere, and sorts by creation time */
    id: uuid()
      .notNull()
      .$defaultFn(() => uuidv7()),
    /** When the row was written */
    createdAt: timestamp("created_at", { withTimezone: true })
      .notNull()
      .defaultNow(),
    /** When the row was last changed */
    updatedAt: timestamp("updated_at", { withTimezone: true })
      .notNull()
      .defaultNow()
      .$onUpdate(() => new Date()),
    /** Balance now, in credits; never below zero */
    credits: bigint({ mode: "bigint" })
      .notNull()
      .default(sql`0`),
    /** When the membership ends; NULL for one without an end, or for none */
    membershipExpiresAt: timestamp("membership_expires_at", {
      withTimezone: true,
    }),
    /** Membership in lower case, such as pro; NULL for none */
    membershipTier: varchar("membership_tier", { length: 50 }),
  },
  (table) => [
    primaryKey({ name: "pk_users", columns: [table.id] }),
    check("ck_users_credits_not_negative", sql`credits >= 0`),
    check(
      "ck_users_membership_tier_length",
      sql`length(membership_tier) BETWEEN 1 AND 50`,
    ),
    check(
      "ck_users_membership_tier_lower_case",
      sql`membership_tier = lower(membership_tier)`,
    ),
    check(
      "ck_users_expiry_has_tier",
      sql`membership_tier IS NOT NULL OR membership_expires_at IS NULL`,
    ),
    index("ix_users_membership_tier")
      .on(table.membershipTier, table.id)
      .where(sql`membership_tier IS NOT NULL`),
  ],
);

/** Who tried what and how it ended, failures included */
export const auditLogs = pgTable(
  "audit_logs",
  {
    /** UUIDv7: unique everywhere, and sorts by creation time */
    id: uuid()
      .notNull()
      .$defaultFn(() => uuidv7()),
    /** When the row was written */
    createdAt: timestamp("created_at", { withTimezone: true })
      .notNull()
      .defaultNow(),
    /** Who tried */
    userId: uuid("user_id").notNull(),
    /** What was tried, such as generate-post */
    action: varchar({ length: 100 }).notNull(),
    /** How it ended: success or failed */
    status: varchar({ length: 20 }).notNull(),
    /** What else the application wants to keep */
    details: jsonb("metadata").notNull().default({}),
    /** Why it failed; NULL where it did not */
    errorMessage: text("error_message"),
  },
  (table) => [
    primaryKey({ name: "pk_audit_logs", columns: [table.id] }),
    foreignKey({
      name: "fk_audit_logs_user_id_users",
      columns: [table.userId],
      foreignColumns: [users.id],
    }).onDelete("restrict"),
    check("ck_audit_logs_status_known", sql`status IN ('success', 'failed')`),
    check(
      "ck_audit_logs_error_only_if_failed",
      sql`status = 'failed' OR error_message IS NULL`,
    ),
    check("ck_audit_logs_action_length", sql`length(action) BETWEEN 1 AND 100`),
    check(
      "ck_audit_logs_error_message_length",
      sql`length(error_message) <= 2000`,
    ),
    index("ix_audit_logs_failed")
      .on(table.createdAt.desc().nullsFirst())
      .where(sql`status = 'failed'`),
    index("ix_audit_logs_user_id_created_at").on(
      table.userId,
      table.createdAt.desc().nullsFirst(),
    ),
  ],
);

/** Answers kept so that a request sent twice is done once */
export const idempotencyRecords = pgTable(
  "idempotency_records",
  {
    /** The caller's key */
    key: varchar({ length: 200 }).notNull(),
    /** When the row was written */
    createdAt: timestamp("created_at", { withTimezone: true })
      .notNull()
      .defaultNow(),
    /** From when on the key may be used anew */
    expiresAt: timestamp("expires_at", { withTimezone: true }).notNull(),
    /** The answer under receipt, and under fingerprint the hash of the request that it answers */
    result: jsonb().notNull(),
  },
  (table) => [
    primaryKey({ name: "pk_idempotency_records", columns: [table.key] }),
    check(
      "ck_idempotency_records_key_length",
      sql`length(key) BETWEEN 1 AND 200`,
    ),
    check(
      "ck_idempotency_records_expires_after_creation",
      sql`expires_at > created_at`,
    ),
    index("ix_idempotency_records_expires_at").on(table.expiresAt),
  ],
);

/** The ledger: every movement of credits, oldest to newest an unbroken chain per user */
export const transactions = pgTable(
  "transactions",
  {
    /** UUIDv7: unique everywhere, and sorts by creation time */
    id: uuid()
      .notNull()
      .$defaultFn(() => uuidv7()),
    /** When the row was written */
    createdAt: timestamp("created_at", { withTimezone: true })
      .notNull()
      .defaultNow(),
    /** Whose credits moved */
    userId: uuid("user_id").notNull(),
    /** Credits added, or taken where negative; never zero */
    amount: bigint({ mode: "bigint" }).notNull(),
    /** Balance before the movement, in credits */
    balanceBefore: bigint("balance_before", { mode: "bigint" }).notNull(),
    /** Balance after it: balance_before + amount */
    balanceAfter: bigint("balance_after", { mode: "bigint" }).notNull(),
    /** What the credits moved for, such as generate-post */
    action: varchar({ length: 100 }).notNull(),
    /** What else the application wants to keep */
    details: jsonb("metadata").notNull().default({}),
  },
  (table) => [
    primaryKey({ name: "pk_transactions", columns: [table.id] }),
    foreignKey({
      name: "fk_transactions_user_id_users",
      columns: [table.userId],
      foreignColumns: [users.id],
    }).onDelete("restrict"),
    check("ck_transactions_amount_not_zero", sql`amount <> 0`),
    check(
      "ck_transactions_balance_before_not_negative",
      sql`balance_before >= 0`,
    ),
    check(
      "ck_transactions_balance_after_not_negative",
      sql`balance_after >= 0`,
    ),
    check(
      "ck_transactions_balance_adds_up",
      sql`balance_after = balance_before + amount`,
    ),
    check(
      "ck_transactions_action_length",
      sql`length(action) BETWEEN 1 AND 100`,
    ),
    index("ix_transactions_action_created_at").on(
      table.action,
      table.createdAt.desc().nullsFirst(),
    ),
    index("ix_transactions_user_id_created_at").on(
      table.userId,
      table.createdAt.desc().nullsFirst(),
    ),
  ],
);

export const auditLogsRelations = relations(auditLogs, ({ one }) => ({
  user: one(users, {
    fields: [auditLogs.userId],
    references: [users.id],
  }),
}));

export const transactionsRelations = relations(transactions, ({ one }) => ({
  user: one(users, {
    fields: [transactions.userId],
    references: [users.id],
  }),
}));

export const usersRelations = relations(users, ({ many }) => ({
  auditLogs: many(auditLogs),
  transactions: many(transactions),
}));
