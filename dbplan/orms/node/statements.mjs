/** The SQL of each scenario, as an engineer with a raw driver writes it. */

import { NotCovered } from "./errors.mjs";
import { label } from "./stored.mjs";

/** A piece of SQL: texts, and between them the places of parameters; `reads` names what its rows hold, in order. */
class Fragment {
  reads = [];

  constructor(parts) {
    this.parts = parts;
  }

  /** Say that a row begins with these columns of a table, after those that were said before. */
  reading(table, columns) {
    this.reads = [...this.reads, ...columns.map((column) => [table, column])];
    return this;
  }
}

/** The place of a parameter: `from` the parameters of a call to the value, of a kind. */
class Place {
  constructor(from, kind) {
    this.from = from;
    this.kind = kind;
  }
}

/** The place of a list: rows of values of those kinds, which a driver writes in its own way. */
export class List extends Place {
  constructor(from, kinds, isInsert = false) {
    super(from, null);
    this.kinds = kinds;
    this.isInsert = isInsert;
  }

  /** The place of one array, of a list whose rows have one value each. */
  single() {
    return new Place((params) => this.from(params).map((row) => row[0]), null);
  }
}

/** A tagged template: fragments and arrays of them stand as they are, places become parameters, the rest is text. */
export function sql(strings, ...values) {
  const parts = strings.flatMap((text, at) => (at < values.length ? [text, ...partsOf(values[at])] : [text]));
  return new Fragment(parts);
}

function partsOf(value) {
  if (value instanceof Fragment) return value.parts;
  if (Array.isArray(value)) return value.flatMap((one, at) => (at ? [", ", ...partsOf(one)] : partsOf(one)));
  return [value instanceof Place ? value : String(value)];
}

/** Return the texts of a fragment and the places between them, one fewer. */
export function taken(fragment) {
  const texts = [""];
  const places = [];
  for (const part of fragment.parts) {
    if (part instanceof Place) {
      places.push(part);
      texts.push("");
    } else {
      texts[texts.length - 1] += part;
    }
  }
  return { texts, places };
}

/** Scenarios of which no row is read by names. */
const NAMELESS = new Set(["bulk_insert", "upsert", "update_one", "delete_cascade", "aggregate", "list_to_one"]);

/** Refuse a scenario of whose rows a driver loses a column, for it puts values into plain objects by name. */
export function refuseLoss(scenario, driver) {
  const read = [scenario, scenario.children, scenario.children?.children].filter(Boolean);
  if (!NAMELESS.has(scenario.name) && read.some(({ columns }) => columns.includes("__proto__")))
    throw new NotCovered(`${driver} loses a column called __proto__: its rows are plain objects`);
}

function name(of) {
  return `"${of.replaceAll('"', '""')}"`;
}

function text(of, isSqlite) {
  return of.includes("\\") && !isSqlite
    ? ` E'${of.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`
    : `'${of.replaceAll("'", "''")}'`;
}

const under = (alias, columns) => columns.map((column) => `${alias}.${name(column)}`);

/** The statements of a study's scenarios. */
export class Statements {
  constructor({ tables, dialect }) {
    const isSqlite = dialect === "sqlite";
    // SQLite locks the whole database: a transaction that will write says so as it begins.
    Object.assign(this, { tables, isSqlite, lock: isSqlite ? "" : " FOR UPDATE" });
  }

  table(key) {
    const { schema, name: own } = this.tables[key];
    return schema ? `${name(schema)}.${name(own)}` : name(own);
  }

  key(table) {
    return this.tables[table].key;
  }

  kind(table, column) {
    return this.tables[table].columns[column].kind;
  }

