/** Values in SQLite, which has no types for most of them: in the forms that SQLAlchemy stores, by kind. */

import { NotCovered } from "./errors.mjs";

const text = (moment) => `${moment.toISOString().slice(0, -1).replace("T", " ")}000`;
const moment = (stored) => new Date(`${stored.replace(" ", "T")}Z`);

/** What a driver is given for a value. */
export const STORED = {
  bool: Number,
  decimal: Number,
  uuid: (value) => value.replaceAll("-", ""),
  timestamp: text,
  timestamptz: text,
  time: (value) => (value.includes(".") ? value : `${value}.000000`),
  json: JSON.stringify,
};

/** What an application makes of what a driver has read. */
export const HELD = { bool: Boolean, timestamp: moment, timestamptz: moment, json: JSON.parse };

/** A value as a driver is given it. */
export function stored(value, kind) {
  return value === null || !STORED[kind] ? value : STORED[kind](value);
}

/** The key of a document as SQLite takes it after ->>: what could be a path of its own is written as one. */
export function label(key) {
  return /^\w+$/.test(key) ? key : path(key);
}

/** The path to a key of a document. */
export function path(key) {
  if (/["\\]/.test(key)) throw new NotCovered(`SQLite has no path to a key with a quote or a backslash, as ${key} has`);
  return `$."${key}"`;
}
