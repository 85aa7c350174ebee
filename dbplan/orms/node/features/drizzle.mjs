/** Drizzle. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { and, eq, sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { prepare } from "../adapters/drizzle.mjs";
import { packages } from "../building.mjs";
import { NotCovered } from "../errors.mjs";
import {
  DOCUMENT,
  EXACT,
  MANY,
  accountOf,
  decimalSeen,
  enumSeen,
  ids,
  refusal,
  rowsSeen,
  tablesSeen,
  typedSeen,
  upTo,
} from "./seeing.mjs";

const table = ({ orm }, name = "accounts") => orm._.fullSchema[name];

const account = (number, other) => accountOf(BigInt(number), other);

const made = (db, number = 1, other = {}) => db.orm.insert(table(db)).values(account(number, other));

async function first(db, name = "accounts") {
  const [row] = await db.orm
    .select()
    .from(table(db, name))
    .where(eq(table(db, name).id, 1n));
  return row;
}

/** Write a label, and one that there is not. */
export async function enums(db) {
  const members = table(db, "members");
  await db.orm.insert(members).values({ id: 1n, status: "paused" });
  const { status } = await first(db, "members");
  return enumSeen(status, await refusal(() => db.orm.insert(members).values({ id: 2n, status: "nonsense" })));
}

/** Write many digits. */
export async function decimals(db) {
  await made(db, 1, { balance: EXACT });
  return decimalSeen((await first(db)).balance);
}

/** Write a document, and find it by a key: there is no operator for that, so the condition is SQL. */
export async function documents(db) {
  await made(db, 1, { profile: DOCUMENT });
  await made(db, 2);
  const condition = sql`${table(db).profile} ->> 'city' = ${DOCUMENT.city}`;
  const found = ids(await db.orm.select().from(table(db)).where(condition));
  const why = found.length ? "only in raw SQL" : "not in raw SQL either";
  return { read: (await first(db)).profile, found: null, why };
}

/** Find by a key of two columns, with what refers to it. */
export async function composite_keys(db) {
  const { accountId, number } = table(db, "entries");
  const where = and(eq(accountId, 1n), eq(number, 2));
  const { note, parts } = await db.orm.query.entries.findFirst({ where, with: { parts: true } });
  return { note, related: ids(parts) };
}

/** Insert, on conflict do update. */
export async function upsert(db) {
  const rows = [account(1, { balance: "2" }), account(2, { balance: "3" })];
  const set = { balance: sql`excluded.balance` };
  await db.orm
    .insert(table(db))
    .values(rows)
    .onConflictDoUpdate({ target: table(db).id, set });
  return {};
}

/** Insert many. */
export async function bulk_insert(db) {
  await db.orm.insert(table(db)).values(upTo(MANY).map((number) => account(number)));
  return {};
}

/** Select all: over pg there is nothing that gives rows as they come. */
export async function streaming(db) {
  const query = db.orm.select().from(table(db));
  if (!query.iterator) return { rows: (await query).length };
  let rows = 0;
  for await (const _ of query.iterator()) rows += 1;
  return { rows };
}

/** Delete a row. */
export async function cascades(db) {
  await db.orm.delete(table(db)).where(eq(table(db).id, 1n));
  return {};
}

const undone = (db, orm, number) =>
  orm.transaction(async (tx) => {
    await tx.insert(table(db)).values(account(number));
    throw new Error("undo");
  });

/** Throw within a transaction, after a write. */
export async function transactions(db) {
  return { raised: (await refusal(() => undone(db, db.orm, 1))) !== null };
}

/** Undo a nested part alone. */
export async function savepoints(db) {
  await db.orm.transaction(async (tx) => {
    await tx.insert(table(db)).values(account(1));
    await refusal(() => undone(db, tx, 2));
    await tx.insert(table(db)).values(account(3));
  });
  return {};
}

/** Select what is left once a row is marked: no table can be given a filter that its queries take. */
export async function soft_delete(db) {
  await db.orm
    .update(table(db))
    .set({ goneAt: new Date() })
    .where(eq(table(db).id, 1n));
  return { visible: ids(await db.orm.query.accounts.findMany()), built_in: false, how: "" };
}

/** Have drizzle-kit write a first migration, and the ORM apply a small one. */
export async function migrations(db) {
  const { models } = db.study;
  const cli = join(packages(), "drizzle-kit", "bin.cjs");
  const words = ["generate", "--dialect=postgresql", `--schema=${prepare(db.study)}`, "--out=probed_drizzle"];
  const done = spawnSync(process.execPath, [cli, ...words], { cwd: models, encoding: "utf8" });
  const folder = join(models, "probed_drizzle");
  if (!existsSync(folder))
    throw new NotCovered(`drizzle-kit generate: ${(done.stdout + done.stderr).trim().slice(-120)}`);
  const written = readdirSync(folder).find((file) => file.endsWith(".sql"));
  if (!(await isApplied(db))) throw new NotCovered("migrate() applied nothing of a folder with a migration");
  return tablesSeen(
    "drizzle-kit generate",
    readFileSync(join(folder, written), "utf8"),
    "; migrate() applied one once",
  );
}

async function isApplied({ orm, study }) {
  const folder = join(study.models, "probed_migrations");
  mkdirSync(join(folder, "meta"), { recursive: true });
  const entries = [{ idx: 0, version: "7", when: 1, tag: "0000_probed", breakpoints: true }];
  const journal = { version: "7", dialect: "postgresql", entries };
  writeFileSync(join(folder, "meta", "_journal.json"), JSON.stringify(journal));
  writeFileSync(join(folder, "0000_probed.sql"), "CREATE TABLE probed_migration (id integer);");
  const names = { migrationsFolder: folder, migrationsSchema: "probed_migrations" };
  for (const _ of [1, 2]) await migrate(orm, names); // the second has nothing to do
  const { rows } = await orm.execute(sql`SELECT to_regclass('probed_migration') AS made`);
  await orm.execute(sql`DROP TABLE IF EXISTS probed_migration`);
  await orm.execute(sql`DROP SCHEMA probed_migrations CASCADE`);
  return rows[0].made !== null;
}

/** Select by SQL. */
export async function raw_sql({ orm }) {
  const { rows } = await orm.execute(sql`SELECT id, email FROM accounts WHERE id = ${1n}`);
  return { rows: rowsSeen(rows) };
}

const SOURCE = `import { drizzle } from "drizzle-orm/node-postgres";
import * as schema from "./schema";
const orm = drizzle.mock({ schema });
const [first] = await orm.select().from(schema.accounts);
export const one = first;`;

/** Ask TypeScript for the type of an object. */
export async function typed_results(db) {
  await made(db);
  return typedSeen(db.study.models, SOURCE, (await first(db)).balance);
}
