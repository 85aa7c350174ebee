/** Models in TypeScript, made into what every release of Node can import. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));

/** The folder of the packages that are installed for these files. */
export function packages() {
  for (let folder = HERE; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules");
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) throw new Error("the packages of Node are not installed");
  }
}

/** The version of an installed package. */
export function versionOf(name) {
  return JSON.parse(readFileSync(join(packages(), name, "package.json"), "utf8")).version;
}

/** Let files in `folder` import the packages that are installed here. */
export function linkPackages(folder) {
  try {
    symlinkSync(packages(), join(folder, "node_modules"), "dir");
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
