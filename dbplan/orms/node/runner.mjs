/**
 * The process of a contestant on Node, `node runner.mjs ADAPTER`: JSON objects in, JSON objects out, by line.
 * Nothing else may stand on standard output: what libraries print goes to standard error.
 */

import { Console } from "node:console";
import { realpathSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { explained, failure, message, NotCovered, typeName } from "./errors.mjs";
import { load } from "./load.mjs";
import { seen } from "./seen.mjs";
import { canonical, decoded } from "./values.mjs";

export { NotCovered };

const clock = process.hrtime.bigint;
const milliseconds = (from, to) => Number(to - from) / 1e6;

/** An adapter, its database, and the scenario that is bound. */
export class Runner {
  constructor(adapter) {
    this.name = adapter;
  }

  async prepare({ study }) {
    await this.#imported();
    return this.#covered(async () => {
      await this.adapter.prepare?.(study);
      return { ok: true };
    });
  }

  async #covered(answer) {
    try {
      return await answer();
    } catch (error) {
      if (error instanceof NotCovered) return { not_covered: message(error) };
      throw error;
    }
  }

  async open({ study }) {
    this.study = study;
    await this.#imported(study.dialect);
    await this.adapter.prepare?.(study);
    const began = clock();
    this.db = await this.adapter.open(study);
    const opened = clock();
    await this.adapter.ping(this.db);
    const first = clock();
    return {
      ...(await this.adapter.version(this.db)),
      import_ms: this.importMs,
      open_ms: milliseconds(began, opened),
      first_ms: milliseconds(opened, first),
      rss_kb: Math.round(process.memoryUsage.rss() / 1024),
    };
  }

  /** Import the adapter, and what it reaches a database of that dialect by. */
  async #imported(dialect = null) {
    const began = clock();
    this.adapter ??= await import(`./adapters/${this.name}.mjs`);
    if (dialect) await this.adapter.load?.(dialect);
    this.importMs = milliseconds(began, clock());
  }

  async bind({ scenario }) {
    this.scenario = scenario;
    this.function = this.adapter[scenario.name];
    if (!this.function) return { not_covered: `${this.name} has nothing for ${scenario.name}` };
    return this.#covered(async () => {
      this.bound = await this.adapter.bind(this.db, scenario);
      return { ok: true, ...(this.bound?.note ? { note: this.bound.note } : {}) };
    });
  }

  async check({ params }) {
    const { function: run, db, bound } = this;
    const plain = this.adapter.plain ?? ((_, result) => result);
    const results = [];
    for (const one of this.#adapted(params)) {
      results.push(canonical(plain(bound, await run(db, bound, one)), this.scenario, this.study));
    }
    return { results };
  }

  async time({ params }) {
    const { function: run, db, bound } = this;
    const taken = [];
    for (const one of this.#adapted(params)) {
      const began = clock();
      await run(db, bound, one);
      taken.push(Number(clock() - began));
    }
    return { ns: taken };
  }

  async load({ params, ...how }) {
    const { function: run, db, bound } = this;
    return load((one) => run(db, bound, one), this.#adapted(params), how);
  }

  async violate({ params }) {
    try {
      await this.function(this.db, this.bound, this.#adapted(params)[0]);
    } catch (error) {
      const told = { ...explained(error), ...this.adapter.explain?.(error) };
      return { raised: true, type: typeName(error), message: message(error).slice(0, 300), ...told };
    }
    return { raised: false };
  }

  /** Use one feature of the ORM, and tell what was seen. */
  async feature({ name }) {
    const probe = await import(`./features/${this.name}.mjs`);
    if (!probe[name]) return { unprobed: "" };
    return seen(() => probe[name](this.db));
  }

  async close() {
    if (this.db) await this.adapter.close(this.db);
    return { ok: true };
  }

  #adapted(params) {
    const given = params.map((one) => decoded(one, this.scenario, this.study));
    return this.adapter.adapt ? given.map((one) => this.adapter.adapt(this.db, this.bound, one)) : given;
  }
}

/** Answer asks until told to close. */
async function serve(adapter, write) {
  const runner = new Runner(adapter);
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const { do: verb, ...ask } = JSON.parse(line);
    write(`${JSON.stringify(await answered(runner, verb, ask))}\n`);
    if (verb === "close") break;
  }
}

async function answered(runner, verb, ask) {
  try {
    return await runner[verb](ask);
  } catch (error) {
    const told = failure(error);
    const { password } = (ask.study ?? runner.study)?.url ?? {};
    return { error: password ? { ...told, message: told.message.replaceAll(password, "***") } : told };
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  // Words of a moment without a zone mean the same to every driver.
  process.env.TZ = "UTC";
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  globalThis.console = new Console(process.stderr, process.stderr);
  await serve(process.argv[2], write);
  process.exit(0);
}
