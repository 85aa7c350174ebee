/** Postgres.js: the other driver; it prepares every statement by itself. */

import postgres from "postgres";
import { bound } from "../binding.mjs";
import { versionOf } from "../building.mjs";
import { List, refuseLoss, sql as words, Statements, taken } from "../statements.mjs";

export * from "../handwritten.mjs";

/** What its own function of tagged templates answers, or that of a transaction. */
class Session {
  most = 65_534;

  constructor(sql) {
    this.sql = sql;
  }

  rows(ask) {
    return ask(this.sql);
  }

  arrays(ask) {
    return ask(this.sql).values();
  }

  count(ask) {
    return ask(this.sql).then(({ count }) => count);
  }

  transacted(work) {
    return this.sql.begin((own) => work(new Session(own)));
  }
}

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
  return Object.assign(new Session(sql), { statements: new Statements(study) });
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
  refuseLoss(scenario, "Postgres.js");
  return bound(statements, scenario, template, among);
}

/** Its own way with lists: `sql(values)` after IN, and fragments for rows of several. */
function among(left, list) {
  return list.kinds.length > 1 ? words`${left} IN (${list})` : words`${left} IN ${list}`;
}

/** Return a function from parameters to one that runs a fragment as the tagged template that stands for it. */
function template(fragment) {
  const { texts, places } = taken(fragment);
  const strings = Object.assign(texts, { raw: texts });
  return (params) => (sql) => sql(strings, ...places.map((place) => sent(sql, place, params)));
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
