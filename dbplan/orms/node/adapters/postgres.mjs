/** Postgres.js: the other driver; it prepares every statement by itself. */

import postgres from "postgres";
import { bound } from "../binding.mjs";
import { versionOf } from "../building.mjs";
import { attach, List, sides, sql as words, Statements, taken, unjoined } from "../statements.mjs";

const PARAMETERS = 65_534;

export async function open(study) {
  const { host, port, user, password, database } = study.url;
  const sql = postgres({
    host,
    port,
    username: user,
    password: password ?? undefined,
    database,
    max: study.pool,
    onnotice: () => {},
    // It sends every Date as timestamptz; without this the server's own zone would shift what a timestamp holds.
    connection: { TimeZone: "UTC" },
  });
  return { sql, statements: new Statements(study) };
}

export async function close({ sql }) {
  await sql.end();
}

export function version() {
  const version = versionOf("postgres");
  return { version, driver: `postgres ${version}` };
}

export async function ping({ sql }) {
  await sql`SELECT 1`;
}

export function bind({ statements }, scenario) {
  return bound(statements, scenario, template, among);
}

/** Its own way with lists: `sql(values)` after IN, and fragments for rows of several. */
function among(left, list) {
  return list.kinds.length > 1 ? words`${left} IN (${list})` : words`${left} IN ${list}`;
}

/** Return a function that runs a fragment as the tagged template that stands for it. */
function template(fragment) {
  const { texts, places } = taken(fragment);
  const strings = Object.assign(texts, { raw: texts });
  return (sql, params) => sql(strings, ...places.map((place) => sent(sql, place, params)));
}

function sent(sql, place, params) {
  const value = place.from(params);
  if (!(place instanceof List)) return typed(sql, value, place.kind);
  if (place.isInsert) return sql(value.map((row) => row.map((one, at) => typed(sql, one, place.kinds[at]))));
  return place.kinds.length > 1 ? value.map((row, at) => rowOf(sql, row, at)) : sql(value.flat());
}

function rowOf(sql, row, at) {
  const texts = [at ? ", (" : "(", ...Array(row.length - 1).fill(", "), ")"];
  return sql(Object.assign(texts, { raw: texts }), ...row);
}

/** Documents and arrays say what they are; the server tells the rest. */
function typed(sql, value, kind) {
  if (value === null) return null;
  if (kind === "json") return sql.json(value);
  return kind === "texts" || kind === "ints" ? sql.array(value) : value;
}

export async function insert_one({ sql }, b, params) {
  const [row] = await b.by(params.row)(sql, params);
  return row;
}

export async function bulk_insert({ sql }, b, { rows }) {
  const run = b.by(rows[0]);
  const size = Math.max(1, Math.floor(PARAMETERS / Object.keys(rows[0]).length));
  if (rows.length <= size) return (await run(sql, { rows })).count;
  return sql.begin(async (own) => {
    let count = 0;
    for (let at = 0; at < rows.length; at += size) count += (await run(own, { rows: rows.slice(at, at + size) })).count;
    return count;
  });
}

export async function point_read({ sql }, b, params) {
  const [row] = await b.run(sql, params);
  return row ?? null;
}

async function list({ sql }, b, params) {
  return b.run(sql, params);
}

export { list as filtered_list, list as keyset_page, list as json_filter, list as aggregate };

export async function list_to_one({ sql }, b, params) {
  return unjoined(await b.run(sql, params).values(), b.scenario.columns, b.scenario.parent);
}

export async function nested_include({ sql }, b, { keys }) {
  const { children } = b.scenario;
  const parents = await b.run(sql, { list: values(keys, b.key) });
  const found = await childrenOf(sql, b.children, parents, children.pairs);
  if (b.below) await childrenOf(sql, b.below, found, children.children.pairs);
  return parents;
}

export { nested_include as deep_include };

async function childrenOf(sql, statement, parents, pairs) {
  if (!parents.length) return [];
  return attach(parents, await statement(sql, { list: values(parents, sides(pairs)[0]) }), pairs);
}

const values = (rows, columns) => rows.map((row) => columns.map((column) => row[column]));

export async function update_one({ sql }, b, params) {
  const { count } = await b.run(sql, params);
  return count;
}

export async function upsert({ sql }, b, params) {
  const { count } = await b.by(params.row)(sql, params);
  return count;
}

export async function transaction({ sql }, b, params) {
  return sql.begin(async (own) => {
    const [row] = await b.read(own, params);
    if (!row) throw new Error("the row is gone");
    await b.update(own, params);
    await b.by(params.row)(own, params);
    return row;
  });
}

export async function delete_cascade({ sql }, b, params) {
  if (b.all.length === 1) return (await b.all[0](sql, params)).count;
  return sql.begin(async (own) => {
    let count = 0;
    for (const statement of b.all) ({ count } = await statement(own, params));
    return count;
  });
}
