/** What is probed, in the words of dbplan/orms/features/questions.py, and what several probes tell in the same way. */

import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { linkPackages, run } from "../building.mjs";
import { NotCovered, typeName } from "../errors.mjs";
import { travelling } from "../values.mjs";

export const EXACT = "123456789012345.6789";
export const DOCUMENT = { city: "Łódź", tags: ["a", { b: null }], n: 1.5 };
export const MANY = 1_000;
const TABLES = 4;
const [YES, PARTLY, NO] = ["yes", "partly", "no"];

/** A row of `accounts` with an id as the ORM holds it. */
export const accountOf = (id, other = {}) => ({ id, email: `${id}@example.org`, balance: "1", profile: {}, ...other });

/** The numbers from 1 to `most`. */
export const upTo = (most) => Array.from({ length: most }, (_, at) => at + 1);

/** Do what should not be done, and tell the error, with the server's code where it refused; null for none. */
export async function refusal(work) {
  try {
    await work();
  } catch (error) {
    return { type: typeName(error), code: serverCode(error) };
  }
  return null;
}

/** The SQLSTATE, where the server was asked: its own error has a severity, and Prisma's tells of an original code. */
function serverCode(error) {
  for (let one = error; one; one = one.cause ?? one.driverError ?? one.meta?.driverAdapterError)
    if (one.originalCode || one.severity) return one.originalCode ?? one.code;
  return null;
}

/** Tell what an enum came back as, and how a wrong label was refused. */
export function enumSeen(read, error) {
  return { read: String(read), type: kindOf(read), error };
}

/** Tell what a decimal came back as. */
export function decimalSeen(held) {
  return { read: String(held), type: kindOf(held) };
}

/** The kind of a value as TypeScript calls it; a Decimal of a library by the name that it gives itself. */
export function kindOf(value) {
  if (value === null || typeof value !== "object") return typeof value;
  return value[Symbol.toStringTag] ?? typeName(value);
}

/** Tell whether a migration that a tool wrote creates the tables. */
export function tablesSeen(tool, script, more = "") {
  const tables = script.match(/\bCREATE TABLE\b/g)?.length ?? 0;
  const answer = tables === TABLES ? YES : tables ? PARTLY : NO;
  return { answer, how: `${tool} wrote a file that creates ${tables} tables${more}` };
}

/** Ids in order, as JSON holds them. */
export const ids = (rows) => rows.map((one) => travelling(one.id, "int")).sort((one, other) => one - other);

/** Rows of id and email as arrays. */
export const rowsSeen = (rows) => rows.map(({ id, email }) => [travelling(id, "int"), email]);

/** Ask TypeScript which types an object, `one`, and its decimal have, where `balance` is what a decimal is held as. */
export function typedSeen(folder, source, balance) {
  const file = join(folder, "probed.ts");
  writeFileSync(file, `${source}\nexport const decimal = one.balance;\n`);
  linkPackages(folder);
  const told = JSON.parse(run(join(dirname(fileURLToPath(import.meta.url)), "types.mjs"), file));
  rmSync(file); // the models stay alone in their folder
  if (told.errors.length) throw new NotCovered(`TypeScript said: ${told.errors.join("; ").slice(0, 160)}`);
  const isKnown = !["any", "unknown"].includes(told.one);
  const answer = !isKnown ? NO : told.decimal.split(".").at(-1) === kindOf(balance) ? YES : PARTLY;
  const held = answer === PARTLY ? ` where ${kindOf(balance)} is held` : "";
  return { answer, how: `TypeScript: an object is ${short(told.one)}, its decimal ${told.decimal}${held}` };
}

const short = (text) => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
