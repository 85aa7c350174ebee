// credits: 4 collections
// Users spend credits: balances that cannot go below zero, a ledger, an audit
// log, retries done once.
// Run it once on an empty database: mongosh URL this-file.js
// References are fields that hold another document's _id; no server guards
// them, and what a foreign key does on delete is the application's.

db.createCollection("users", {
  validator: {
    $jsonSchema: {
      bsonType: "object",
      description: "Accounts that hold credits, one row per user",
      required: ["created_at", "updated_at", "credits"],
      additionalProperties: false,
      properties: {
        _id: {
          bsonType: "binData",
          description: "UUIDv7: unique everywhere, and sorts by creation time",
        },
        created_at: {
          bsonType: "date",
          description: "When the row was written",
        },
        updated_at: {
          bsonType: "date",
          description: "When the row was last changed",
        },
        credits: {
          bsonType: ["int", "long"],
          minimum: 0,
          description: "Balance now, in credits; never below zero",
        },
        membership_expires_at: {
          bsonType: ["date", "null"],
          description:
            "When the membership ends; NULL for one without an end, or for none",
        },
        membership_tier: {
          bsonType: ["string", "null"],
          minLength: 1,
          maxLength: 50,
          pattern: "^[^A-Z]*$",
          description: "Membership in lower case, such as pro; NULL for none",
        },
      },
    },
    $expr: {
      $or: [
        { $ne: [{ $ifNull: ["$membership_tier", null] }, null] },
        { $eq: [{ $ifNull: ["$membership_expires_at", null] }, null] },
      ],
    },
  },
  validationLevel: "strict",
});

db.users.createIndex(
  { membership_tier: 1, _id: 1 },
  {
    name: "ix_users_membership_tier",
    partialFilterExpression: { membership_tier: { $type: "string" } },
  },
);

// audit_logs is a collection of its own: it does not go with users (ON DELETE
// RESTRICT); 60 rows a parent on average, and more for the largest; queries
// reach it without users: failures.
db.createCollection("audit_logs", {
  validator: {
    $jsonSchema: {
      bsonType: "object",
      description: "Who tried what and how it ended, failures included",
      required: ["created_at", "user_id", "action", "status", "metadata"],
      additionalProperties: false,
      properties: {
        _id: {
          bsonType: "binData",
          description: "UUIDv7: unique everywhere, and sorts by creation time",
        },
        created_at: {
          bsonType: "date",
          description: "When the row was written",
        },
        user_id: { bsonType: "binData", description: "Who tried" },
        action: {
          bsonType: "string",
          minLength: 1,
          maxLength: 100,
          description: "What was tried, such as generate-post",
        },
        status: {
          enum: ["success", "failed"],
          description: "How it ended: success or failed",
        },
        metadata: {
          bsonType: "object",
          description: "What else the application wants to keep",
        },
        error_message: {
          bsonType: ["string", "null"],
          maxLength: 2000,
          description: "Why it failed; NULL where it did not",
        },
      },
    },
    $expr: {
      $or: [
        { $eq: ["$status", "failed"] },
        { $eq: [{ $ifNull: ["$error_message", null] }, null] },
      ],
    },
  },
  validationLevel: "strict",
});

db.audit_logs.createIndex(
  { created_at: -1 },
  {
    name: "ix_audit_logs_failed",
    partialFilterExpression: { status: "failed" },
  },
);
db.audit_logs.createIndex(
  { user_id: 1, created_at: -1 },
  { name: "ix_audit_logs_user_id_created_at" },
);

db.createCollection("idempotency_records", {
  validator: {
    $jsonSchema: {
      bsonType: "object",
      description: "Answers kept so that a request sent twice is done once",
      required: ["created_at", "expires_at", "result"],
      additionalProperties: false,
      properties: {
        _id: {
          bsonType: "string",
          minLength: 1,
          maxLength: 200,
          description: "The caller's key",
        },
        created_at: {
          bsonType: "date",
          description: "When the row was written",
        },
        expires_at: {
          bsonType: "date",
          description: "From when on the key may be used anew",
        },
        result: {
          bsonType: ["object", "array"],
          description:
            "The answer under receipt, and under fingerprint the hash of the request that it answers",
        },
      },
    },
    $expr: { $gt: ["$expires_at", "$created_at"] },
  },
  validationLevel: "strict",
});

db.idempotency_records.createIndex(
  { expires_at: 1 },
  { name: "ix_idempotency_records_expires_at", expireAfterSeconds: 0 },
);

// transactions is a collection of its own: it does not go with users (ON DELETE
// RESTRICT); 50 rows a parent on average, and more for the largest; its rows
// expire by created_at, and MongoDB expires whole documents.
db.createCollection("transactions", {
  validator: {
    $jsonSchema: {
      bsonType: "object",
      description:
        "The ledger: every movement of credits, oldest to newest an unbroken chain per user",
      required: [
        "created_at",
        "user_id",
        "amount",
        "balance_before",
        "balance_after",
        "action",
        "metadata",
      ],
      additionalProperties: false,
      properties: {
        _id: {
          bsonType: "binData",
          description: "UUIDv7: unique everywhere, and sorts by creation time",
        },
        created_at: {
          bsonType: "date",
          description: "When the row was written",
        },
        user_id: { bsonType: "binData", description: "Whose credits moved" },
        amount: {
          bsonType: ["int", "long"],
          not: { enum: [0] },
          description: "Credits added, or taken where negative; never zero",
        },
        balance_before: {
          bsonType: ["int", "long"],
          minimum: 0,
          description: "Balance before the movement, in credits",
        },
        balance_after: {
          bsonType: ["int", "long"],
          minimum: 0,
          description: "Balance after it: balance_before + amount",
        },
        action: {
          bsonType: "string",
          minLength: 1,
          maxLength: 100,
          description: "What the credits moved for, such as generate-post",
        },
        metadata: {
          bsonType: "object",
          description: "What else the application wants to keep",
        },
      },
    },
    $expr: {
      $eq: ["$balance_after", { $add: ["$balance_before", "$amount"] }],
    },
  },
  validationLevel: "strict",
});

db.transactions.createIndex(
  { action: 1, created_at: -1 },
  { name: "ix_transactions_action_created_at" },
);
db.transactions.createIndex(
  { user_id: 1, created_at: -1 },
  { name: "ix_transactions_user_id_created_at" },
);
db.transactions.createIndex(
  { created_at: 1 },
  { name: "ttl_transactions_created_at", expireAfterSeconds: 15811200 },
);
