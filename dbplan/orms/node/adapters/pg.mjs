/** pg (node-postgres): the driver that the ORMs of Node are measured against. */

import pg from "pg";
import { bound } from "../binding.mjs";
import { versionOf } from "../building.mjs";
import { attach, List, sides, sql, Statements, taken, unjoined } from "../statements.mjs";

const PARAMETERS = 65_535;

export async function open(study) {
  const pool = new pg.Pool({ ...connection(study), max: study.pool });
  pool.on("error", (error) => console.error(error));
  return { pool, statements: new Statements(study) };
}

/** What pg connects with, for every contestant that uses it. */
export function connection({ url }) {
  return {
    host: url.host,
    port: url.port,
    user: url.user,
    password: url.password ?? undefined,
    database: url.database,
  };
}

export async function close({ pool }) {
  await pool.end();
}

export function version() {
  const version = versionOf("pg");
  return { version, driver: `pg ${version}` };
}

export async function ping({ pool }) {
  await pool.query("SELECT 1");
}

export function bind({ statements }, scenario) {
  return bound(statements, scenario, compiled, among);
}

function among(left, list) {
  return list.kinds.length > 1 ? sql`${left} IN (${list})` : sql`${left} = ANY(${list.single()})`;
}

/** Return a function from parameters to what `query` takes. */
function compiled(fragment) {
  const { texts, places } = taken(fragment);
  if (places[0] instanceof List) return (params) => spread(texts, places[0], params);
  const text = texts.reduce((all, part, at) => `${all}$${at}${part}`);
  return (params) => ({ text, values: places.map(({ from, kind }) => sent(from(params), kind)) });
}

/** A list of rows, each value with a parameter of its own. */
function spread([before, after], { from, kinds }, params) {
  const rows = from(params);
  let number = 0;
  const text = rows.map((row) => `(${row.map(() => `$${++number}`)})`).join(",");
  return {
    text: `${before}${text}${after}`,
    values: rows.flatMap((row) => row.map((value, at) => sent(value, kinds[at]))),
  };
}

/** pg takes an array for PostgreSQL's, so documents are given as text, as its documentation says. */
function sent(value, kind) {
  return kind === "json" && value !== null ? JSON.stringify(value) : value;
}

export async function insert_one({ pool }, b, params) {
  const { rows } = await pool.query(b.by(params.row)(params));
  return rows[0];
}

export async function bulk_insert({ pool }, b, { rows }) {
  const run = b.by(rows[0]);
  const size = Math.max(1, Math.floor(PARAMETERS / Object.keys(rows[0]).length));
  if (rows.length <= size) return (await pool.query(run({ rows }))).rowCount;
  return transacted(pool, async (client) => {
    let count = 0;
    for (let at = 0; at < rows.length; at += size) {
      count += (await client.query(run({ rows: rows.slice(at, at + size) }))).rowCount;
    }
    return count;
  });
}

export async function point_read({ pool }, b, params) {
  const { rows } = await pool.query(b.run(params));
  return rows[0] ?? null;
}

async function list({ pool }, b, params) {
  const { rows } = await pool.query(b.run(params));
  return rows;
}

export { list as filtered_list, list as keyset_page, list as json_filter, list as aggregate };

export async function list_to_one({ pool }, b, params) {
  const { rows } = await pool.query({ ...b.run(params), rowMode: "array" });
  return unjoined(rows, b.scenario.columns, b.scenario.parent);
}

export async function nested_include({ pool }, b, { keys }) {
  const { children } = b.scenario;
  const { rows: parents } = await pool.query(b.run({ list: values(keys, b.key) }));
  const found = await childrenOf(pool, b.children, parents, children.pairs);
  if (b.below) await childrenOf(pool, b.below, found, children.children.pairs);
  return parents;
}

export { nested_include as deep_include };

async function childrenOf(pool, statement, parents, pairs) {
  if (!parents.length) return [];
  const { rows } = await pool.query(statement({ list: values(parents, sides(pairs)[0]) }));
  return attach(parents, rows, pairs);
}

const values = (rows, columns) => rows.map((row) => columns.map((column) => row[column]));

export async function update_one({ pool }, b, params) {
  const { rowCount } = await pool.query(b.run(params));
  return rowCount;
}

export async function upsert({ pool }, b, params) {
  const { rowCount } = await pool.query(b.by(params.row)(params));
  return rowCount;
}

export async function transaction({ pool }, b, params) {
  return transacted(pool, async (client) => {
    const { rows } = await client.query(b.read(params));
    if (!rows.length) throw new Error("the row is gone");
    await client.query(b.update(params));
    await client.query(b.by(params.row)(params));
    return rows[0];
  });
}

export async function delete_cascade({ pool }, b, params) {
  if (b.all.length === 1) return (await pool.query(b.all[0](params))).rowCount;
  return transacted(pool, async (client) => {
    let count = 0;
    for (const statement of b.all) count = (await client.query(statement(params))).rowCount;
    return count;
  });
}

async function transacted(pool, work) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}
