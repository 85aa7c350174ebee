/**
 * Drizzle over pg, or over libsql on SQLite: its query builder, and its relational queries for what comes with its
 * relations.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  and,
  asc,
  count,
  desc,
  eq,
  exists,
  getTableColumns,
  gt,
  inArray,
  is,
  isNotNull,
  lt,
  normalizeRelation,
  or,
  sql,
  sum,
  Table,
} from "drizzle-orm";
import { transpiled, versionOf } from "../building.mjs";
import { connection, TIMEOUT } from "../connecting.mjs";
import { NotCovered } from "../errors.mjs";
import { stored } from "../stored.mjs";

/** By dialect: what is imported, how it is opened, and what is written in other words there. */
const SERVERS = {
  postgresql: {
    driver: "pg",
    most: 65_535,
    modules: () => Promise.all(["node-postgres", "pg-core"].map((name) => import(`drizzle-orm/${name}`))),
    changed: ({ rowCount }) => rowCount,
    locked: (query) => query.for("update"),
    async open([{ drizzle }], study, schema) {
      const { default: pg } = await import("pg");
      const pool = new pg.Pool({ ...connection(study), max: study.pool });
      pool.on("error", (error) => console.error(error));
      return { orm: drizzle({ client: pool, schema }), close: () => pool.end() };
    },
    asked: (orm, query) => orm.execute(query),
  },
  sqlite: {
    driver: "libsql",
    most: 32_766,
    modules: () => Promise.all(["libsql", "sqlite-core"].map((name) => import(`drizzle-orm/${name}`))),
    changed: ({ rowsAffected }) => rowsAffected,
    locked: (query) => query, // its transactions lock the database as they begin
    async open([{ drizzle }], { url }, schema) {
      const orm = drizzle({ connection: { url: pathToFileURL(url.database).href, timeout: TIMEOUT }, schema });
      return { orm, close: () => orm.$client.close() };
    },
    asked: (orm, query) => orm.run(query),
  },
};
let modules = null;

/** Import Drizzle for a database, with its driver. */
export async function load(dialect) {
  modules = await SERVERS[dialect].modules();
}

/** The models are TypeScript: they are made into JavaScript once. */
export function prepare(study) {
  return transpiled(sourceOf(study.models));
}

function sourceOf(folder) {
  const found = readdirSync(folder).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
  if (found.length !== 1) throw new Error(`${found.length} files of TypeScript in the folder of models, not one`);
  return join(folder, found[0]);
}

export async function open(study) {
  const schema = await import(pathToFileURL(prepare(study)));
  const server = SERVERS[study.dialect];
  const opened = await server.open(modules, study, schema);
  return { ...opened, server, study, models: modelsOf(schema) };
}

/** The models by their tables' names: the table, and its attributes by the names of their columns. */
function modelsOf(schema) {
  const found = new Map();
  for (const [name, table] of Object.entries(schema)) {
    if (!is(table, Table)) continue;
    const config = modules[1].getTableConfig(table);
    const fields = Object.entries(getTableColumns(table)).map(([field, column]) => [column.name, field]);
    found.set(place(config.schema, config.name), { name, table, fields: new Map(fields) });
  }
  return found;
}

const place = (schema, name) => JSON.stringify([schema && schema !== "public" ? schema : null, name]);

export async function close(db) {
  await db.close();
}

export function version({ server: { driver } }) {
  return { version: versionOf("drizzle-orm"), driver: `${driver} ${versionOf(driver)}` };
}

export async function ping({ orm, server }) {
  await server.asked(orm, sql`SELECT 1`);
}

// what a scenario needs, looked up once

export function bind(db, scenario) {
  const model = modelOf(db, scenario.table);
  const found = {
    scenario,
    model,
    key: db.study.tables[scenario.table].key,
    result: shapeOf(db, scenario),
    written: scenario.insert && modelOf(db, scenario.insert.table),
    cascade: scenario.cascade.map((link) => linkOf(db, link)),
  };
  if (scenario.name === "json_filter")
    found.note = "raw SQL in the condition: Drizzle has no operator for a key of JSON";
  return found;
}

function modelOf(db, key) {
  const facts = db.study.tables[key];
  const model = db.models.get(place(facts.schema, facts.name));
  if (!model) throw new NotCovered(`the models have no table ${key}`);
  const lost = Object.keys(facts.columns).filter((column) => !model.fields.has(column));
  if (lost.length) throw new NotCovered(`the models have no column ${key}.${lost[0]}`);
  return { ...model, facts };
}

function linkOf(db, link) {
  return { ...link, model: modelOf(db, link.table), children: link.children && linkOf(db, link.children) };
}

