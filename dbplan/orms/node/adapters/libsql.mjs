/** libsql, a fork of SQLite with the interface of better-sqlite3: what the drivers of the ORMs are built on. */

import Driver from "libsql";
import { versionOf } from "../building.mjs";
import { TIMEOUT } from "../connecting.mjs";
import { Sqlite } from "../sqlite.mjs";

export * from "../handwritten.mjs";
export { bind, bulk_insert, close, delete_cascade, ping, transaction } from "../sqlite.mjs";

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

export function version() {
  const version = versionOf("libsql");
  return { version, driver: `libsql ${version}` };
}
