/** An adapter without a database: what it does is in the parameters. */

import { NotCovered } from "../errors.mjs";

let builds = 0;

export async function prepare() {
  builds++;
}

export async function open(study) {
  console.log("printed by the adapter");
  if (study.url.password === "wrong") throw new Error("password wrong is refused");
  return { open: true, study };
}

export async function close(db) {
  db.open = false;
}

export function version() {
  return { version: "1.0", driver: "none", builds };
}

export async function ping() {}

export async function bind(db, scenario) {
  if (scenario.name === "upsert") throw new NotCovered("it has no upsert");
  return { note: scenario.name === "json_filter" ? "raw SQL" : "" };
}

export async function point_read(db, b, { key }) {
  process.stdout.write("printed by a library\n");
  if (key.id === 13) throw new Error("unlucky", { cause: new Error("13 was asked for") });
  return key.id === 404 ? null : { Id: key.id, Name: "x" };
}

export async function json_filter(db, b, { value }) {
  return [{ Id: 1, Name: value }];
}

export function adapt(db, b, params) {
  return params;
}

export function plain(b, result) {
  const renamed = (row) => ({ id: row.Id, name: row.Name });
  return Array.isArray(result) ? result.map(renamed) : result && renamed(result);
}

export async function update_one(db, b, { value }) {
  await new Promise((done) => setTimeout(done, Number(value)));
  return 1;
}

export async function insert_one(db, b, { row }) {
  if (row.id === 0) return { Id: 0, Name: "" };
  throw Object.assign(new Error("duplicate key"), {
    cause: Object.assign(new Error("violates"), { code: "23505", constraint: "pk" }),
  });
}

export async function upsert() {
  return 1;
}