/** How a row's attributes are called, and which relations lead to its parent and to its children. */
function shapeOf(db, of) {
  const model = modelOf(db, of.table);
  const shape = {
    columns: of.columns.map((column) => [column, model.fields.get(column)]),
    order: orderOf(model, of.order),
  };
  for (const side of ["parent", "children"]) {
    if (of[side]) shape[side] = { relation: relationOf(db, of.table, of[side]), ...shapeOf(db, of[side]) };
  }
  return shape;
}

/** Kinds that the models make of what SQLite stores by themselves. */
const MADE = new Set(["bool", "json"]);

/** Whether the models pass on what SQLite stores, but for those kinds. */
function isUntyped(column) {
  const { SQLiteCustomColumn: custom } = modules[1];
  return custom !== undefined && is(column, custom);
}

const orderOf = (model, columns = []) => columns.map((column) => asc(columnOf(model, column)));

function relationOf(db, table, link) {
  const own = modelOf(db, table);
  const other = modelOf(db, link.table);
  const { schema, tableNamesMap } = db.orm._;
  const wanted = JSON.stringify(link.pairs.map(String).sort());
  for (const [name, relation] of Object.entries(schema[own.name].relations)) {
    if (relation.referencedTable === other.table && pairsOf(schema, tableNamesMap, relation) === wanted) return name;
  }
  throw new NotCovered(
    `the models have no relation from ${table} to ${link.table} by ${link.pairs.map(([one]) => one)}`,
  );
}

function pairsOf(schema, names, relation) {
  const { fields, references } = normalizeRelation(schema, names, relation);
  return JSON.stringify(fields.map((field, at) => String([field.name, references[at].name])).sort());
}

const columnOf = (model, name) => model.table[model.fields.get(name)];

// parameters and results, by attribute

export function adapt(db, b, params) {
  const made = { ...params };
  for (const name of ["key", "after"]) if (params[name]) made[name] = adapted(b.model, params[name]);
  for (const name of ["keys", "rows"]) if (params[name]) made[name] = params[name].map((row) => adapted(b.model, row));
  if (params.row) made.row = adapted(b.written ?? b.model, params.row);
  const column = b.scenario.update || b.scenario.filter;
  if ("value" in params && b.scenario.name !== "json_filter") made.value = own(b.model, column, params.value);
  return made;
}

function adapted(model, row) {
  const entries = Object.entries(row).map(([name, value]) => [model.fields.get(name), own(model, name, value)]);
  return Object.fromEntries(entries);
}

/** What an attribute holds: a BigInt or text where the model says so, what SQLite stores where it says nothing. */
function own(model, name, value) {
  const column = columnOf(model, name);
  const { kind } = model.facts.columns[name];
  if (value === null) return null;
  if (isUntyped(column)) return MADE.has(kind) ? value : stored(value, kind);
  if (column.dataType === "bigint") return BigInt(value);
  return column.dataType === "string" && value instanceof Date ? value.toISOString() : value;
}

export function plain(b, result) {
  if (result === null || typeof result !== "object" || b.scenario.name === "aggregate") return result;
  return Array.isArray(result) ? result.map((row) => renamed(row, b.result)) : renamed(result, b.result);
}

function renamed(row, shape) {
  const made = Object.fromEntries(shape.columns.map(([column, field]) => [column, row[field]]));
  const { parent, children } = shape;
  if (parent) made.parent = row[parent.relation] && renamed(row[parent.relation], parent);
  if (children)
    made.children = [row[children.relation]]
      .flat()
      .filter(Boolean)
      .map((one) => renamed(one, children));
  return made;
}

// conditions

function equal({ model, key }, values) {
  return and(...key.map((name) => eq(columnOf(model, name), values[model.fields.get(name)])));
}

/** What comes after in the order of several columns, as the guide on cursors writes it. */
function beyond(model, columns, values, further) {
  const [first, ...rest] = columns;
  const [column, value] = [columnOf(model, first), values[model.fields.get(first)]];
  if (!rest.length) return further(column, value);
  return or(further(column, value), and(eq(column, value), beyond(model, rest, values, further)));
}

function anyOf(b, keys) {
  if (b.key.length > 1) return or(...keys.map((key) => equal(b, key)));
  const field = b.model.fields.get(b.key[0]);
  return inArray(
    b.model.table[field],
    keys.map((key) => key[field]),
  );
}

// scenarios

export async function insert_one({ orm }, b, { row }) {
  const [made] = await orm.insert(b.model.table).values(row).returning();
  return made;
}

