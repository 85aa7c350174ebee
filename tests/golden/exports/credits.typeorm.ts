import {
  BeforeInsert,
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  UpdateDateColumn,
} from "typeorm";
import type { Relation } from "typeorm";

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

@Entity({
  name: "audit_logs",
  comment: "Who tried what and how it ended, failures included",
})
@Check("ck_audit_logs_status_known", `status IN ('success', 'failed')`)
@Check(
  "ck_audit_logs_error_only_if_failed",
  `status = 'failed' OR error_message IS NULL`,
)
@Check("ck_audit_logs_action_length", `length(action) BETWEEN 1 AND 100`)
@Check("ck_audit_logs_error_message_length", `length(error_message) <= 2000`)
@Index("ix_audit_logs_failed", ["createdAt"], { where: `status = 'failed'` })
@Index("ix_audit_logs_user_id_created_at", ["userId", "createdAt"])
export class AuditLog {
  @PrimaryColumn({
    type: "uuid",
    primaryKeyConstraintName: "pk_audit_logs",
    comment: "UUIDv7: unique everywhere, and sorts by creation time",
  })
  id!: string;

  @CreateDateColumn({
    type: "timestamptz",
    name: "created_at",
    comment: "When the row was written",
  })
  createdAt!: Date;

  @Column({ type: "uuid", name: "user_id", comment: "Who tried" })
  userId!: string;

  @Column({
    type: "varchar",
    length: 100,
    comment: "What was tried, such as generate-post",
  })
  action!: string;

  @Column({
    type: "varchar",
    length: 20,
    comment: "How it ended: success or failed",
  })
  status!: string;

  @Column({
    type: "jsonb",
    name: "metadata",
    default: {},
    comment: "What else the application wants to keep",
  })
  details!: unknown;

  @Column({
    type: "text",
    name: "error_message",
    nullable: true,
    comment: "Why it failed; NULL where it did not",
  })
  errorMessage!: string | null;

  @ManyToOne(() => User, (user) => user.auditLogs, {
    nullable: false,
    onDelete: "RESTRICT",
  })
  @JoinColumn({
    name: "user_id",
    foreignKeyConstraintName: "fk_audit_logs_user_id_users",
  })
  user!: Relation<User>;

  @BeforeInsert()
  fillIn(): void {
    this.id ??= uuidv7();
  }
}

@Entity({
  name: "idempotency_records",
  comment: "Answers kept so that a request sent twice is done once",
})
@Check("ck_idempotency_records_key_length", `length(key) BETWEEN 1 AND 200`)
@Check(
  "ck_idempotency_records_expires_after_creation",
  `expires_at > created_at`,
)
@Index("ix_idempotency_records_expires_at", ["expiresAt"])
export class IdempotencyRecord {
  @PrimaryColumn({
    type: "varchar",
    length: 200,
    primaryKeyConstraintName: "pk_idempotency_records",
    comment: "The caller's key",
  })
  key!: string;

  @CreateDateColumn({
    type: "timestamptz",
    name: "created_at",
    comment: "When the row was written",
  })
  createdAt!: Date;

  @Column({
    type: "timestamptz",
    name: "expires_at",
    comment: "From when on the key may be used anew",
  })
  expiresAt!: Date;

  @Column({
    type: "jsonb",
    comment:
      "The answer under receipt, and under fingerprint the hash of the request that it answers",
  })
  result!: unknown;
}

@Entity({
  name: "transactions",
  comment:
    "The ledger: every movement of credits, oldest to newest an unbroken chain per user",
})
@Check("ck_transactions_amount_not_zero", `amount <> 0`)
@Check("ck_transactions_balance_before_not_negative", `balance_before >= 0`)
@Check("ck_transactions_balance_after_not_negative", `balance_after >= 0`)
@Check(
  "ck_transactions_balance_adds_up",
  `balance_after = balance_before + amount`,
)
@Check("ck_transactions_action_length", `length(action) BETWEEN 1 AND 100`)
@Index("ix_transactions_action_created_at", ["action", "createdAt"])
@Index("ix_transactions_user_id_created_at", ["userId", "createdAt"])
export class Transaction {
  @PrimaryColumn({
    type: "uuid",
    primaryKeyConstraintName: "pk_transactions",
    comment: "UUIDv7: unique everywhere, and sorts by creation time",
  })
  id!: string;

