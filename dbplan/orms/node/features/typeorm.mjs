/** TypeORM. */

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DataSource, EntitySchema, JsonContains } from "typeorm";
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

const FIRST = { id: "1" };

const account = (number, other) => accountOf(String(number), other);

const accounts = ({ manager }) => manager.getRepository("Account");

const made = (source, number = 1, other = {}) => accounts(source).save(account(number, other));

/** Write a label, and one that there is not. */
export async function enums({ source }) {
  const members = source.getRepository("Member");
  await members.save({ ...FIRST, status: "paused" });
  const { status } = await members.findOneByOrFail(FIRST);
  return enumSeen(status, await refusal(() => members.save({ id: "2", status: "nonsense" })));
}

/** Write many digits. */
export async function decimals({ source }) {
  await made(source, 1, { balance: EXACT });
  return decimalSeen((await accounts(source).findOneByOrFail(FIRST)).balance);
}

/** Write a document, and find it by what it contains. */
export async function documents({ source }) {
  await made(source, 1, { profile: DOCUMENT });
  await made(source, 2);
  const { profile } = await accounts(source).findOneByOrFail(FIRST);
  const found = await accounts(source).findBy({ profile: JsonContains({ city: DOCUMENT.city }) });
  return { read: profile, found: ids(found) };
}

/** Find by a key of two columns, with what refers to it. */
export async function composite_keys({ source }) {
  const where = { accountId: "1", number: 2 };
  const options = { where, relations: { parts: true } };
  const { note, parts } = await source.getRepository("Entry").findOneOrFail(options);
  return { note, related: ids(parts) };
}

/** Upsert by the key. */
export async function upsert({ source }) {
  const rows = [account(1, { balance: "2" }), account(2, { balance: "3" })];
  await accounts(source).upsert(rows, ["id"]);
  return {};
}

/** Insert many. */
export async function bulk_insert({ source }) {
  await accounts(source).insert(upTo(MANY).map((number) => account(number)));
  return {};
}

/** Stream what a query finds, as rows: by pg-query-stream, a package that TypeORM asks for. */
export async function streaming({ source }) {
  let rows = 0;
  for await (const _ of await accounts(source).createQueryBuilder("one").stream()) rows += 1;
  return { rows };
}

/** Remove an object. */
export async function cascades({ source }) {
  await accounts(source).remove(await accounts(source).findOneByOrFail(FIRST));
  return {};
}

const undone = (manager, number) =>
  manager.transaction(async (inner) => {
    await made({ manager: inner }, number);
    throw new Error("undo");
  });

/** Throw within a transaction, after a write. */
export async function transactions({ source }) {
  return { raised: (await refusal(() => undone(source.manager, 1))) !== null };
}

/** Undo a nested part alone. */
export async function savepoints({ source }) {
  await source.transaction(async (manager) => {
    await made({ manager });
    await refusal(() => undone(manager, 2));
    await made({ manager }, 3);
  });
  return {};
}

/** Soft-delete a row, with an entity whose column is one of deletion. */
export async function soft_delete({ source }) {
  const columns = accounts(source).metadata.columns.map(({ propertyName, databaseName, type, isPrimary }) => [
    propertyName,
    { name: databaseName, type, primary: isPrimary, deleteDate: databaseName === "gone_at" },
  ]);
  const entity = new EntitySchema({ name: "Gone", tableName: "accounts", columns: Object.fromEntries(columns) });
  const other = await new DataSource({ ...source.options, entities: [entity] }).initialize();
  try {
    await other.getRepository("Gone").softDelete(FIRST);
    const visible = ids(await other.getRepository("Gone").find());
    return { visible, built_in: true, how: "by softDelete, with a column of deletion (@DeleteDateColumn)" };
  } finally {
    await other.destroy();
  }
}

const PLACE = "probed_migrations";
const DATA_SOURCE = `import { DataSource } from "typeorm";
import * as exported from "./entities.mjs";
const entities = Object.values(exported).filter((one) => typeof one === "function");
export default new DataSource({ ...JSON.parse(process.env.PROBED_OPTIONS), entities });
`;

/** Have its command write a first migration, of a schema that holds nothing. */
export async function migrations({ source, study }) {
  const { entities, ...options } = source.options;
  writeFileSync(join(study.models, "probed_source.mjs"), DATA_SOURCE);
  const words = ["migration:generate", PLACE, "-d", "probed_source.mjs", "--outputJs", "--esm"];
  const env = { ...process.env, PROBED_OPTIONS: JSON.stringify({ ...options, schema: PLACE }) };
  const cli = join(packages(), "typeorm", "cli.js");
  const done = spawnSync(process.execPath, [cli, ...words], { cwd: study.models, env, encoding: "utf8" });
  const written = readdirSync(study.models).find((file) => /^\d+-probed_migrations\.js$/.test(file));
  if (!written) throw new NotCovered(`typeorm migration:generate: ${(done.stdout + done.stderr).trim().slice(-120)}`);
  return tablesSeen("typeorm migration:generate", readFileSync(join(study.models, written), "utf8"));
}

/** Select by SQL. */
export async function raw_sql({ source }) {
  return { rows: rowsSeen(await source.query("SELECT id, email FROM accounts WHERE id = $1", [1])) };
}

const SOURCE = `import { DataSource } from "typeorm";
import { Account } from "./entities";
declare const source: DataSource;
export const one = await source.getRepository(Account).findOneByOrFail({ id: "1" });`;

/** Ask TypeScript for the type of an object. */
export async function typed_results({ source, study }) {
  await made(source);
  return typedSeen(study.models, SOURCE, (await accounts(source).findOneByOrFail(FIRST)).balance);
}
