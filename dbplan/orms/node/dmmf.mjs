/**
 * A generator of Prisma's, `provider = "node dmmf.mjs"`: writes what Prisma knows of the schema beside it, as
 * `dmmf.json`. The client itself keeps names and types, but not which fields a relation or a key is made of.
 * Prisma asks by lines of JSON on standard input, and reads the answers from standard error.
 */

import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const VERBS = {
  getManifest: () => ({ manifest: { prettyName: "what Prisma knows of the schema", defaultOutput: "dmmf.json" } }),
  generate: ({ dmmf: { datamodel, mappings }, generator }) => {
    const creatable = mappings.modelOperations.filter((one) => one.createOne).map((one) => one.model);
    const short = (name, value) => (name === "documentation" ? undefined : value); // it is read where memory is measured
    writeFileSync(generator.output.value, JSON.stringify({ datamodel, creatable }, short));
    return null;
  },
};

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const { id, method, params } = JSON.parse(line);
  process.stderr.write(`${JSON.stringify({ jsonrpc: "2.0", id, result: VERBS[method]?.(params) ?? null })}\n`);
}