  @CreateDateColumn({
    type: "timestamptz",
    name: "created_at",
    comment: "When the row was written",
  })
  createdAt!: Date;

  @Column({ type: "uuid", name: "user_id", comment: "Whose credits moved" })
  userId!: string;

  @Column({
    type: "bigint",
    comment: "Credits added, or taken where negative; never zero",
  })
  amount!: string;

  @Column({
    type: "bigint",
    name: "balance_before",
    comment: "Balance before the movement, in credits",
  })
  balanceBefore!: string;

  @Column({
    type: "bigint",
    name: "balance_after",
    comment: "Balance after it: balance_before + amount",
  })
  balanceAfter!: string;

  @Column({
    type: "varchar",
    length: 100,
    comment: "What the credits moved for, such as generate-post",
  })
  action!: string;

  @Column({
    type: "jsonb",
    name: "metadata",
    default: {},
    comment: "What else the application wants to keep",
  })
  details!: unknown;

  @ManyToOne(() => User, (user) => user.transactions, {
    nullable: false,
    onDelete: "RESTRICT",
  })
  @JoinColumn({
    name: "user_id",
    foreignKeyConstraintName: "fk_transactions_user_id_users",
  })
  user!: Relation<User>;

  @BeforeInsert()
  fillIn(): void {
    this.id ??= uuidv7();
  }
}

@Entity({
  name: "users",
  comment: "Accounts that hold credits, one row per user",
})
@Check("ck_users_credits_not_negative", `credits >= 0`)
@Check(
  "ck_users_membership_tier_length",
  `length(membership_tier) BETWEEN 1 AND 50`,
)
@Check(
  "ck_users_membership_tier_lower_case",
  `membership_tier = lower(membership_tier)`,
)
@Check(
  "ck_users_expiry_has_tier",
  `membership_tier IS NOT NULL OR membership_expires_at IS NULL`,
)
@Index("ix_users_membership_tier", ["membershipTier", "id"], {
  where: `membership_tier IS NOT NULL`,
})
export class User {
  @PrimaryColumn({
    type: "uuid",
    primaryKeyConstraintName: "pk_users",
    comment: "UUIDv7: unique everywhere, and sorts by creation time",
  })
  id!: string;

  @CreateDateColumn({
    type: "timestamptz",
    name: "created_at",
    comment: "When the row was written",
  })
  createdAt!: Date;

  @UpdateDateColumn({
    type: "timestamptz",
    name: "updated_at",
    comment: "When the row was last changed",
  })
  updatedAt!: Date;

  @Column({
    type: "bigint",
    default: 0,
    comment: "Balance now, in credits; never below zero",
  })
  credits!: string;

  @Column({
    type: "timestamptz",
    name: "membership_expires_at",
    nullable: true,
    comment:
      "When the membership ends; NULL for one without an end, or for none",
  })
  membershipExpiresAt!: Date | null;

  @Column({
    type: "varchar",
    name: "membership_tier",
    length: 50,
    nullable: true,
    comment: "Membership in lower case, such as pro; NULL for none",
  })
  membershipTier!: string | null;

  @OneToMany(() => AuditLog, (auditLog) => auditLog.user)
  auditLogs!: AuditLog[];

  @OneToMany(() => Transaction, (transaction) => transaction.user)
  transactions!: Transaction[];

  @BeforeInsert()
  fillIn(): void {
    this.id ??= uuidv7();
  }
}
