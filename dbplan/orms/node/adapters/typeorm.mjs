/**
 * TypeORM, with the entities of `export(plan, "typeorm")`: repositories and their find options, as its documentation
 * shows first; its QueryBuilder for many rows, for an upsert that sets one column, and for groups.
 */

import "reflect-metadata";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DataSource, In, JsonContains, LessThan, MoreThan, Raw } from "typeorm";
import { transpiled, versionOf } from "../building.mjs";
import { connection, TIMEOUT } from "../connecting.mjs";
import { NotCovered } from "../errors.mjs";
import { label, stored } from "../stored.mjs";

const require = createRequire(import.meta.url);
/** How many parameters a statement takes. */
const PARAMETERS = { postgresql: 65_535, sqlite: 32_766 };
const BIG = new Set(["bigint", "int8"]);

/** Make JavaScript of the entities, which are TypeScript with decorators. */
export function prepare(study) {
  transpiled(join(study.models, "entities.ts"));
}

export async function open(study) {
  const exported = await import(pathToFileURL(transpiled(join(study.models, "entities.ts"))));
  const entities = Object.values(exported).filter((one) => typeof one === "function");
  const source = new DataSource({ ...OPTIONS[study.dialect](study), entities });
  await source.initialize();
  return { source, study, isSqlite: study.dialect === "sqlite" };
}

const OPTIONS = {
  postgresql(study) {
    const { user, ...rest } = connection(study);
    return { type: "postgres", username: user, ...rest, poolSize: study.pool, installExtensions: false };
  },
  /** better-sqlite3's interface, which libsql has too, without a program that has to be compiled. */
  sqlite: ({ url }) => ({
    type: "better-sqlite3",
    driver: positional(require("libsql")),
    database: url.database,
    timeout: TIMEOUT,
  }),
};

/**
 * A libsql that binds any value alone as better-sqlite3 does. By itself it takes null for an object of named parameters
 * and refuses it, and aborts the process where it is bytes; in an array both are values. TypeORM names no parameter.
 */
const positional = (Driver) =>
  class extends Driver {
    prepare(text) {
      const statement = super.prepare(text);
      for (const name of ["all", "run"]) {
        const method = statement[name];
        statement[name] = (...values) => method.call(statement, values);
      }
      return statement;
    }
  };

export function close({ source }) {
  return source.destroy();
}

export function version({ isSqlite }) {
  const driver = isSqlite ? "libsql" : "pg";
  return { version: versionOf("typeorm"), driver: `${driver} ${versionOf(driver)}` };
}

export function ping({ source }) {
  return source.query("SELECT 1");
}

// What a scenario needs, looked up in TypeORM's metadata.

export function bind(db, scenario) {
  const of = shapeOf(db, scenario);
  const key = db.study.tables[scenario.table].key.map(of.property);
  const order = (scenario.order.length ? scenario.order : db.study.tables[scenario.table].key).map(of.property);
  const b = { ...of, db, scenario, key, order, repository: db.source.getRepository(of.target), after: keyset(order) };
  if (scenario.descending) b.after = keyset(order, LessThan);
  b.sorted = sorting(order, scenario.descending ? "DESC" : "ASC");
  if (scenario.name === "list_to_one") b.after = keyset(key);
  for (const name of ["filter", "update", "group", "total"]) if (scenario[name]) b[name] = of.property(scenario[name]);
  if (scenario.insert) b.inserted = shapeOf(db, scenario.insert);
  if (of.below) b.sorted = { ...b.sorted, [of.below.name]: of.below.sorted };
  b.cascade = scenario.cascade.map((link) => doomed(db, scenario.table, link)).filter(Boolean);
  b.note = NOTES[scenario.name]?.(b) ?? null;
  return b;
}

const NOTES = {
  transaction: (b) => (b.db.isSqlite ? "TypeORM has no lock of SQLite's" : null),
  json_filter: (b) => (b.db.isSqlite ? "raw SQL in the condition: JsonContains is PostgreSQL's alone" : null),
};

const isGiven = (b) => b.db.study.tables[b.scenario.table].key.every((name) => b.scenario.columns.includes(name));

/** The entity of a table, its columns by name, and the relations that a scenario reads. */
function shapeOf(db, { table, columns, parent = null, children = null }) {
  const { name, schema } = db.study.tables[table];
  const metadata = db.source.entityMetadatas.find(
    (one) => one.tableName === name && (one.schema ?? "public") === (schema ?? "public"),
  );
  if (!metadata) throw new NotCovered(`TypeORM has no entity of ${table}: it wants a primary key`);
  if (`${schema}${name}`.includes("."))
    throw new NotCovered(`TypeORM takes the dot in ${table} for one after a schema`);
  const property = (column) => {
    const found = metadata.columns.find((one) => one.databaseName === column);
    if (!found) throw new NotCovered(`the entity of ${table} has no property for ${column}`);
    return found.propertyName;
  };
  const shape = {
    db,
    table,
    metadata,
    target: metadata.target,
    property,
    names: columns.map((one) => [one, property(one)]),
  };
  if (parent) shape.parent = toOne(db, metadata, parent);
  if (children) shape.below = toMany(db, metadata, children);
  return shape;
}

