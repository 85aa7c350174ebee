/**
 * The scenarios as an engineer with a raw driver writes them. A driver's `db` asks what its statements make of
 * parameters: `rows` for objects, `arrays` for values, `count` for how many rows were changed; `transacted` gives such
 * a one to its work; `most` is how many parameters a statement takes.
 */

import { attach, sides, unjoined } from "./statements.mjs";

export async function insert_one(db, b, params) {
  const [row] = await db.rows(b.by(params.row)(params));
  return row;
}

export async function bulk_insert(db, b, { rows }) {
  const run = b.by(rows[0]);
  const size = partOf(db, rows);
  if (rows.length <= size) return db.count(run({ rows }));
  return db.transacted(async (own) => {
    let count = 0;
    for (let at = 0; at < rows.length; at += size) count += await own.count(run({ rows: rows.slice(at, at + size) }));
    return count;
  });
}

/** How many rows fit into a statement. */
export function partOf({ most }, rows) {
  return Math.max(1, Math.floor(most / Object.keys(rows[0]).length));
}

export async function point_read(db, b, params) {
  const [row] = await db.rows(b.run(params));
  return row ?? null;
}

async function list(db, b, params) {
  return db.rows(b.run(params));
}

export { list as filtered_list, list as keyset_page, list as json_filter, list as aggregate };

export async function list_to_one(db, b, params) {
  return unjoined(await db.arrays(b.run(params)), b.scenario.columns, b.scenario.parent);
}

export async function nested_include(db, b, { keys }) {
  const { children } = b.scenario;
  const parents = await db.rows(b.run({ list: values(keys, b.key) }));
  const found = await childrenOf(db, b.children, parents, children.pairs);
  if (b.below) await childrenOf(db, b.below, found, children.children.pairs);
  return parents;
}

export { nested_include as deep_include };

async function childrenOf(db, statement, parents, pairs) {
  if (!parents.length) return [];
  return attach(parents, await db.rows(statement({ list: values(parents, sides(pairs)[0]) })), pairs);
}

const values = (rows, columns) => rows.map((row) => columns.map((column) => row[column]));

export async function update_one(db, b, params) {
  return db.count(b.run(params));
}

export async function upsert(db, b, params) {
  return db.count(b.by(params.row)(params));
}

export async function transaction(db, b, params) {
  return db.transacted(async (own) => {
    const [row] = await own.rows(b.read(params));
    if (!row) throw new Error("the row is gone");
    await own.count(b.update(params));
    await own.count(b.by(params.row)(params));
    return row;
  });
}

export async function delete_cascade(db, b, params) {
  if (b.all.length === 1) return db.count(b.all[0](params));
  return db.transacted(async (own) => {
    let count = 0;
    for (const statement of b.all) count = await own.count(statement(params));
    return count;
  });
}