  #place(table, column, from) {
    return new Place(from, this.kind(table, column));
  }

  #equal(table, columns, of) {
    const parts = columns.map((one) => sql`${name(one)} = ${this.#place(table, one, (params) => params[of][one])}`);
    return parts.reduce((all, one) => sql`${all} AND ${one}`);
  }

  #beyond(table, columns, sign, alias) {
    const places = columns.map((one) => this.#place(table, one, (params) => params.after[one]));
    const left = alias ? under(alias, columns) : columns.map(name);
    return columns.length > 1 ? sql`(${left}) ${sign} (${places})` : sql`${left} ${sign} ${places}`;
  }

  insert(table, given, returned = [], end = "") {
    const places = given.map((one) => this.#place(table, one, (params) => params.row[one]));
    const words = given.length ? sql`(${given.map(name)}) VALUES (${places})` : "DEFAULT VALUES";
    const back = returned.length ? sql` RETURNING ${returned.map(name)}` : "";
    return sql`INSERT INTO ${this.table(table)} ${words}${end}${back}`.reading(table, returned);
  }

  bulk(table, given) {
    const kinds = given.map((one) => this.kind(table, one));
    const rows = new List((params) => params.rows.map((row) => given.map((one) => row[one])), kinds, true);
    return sql`INSERT INTO ${this.table(table)} (${given.map(name)}) VALUES ${rows}`;
  }

  upsert(scenario, given) {
    const set = `${name(scenario.update)} = EXCLUDED.${name(scenario.update)}`;
    const end = ` ON CONFLICT (${this.key(scenario.table).map(name).join(", ")}) DO UPDATE SET ${set}`;
    return this.insert(scenario.table, given, [], end);
  }

  read(scenario, end = "") {
    const { table, columns } = scenario;
    const where = this.#equal(table, this.key(table), "key");
    return sql`SELECT ${columns.map(name)} FROM ${this.table(table)} WHERE ${where}${end}`.reading(table, columns);
  }

  update(scenario) {
    const { table, update } = scenario;
    const value = this.#place(table, update, (params) => params.value);
    return sql`UPDATE ${this.table(table)} SET ${name(update)} = ${value} WHERE ${this.#equal(table, this.key(table), "key")}`;
  }

  filtered(scenario) {
    const value = this.#place(scenario.table, scenario.filter, (params) => params.value);
    return this.#list(scenario, sql`${name(scenario.filter)} = ${value}`, scenario.order);
  }

  page(scenario) {
    const where = this.#beyond(scenario.table, scenario.order, scenario.descending ? "<" : ">");
    return this.#list(scenario, where, scenario.order);
  }

  document(scenario) {
    const value = new Place((params) => params.value, "text");
    const key = text(this.isSqlite ? label(scenario.path) : scenario.path, this.isSqlite);
    const where = sql`${name(scenario.filter)} ->> ${key} = ${value}`;
    return this.#list(scenario, where, this.key(scenario.table));
  }

  #list({ table, columns, descending, limit }, where, order) {
    const by = order.map((one) => (descending ? `${name(one)} DESC` : name(one)));
    const which = sql`WHERE ${where} ORDER BY ${by} LIMIT ${limit}`;
    return sql`SELECT ${columns.map(name)} FROM ${this.table(table)} ${which}`.reading(table, columns);
  }

  /** One JOIN: the columns of the row, those of its parent, and last whether there is one. */
  joined({ table, columns, parent, limit }) {
    const key = this.key(table);
    const on = parent.pairs.map(([own, other]) => `t.${name(own)} = p.${name(other)}`).join(" AND ");
    const there = `p.${name(parent.pairs[0][1])} IS NOT NULL`;
    const found = sql`SELECT ${[...under("t", columns), ...under("p", parent.columns), there]}
      FROM ${this.table(table)} t LEFT JOIN ${this.table(parent.table)} p ON ${on}
      WHERE ${this.#beyond(table, key, ">", "t")} ORDER BY ${under("t", key)} LIMIT ${limit}`;
    return found.reading(table, columns).reading(parent.table, parent.columns);
  }

  /** Rows of which these columns are among those of a list, in order; `among` writes the list. */
  included({ table, columns }, by, order, among) {
    const list = new List(
      (params) => params.list,
      by.map((one) => this.kind(table, one)),
    );
    const left = by.length > 1 ? sql`(${by.map(name)})` : name(by[0]);
    const which = sql`WHERE ${among(left, list)} ORDER BY ${order.map(name)}`;
    return sql`SELECT ${columns.map(name)} FROM ${this.table(table)} ${which}`.reading(table, columns);
  }

  /** Counts and sums by group; by place, for a column may be called "total" as well. */
  aggregate({ table, group, total }) {
    const sum = total ? `sum(${name(total)})` : "NULL";
    return sql`SELECT ${name(group)} AS "group", count(*) AS "count", ${sum} AS "total"
      FROM ${this.table(table)} WHERE ${name(group)} IS NOT NULL GROUP BY 1 ORDER BY 1`;
  }

  /** The deletions of a row's children that the database leaves alone, the deepest first, and then of the row. */
  deletions(scenario) {
    const own = this.#equal(scenario.table, this.key(scenario.table), "key");
    const links = scenario.cascade.flatMap((link) => this.#gone(link, scenario.table, own));
    return [...links, sql`DELETE FROM ${this.table(scenario.table)} WHERE ${own}`];
  }

  #gone(link, parent, which) {
    if (link.by_database) return [];
    const [outer, inner] = [link.pairs.map((pair) => name(pair[1])), link.pairs.map((pair) => name(pair[0]))];
    const where = sql`(${outer}) IN (SELECT ${inner} FROM ${this.table(parent)} WHERE ${which})`;
    const below = link.children ? this.#gone(link.children, link.table, where) : [];
    return [...below, sql`DELETE FROM ${this.table(link.table)} WHERE ${where}`];
  }
}

/** The columns by which parents are found, and their children's that refer to them. */
export const sides = (pairs) => [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])];

/** Give every parent its children, in the order in which they came; return the children. */
export function attach(parents, children, pairs) {
  const [own, theirs] = sides(pairs);
  const families = new Map(parents.map((row) => [identity(row, own), (row.children = [])]));
  for (const child of children) families.get(identity(child, theirs)).push(child);
  return children;
}

function identity(row, columns) {
  return columns.length === 1 ? single(row[columns[0]]) : columns.map((one) => String(single(row[one]))).join("\u0000");
}

function single(value) {
  if (value instanceof Date) return value.getTime();
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
}

/** Rows with their parents, from the values that one JOIN returned. */
export function unjoined(rows, columns, parent) {
  return rows.map((values) => {
    const row = Object.fromEntries(columns.map((one, at) => [one, values[at]]));
    const found = values[values.length - 1];
    row.parent = found ? Object.fromEntries(parent.columns.map((one, at) => [one, values[columns.length + at]])) : null;
    return row;
  });
}