function toOne(db, metadata, link) {
  const shape = shapeOf(db, link);
  const found = metadata.relations.find(
    (one) => one.isOwning && one.inverseEntityMetadata === shape.metadata && isMadeOf(one, link.pairs),
  );
  if (!found) throw new NotCovered(missing(metadata.tableName, link));
  return { ...shape, name: found.propertyName };
}

function toMany(db, metadata, link) {
  const shape = shapeOf(db, link);
  const pairs = link.pairs.map(([above, own]) => [own, above]);
  const found = metadata.relations.find(
    (one) =>
      one.inverseRelation?.isOwning &&
      one.inverseEntityMetadata === shape.metadata &&
      !one.isOwning &&
      isMadeOf(one.inverseRelation, pairs),
  );
  if (!found) throw new NotCovered(missing(metadata.tableName, link));
  const sorted = sorting(link.order.map(shape.property), "ASC");
  if (shape.below) sorted[shape.below.name] = shape.below.sorted;
  return { ...shape, name: found.propertyName, single: found.isOneToOne, sorted };
}

function isMadeOf({ joinColumns }, pairs) {
  const has = ([own, other]) =>
    joinColumns.some((one) => one.databaseName === own && one.referencedColumn.databaseName === other);
  return joinColumns.length === pairs.length && pairs.every(has);
}

const missing = (table, link) =>
  `the entities have no relation between ${table} and ${link.table} by ${link.pairs.map(([own]) => own).join(", ")}`;

const sorting = (properties, direction) => Object.fromEntries(properties.map((one) => [one, direction]));

/** A function from the row where the last page ended to the conditions of what comes after it. */
function keyset(properties, beyond = MoreThan) {
  const upTo = (row, at) => Object.fromEntries(properties.slice(0, at).map((one) => [one, row[one]]));
  return (row) => properties.map((one, at) => ({ ...upTo(row, at), [one]: beyond(row[one]) }));
}

/** The children that have to be deleted before their parent; null where the database sees to them all. */
function doomed(db, above, link) {
  const below = link.children ? doomed(db, link.table, link.children) : null;
  if (link.by_database && !below) return null;
  const upper = shapeOf(db, { table: above, columns: [] });
  const { target, property } = shapeOf(db, { table: link.table, columns: [] });
  const pairs = link.pairs.map(([theirs, own]) => [upper.property(theirs), property(own)]);
  return { target, pairs, below, stays: link.by_database };
}

// What a user of TypeORM holds: property names, texts for bigint.

export function adapt(db, b, params) {
  const { key, after, keys, row, rows, value } = params;
  const made = { ...params };
  const own = (one) => held(b, one);
  if (key) made.key = own(key);
  if (after) made.after = b.after(own(after));
  if (keys) made.keys = amongst(b.key, keys.map(own));
  if (rows) made.rows = rows.map(own);
  if (row) made.row = held(b.inserted ?? b, row);
  if (b.update && "value" in params) made.value = ours(b, b.scenario.update, value);
  if (b.scenario.name === "filtered_list") made.value = ours(b, b.scenario.filter, value);
  return made;
}

const held = (shape, row) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [shape.property(name), ours(shape, name, value)]));

function ours({ db, table, metadata }, name, value) {
  const { kind } = db.study.tables[table].columns[name];
  if (kind === "uuid" && db.isSqlite) return stored(value, kind);
  const column = metadata.columns.find((one) => one.databaseName === name);
  const text = (one) =>
    typeof one === "bigint" || (typeof one === "number" && BIG.has(column.type)) ? String(one) : one;
  return Array.isArray(value) && column.isArray ? value.map(text) : text(value);
}

/** The condition that rows have one of the keys: In() of one property, one condition for each of several. */
function amongst([property, ...more], keys) {
  if (more.length && keys.length) return keys; // no condition at all would be that of every row
  const values = keys.map((one) => one[property]);
  return { [property]: values.length === 1 ? values[0] : In(values) };
}

/** Rows by the names of columns. */
export function plain(b, result) {
  if (b.scenario.name === "aggregate" || result === null || typeof result !== "object") return result;
  return Array.isArray(result) ? result.map((one) => rowOf(b, one)) : rowOf(b, result);
}

function rowOf(shape, entity) {
  const row = Object.fromEntries(shape.names.map(([column, property]) => [column, entity[property]]));
  const { parent, below } = shape;
  if (parent) row.parent = entity[parent.name] ? rowOf(parent, entity[parent.name]) : null;
  if (below) row.children = many(below, entity[below.name]).map((one) => rowOf(below, one));
  return row;
}

const many = (below, found) => (below.single ? [found].filter(Boolean) : found);

// The scenarios.

export async function insert_one({ source }, b, { row }) {
  const made = b.repository.create(row);
  if (!isGiven(b)) return b.repository.save(made);
  await inserted_into(source, b, made);
  return made;
}

