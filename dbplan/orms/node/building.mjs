/** Models in TypeScript, made into what every release of Node can import. */

import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));

/** Let files in `folder` import the packages that are installed here. */
export function linkPackages(folder) {
  const installed = resolve(dirname(createRequire(import.meta.url).resolve("pg/package.json")), "..");
  try {
    symlinkSync(installed, join(folder, "node_modules"), "dir");
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
}

/**
 * Return the path of `source` as JavaScript, beside it; it is made once, in a process of its own,
 * so that the compiler takes no memory of the one that is measured.
 */
export function transpiled(source) {
  const made = source.replace(/\.ts$/, ".mjs");
  if (existsSync(made)) return made;
  linkPackages(dirname(source));
  const draft = `${made}.${process.pid}`;
  try {
    run(join(HERE, "transpile.mjs"), source, draft);
    renameSync(draft, made);
  } finally {
    rmSync(draft, { force: true });
  }
  return made;
}

/** Run a script of Node; its error is ours. */
export function run(script, ...given) {
  const done = spawnSync(process.execPath, [script, ...given], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`${script} failed: ${(done.stderr || done.stdout).trim().slice(-250)}`);
  return done.stdout;
}
