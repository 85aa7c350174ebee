/** What using a feature came to: what its probe tells, or why not, and the memory that it took. */

import { readFileSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { NotCovered, failure, message } from "./errors.mjs";

/** Tell what `work` came to, and by how many kB it has made this process grow at most. */
export async function seen(work) {
  forget();
  const before = process.memoryUsage.rss() / 1024;
  try {
    return { seen: await work(), grown_kb: Math.max(0, Math.round(peak() - before)) };
  } catch (error) {
    return error instanceof NotCovered ? { not_covered: message(error) } : { refused: failure(error) };
  }
}

/** Give back what importing has left, and begin to look for the peak anew, where the system can. */
function forget() {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    return; // the peak is that of the whole life: the growth is told too large, never too small
  }
}

/** The most memory that this process has taken, in kB; what resourceUsage tells begins with its parent's. */
function peak() {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}