export async function bulk_insert({ source, study }, b, { rows }) {
  const most = Math.max(1, Math.floor(PARAMETERS[study.dialect] / b.metadata.columns.length));
  if (rows.length <= most) return many_inserted(source, b, rows);
  return source.transaction(async (manager) => {
    let count = 0;
    for (let at = 0; at < rows.length; at += most) count += await many_inserted(manager, b, rows.slice(at, at + most));
    return count;
  });
}

async function many_inserted(by, b, rows) {
  const done = await by.createQueryBuilder().insert().into(b.target, counted(b, rows[0])).values(rows).execute();
  return done.identifiers.length;
}

/** Insert a row; what counts by itself is left out by insert, so that QueryBuilder does it where that is given. */
function inserted_into(by, { metadata, target }, row) {
  const columns = counted({ metadata }, row);
  if (!columns) return (by.manager ?? by).insert(target, row);
  return by.createQueryBuilder().insert().into(target, columns).values(row).execute();
}

/** The columns to name, where the row gives one that counts by itself; else none. */
function counted({ metadata }, row) {
  const counts = metadata.columns.some((one) => one.generationStrategy === "increment" && one.propertyName in row);
  return counts ? metadata.columns.map((one) => one.propertyName).filter((name) => row[name] !== undefined) : undefined;
}

export function point_read(db, { repository }, { key }) {
  return repository.findOneBy(key);
}

export function filtered_list(db, { repository, filter, sorted, scenario }, { value }) {
  return repository.find({ where: { [filter]: value }, order: sorted, take: scenario.limit });
}

export function list_to_one(db, { repository, parent, sorted, scenario }, { after }) {
  return repository.find({ where: after, relations: { [parent.name]: true }, order: sorted, take: scenario.limit });
}

export function nested_include(db, { repository, below, sorted }, { keys }) {
  return repository.find({ where: keys, relations: relations(below), order: sorted });
}

export { nested_include as deep_include };

const relations = (below) => ({ [below.name]: below.below ? relations(below.below) : true });

export function keyset_page(db, { repository, sorted, scenario }, { after }) {
  return repository.find({ where: after, order: sorted, take: scenario.limit });
}

export function json_filter({ isSqlite }, { repository, filter, sorted, scenario }, { value }) {
  const held = { key: isSqlite ? label(scenario.path) : scenario.path, value };
  const by = isSqlite ? Raw((column) => `${column} ->> :key = :value`, held) : JsonContains({ [held.key]: value });
  const where = { [filter]: by };
  return repository.find({ where, order: sorted, take: scenario.limit });
}

export function aggregate(db, { repository, group, total }) {
  return repository
    .createQueryBuilder("one")
    .select(`one.${group}`, "group")
    .addSelect("COUNT(*)", "count")
    .addSelect(total ? `SUM(one.${total})` : "NULL", "total")
    .where(`one.${group} IS NOT NULL`)
    .groupBy(`one.${group}`)
    .orderBy(`one.${group}`)
    .getRawMany();
}

export async function update_one(db, { repository, update }, { key, value }) {
  const done = await repository.update(key, { [update]: value });
  return done.affected;
}

export async function upsert({ source, study }, { target, scenario }, { row }) {
  const { key } = study.tables[scenario.table];
  const insert = source.createQueryBuilder().insert().into(target, Object.keys(row)); // all, also what counts by itself
  const done = await insert.values(row).orUpdate([scenario.update], key).execute();
  return done.identifiers.length;
}

export function transaction({ source, isSqlite }, { target, inserted, update }, { key, value, row }) {
  return source.transaction(async (manager) => {
    const lock = isSqlite ? undefined : { mode: "pessimistic_write" };
    const found = await manager.findOne(target, { where: key, lock });
    if (!found) throw new Error("the row to lock is not there");
    const read = { ...found };
    found[update] = value;
    await manager.save(found);
    await inserted_into(manager, inserted, { ...row });
    return read;
  });
}

export async function delete_cascade({ source }, { repository, target, cascade }, { key }) {
  if (!cascade.length) return (await repository.delete(key)).affected;
  return source.transaction(async (manager) => {
    const needed = cascade.some((link) => link.pairs.some(([theirs]) => !(theirs in key)));
    const row = needed ? await manager.findOneBy(target, key) : key;
    for (const link of cascade) await remove(manager, link, [row]);
    return (await manager.delete(target, key)).affected;
  });
}

/** Delete the children of rows, and theirs before them. */
async function remove(manager, { target, pairs, below, stays }, rows) {
  const keys = rows.map((row) => Object.fromEntries(pairs.map(([theirs, own]) => [own, row[theirs]])));
  const where = amongst(
    pairs.map(([, own]) => own),
    keys.filter((one) => !Object.values(one).includes(null)),
  );
  if (below) {
    const select = Object.fromEntries(below.pairs.map(([theirs]) => [theirs, true]));
    const found = await manager.find(target, { where, select });
    if (found.length) await remove(manager, below, found);
  }
  if (!stays) await manager.delete(target, where);
}
