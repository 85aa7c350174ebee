/**
 * SQLite by a driver that answers at once, without a promise: statements that are kept once they are prepared, values
 * in the forms of their columns, and transactions that nothing else of the process comes between.
 */

import { bound } from "./binding.mjs";
import { partOf } from "./handwritten.mjs";
import { List, sql, Statements, taken } from "./statements.mjs";
import { HELD, stored } from "./stored.mjs";

/** A file. What extends it says how its driver prepares a statement and runs it. */
export class Sqlite {
  most = 32_766;
  #kept = new Map();

  constructor(study, driver) {
    Object.assign(this, { driver, statements: new Statements(study) });
  }

  #statement(text, isArrays = false) {
    const key = isArrays ? ` ${text}` : text;
    if (!this.#kept.has(key)) this.#kept.set(key, this.prepare(text, isArrays));
    return this.#kept.get(key);
  }

  rows({ text, values, held }) {
    return made(this.all(this.#statement(text), values), held, "column");
  }

  arrays({ text, values, held }) {
    return made(this.all(this.#statement(text, true), values), held, "at");
  }

  count({ text, values }) {
    return Number(this.run(this.#statement(text), values).changes);
  }

  /** Do work that waits for nothing in a transaction that locks from its beginning. */
  transacted(work) {
    this.driver.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.driver.exec("COMMIT");
      return result;
    } catch (error) {
      this.driver.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Rows with what an application holds, where that is something else than is stored. */
function made(rows, held, by) {
  for (const one of held) {
    const place = one[by];
    for (const row of rows) if (row[place] !== null) row[place] = one.form(row[place]);
  }
  return rows;
}

export function close({ driver }) {
  driver.close();
}

export function ping(db) {
  db.rows({ text: "SELECT 1", values: [], held: [] });
}

export function bind({ statements }, scenario) {
  return bound(statements, scenario, (fragment) => compiled(statements, fragment), among);
}

const among = (left, list) => (list.kinds.length > 1 ? sql`${left} IN (VALUES ${list})` : sql`${left} IN (${list})`);

/** Return a function from parameters to a statement with its values, and what is made of what it reads. */
function compiled(statements, fragment) {
  const { texts, places } = taken(fragment);
  const kinds = fragment.reads.map(([table, column], at) => ({
    at,
    column,
    form: HELD[statements.kind(table, column)],
  }));
  const held = kinds.filter(({ form }) => form);
  if (places[0] instanceof List) return (params) => ({ ...spread(texts, places[0], params), held });
  const text = texts.join("?");
  return (params) => ({ text, values: places.map(({ from, kind }) => stored(from(params), kind)), held });
}

/** A list of rows, each value with a parameter of its own. */
function spread([before, after], { from, kinds, isInsert }, params) {
  const rows = from(params);
  const marks = Array(kinds.length).fill("?").join();
  const row = isInsert || kinds.length > 1 ? `(${marks})` : marks;
  return {
    text: `${before}${Array(rows.length).fill(row).join()}${after}`,
    values: rows.flatMap((one) => one.map((value, at) => stored(value, kinds[at]))),
  };
}

// What writes more than once does so without a promise between: another client of this process has the same connection.

export async function bulk_insert(db, b, { rows }) {
  const run = b.by(rows[0]);
  const size = partOf(db, rows);
  if (rows.length <= size) return db.count(run({ rows }));
  return db.transacted(() => {
    let count = 0;
    for (let at = 0; at < rows.length; at += size) count += db.count(run({ rows: rows.slice(at, at + size) }));
    return count;
  });
}

export async function transaction(db, b, params) {
  return db.transacted(() => {
    const [row] = db.rows(b.read(params));
    if (!row) throw new Error("the row is gone");
    db.count(b.update(params));
    db.count(b.by(params.row)(params));
    return row;
  });
}

export async function delete_cascade(db, b, params) {
  if (b.all.length === 1) return db.count(b.all[0](params));
  return db.transacted(() => b.all.map((statement) => db.count(statement(params))).at(-1));
}
