/** libsql, a fork of SQLite with the interface of better-sqlite3: what the drivers of the ORMs are built on. */

import Driver from "libsql";
import { versionOf } from "../building.mjs";
import { TIMEOUT } from "../connecting.mjs";
import { bind as bound, Sqlite } from "../sqlite.mjs";
import { refuseLoss } from "../statements.mjs";

export * from "../handwritten.mjs";
export { bulk_insert, close, delete_cascade, ping, transaction } from "../sqlite.mjs";

class Database extends Sqlite {
  prepare(text, isArrays) {
    const statement = this.driver.prepare(text);
    return isArrays ? statement.raw() : statement;
  }

  all(statement, values) {
    return statement.all(values);
  }

  run(statement, values) {
    return statement.run(values);
  }
}

export async function open(study) {
  return new Database(study, new Driver(study.url.database, { timeout: TIMEOUT }));
}

export function bind(db, scenario) {
  refuseLoss(scenario, "libsql");
  return bound(db, scenario);
}

export function version() {
  const version = versionOf("libsql");
  return { version, driver: `libsql ${version}` };
}
