/** What Prisma calls things: models of tables, fields of columns, relations of foreign keys, keys, values of enums. */

import { createRequire } from "node:module";
import { join } from "node:path";
import { NotCovered } from "./errors.mjs";
import { stored } from "./stored.mjs";

const require = createRequire(import.meta.url);

/** The models of a schema, from Prisma's own description of it. */
export class Schema {
  constructor({ datamodel, creatable }, study) {
    Object.assign(this, { study, models: datamodel.models, own: require(join(study.models, "client")).Prisma });
    this.enums = Object.fromEntries(datamodel.enums.map((one) => [one.name, one.values]));
    this.creatable = new Set(creatable);
  }

  model(table) {
    const { name, schema } = this.study.tables[table];
    const found = this.models.find(
      (one) => (one.dbName ?? one.name) === name && (one.schema ?? "public") === (schema ?? "public"),
    );
    if (!found) throw new NotCovered(`Prisma's client has no model of ${table}`);
    if (found.fields.some((one) => (one.dbName ?? one.name) === "__proto__"))
      throw new NotCovered(`Prisma loses a column called __proto__, as ${table} has: its rows are plain objects`);
    if (found.fields.some((one) => one.name === "constructor"))
      throw new NotCovered(`Prisma leaves decimals and dates of ${table} as they came: a field is called constructor`);
    for (const one of [name, ...found.fields.map((field) => field.dbName ?? field.name)])
      if (one.includes('"')) throw new NotCovered(`Prisma's queries do not escape the quote in ${one} of ${table}`);
    return new Model(this, table, found);
  }
}

class Model {
  #fields = new Map();

  constructor(schema, table, told) {
    Object.assign(this, { schema, table, told, property: told.name[0].toLowerCase() + told.name.slice(1) });
  }

  field(column) {
    if (!this.#fields.has(column)) {
      const found = this.told.fields.find((one) => one.kind !== "object" && (one.dbName ?? one.name) === column);
      if (!found) throw new NotCovered(`Prisma has no type for ${this.table}.${column}`);
      const { kind, nullable } = this.schema.study.tables[this.table].columns[column];
      if (found.isList && nullable)
        throw new NotCovered(`Prisma takes NULL in ${this.table}.${column} for an empty list`);
      this.#fields.set(column, new Field(this.schema, column, kind, found));
    }
    return this.#fields.get(column);
  }

  /** Refuse where the client has no create. */
  mustCreate() {
    if (!this.schema.creatable.has(this.told.name))
      throw new NotCovered(`Prisma creates no ${this.told.name}: a required column has a type that Prisma lacks`);
  }

  /** A function from a key's fields to what names one row for Prisma. */
  unique(columns) {
    const names = columns.map((one) => this.field(one).name);
    const { fields, primaryKey, uniqueIndexes } = this.told;
    if (names.length === 1 && fields.some((one) => one.name === names[0] && (one.isId || one.isUnique)))
      return (key) => key;
    const same = (one) => one?.fields.length === names.length && names.every((name) => one.fields.includes(name));
    const found = [primaryKey, ...uniqueIndexes].find(same);
    if (!found) throw new NotCovered(`Prisma knows no unique key of ${columns.join(", ")} in ${this.table}`);
    return (key) => ({ [found.name ?? found.fields.join("_")]: key });
  }

  /** The relation to the one row that a foreign key's `pairs` lead to. */
  toOne({ table, pairs }) {
    const other = this.schema.model(table);
    const wanted = pairs.map(([own, theirs]) => `${this.field(own).name} ${other.field(theirs).name}`).sort();
    const found = this.told.fields.find(
      (one) => one.type === other.told.name && String(ends(one)) === String(wanted) && one.kind === "object",
    );
    if (!found)
      throw new NotCovered(`Prisma has no relation of ${this.table} to ${table} by ${pairs.map(([own]) => own)}`);
    return found;
  }

  /** The name of the relation to the children that refer to a row by `pairs`, and whether there is but one. */
  toMany({ table, pairs }) {
    const other = this.schema.model(table);
    const way = other.toOne({ table: this.table, pairs: pairs.map(([above, own]) => [own, above]) });
    const back = this.told.fields.find(
      (one) => one.relationName === way.relationName && one.type === other.told.name && !one.relationFromFields.length,
    );
    if (!back) throw new NotCovered(`Prisma has no way back from ${this.table} to ${table}`);
    return { name: back.name, single: !back.isList };
  }
}

const ends = ({ relationFromFields: own = [], relationToFields: theirs = [] }) =>
  own.map((name, at) => `${name} ${theirs[at]}`).sort();

class Field {
  constructor(schema, column, kind, { name, type, isRequired }) {
    const isSqlite = schema.study.dialect === "sqlite";
    Object.assign(this, { column, kind, name, type, isRequired, isSqlite, own: schema.own });
    const labels = (schema.enums[type] ?? []).map((one) => [one.dbName ?? one.name, one.name]);
    this.words = new Map(labels);
    this.labels = new Map(labels.map(([label, word]) => [word, label]));
  }

  /** A value as Prisma takes it. */
  taken(value) {
    if (value === null) return this.kind === "json" ? this.own.DbNull : null;
    return Array.isArray(value) && this.kind !== "json" ? value.map((one) => this.#one(one)) : this.#one(value);
  }

  #one(value) {
    if (value === null) return null;
    if (this.words.size) return this.words.get(value) ?? value;
    if (this.type === "BigInt") return BigInt(value);
    if (this.type === "Decimal") return new this.own.Decimal(value);
    if (this.kind === "uuid" && this.isSqlite) return stored(value, "uuid");
    if (this.kind === "date") return new Date(`${value}T00:00:00Z`);
    if (this.kind === "time") return new Date(`1970-01-01T${value}Z`);
    return value;
  }

  /** A value that Prisma gave, an enum's by its label. */
  given(value) {
    return this.labels.size && value != null ? (this.labels.get(value) ?? value) : value;
  }
}
