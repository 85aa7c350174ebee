/** Lines of JSON [verb, ...given] in, what `values.mjs` makes of them out; the first argument is its path. */

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

process.env.TZ = process.argv[3] ?? "UTC";
const values = await import(pathToFileURL(process.argv[2]));

const VERBS = {
  round: (value, kind) => values.travelling(values.native(value, kind), kind),
  form: (value, kind) => values.travelling(value, kind),
  canonical: (params, scenario, study) =>
    values.canonical(values.decoded(params, scenario, study).rows, scenario, study),
  type: (value, kind) => {
    const made = values.native(value, kind);
    return made?.constructor?.name ?? null;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...given] = JSON.parse(line);
  let answer;
  try {
    answer = { made: VERBS[verb](...given) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
