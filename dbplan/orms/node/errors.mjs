/** What can go wrong, and how it is told in short texts. */

import { basename } from "node:path";

/** Something that an ORM cannot express; the message says what and why. */
export class NotCovered extends Error {
  name = "NotCovered";
}

/** The messages of an error and of its causes, from the outside in. */
export function message(error) {
  const said = [];
  for (let one = error; one; one = one.cause) {
    const text = String(one.message || one.code || one)
      .replace(/\s+/g, " ")
      .trim();
    if (text && !said.some((known) => known.includes(text))) said.push(text);
  }
  return said.join("; because: ");
}

/** What went wrong, and where, in three short texts. */
export function failure(error) {
  return { type: typeName(error), message: message(error).slice(0, 300), where: where(error) };
}

/** The name of an error's class. */
export function typeName(error) {
  return error?.constructor?.name ?? typeof error;
}

function where(error) {
  const frames = String(error?.stack ?? "")
    .split("\n")
    .map((line) => /^\s*at (?:(?:async )?(\S+) \()?(?:file:\/\/)?(\/[^()]+?):(\d+):\d+\)?$/.exec(line))
    .filter((found) => found && !found[2].includes("/node_modules/"));
  const own = frames.find((found) => found[2].includes("/adapters/")) ?? frames[0];
  return own ? `${basename(own[2])}:${own[3]} ${own[1] ?? ""}`.trim() : "";
}

/** What the error object says of a unique violation, its causes included, through public properties. */
export function explained(error) {
  const told = { code: null, constraint: null, columns: null };
  for (let one = error; one; one = one.driverError ?? one.cause) {
    told.code ??= one.extendedCode ?? one.code ?? null; // SQLite's code of any constraint, extended by which kind
    told.constraint ??= one.constraint ?? one.constraint_name ?? null;
  }
  return told;
}
