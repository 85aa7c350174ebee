/** pg (node-postgres): the driver that the ORMs of Node are measured against. */

import pg from "pg";
import { bound } from "../binding.mjs";
import { versionOf } from "../building.mjs";
import { connection } from "../connecting.mjs";
import { List, sql, Statements, taken } from "../statements.mjs";

export * from "../handwritten.mjs";

/** What a pool or one of its clients answers. */
class Session {
  most = 65_535;

  constructor(client) {
    this.client = client;
  }

  rows(asked) {
    return this.client.query(asked).then(({ rows }) => rows);
  }

  arrays(asked) {
    return this.rows({ ...asked, rowMode: "array" });
  }

  count(asked) {
    return this.client.query(asked).then(({ rowCount }) => rowCount);
  }
}

class Database extends Session {
  constructor(study) {
    const pool = new pg.Pool({ ...connection(study), max: study.pool });
    pool.on("error", (error) => console.error(error));
    super(pool);
    this.statements = new Statements(study);
  }

  async transacted(work) {
    const client = await this.client.connect();
    try {
      await client.query("BEGIN");
      const result = await work(new Session(client));
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  }
}

export async function open(study) {
  return new Database(study);
}

export async function close({ client: pool }) {
  await pool.end();
}

export function version() {
  const version = versionOf("pg");
  return { version, driver: `pg ${version}` };
}

export async function ping(db) {
  await db.rows("SELECT 1");
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
