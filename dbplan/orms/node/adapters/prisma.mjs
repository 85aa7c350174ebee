/**
 * Prisma, with the client of `export(plan, "prisma")`: the queries of its client and nothing else. Relations are loaded
 * as it does by default, pages begin after a cursor, and a transaction is an interactive one.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { versionOf } from "../building.mjs";
import { connection, TIMEOUT } from "../connecting.mjs";
import { generated } from "../generating.mjs";
import { Schema } from "../dmmf_names.mjs";
import { path } from "../stored.mjs";

const require = createRequire(import.meta.url);
let loaded = null;
let driver = null;

/** The driver adapters by dialect: what each runs on, and how one is made for a study. */
const DRIVERS = {
  postgresql: async () => {
    const { PrismaPg } = await import("@prisma/adapter-pg");
    return { name: "pg", adapter: (study) => new PrismaPg({ ...connection(study), max: study.pool }) };
  },
  sqlite: async () => {
    const { PrismaLibSql } = await import("@prisma/adapter-libsql");
    const address = ({ url }) => ({ url: pathToFileURL(url.database).href, timeout: TIMEOUT });
    return { name: "libsql", adapter: (study) => new PrismaLibSql(address(study)) };
  },
};

/** Import the driver adapter. */
export async function load(dialect) {
  driver = await DRIVERS[dialect]();
}

/** Have Prisma generate its client. */
export function prepare(study) {
  generated(study.models);
}

export async function open(study) {
  loaded = require(join(study.models, "client"));
  const client = new loaded.PrismaClient({ adapter: driver.adapter(study) });
  await client.$connect();
  return { client, study };
}

export function close({ client }) {
  return client.$disconnect();
}

export function version() {
  return { version: loaded.Prisma.prismaVersion.client, driver: `${driver.name} ${versionOf(driver.name)}` };
}

export function ping({ client }) {
  return client.$queryRaw`SELECT 1`;
}

// What a scenario needs, looked up in what Prisma knows of the schema.

export function bind(db, scenario) {
  db.schema ??= new Schema(JSON.parse(readFileSync(join(db.study.models, "dmmf.json"), "utf8")), db.study);
  const shape = shapeOf(db, ROWLESS.has(scenario.name) ? { ...scenario, columns: [] } : scenario);
  const { model } = shape;
  const { key } = db.study.tables[scenario.table];
  const field = (column) => (column ? model.field(column).name : "");
  const direction = scenario.descending ? "desc" : "asc";
  const b = { ...shape, db, scenario, delegate: db.client[model.property], key: key.map((one) => model.field(one)) };
  b.order = (scenario.order.length ? scenario.order : key).map((one) => ({ [field(one)]: direction }));
  for (const name of ["filter", "update", "group", "total"]) b[name] = field(scenario[name]);
  if (scenario.insert) b.inserted = shapeOf(db, scenario.insert);
  if (scenario.path) b.path = db.study.dialect === "sqlite" ? path(scenario.path) : [scenario.path];
  if (shape.parent) b.include = { [shape.parent.name]: true };
  if (shape.below) b.include = { [shape.below.name]: includes(shape.below) };
  if (KEYED.has(scenario.name)) b.unique = model.unique(key);
  if (CREATES.has(scenario.name)) (b.inserted ?? b).model.mustCreate();
  b.doomed = scenario.cascade.flatMap((link) => doomed(db, scenario.table, link, []));
  b.note = scenario.name === "transaction" ? "Prisma has no row lock: the row is read without one" : null;
  return b;
}

const KEYED = new Set([
  "point_read",
  "update_one",
  "upsert",
  "transaction",
  "delete_cascade",
  "list_to_one",
  "keyset_page",
]);
const ROWLESS = new Set(["aggregate", "update_one", "delete_cascade"]);
const CREATES = new Set(["insert_one", "bulk_insert", "upsert", "transaction"]);

/** The model of a table, its fields by column, and the relations that a scenario reads. */
function shapeOf({ schema }, { table, columns, parent = null, children = null, order = [] }) {
  const model = schema.model(table);
  const shape = { table, model, fields: columns.map((one) => [one, model.field(one)]) };
  shape.sorted = order.map((one) => ({ [model.field(one).name]: "asc" }));
  if (parent) shape.parent = { ...shapeOf({ schema }, parent), name: model.toOne(parent).name };
  if (children) shape.below = { ...shapeOf({ schema }, children), ...model.toMany(children) };
  return shape;
}

function includes({ below, sorted, single }) {
  const own = single ? {} : { orderBy: sorted };
  if (below) own.include = { [below.name]: includes(below) };
  return Object.keys(own).length ? own : true;
}

/**
 * The deletes that come before the parent's, the lowest first: a model and, for the parent's key, the condition of
 * its rows, through the relations `above` that lead from these children to the row.
 */
function doomed(db, table, link, above) {
  const model = db.schema.model(link.table);
  const way = [model.toOne({ table, pairs: link.pairs.map(([theirs, own]) => [own, theirs]) }).name, ...above];
  const below = link.children ? doomed(db, link.table, link.children, way) : [];
  if (link.by_database) return below;
  const condition = (where) => way.reduceRight((inner, name) => ({ [name]: inner }), where);
  return [...below, { delegate: model.property, condition }];
}

