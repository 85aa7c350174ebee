/** Prisma's client, generated from the exported schema by Prisma itself. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { linkPackages } from "./building.mjs";
import { NotCovered } from "./errors.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const GENERATOR = /^generator \S+ \{\n[^]*?^\}\n*/gm;
const PREVIEWS = /^\s*previewFeatures\s*=\s*\[([^\]]*)\]/gm;

/**
 * Generate the client of `schema.prisma` beside it, as `client` and `dmmf.json`, once for each schema.
 * Throws NotCovered with Prisma's own words where Prisma refuses the schema.
 */
export function generated(folder) {
  const schema = ours(readFileSync(join(folder, "schema.prisma"), "utf8"));
  const stamp = join(folder, "client", "schema.sha256");
  const hash = createHash("sha256").update(schema).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  linkPackages(folder);
  copyFileSync(join(HERE, "dmmf.mjs"), join(folder, "dmmf.mjs"));
  writeFileSync(join(folder, "client.prisma"), schema);
  generate(folder);
  writeFileSync(stamp, hash);
}

/** The schema with generators of JavaScript and of what Prisma knows, in place of its own. */
function ours(schema) {
  const previews = [...schema.matchAll(PREVIEWS)].flatMap(([, listed]) => listed.match(/"[^"]*"/g) ?? []);
  const listed = [...new Set(previews)].join(", ");
  const client = `generator client {\n  provider = "prisma-client-js"\n  output = "./client"\n  previewFeatures = [${listed}]\n}\n`;
  return `${client}\ngenerator dmmf {\n  provider = "node dmmf.mjs"\n}\n\n${schema.replace(GENERATOR, "")}`;
}

function generate(folder) {
  const cli = createRequire(import.meta.url).resolve("prisma/build/index.js");
  const env = {
    ...process.env,
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    NO_COLOR: "1",
    CHECKPOINT_DISABLE: "1",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, // one has to exist; generating does not run it
  };
  const given = [cli, "generate", "--schema", "client.prisma", "--no-hints"];
  const done = spawnSync(process.execPath, given, { cwd: folder, env, encoding: "utf8" });
  if (done.error) throw done.error;
  if (done.status !== 0) throw refusal(`${done.stderr}${done.stdout}`);
}

/** What Prisma says of a schema that it refuses, or of anything else that went wrong. */
function refusal(said) {
  const text = said.replace(/\u001b\[[\d;]*m/g, "");
  const words = [...text.matchAll(/^error: (.*)$/gm)].map(([, one]) => one.trim());
  if (!/Prisma schema validation/.test(text)) return new Error(`prisma generate failed: ${text.trim().slice(-250)}`);
  return new NotCovered(`Prisma refuses the schema: ${[...new Set(words)].slice(0, 3).join("; ")}`);
}
