/** node:sqlite, the driver that is part of Node: the one that the ORMs of Node are measured against on SQLite. */

import { DatabaseSync } from "node:sqlite";
import { TIMEOUT } from "../connecting.mjs";
import { Sqlite } from "../sqlite.mjs";

export * from "../handwritten.mjs";
export { bind, bulk_insert, close, delete_cascade, ping, transaction } from "../sqlite.mjs";

class Database extends Sqlite {
  prepare(text, isArrays) {
    const statement = this.driver.prepare(text);
    statement.setReturnArrays(isArrays);
    return statement;
  }

  all(statement, values) {
    return statement.all(...values);
  }

  run(statement, values) {
    return statement.run(...values);
  }
}

export async function open(study) {
  return new Database(study, new DatabaseSync(study.url.database, { timeout: TIMEOUT }));
}

export function version() {
  return { version: process.versions.node, driver: `SQLite ${process.versions.sqlite}` };
}

/** The extended result code of SQLite says what kind of constraint it was; its name stands in the message alone. */
export function explain(error) {
  return { code: error.errcode ? String(error.errcode) : (error.code ?? null) };
}
