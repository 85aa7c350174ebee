/** Kinds of values: JavaScript's own from what travelled, and the form in which results are compared. */

const HEX = /^(.{8})-?(.{4})-?(.{4})-?(.{4})-?(.{12})$/;
const WHOLE = /^[-+]?\d+$/;
const MOMENT = /^(\d{4,6}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|[-+]\d\d(?::?\d\d)?)?$/i;

const NATIVES = {
  int: (value) => (typeof value === "string" ? BigInt(value) : value),
  float: Number,
  real: Number,
  timestamp: (value) => moment(value),
  timestamptz: (value) => moment(value),
  bytes: (value) => Buffer.from(value, "hex"),
  ints: (values) => values.map((value) => native(value, "int")),
};

const FORMS = {
  int: whole,
  float,
  real: (value) => float(Math.fround(Number(value))),
  decimal,
  text: String,
  bool: Boolean,
  uuid: (value) => String(value).toLowerCase().replace(HEX, "$1-$2-$3-$4-$5"),
  timestamp: (value) => moment(value).toISOString().slice(0, -1),
  timestamptz: (value) => moment(value).toISOString(),
  date: (value) => (value instanceof Date ? value.toISOString() : String(value)).slice(0, 10),
  time: (value) => (value instanceof Date ? value.toISOString().slice(11, 19) : String(value).slice(0, 8)),
  json: sorted,
  enum: String,
  bytes: (value) => Buffer.from(value).toString("hex"),
  texts: (values) => Array.from(values, (value) => (value == null ? null : String(value))),
  ints: (values) => Array.from(values, (value) => (value == null ? null : whole(value))),
};

/** JavaScript's own value of what travelled. */
export function native(value, kind) {
  return value == null ? null : (NATIVES[kind]?.(value) ?? value);
}

/** A value of a kind in the JSON form in which processes exchange and compare it. */
export function travelling(value, kind) {
  if (value == null) return null;
  const form = FORMS[kind];
  if (!form) throw new TypeError(`a value of the unknown kind ${kind}`);
  return form(value);
}

function whole(value) {
  if (typeof value === "number" && !Number.isInteger(value)) throw new TypeError(`${value} is no whole number`);
  if (typeof value === "string" && !WHOLE.test(value)) throw new TypeError(`"${value}" is no whole number`);
  const number = BigInt(value);
  return Number.isSafeInteger(Number(number)) ? Number(number) : String(number);
}

/** A number that JSON holds and each language prints alike, else text. */
function float(value) {
  const number = Number(value);
  if (!Number.isFinite(number)) return String(number);
  return Math.abs(number) < 2 ** 53 ? number : number.toExponential();
}

/** Digits without an exponent, without zeros that say nothing. */
function decimal(value) {
  const found = /^([-+]?)(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(String(value).trim());
  if (!found) return String(value);
  const [, sign, whole, part, exponent] = found;
  const place = whole.length + Number(exponent ?? 0);
  const digits = (whole + part).padEnd(place, "0").padStart((whole + part).length - Math.min(place, 0), "0");
  const front = digits.slice(0, Math.max(place, 0)).replace(/^0+/, "") || "0";
  const back = digits.slice(Math.max(place, 0)).replace(/0+$/, "");
  const said = back ? `${front}.${back}` : front;
  return sign === "-" && said !== "0" ? `-${said}` : said;
}

/** A Date; words without a zone are UTC, and what is finer than a millisecond is cut off. */
function moment(value) {
  if (value instanceof Date) return value;
  const found = MOMENT.exec(String(value));
  const zone = (found?.[3] ?? "Z").replace(/^([-+]\d\d)$/, "$1:00");
  const made = new Date(found ? `${found[1]}T${found[2].replace(/(\.\d{3})\d+$/, "$1")}${zone}` : value);
  if (Number.isNaN(made.getTime())) throw new TypeError(`"${value}" is no moment`);
  return made;
}

function sorted(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sorted);
  const made = Object.create(null);
  for (const key of Object.keys(value).sort()) made[key] = sorted(value[key]);
  return made;
}

/** Parameters with JavaScript's own values. */
export function decoded(params, scenario, study) {
  const own = study.tables[scenario.table].columns;
  const written = scenario.insert ? study.tables[scenario.insert.table].columns : own;
  const made = { ...params };
  for (const name of ["key", "after"]) if (params[name]) made[name] = rowOf(params[name], own);
  for (const name of ["keys", "rows"]) if (params[name]) made[name] = params[name].map((one) => rowOf(one, own));
  if (params.row) made.row = rowOf(params.row, written);
  if ("value" in params && scenario.name !== "json_filter") {
    made.value = native(params.value, own[scenario.update || scenario.filter].kind);
  }
  return made;
}

function rowOf(values, columns) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, native(value, columns[name].kind)]));
}

/** A result in the form that is compared; a column that is missing is an error. */
export function canonical(result, scenario, study) {
  if (result == null) return null;
  if (typeof result === "number" || typeof result === "bigint") return Number(result);
  if (scenario.name === "aggregate") {
    const { kind } = study.tables[scenario.table].columns[scenario.group];
    return result.map((row) => ({
      group: compared(row.group, kind, study),
      count: Number(row.count),
      total: compared(row.total, "decimal", study),
    }));
  }
  return Array.isArray(result) ? result.map((row) => rowIn(row, scenario, study)) : rowIn(result, scenario, study);
}

/** A value as it is compared: of a decimal 12 digits on SQLite, which keeps it as a float. */
function compared(value, kind, { dialect }) {
  const isFloat = dialect === "sqlite" && kind === "decimal" && value != null;
  return travelling(isFloat ? Number(value).toPrecision(12) : value, kind);
}

function rowIn(row, of, study) {
  const { columns } = study.tables[of.table];
  const made = Object.create(null);
  for (const name of of.columns) {
    if (row[name] === undefined) throw new TypeError(`the row of ${of.table} has no column ${name}`);
    made[name] = compared(row[name], columns[name].kind, study);
  }
  if (of.parent) made.parent = row.parent == null ? null : rowIn(row.parent, of.parent, study);
  if (of.children) made.children = row.children.map((child) => rowIn(child, of.children, study));
  return made;
}