// What a user of Prisma holds: names of fields, BigInt, Decimal, Date, and its own words for enums and for NULL.

export function adapt(db, b, params) {
  const { key, after, keys, row, rows, value } = params;
  const { model } = b;
  const made = { ...params };
  const own = (one) => held(model, one);
  if (key) Object.assign(made, { where: own(key), key: b.unique(own(key)) });
  if (after) made.after = b.unique(own(only(after, b.key)));
  if (keys) made.keys = amongst(keys.map(own));
  if (rows) made.rows = rows.map(own);
  if (row) made.row = held((b.inserted ?? b).model, row);
  if (row && b.scenario.name === "upsert") made.key = b.unique(only(made.row, b.key, "name"));
  const column = b.scenario.update || (b.scenario.name === "filtered_list" ? b.scenario.filter : "");
  if (column && "value" in params) made.value = model.field(column).taken(value);
  return made;
}

const held = (model, row) =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [model.field(column).name, model.field(column).taken(value)]),
  );

const only = (row, fields, by = "column") => Object.fromEntries(fields.map((one) => [one[by], row[one[by]]]));

/** The condition that rows have one of the keys. */
function amongst(keys) {
  const names = Object.keys(keys[0] ?? {});
  return names.length === 1 ? { [names[0]]: { in: keys.map((one) => one[names[0]]) } } : { OR: keys };
}

/** Rows by the names of columns. */
export function plain(b, result) {
  if (result === null || typeof result !== "object") return result;
  if (b.scenario.name === "aggregate") return result.map((one) => groupOf(b, one));
  return Array.isArray(result) ? result.map((one) => rowOf(b, one)) : rowOf(b, result);
}

function groupOf(b, found) {
  const group = b.model.field(b.scenario.group).given(found[b.group]);
  return { group, count: found._count._all, total: found._sum?.[b.total] ?? null };
}

function rowOf({ fields, parent, below }, found) {
  const row = Object.fromEntries(fields.map(([column, field]) => [column, field.given(found[field.name])]));
  if (parent) row.parent = found[parent.name] ? rowOf(parent, found[parent.name]) : null;
  if (below) row.children = many(below, found[below.name]).map((one) => rowOf(below, one));
  return row;
}

const many = ({ single }, found) => (single ? [found].filter(Boolean) : found);

/** What the error says of a unique violation. */
export function explain(error) {
  const { index = null, fields = null } = error?.meta?.driverAdapterError?.cause?.constraint ?? {};
  return { code: error?.code ?? null, constraint: index, columns: fields ?? error?.meta?.target ?? null };
}

// The scenarios.

export function insert_one(db, { delegate }, { row }) {
  return delegate.create({ data: row });
}

export async function bulk_insert(db, { delegate }, { rows }) {
  const { count } = await delegate.createMany({ data: rows });
  return count;
}

export function point_read(db, { delegate }, { key }) {
  return delegate.findUnique({ where: key });
}

export function filtered_list(db, { delegate, filter, order, scenario }, { value }) {
  return delegate.findMany({ where: { [filter]: value }, orderBy: order, take: scenario.limit });
}

export function list_to_one(db, { delegate, order, scenario, include }, { after }) {
  return delegate.findMany({ cursor: after, skip: 1, take: scenario.limit, orderBy: order, include });
}

export function nested_include(db, { delegate, order, include }, { keys }) {
  return delegate.findMany({ where: keys, orderBy: order, include });
}

export { nested_include as deep_include };

export function aggregate(db, { delegate, model, group, total, scenario }) {
  return delegate.groupBy({
    by: [group],
    where: model.field(scenario.group).isRequired ? {} : { [group]: { not: null } },
    _count: { _all: true },
    ...(total ? { _sum: { [total]: true } } : {}),
    orderBy: { [group]: "asc" },
  });
}

export async function update_one(db, { delegate, update }, { key, value }) {
  await delegate.update({ where: key, data: { [update]: value } });
  return 1;
}

export async function upsert(db, { delegate, update }, { key, row }) {
  await delegate.upsert({ where: key, create: row, update: { [update]: row[update] } });
  return 1;
}

export function transaction({ client }, { model, inserted, update }, { key, value, row }) {
  return client.$transaction(async (tx) => {
    const found = await tx[model.property].findUnique({ where: key });
    if (!found) throw new Error("the row to change is not there");
    await tx[model.property].update({ where: key, data: { [update]: value } });
    await tx[inserted.model.property].create({ data: row });
    return found;
  });
}

export async function delete_cascade({ client }, { delegate, doomed }, { key, where }) {
  const own = delegate.delete({ where: key });
  if (!doomed.length) await own;
  else
    await client.$transaction([
      ...doomed.map((one) => client[one.delegate].deleteMany({ where: one.condition(where) })),
      own,
    ]);
  return 1;
}

export function keyset_page(db, { delegate, order, scenario }, { after }) {
  return delegate.findMany({ cursor: after, skip: 1, take: scenario.limit, orderBy: order });
}

export function json_filter(db, { delegate, filter, order, path, scenario }, { value }) {
  const where = { [filter]: { path, equals: value } };
  return delegate.findMany({ where, orderBy: order, take: scenario.limit });
}