export async function bulk_insert({ orm, server }, b, { rows }) {
  const size = Math.max(1, Math.floor(server.most / b.model.fields.size));
  const insert = async (by, some) => server.changed(await by.insert(b.model.table).values(some));
  if (rows.length <= size) return insert(orm, rows);
  return orm.transaction(async (tx) => {
    let done = 0;
    for (let at = 0; at < rows.length; at += size) done += await insert(tx, rows.slice(at, at + size));
    return done;
  });
}

export async function point_read({ orm }, b, { key }) {
  const [row] = await orm.select().from(b.model.table).where(equal(b, key));
  return row ?? null;
}

function list({ orm }, b, where, order) {
  const { descending, limit } = b.scenario;
  const by = order.map((name) => (descending ? desc : asc)(columnOf(b.model, name)));
  return orm
    .select()
    .from(b.model.table)
    .where(where)
    .orderBy(...by)
    .limit(limit);
}

export async function filtered_list(db, b, { value }) {
  return list(db, b, eq(columnOf(b.model, b.scenario.filter), value), b.scenario.order);
}

export async function keyset_page(db, b, { after }) {
  const further = b.scenario.descending ? lt : gt;
  return list(db, b, beyond(b.model, b.scenario.order, after, further), b.scenario.order);
}

export async function json_filter(db, b, { value }) {
  const where = sql`${columnOf(b.model, b.scenario.filter)} ->> ${b.scenario.path} = ${value}`;
  return list(db, b, where, b.key);
}

export async function list_to_one({ orm }, b, { after }) {
  return orm.query[b.model.name].findMany({
    where: beyond(b.model, b.key, after, gt),
    orderBy: orderOf(b.model, b.key),
    limit: b.scenario.limit,
    with: { [b.result.parent.relation]: true },
  });
}

export async function nested_include({ orm }, b, { keys }) {
  return orm.query[b.model.name].findMany({
    where: anyOf(b, keys),
    orderBy: orderOf(b.model, b.key),
    with: withChildren(b.result.children),
  });
}

export { nested_include as deep_include };

function withChildren({ relation, order, children }) {
  return { [relation]: { orderBy: order, ...(children ? { with: withChildren(children) } : {}) } };
}

export async function aggregate({ orm }, b) {
  const group = columnOf(b.model, b.scenario.group);
  const total = b.scenario.total ? sum(columnOf(b.model, b.scenario.total)) : sql`NULL`;
  const asked = orm.select({ group, count: count(), total }).from(b.model.table);
  return asked.where(isNotNull(group)).groupBy(group).orderBy(group);
}

export async function update_one({ orm, server }, b, { key, value }) {
  return server.changed(await orm.update(b.model.table).set(set(b, value)).where(equal(b, key)));
}

const set = (b, value) => ({ [b.model.fields.get(b.scenario.update)]: value });

export async function upsert({ orm, server }, b, { row }) {
  const target = b.key.map((name) => columnOf(b.model, name));
  const changed = set(b, row[b.model.fields.get(b.scenario.update)]);
  return server.changed(await orm.insert(b.model.table).values(row).onConflictDoUpdate({ target, set: changed }));
}

export async function transaction({ orm, server }, b, { key, value, row }) {
  return orm.transaction(async (tx) => {
    const [found] = await server.locked(tx.select().from(b.model.table).where(equal(b, key)));
    if (!found) throw new Error("the row is gone");
    await tx.update(b.model.table).set(set(b, value)).where(equal(b, key));
    await tx.insert(b.written.table).values(row);
    return found;
  });
}

export async function delete_cascade({ orm, server }, b, { key }) {
  const own = equal(b, key);
  const left = b.cascade.filter((link) => !link.by_database);
  if (!left.length) return server.changed(await orm.delete(b.model.table).where(own));
  return orm.transaction(async (tx) => {
    for (const link of left) await remove(tx, link, b.model, own);
    return server.changed(await tx.delete(b.model.table).where(own));
  });
}

/** Delete the children of the rows that a condition finds, theirs first. */
async function remove(tx, link, parent, which) {
  if (link.by_database) return;
  const where = childOf(tx, link, parent, which);
  if (link.children) await remove(tx, link.children, link.model, where);
  await tx.delete(link.model.table).where(where);
}

function childOf(tx, { model, pairs }, parent, which) {
  const [[first, second]] = pairs;
  if (pairs.length === 1) {
    const column = columnOf(parent, first);
    return inArray(columnOf(model, second), tx.select({ column }).from(parent.table).where(which));
  }
  const joined = pairs.map(([theirs, ours]) => eq(columnOf(model, ours), columnOf(parent, theirs)));
  return exists(
    tx
      .select({ one: sql`1` })
      .from(parent.table)
      .where(and(...joined, which)),
  );
}
