/** Prisma. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as engine from "@prisma/schema-engine-wasm/schema_engine_bg";
import { packages } from "../building.mjs";
import { connection } from "../connecting.mjs";
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

const FIRST = { where: { id: 1n } };

const account = (number, other) => accountOf(BigInt(number), other);

const made = ({ client }, number = 1, other = {}) => client.account.create({ data: account(number, other) });

/** Write a label, and one that there is not. */
export async function enums({ client }) {
  await client.member.create({ data: { id: 1n, status: "paused" } });
  const { status } = await client.member.findUniqueOrThrow(FIRST);
  return enumSeen(status, await refusal(() => client.member.create({ data: { id: 2n, status: "nonsense" } })));
}

/** Write many digits. */
export async function decimals(db) {
  await made(db, 1, { balance: EXACT });
  return decimalSeen((await db.client.account.findUniqueOrThrow(FIRST)).balance);
}

/** Write a document, and find it by a path. */
export async function documents(db) {
  await made(db, 1, { profile: DOCUMENT });
  await made(db, 2);
  const { profile } = await db.client.account.findUniqueOrThrow(FIRST);
  const where = { profile: { path: ["city"], equals: DOCUMENT.city } };
  return { read: profile, found: ids(await db.client.account.findMany({ where })) };
}

/** Find by a key of two columns, with what refers to it. */
export async function composite_keys({ client }) {
  const where = { accountId_number: { accountId: 1n, number: 2 } };
  const { note, parts } = await client.entry.findUniqueOrThrow({ where, include: { parts: true } });
  return { note, related: ids(parts) };
}

/** Upsert by the key. */
export async function upsert({ client }) {
  for (const [number, balance] of [
    [1, "2"],
    [2, "3"],
  ])
    await client.account.upsert({
      where: { id: BigInt(number) },
      create: account(number, { balance }),
      update: { balance },
    });
  return { why: "upsert" };
}

/** Create many. */
export async function bulk_insert({ client }) {
  await client.account.createMany({ data: upTo(MANY).map((number) => account(number)) });
  return {};
}

/** Find all: the client has nothing that gives rows as they come. */
export async function streaming({ client }) {
  return { rows: (await client.account.findMany()).length };
}

/** Delete a row. */
export async function cascades({ client }) {
  await client.account.delete(FIRST);
  return {};
}

const undone = (client, number) =>
  client.$transaction(async (tx) => {
    await made({ client: tx }, number);
    throw new Error("undo");
  });

/** Throw within a transaction, after a write. */
export async function transactions({ client }) {
  return { raised: (await refusal(() => undone(client, 1))) !== null };
}

/** Undo a nested part alone. */
export async function savepoints({ client }) {
  await client.$transaction(async (tx) => {
    await made({ client: tx });
    await refusal(() => undone(tx, 2));
    await made({ client: tx }, 3);
  });
  return {};
}

/** Have an extension of the client leave out what is gone. */
export async function soft_delete({ client }) {
  await client.account.update({ ...FIRST, data: { goneAt: new Date() } });
  const findMany = ({ args, query }) => query({ ...args, where: { ...args.where, goneAt: null } });
  const present = client.$extends({ query: { account: { findMany } } });
  return { visible: ids(await present.account.findMany()), built_in: false, how: "by a client extension of one's own" };
}

/** Start the schema engine, which writes migrations; as WebAssembly, for the command fetches it as a program. */
async function schemaEngine(study, schema) {
  const file = join(packages(), "@prisma", "schema-engine-wasm", "schema_engine_bg.wasm");
  const imports = { "./schema_engine_bg.js": engine };
  const { instance } = await WebAssembly.instantiate(readFileSync(file), imports);
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg(connection(study)));
  return engine.SchemaEngine.new({ datamodels: [["client.prisma", schema]] }, console.error, adapter);
}

/** Have its engine write a first migration, from nothing to the schema, as the command does. */
export async function migrations({ study }) {
  const schema = readFileSync(join(study.models, "client.prisma"), "utf8");
  const to = { tag: "schemaDatamodel", files: [{ path: "client.prisma", content: schema }] };
  const filters = { externalTables: [], externalEnums: [] };
  const started = await schemaEngine(study, schema);
  const { stdout } = await started.diff({ from: { tag: "empty" }, to, script: true, exitCode: null, filters });
  return tablesSeen("the schema engine of prisma migrate, as WebAssembly,", stdout);
}

/** Select by SQL. */
export async function raw_sql({ client }) {
  return { rows: rowsSeen(await client.$queryRaw`SELECT id, email FROM accounts WHERE id = ${1n}`) };
}

const SOURCE = `import { PrismaClient } from "./client";
declare const client: PrismaClient;
export const one = await client.account.findUniqueOrThrow({ where: { id: 1n } });`;

/** Ask TypeScript for the type of an object. */
export async function typed_results(db) {
  const { balance } = await made(db);
  return typedSeen(db.study.models, SOURCE, balance);
}
